//! Is a stripe late, and what does it need?
//!
//! A stripe is late when it is further behind its siblings than it usually is ([`Pace`]); what is
//! done about it is the rule of [`super::patience`]. When all are silent, nobody can tell a dead
//! parent from a publisher that pauses, except a backup: so it is probed.

use super::pace::Pace;
use super::patience::{BEHIND, is_given_up, silence};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// How long after the next block came a shard is still worth passing on. Derived: a viewer's
/// deadline is 400 ms, 1 s right after it joined; below the ring's span, which knows what came.
const USEFUL: Duration = Duration::from_secs(2);
/// Most time between two blocks that is called usual.
const INTERVAL_MAX: Duration = Duration::from_millis(250);
/// Block times remembered. Derived: 4 s at 30 blocks/s, far beyond any lag that matters.
const SEEN_MAX: usize = 128;

/// The newest block seen in any stripe, and when each block was first seen.
#[derive(Debug, Default)]
pub(crate) struct Head {
    seen: VecDeque<(u64, Timestamp)>,
    interval: Option<Duration>,
}

impl Head {
    /// A shard of `block` came, whoever sent it.
    pub(crate) fn on_shard(&mut self, now: Timestamp, block: u64) {
        if let Some(&(newest, at)) = self.seen.back() {
            if block <= newest {
                return;
            }
            let gap = (now.since(at) / (block - newest).min(1_000) as u32).min(INTERVAL_MAX);
            self.interval = Some(self.interval.map_or(gap, |mean| (mean * 7 + gap) / 8));
        }
        if self.seen.len() == SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back((block, now));
    }

    /// The newest block.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.seen.back().map(|(block, _)| *block)
    }

    /// When a shard of `block` was first seen, if that is remembered.
    fn first(&self, block: u64) -> Option<Timestamp> {
        let at = self.seen.binary_search_by_key(&block, |(seen, _)| *seen).ok()?;
        self.seen.get(at).map(|(_, at)| *at)
    }

    /// When a block after `block` was first seen.
    fn after(&self, block: Option<u64>) -> Option<Timestamp> {
        let at = block.map_or(0, |block| self.seen.partition_point(|(seen, _)| *seen <= block));
        self.seen.get(at).map(|(_, at)| *at)
    }

    /// Whether later blocks came so long ago that `block` is of no use to anybody.
    pub(crate) fn is_past(&self, now: Timestamp, block: u64) -> bool {
        self.after(Some(block)).is_some_and(|at| now.since(at) > USEFUL)
    }

    /// When silence of everything becomes suspicious.
    pub(crate) fn silent_at(&self) -> Option<Timestamp> {
        let (_, at) = self.seen.back()?;
        Some(*at + silence(self.interval.unwrap_or(INTERVAL_MAX)))
    }
}

/// How far a stripe has come by its present parent, and how it usually comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The newest block that came from the parent, or was the head when the parent took over.
    pub newest: Option<u64>,
    /// When that was.
    pub newest_at: Timestamp,
    /// The newest block that came from anybody.
    pub came: Option<u64>,
    /// Do not pull before.
    pub pull_after: Timestamp,
    /// Pulls since something came.
    pub pulls: u8,
    pace: Pace,
    /// The head when the parent took over: what came before says nothing of its pace.
    began: Option<u64>,
}

impl Progress {
    /// Nothing came yet.
    pub(crate) fn new(now: Timestamp) -> Self {
        let pace = Pace::default();
        let (newest, newest_at, pull_after, began) = (None, now, now, None);
        Self { newest, newest_at, came: None, pull_after, pulls: 0, pace, began }
    }

    /// A new parent: its shards are due from the current `head` on, at a pace yet unknown.
    pub(crate) fn restart(&mut self, now: Timestamp, head: Option<u64>) {
        let Self { came, pull_after, pulls, .. } = *self;
        *self = Self { newest: head, began: head, came, pull_after, pulls, ..Self::new(now) };
    }

    /// A shard of `block` came from the parent; `head` knows of it.
    pub(crate) fn on_shard(&mut self, now: Timestamp, block: u64, head: &Head) {
        if self.newest.is_none_or(|newest| block > newest) {
            self.newest = Some(block);
            self.newest_at = now;
        }
        if self.began.is_none_or(|began| block > began)
            && let Some(first) = head.first(block)
        {
            let behind_us = now.since(first).as_micros();
            self.pace.observe(u32::try_from(behind_us).unwrap_or(u32::MAX));
        }
    }

    /// How far behind the first shard of a block it usually comes, µs, if that is known.
    pub(crate) fn behind_us(&self) -> Option<u32> {
        self.pace.offset_us()
    }

    /// A shard of `block` came, whoever sent it.
    pub(crate) fn on_any(&mut self, block: u64) {
        if self.came.is_none_or(|came| block > came) {
            (self.came, self.pulls) = (Some(block), 0);
        }
    }

    /// Since when the stripe is behind its siblings, and when that makes it late.
    fn late(&self, head: &Head) -> Option<(Timestamp, Timestamp)> {
        let behind_since = head.after(self.newest)?;
        let patience = Duration::from_micros(self.pace.patience_us().into());
        Some((behind_since, behind_since + patience))
    }
}

/// What a fed stripe needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing yet.
    Nothing,
    /// Shards from a backup.
    Pull,
    /// Another parent.
    Promote,
}

/// What a stripe with a parent needs at `now`. `grace`: how long the parent has when it is late.
pub(crate) fn need(now: Timestamp, progress: &Progress, grace: Duration, head: &Head) -> Need {
    let Some((behind_since, late_at)) = progress.late(head).filter(|(_, at)| now >= *at) else {
        return Need::Nothing;
    };
    let news = now < progress.newest_at + grace;
    if now >= late_at + grace && is_given_up(news, now.since(behind_since)) {
        return Need::Promote;
    }
    if now >= progress.pull_after { Need::Pull } else { Need::Nothing }
}

