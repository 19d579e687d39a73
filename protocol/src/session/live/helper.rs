//! Where a helper helps: its home stripe, and another in which the root has no helper.

use super::Live;
use crate::context::Context;
use crate::forest::{StripeSet, tag};
use crate::output::Event;
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
    pub(super) fn new(now: Timestamp) -> Self {
        Self { at: now, patience: LOOK_EVERY, tried: StripeSet::EMPTY, tried_since: now }
    }
}

impl Live {
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
        let behind = |s: &u8| self.parents.path(*s).is_some_and(|path| path.depth() > 1);
        if let Some(stripe) = mine.iter().find(|s| short.contains(*s) && behind(s)) {
            self.get_before_others(cx, stripe);
            return;
        }
        let Some(stripe) = self.next_short(short, mine) else { return };
        if mine.len() >= u32::from(self.stripes_max) {
            // Full: gives up a stripe that others carry above it, best one without children.
            let spare = mine.iter().filter(behind).min_by_key(|s| self.children.has_any(*s));
            let Some(spare) = spare else { return };
            self.drop_stripe(cx, spare);
            self.helper.at = cx.now + self.helper.patience;
            self.helper.patience = (self.helper.patience * 2).min(PATIENCE_MAX);
        }
        self.parents.want(cx, stripe, true);
        self.children.spread_over(self.parents.wanted().len());
        let (parents, mut who) = self.parents();
        parents.search(cx, &mut who, stripe);
    }

    /// The stripes without a helper at the root, as the parent nearest to it says.
    fn short_stripes(&self) -> Option<StripeSet> {
        let parents = self.parents.feeds.iter().filter_map(|feed| feed.parent.as_ref());
        parents.map(|parent| &parent.path).min_by_key(|path| path.tags.len()).map(|path| path.short)
    }

    /// Each helper starts at another stripe, so that they do not all take the same.
    fn next_short(&self, short: StripeSet, mine: StripeSet) -> Option<u8> {
        let n = self.outline.stripes();
        let first = (tag(&self.me, &self.session()) % u32::from(n)) as u8;
        let usable =
            |s: &u8| short.contains(*s) && !mine.contains(*s) && !self.helper.tried.contains(*s);
        (0..n).map(|i| (first + i) % n).find(usable)
    }

    /// It carries a short stripe, but behind others: the root may make room. If it did not, and
    /// nobody here needs the stripe, it only takes a slot from others.
    fn get_before_others(&mut self, cx: &mut Context<'_>, stripe: u8) {
        if !self.helper.tried.contains(stripe) {
            let Some(root) = self.candidates.root(cx.now).cloned() else { return };
            self.helper.tried.insert(stripe);
            let (parents, mut who) = self.parents();
            parents.improve(cx, &mut who, stripe, root);
        } else if stripe != self.home && !self.children.has_any(stripe) {
            self.drop_stripe(cx, stripe);
        }
    }

    fn drop_stripe(&mut self, cx: &mut Context<'_>, stripe: u8) {
        let session = self.session();
        let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
        let parent = parent.and_then(|parent| self.candidates.contact(&parent.node));
        let successors: Vec<_> = parent.cloned().into_iter().collect();
        for (child, _) in self.children.take(stripe) {
            let (reason, successors) = (PruneReason::Dry, successors.clone());
            cx.send(child, session, Body::Prune { stripe, reason, successors });
            cx.event(Event::ChildReleased { session, stripe, child });
        }
        self.parents.want(cx, stripe, false);
        self.children.spread_over(self.parents.wanted().len());
        self.announce_soon(cx.now);
    }
}
