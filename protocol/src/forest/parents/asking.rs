//! Whom a stripe's search asks next, and with which words.

use super::{Asker, INSIST_AFTER, Parents, Roster};
use crate::forest::candidates::Candidates;
use crate::forest::context::Context;
use crate::forest::feed::Search;
use crate::forest::peer::Peer;
use crate::forest::score::{RTT_UNKNOWN, Wish};
use crate::limits::STRIPES_MAX;
use crate::wire::control::{Body, Graft};
use std::time::Duration;

/// A link must be up within this, or the next is asked; a link that comes later is used all the
/// same. Derived: three round trips of 100 ms; a hole punched takes longer and is worth no wait.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
/// The same with a parent that still feeds: no hurry. Derived: three round trips of 300 ms plus a
/// retransmission.
const CONNECT_TIMEOUT_FED: Duration = Duration::from_secs(2);
/// A graft must be answered within this. Derived: two round trips of 300 ms, or the next is asked.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(700);
/// The same when a stripe is silent, beyond two round trips. Guess: a busy uplink.
const ANSWER_MARGIN: Duration = Duration::from_millis(60);
/// With nobody to ask, look again this soon. Guess.
pub(in crate::forest) const RETRY: Duration = Duration::from_millis(250);
/// After so many, and then every so many again, it asks the root itself: a stripe that has lost all
/// its nodes near the root is found again by nothing else. Guess.
const ASK_ROOT_AFTER: u8 = 20;
/// The same where others wait below, most of whom are all it knows.
const ASK_ROOT_AFTER_HEAD: u8 = 4;
/// After so many it asks also those that said they lack the stripe: they may have it again. Guess: far
/// more than it takes where anybody is to be had.
const LOST_AFTER: u8 = 16;
/// A parent that was lost longer ago is not reported any more. Derived: then its own parent knows from
/// the link's idle timeout, or it lives and only this node is cut off.
const REPORTED: Duration = Duration::from_secs(5);

impl Parents {
    /// Starts looking for a parent, unless a search runs already.
    pub(crate) fn search(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let idle = self.feeds[usize::from(stripe)].search == Search::Idle;
        if idle {
            self.ask_next(cx, who, stripe);
        }
    }

    /// Whom to ask first when the parent of `stripe` dies. Who feeds others asks the parent above,
    /// where a place has just become free; the rest spread over their backups.
    pub(super) fn heirs(&self, stripe: u8) -> Vec<Peer> {
        let feed = &self.feeds[usize::from(stripe)];
        let above = feed.parent.as_ref().and_then(|parent| parent.above);
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        let strong = stripe == self.asker.home && self.asker.slots > 0;
        let (first, second) = if strong { (above, feed.backup) } else { (feed.backup, above) };
        let mut heirs: Vec<Peer> = Vec::with_capacity(2);
        for heir in [first, second].into_iter().flatten() {
            if Some(heir) != parent && !heirs.contains(&heir) {
                heirs.push(heir);
            }
        }
        heirs
    }

    /// Replaces a silent parent, its heirs first.
    pub(crate) fn repair(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let heirs = self.heirs(stripe);
        let feed = &mut self.feeds[usize::from(stripe)];
        let Some(parent) = &feed.parent else { return };
        if feed.repair_of.is_some() {
            return;
        }
        feed.repair_of = Some(parent.peer);
        feed.hungry_since = cx.now;
        feed.prefer = heirs;
        feed.search = Search::Idle;
        self.ask_next(cx, who, stripe);
    }

    /// Asks for a better place with `peer`; the present parent stays if it says no.
    pub(crate) fn improve(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        peer: Peer,
        hope_us: Option<u32>,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.search == Search::Idle && !feed.is_parent(peer) {
            feed.hope_us = hope_us;
            feed.prefer.push(peer);
            self.ask_next(cx, who, stripe);
        }
    }

    /// Asks `peer` for a stripe before anybody else; the present parent stays until it says yes.
    pub(crate) fn turn_to(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        peer: Peer,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.wanted && !feed.is_parent(peer) {
            feed.prefer = vec![peer];
            feed.search = Search::Idle;
            self.ask_next(cx, who, stripe);
        }
    }