/// When a stripe whose parent is being replaced is pulled.
pub(crate) fn pull_at(progress: &Progress, head: &Head) -> Option<Timestamp> {
    progress.late(head).map(|(_, late_at)| late_at.max(progress.pull_after))
}

/// When [`need`] may give another answer.
pub(crate) fn need_at(progress: &Progress, grace: Duration, head: &Head) -> Option<Timestamp> {
    let (behind_since, late_at) = progress.late(head)?;
    let given_up_at = (progress.newest_at + grace).min(behind_since + BEHIND);
    Some(late_at.max(progress.pull_after).min(given_up_at.max(late_at + grace)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::patience::grace;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    /// A stripe that came `behind_ms` after its siblings for `blocks` blocks of 33 ms, and them.
    fn usual(blocks: u64, behind_ms: u64) -> (Head, Progress) {
        let (mut head, mut feed) = (Head::default(), Progress::new(at(0)));
        for block in 0..blocks {
            head.on_shard(at(33 * block), block);
            feed.on_shard(at(33 * block + behind_ms), block, &head);
        }
        (head, feed)
    }

    #[test]
    fn a_stripe_later_than_it_usually_is_is_pulled_then_promoted() {
        let (mut head, mut feed) = usual(10, 0);
        assert_eq!(
            need(at(5_000), &feed, grace(0, false), &head),
            Need::Nothing,
            "a pause is no lag"
        );
        assert_eq!(need_at(&feed, grace(0, false), &head), None);
        assert!(head.silent_at().is_some_and(|silent| silent < at(297 + 66 + 130)));
        head.on_shard(at(1_000), 10);
        assert_eq!(need(at(1_039), &feed, grace(0, false), &head), Need::Nothing);
        assert_eq!(need_at(&feed, grace(0, false), &head), Some(at(1_040)));
        assert_eq!(need(at(1_040), &feed, grace(0, false), &head), Need::Pull);
        feed.pull_after = at(1_110);
        assert_eq!(need(at(1_050), &feed, grace(0, false), &head), Need::Nothing);
        assert_eq!(need_at(&feed, grace(0, false), &head), Some(at(1_110)));
        assert_eq!(need(at(1_120), &feed, grace(0, false), &head), Need::Promote);
        assert_eq!(need(at(1_120), &feed, grace(0, true), &head), Need::Pull);
        feed.on_shard(at(1_130), 10, &head);
        assert_eq!(need(at(3_000), &feed, grace(0, false), &head), Need::Nothing);
    }

    #[test]
    fn a_stripe_is_waited_for_as_long_as_is_usual_and_a_new_parent_anew() {
        let (mut head, mut feed) = usual(200, 30);
        head.on_shard(at(10_000), 200);
        assert_eq!(need_at(&feed, grace(0, false), &head), Some(at(10_070)));
        feed.restart(at(10_050), head.newest());
        head.on_shard(at(10_060), 201);
        // What the new parent's ring still had says nothing of its pace.
        feed.on_shard(at(10_061), 150, &head);
        assert_eq!(need_at(&feed, grace(0, false), &head), Some(at(10_160)));
    }

    #[test]
    fn a_slow_parent_is_kept_and_one_far_behind_is_not() {
        // Usually at once, now each shard `behind_ms` late, one after the other.
        let needs = |behind_ms: u64| {
            let (mut head, mut feed) = usual(100, 0);
            let mut worst = Need::Nothing;
            for ms in 3_300..4_000 {
                if (ms - 3_300_u64).is_multiple_of(33) {
                    head.on_shard(at(ms), ms / 33);
                }
                if ms >= 3_300 + behind_ms && (ms - 3_300 - behind_ms).is_multiple_of(33) {
                    feed.on_shard(at(ms), (ms - behind_ms) / 33, &head);
                }
                // From the first of the late ones on: until then it is silent.
                if ms >= 3_300 + behind_ms {
                    match need(at(ms), &feed, grace(0, false), &head) {
                        Need::Promote => return Need::Promote,
                        Need::Pull => worst = Need::Pull,
                        Need::Nothing => {}
                    }
                }
            }
            worst
        };
        assert_eq!(needs(10), Need::Nothing);
        assert_eq!(needs(110), Need::Pull);
        assert_eq!(needs(350), Need::Promote);
    }

    #[test]
    fn the_deadline_is_when_the_answer_changes() {
        let mut rng = crate::rng::Rng::new(&[7; 32], "lag");
        for case in 0..300 {
            let (mut head, mut feed) = usual(1 + rng.below(60), rng.below(80));
            let began = 3_000 + rng.below(50);
            head.on_shard(at(began), 100);
            if rng.below(2) == 0 {
                feed.on_shard(at(began + rng.below(200)), 100, &head);
                head.on_shard(at(began + 30), 101);
            }
            feed.pull_after = at(began + rng.below(500));
            let stalled = rng.below(2) == 0;
            let answer = |ms| need(at(ms), &feed, grace(0, stalled), &head);
            let due = need_at(&feed, grace(0, stalled), &head);
            // Time goes on from the last thing that happened.
            let now = began + 200;
            let changes = (now..now + 3_000).find(|ms| answer(*ms) != Need::Nothing);
            let expected = changes.map(at);
            assert_eq!(due.map(|due| due.max(at(now))).map(ceil_ms), expected, "case {case}");
        }
    }

    fn ceil_ms(at: Timestamp) -> Timestamp {
        Timestamp::from_micros(at.as_micros().div_ceil(1000) * 1000)
    }
}
