//! Where a helper helps: its home stripe, and another in which the root has no helper.

use super::action::Action;
use super::context::Context;
use super::machine::Forest;
use super::peer::Peer;
use super::stripe::StripeSet;
use crate::time::Timestamp;
use crate::wire::control::{Body, PruneReason};
use std::time::Duration;

/// It looks around this often. Guess.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between moves from stripe to stripe it waits twice as long each time, at most this: moving on
/// for ever would only trouble its children. Guess.
const PATIENCE_MAX: Duration = Duration::from_secs(120);
/// A stripe in which it found no place is not tried again before. Guess.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// What a helper remembers of its search for work.
#[derive(Debug)]
pub(super) struct Helper {
    /// When to look around next.
    pub(super) at: Timestamp,
    patience: Duration,
    /// Stripes in which the root was asked for a place lately, and since when.
    tried: StripeSet,
    tried_since: Timestamp,
}

impl Helper {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { at: now, patience: LOOK_EVERY, tried: StripeSet::EMPTY, tried_since: now }
    }
}

impl Forest {
    /// Root: the stripes in which no child is a helper.
    pub(super) fn short(&self) -> StripeSet {
        let mut short = StripeSet::EMPTY;
        for stripe in 0..self.setup.n {
            if !self.children.has_helper(stripe) {
                short.insert(stripe);
            }
        }
        short
    }

    /// Adds, or moves to, a stripe that is short of helpers; gives up one where it is of no use.
    pub(super) fn help_where_short(&mut self, cx: &mut Context<'_>) {
        if self.helper.at > cx.now {
            return;
        }
        self.helper.at = cx.now + LOOK_EVERY;
        if cx.now.since(self.helper.tried_since) > TRY_AGAIN {
            self.helper.tried = StripeSet::EMPTY;
            self.helper.tried_since = cx.now;
        }
        let mine = self.parents.wanted();
        if mine != self.parents.fed() {
            return; // still settling
        }
        let Some(short) = self.short_stripes() else { return };
        let behind = |s: &u8| self.depth(*s).is_some_and(|depth| depth > 1);
        if let Some(stripe) = mine.iter().find(|s| short.contains(*s) && behind(s)) {
            self.get_before_others(cx, stripe);
            return;
        }
        let Some(stripe) = self.next_short(short, mine) else { return };
        if mine.len() >= u32::from(self.setup.stripes_max) {
            // Full: gives up a stripe that others carry above it, best one without children.
            let spare = mine.iter().filter(behind).min_by_key(|s| self.children.has_any(*s));
            let Some(spare) = spare else { return };
            self.drop_stripe(cx, spare);
            self.helper.at = cx.now + self.helper.patience;
            self.helper.patience = (self.helper.patience * 2).min(PATIENCE_MAX);
        }
        self.parents.want(cx, stripe, true);
        self.children.spread_over(self.parents.wanted());
        let (parents, mut who) = self.split();
        parents.search(cx, &mut who, stripe);
    }

    /// The stripes without a helper at the root, as the parent nearest to it says.
    fn short_stripes(&self) -> Option<StripeSet> {
        let parents = self.parents.feeds.iter().filter_map(|feed| feed.parent.as_ref());
        parents.map(|parent| &parent.path).min_by_key(|path| path.tags.len()).map(|path| path.short)
    }

    /// Each helper starts at another stripe, so that they do not all take the same.
    fn next_short(&self, short: StripeSet, mine: StripeSet) -> Option<u8> {
        let n = self.setup.n;
        let first = (self.setup.tag % u32::from(n)) as u8;
        let usable =
            |s: &u8| short.contains(*s) && !mine.contains(*s) && !self.helper.tried.contains(*s);
        (0..n).map(|i| (first + i) % n).find(usable)
    }

    /// It carries a short stripe, but behind others: the root may make room. If it did not, and
    /// nobody here needs the stripe, it only takes a slot from others.
    fn get_before_others(&mut self, cx: &mut Context<'_>, stripe: u8) {
        if !self.helper.tried.contains(stripe) {
            let Some(root) = self.candidates.root(cx.now) else { return };
            self.helper.tried.insert(stripe);
            let (parents, mut who) = self.split();
            parents.improve(cx, &mut who, stripe, root, None);
        } else if stripe != self.setup.home && !self.children.has_any(stripe) {
            self.drop_stripe(cx, stripe);
        }
    }

    fn drop_stripe(&mut self, cx: &mut Context<'_>, stripe: u8) {
        let successors: Vec<Peer> = self.parent(stripe).into_iter().collect();
        for child in self.children.take(stripe) {
            let (reason, successors) = (PruneReason::Dry, successors.clone());
            cx.send(child, Body::Prune { stripe, reason, successors });
            cx.out.push(Action::Released { stripe, child });
        }
        self.parents.want(cx, stripe, false);
        self.children.spread_over(self.parents.wanted());
        self.announce_soon(cx.now);
    }
}
