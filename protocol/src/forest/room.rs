//! Room: how many more children a node and all below it would take in a stripe.
//!
//! A child tells its parent when that changes, so that whoever asks anywhere in a stripe's tree is
//! sent on to where a place is free, and up where there is none below: an anycast down the tree. What
//! members say of themselves by gossip is too old for that while a crowd comes.

use super::children::Place;
use super::context::Context;
use super::coordinate::Spot;
use super::machine::Forest;
use super::member::{Member, Reach, Role};
use super::peer::Peer;
use super::stripe::StripeSet;
use crate::limits::{PLACES_MAX, REDIRECTS_MAX};
use crate::time::Timestamp;
use crate::wire::control::{Body, Graft, Refusal};
use std::time::Duration;

/// Room is told at once at most so often per stripe, and by the next tick otherwise. Guess: a few
/// round trips.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// And again after this: places that were named and not taken count as taken above. Guess.
const TELL_AGAIN: Duration = Duration::from_secs(5);
/// Less than this part of it is no news. Guess.
const NEWS: u16 = 8;
/// Children named to who is sent on; the rest are others with the stripe.
const CHILDREN_NAMED: usize = 3;

/// What the parent of a stripe was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    room: u16,
    at: Timestamp,
}

impl Told {
    /// A parent takes this node in: it believes what the graft offered.
    pub(super) const fn offered(room: u16) -> Self {
        Self { room, at: Timestamp::ZERO }
    }

    fn is_news(self, room: u16) -> bool {
        let turned = (room == 0) != (self.room == 0);
        let much = room.abs_diff(self.room) > self.room.max(room) / NEWS;
        turned || much
    }
}

impl Forest {
    /// Children that this node and all below it would still take in a stripe.
    #[must_use]
    pub fn room(&self, now: Timestamp, stripe: u8) -> u16 {
        let own = if self.multiplies(stripe) { self.children.slots_offered(now) } else { 0 };
        own.saturating_add(self.children.room_below(stripe))
    }

    /// Some that would take a child, this node or those below: one, and one that anybody reaches.
    fn places(&mut self, cx: &Context<'_>, stripe: u8) -> Vec<Member<Peer>> {
        let mut places = Vec::with_capacity(PLACES_MAX);
        if self.multiplies(stripe) && self.children.slots_offered(cx.now) > 0 {
            places.push(self.member(cx.now, cx.links));
        }
        let me = self.setup.me;
        for reach in [Reach::Public, Reach::Hard] {
            let served = places.iter().any(|place| place.reach.meets(reach));
            if !served && places.len() < PLACES_MAX {
                let below = self.children.with_room(stripe, me, reach, 1, &mut self.rng);
                places.extend(below.first().map(|place| self.described(cx.now, stripe, *place)));
            }
        }
        places
    }

    fn multiplies(&self, stripe: u8) -> bool {
        match self.setup.role {
            Role::Root => true,
            Role::Helper => self.wants(stripe),
            Role::Gateway => stripe == self.setup.home || self.is_small(),
        }
    }

    /// Tells the parents what has changed enough. Whether all have been told what they are to know;
    /// false if some were told something a moment ago.
    pub(super) fn tell_room(&mut self, cx: &mut Context<'_>) -> bool {
        let mut all = true;
        let mut stripes = StripeSet::EMPTY;
        stripes.insert(self.setup.home);
        self.children.stripes().for_each(|stripe| stripes.insert(stripe));
        for stripe in stripes.iter() {
            let Some(feed) = self.parents.feed(stripe) else { continue };
            let Some(parent) = feed.parent.as_ref().map(|parent| parent.peer) else { continue };
            if cx.now.since(feed.told.at) < TELL_EVERY {
                all = false;
                continue;
            }
            let (told, room) = (feed.told, self.room(cx.now, stripe));
            let old = room > 0 && cx.now.since(told.at) >= TELL_AGAIN;
            if old || told.is_news(room) {
                let places = self.places(cx, stripe);
                let children = self.children.of(stripe).count() as u16;
                cx.send(parent, Body::Room { stripe, room, children, places });
                if let Some(feed) = self.parents.feed_aside(stripe) {
                    feed.told = Told { room, at: cx.now };
                }
            }
        }
        all
    }

    /// Whom a node should ask that is not taken in: children with room below, else up the tree, and
    /// others with the stripe.
    pub(super) fn send_on(
        &mut self,
        cx: &Context<'_>,
        child: Peer,
        graft: &Graft<Peer>,
        refusal: Refusal,
    ) -> Vec<Member<Peer>> {
        let stripe = graft.stripe;
        let mut members = Vec::with_capacity(REDIRECTS_MAX);
        if refusal == Refusal::Full {
            let down =
                self.children.with_room(stripe, child, graft.reach, CHILDREN_NAMED, &mut self.rng);
            if down.is_empty() {
                let meets = |up: &Member<Peer>| up.contact != child && up.reach.meets(graft.reach);
                members.extend(self.up(cx, stripe).filter(meets));
            }
            members.extend(down.iter().map(|place| self.described(cx.now, stripe, *place)));
        }
        let asked = self.parents.feed(stripe).and_then(|feed| feed.search.peer());
        let named: Vec<Peer> = members.iter().map(|member| member.contact).collect();
        let not = |node: Peer| node == child || asked == Some(node) || named.contains(&node);
        let keep = REDIRECTS_MAX - members.len();
        members.extend(self.candidates.with_stripe(cx.now, stripe, keep, graft.reach, not));
        members
    }

    /// The parent of a stripe that feeds this node.
    fn up(&self, cx: &Context<'_>, stripe: u8) -> Option<Member<Peer>> {
        let feed = self.parents.feed(stripe).filter(|feed| feed.is_fed())?;
        let parent = feed.parent.as_ref()?;
        let is_root = self.parents.root == Some(parent.peer);
        let reach = if is_root { Reach::Public } else { self.candidates.reach(parent.peer)? };
        let delay_us = parent.path.delay_us;
        let up = Place { peer: parent.peer, slots: 1, delay_us, reach };
        let role = if is_root { Role::Root } else { Role::Gateway };
        Some(Member { role, ..self.described(cx.now, stripe, up) })
    }

    /// A place as far as this node knows who it is.
    fn described(&self, now: Timestamp, stripe: u8, place: Place) -> Member<Peer> {
        let Place { peer, slots, delay_us, reach } = place;
        let known = self.candidates.member(now, peer);
        let mut carries = known.map_or(StripeSet::EMPTY, |known| known.carries);
        carries.insert(stripe);
        Member {
            contact: peer,
            role: known.map_or(Role::Gateway, |known| known.role),
            carries,
            slots: known.map_or(slots, |known| known.slots),
            slots_free: slots,
            depth: known.map_or(0, |known| known.depth),
            delay_us,
            age_s: 0,
            reach,
            spot: known.map_or(Spot::default(), |known| known.spot),
        }
    }
}
