//! The slow optimiser: a forest that is only repaired rots.
//!
//! Two moves, each tried by every node now and then. A node that feeds others *climbs*: it asks the
//! parent of its parent, which takes it in the place of a child that feeds fewer. Any node *moves* to
//! a parent that promises clearly less delay. And every node talks to another about whom they know.

use super::context::Context;
use super::machine::Forest;
use super::member::{Member, Role};
use super::peer::Peer;
use super::score::{AWAY_US, FORWARD_US, Wish};
use crate::time::Timestamp;
use crate::wire::control::Body;
use std::time::Duration;

/// The first climb is tried after this, and after each refusal in twice the time. Guess: a newcomer
/// may be gone again in a moment.
const CLIMB_FIRST: Duration = Duration::from_secs(1);
/// The longest time between two tries. Guess.
const CLIMB_MAX: Duration = Duration::from_secs(16);
/// Two nodes exchange members this often. Spec: `forest.md` 5.2.
const SHUFFLE_EVERY: Duration = Duration::from_secs(10);
/// A move must gain this, µs. Guess: a quarter of a hop.
const GAIN_MIN_US: u64 = 5_000;

/// When what is tried next.
#[derive(Debug)]
pub(super) struct Optimiser {
    climb_at: Timestamp,
    climb_wait: Duration,
    shuffle_at: Timestamp,
    stripe: u8,
}

impl Optimiser {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            climb_at: now + CLIMB_FIRST,
            climb_wait: CLIMB_FIRST,
            shuffle_at: now + CLIMB_FIRST,
            stripe: 0,
        }
    }

    /// See [`Forest::glance`].
    pub(super) fn glance(&self) -> u64 {
        u64::from(self.stripe)
    }

    /// There is a new parent, in the home stripe or another.
    pub(super) fn moved(&mut self, now: Timestamp, home: bool) {
        if home {
            self.climb_wait = CLIMB_FIRST;
            self.climb_at = now + CLIMB_FIRST;
        }
    }
}

impl Forest {
    /// Tries one move of each kind, if it is time.
    pub(super) fn optimise(&mut self, cx: &mut Context<'_>) {
        self.shuffle(cx);
        if self.setup.role == Role::Root {
            return;
        }
        self.climb(cx);
        let mut asked = 0;
        for _ in 0..self.setup.n {
            let stripe = self.optimiser.stripe;
            self.optimiser.stripe = (stripe + 1) % self.setup.n;
            if self.wants(stripe) && self.move_nearer(cx, stripe) {
                asked += 1;
                if asked == 2 {
                    break;
                }
            }
        }
    }

    /// Asks the parent of the parent in the home stripe for a place.
    fn climb(&mut self, cx: &mut Context<'_>) {
        let home = self.setup.home;
        if self.optimiser.climb_at > cx.now || self.parents.offer(home) == 0 {
            return;
        }
        let feed = self.parents.feed(home).filter(|feed| feed.is_fed());
        let Some(parent) = feed.and_then(|feed| feed.parent.as_ref()) else { return };
        let Some(above) = parent.above else { return }; // at the root already
        let jitter = Duration::from_micros(self.rng.below(1_000_000));
        self.optimiser.climb_at = cx.now + self.optimiser.climb_wait + jitter;
        self.optimiser.climb_wait = (self.optimiser.climb_wait * 2).min(CLIMB_MAX);
        let (parents, mut who) = self.split();
        parents.improve(cx, &mut who, home, above, None);
    }

    /// Moves to a parent that promises clearly less. Whether there is one.
    pub(super) fn move_nearer(&mut self, cx: &mut Context<'_>, stripe: u8) -> bool {
        let Some(hope_us) = self.hope_us(cx, stripe) else { return false };
        let (now, links) = (cx.now, &*cx.links);
        let change = |wish: &mut Wish<'_>| {
            wish.below_us = Some(hope_us.into());
            wish.ask_full = wish.strong;
        };
        let (parents, mut who) = self.split();
        let better =
            parents.with_wish(&mut who, stripe, change, |c, wish| c.best(now, links, wish));
        let Ok(peer) = better else { return false };
        parents.improve(cx, &mut who, stripe, peer, Some(hope_us));
        true
    }

    /// Another member names one: moves to it if it promises clearly less. It need not be remembered
    /// for that, so that views stay random.
    pub(super) fn try_named(&mut self, cx: &mut Context<'_>, member: &Member<Peer>) {
        let (peer, stripe) = (member.contact, cx.directory.home(member.contact));
        let gives = member.slots_free > 0 && member.carries.contains(stripe);
        let may_be_asked = peer != self.setup.me
            && member.reach.meets(self.setup.reach)
            && !self.candidates.is_banned(peer)
            && !self.candidates.is_shunned(cx.now, peer)
            && !self.candidates.rests(cx.now, peer)
            && !self.children.contains(stripe, peer);
        if !gives || !may_be_asked || self.is_small() {
            return;
        }
        let Some(hope_us) = self.hope_us(cx, stripe) else { return };
        let rtt = cx.links.rtt(peer).or_else(|| self.spot().round_trip(member.spot));
        let way_us = rtt.map(|rtt| rtt.as_micros() as u64 / 2 + u64::from(FORWARD_US));
        if way_us.is_some_and(|way_us| u64::from(member.delay_us) + way_us < hope_us.into()) {
            let (parents, mut who) = self.split();
            parents.improve(cx, &mut who, stripe, peer, Some(hope_us));
        }
    }

    /// What a new parent in a stripe must promise for a move to be worth it, µs.
    fn hope_us(&self, cx: &Context<'_>, stripe: u8) -> Option<u32> {
        let feed = self.parents.feed(stripe).filter(|feed| feed.is_fed())?;
        let parent = feed.parent.as_ref()?;
        // A root or a helper is at home in all it feeds.
        let at_home = parent.path.tags.len() == 1
            || cx.directory.home(parent.peer) == stripe
            || self.candidates.member(cx.now, parent.peer).is_some_and(|m| m.role != Role::Gateway);
        let now_us = u64::from(self.parents.seen_us(cx.links, stripe)?);
        let now_us = now_us + if at_home { 0 } else { AWAY_US };
        u32::try_from(now_us.saturating_sub(GAIN_MIN_US.max(now_us / 16))).ok()
    }

    /// Tells one other member about this node, and asks it whom it knows.
    fn shuffle(&mut self, cx: &mut Context<'_>) {
        if self.optimiser.shuffle_at > cx.now {
            return;
        }
        let jitter = Duration::from_micros(self.rng.below(1_000_000));
        self.optimiser.shuffle_at = cx.now + SHUFFLE_EVERY + jitter;
        let Some(peer) = self.candidates.any(cx.now) else { return };
        if cx.links.is_up(peer) {
            let member = self.member(cx.now, cx.links);
            cx.send(peer, Body::Announce { member, reply: true });
        } else {
            cx.connect(peer); // and says so when the link is up
        }
    }
}