    /// Makes a wish for `stripe` and hands it to `ask`.
    pub(crate) fn with_wish<T>(
        &self,
        who: &mut Roster<'_>,
        stripe: u8,
        change: impl FnOnce(&mut Wish<'_>),
        ask: impl FnOnce(&mut Candidates, &Wish<'_>) -> T,
    ) -> T {
        let feed = &self.feeds[usize::from(stripe)];
        let children = who.children;
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        // Most stripes have no children: that is looked up once, not for each candidate.
        let feeds = children.has_any(stripe);
        let not = |peer: Peer| Some(peer) == parent || (feeds && children.contains(stripe, peer));
        let mut parents = [None; STRIPES_MAX as usize];
        for (of_stripe, feed) in parents.iter_mut().zip(self.feeds.iter()) {
            *of_stripe = feed.parent.as_ref().map(|parent| parent.peer);
        }
        let parents = &parents[..self.feeds.len()];
        let shared =
            |peer: Peer| parents.iter().filter(|parent| **parent == Some(peer)).count() as u64;
        // Whoever is full knows best who is not.
        let lacking = feed.repair_of.is_some() || feed.parent.is_none();
        let mut wish = Wish {
            stripe,
            not: &not,
            shared: &shared,
            ask_full: lacking,
            lost: lacking && feed.refusals >= LOST_AFTER,
            strong: self.offer(stripe) > 0,
            urgent: lacking,
            below_us: None,
            reach: self.asker.reach,
            small: who.candidates.are_few(self.feeds.len()),
            spot: who.candidates.spot(),
        };
        change(&mut wish);
        ask(who.candidates, &wish)
    }

    pub(super) fn ask_next(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let hungry = self.is_hungry() || self.asker.home == stripe;
        let spared = self.fed().len() > self.asker.k.into();
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.prefer.is_empty() {
            feed.search = Search::Idle; // what it hoped for is not to be had
            return;
        }
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        // One that was late before is no heir: two such would hand their children to each other.
        let preferred = feed.prefer.iter().copied().find(|peer| {
            Some(*peer) != parent
                && !who.children.contains(stripe, *peer)
                && !who.candidates.is_banned(*peer)
                && !who.candidates.is_shunned(cx.now, *peer)
        });
        let head = who.children.has_any(stripe);
        let after = if head { ASK_ROOT_AFTER_HEAD } else { ASK_ROOT_AFTER };
        let lost = feed.refusals >= after && feed.refusals.is_multiple_of(after);
        let root = self.root.or_else(|| who.candidates.root(cx.now));
        let root = root.filter(|root| lost && Some(*root) != parent);
        if !hungry && spared && root.is_none() && feed.pauses() {
            feed.prefer.clear();
            feed.search = Search::Waiting { until: cx.now + feed.pause() };
            return;
        }
        let (now, links) = (cx.now, &*cx.links);
        let chosen = match preferred.or(root) {
            Some(peer) => Ok(peer),
            None if self.feeds[usize::from(stripe)].is_fed() => Err(None),
            None => self.with_wish(who, stripe, |_| {}, |c, wish| c.best(now, links, wish)),
        };
        let feed = &mut self.feeds[usize::from(stripe)];
        match chosen {
            Ok(peer) => {
                feed.prefer.retain(|preferred| *preferred != peer);
                if cx.links.is_up(peer) {
                    self.ask(cx, stripe, peer);
                } else if cx.connect(peer) {
                    let patience =
                        if feed.is_fed() { CONNECT_TIMEOUT_FED } else { CONNECT_TIMEOUT };
                    feed.search = Search::Connecting { peer, deadline: cx.now + patience };
                } else {
                    who.candidates.unreachable(cx.now, peer);
                    feed.search = Search::Waiting { until: cx.now + RETRY };
                }
            }
            Err(_) if feed.is_fed() => feed.search = Search::Idle,
            Err(next) => {
                let until = if hungry {
                    let latest = cx.now + RETRY;
                    next.map_or(latest, |at| at.clamp(cx.now + RETRY / 10, latest))
                } else {
                    cx.now + feed.pause()
                };
                feed.search = Search::Waiting { until };
            }
        }
    }

    /// Children this node offers to feed with a stripe.
    ///
    /// A helper multiplies every stripe it takes. A gateway multiplies its home stripe, with half of
    /// what it has; elsewhere it stands in where nobody else does, if it has enough for all.
    pub(crate) fn offer(&self, stripe: u8) -> u16 {
        let Asker { helper, home, slots, .. } = self.asker;
        match (helper, stripe == home) {
            (true, _) => slots,
            (false, true) => slots.div_ceil(2),
            (false, false) => slots / self.feeds.len() as u16,
        }
    }

    pub(super) fn ask(&mut self, cx: &mut Context<'_>, stripe: u8, peer: Peer) {
        self.request = self.request.wrapping_add(1);
        let request = self.request;
        let Asker { channel, helper, .. } = self.asker;
        let (slots, fed) = (self.offer(stripe), self.fed().len() as u8);
        let feed = &mut self.feeds[usize::from(stripe)];
        let graft = Graft {
            stripe,
            request,
            channel,
            slots,
            resume: 0, // the hub knows how far the media have come
            repair_of: feed.repair_of.filter(|_| cx.now.since(feed.hungry_since) < REPORTED),
            helper,
            fed,
            insist: feed.refusals >= INSIST_AFTER,
            reach: self.asker.reach,
        };
        let timeout = match feed.repair_of {
            Some(_) => {
                let rtt = cx.links.rtt(peer).unwrap_or(RTT_UNKNOWN);
                (rtt * 2 + ANSWER_MARGIN).min(ANSWER_TIMEOUT)
            }
            None => ANSWER_TIMEOUT,
        };
        feed.search = Search::Asking { peer, request, deadline: cx.now + timeout };
        cx.send(peer, Body::Graft(graft));
    }
}
