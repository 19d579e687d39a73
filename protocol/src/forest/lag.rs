//! When does a stripe lag, and what is to be done about it?
//!
//! A stripe lags when its siblings are ahead of it. When all are silent, nobody can tell a dead
//! parent from a publisher that pauses, except a backup: so it is probed.

use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Behind the siblings by this: pull from the backup. Derived: `forest.md` 5.6, 2.5 frame times.
pub(crate) const PULL_AFTER: Duration = Duration::from_millis(80);
/// Behind by this: promote the backup. Derived: `forest.md` 5.6.
pub(crate) const PROMOTE_AFTER: Duration = Duration::from_millis(160);
/// The same when the parent says that it is repairing its own feed. Guess: its repair takes about
/// 200 ms, once per level above.
pub(crate) const PROMOTE_AFTER_STALLED: Duration = Duration::from_millis(1000);
/// All stripes silent for this long beyond the usual interval: probe. Guess.
const SILENT_AFTER: Duration = Duration::from_millis(120);
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
        Some(*at + self.interval.unwrap_or(INTERVAL_MAX) * 2 + SILENT_AFTER)
    }
}

/// How far a stripe has come by its present parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The newest block that came from the parent, or was the head when the parent took over.
    pub newest: Option<u64>,
    /// When that was.
    pub newest_at: Timestamp,
    /// Do not pull before.
    pub pull_after: Timestamp,
}

impl Progress {
    /// Nothing came yet.
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self { newest: None, newest_at: now, pull_after: now }
    }

    /// A new parent: its shards are due from the current `head` on.
    pub(crate) const fn restart(&mut self, now: Timestamp, head: Option<u64>) {
        self.newest = head;
        self.newest_at = now;
    }

    /// A shard of `block` came from the parent.
    pub(crate) fn on_shard(&mut self, now: Timestamp, block: u64) {
        if self.newest.is_none_or(|newest| block > newest) {
            self.newest = Some(block);
            self.newest_at = now;
        }
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

/// When a stripe should be pulled, and when its parent should be replaced, if it lags. `stalled`:
/// the parent says that it is repairing its own feed.
fn deadlines(progress: &Progress, stalled: bool, head: &Head) -> Option<(Timestamp, Timestamp)> {
    let behind_since = head.after(progress.newest)?;
    let patience = if stalled { PROMOTE_AFTER_STALLED } else { PROMOTE_AFTER };
    Some((behind_since + PULL_AFTER, behind_since + patience))
}

/// What a stripe with a parent needs at `now`.
pub(crate) fn need(now: Timestamp, progress: &Progress, stalled: bool, head: &Head) -> Need {
    match deadlines(progress, stalled, head) {
        Some((_, promote_at)) if now >= promote_at => Need::Promote,
        Some((pull_at, _)) if now >= pull_at.max(progress.pull_after) => Need::Pull,
        _ => Need::Nothing,
    }
}

/// When [`need`] may give another answer.
pub(crate) fn need_at(progress: &Progress, stalled: bool, head: &Head) -> Option<Timestamp> {
    let (pull_at, promote_at) = deadlines(progress, stalled, head)?;
    Some(pull_at.max(progress.pull_after).min(promote_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    #[test]
    fn a_stripe_behind_its_siblings_is_pulled_then_promoted() {
        let mut head = Head::default();
        let mut feed = Progress::new(at(0));
        for block in 0..10 {
            head.on_shard(at(33 * block), block);
            feed.on_shard(at(33 * block), block);
        }
        assert_eq!(need(at(5_000), &feed, false, &head), Need::Nothing, "a pause is no lag");
        assert_eq!(need_at(&feed, false, &head), None);
        assert!(head.silent_at().is_some_and(|silent| silent < at(297 + 66 + 130)));
        head.on_shard(at(1_000), 10);
        assert_eq!(need(at(1_010), &feed, false, &head), Need::Nothing);
        assert_eq!(need_at(&feed, false, &head), Some(at(1_080)));
        assert_eq!(need(at(1_080), &feed, false, &head), Need::Pull);
        feed.pull_after = at(1_150);
        assert_eq!(need(at(1_090), &feed, false, &head), Need::Nothing);
        assert_eq!(need_at(&feed, false, &head), Some(at(1_150)));
        assert_eq!(need(at(1_160), &feed, false, &head), Need::Promote);
        assert_eq!(need(at(1_160), &feed, true, &head), Need::Pull);
        feed.on_shard(at(1_170), 10);
        assert_eq!(need(at(3_000), &feed, false, &head), Need::Nothing);
    }
}
