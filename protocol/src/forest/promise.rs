//! What parents promise, against when their shards come.
//!
//! A child cannot see when a block was made, but it sees how far behind the block's first shard each
//! stripe comes. If all parents told the truth, what one promises less how far behind it is would be
//! the same for all. So most of them together say when shards should come, and whoever's come later
//! has promised too much: it hides its way from the root, or feeds more than its uplink carries. The
//! child believes what it sees, says so to those below, and leaves a parent that is far off.

use super::context::Context;
use super::machine::Forest;
use super::member::Role;
use super::parents::{Parents, Roster};
use super::stripe::StripeSet;
use crate::links::Links;
use crate::time::Timestamp;

/// Stripes to compare at least. Derived: one liar among three is outvoted.
const STRIPES_MIN: usize = 3;
/// A parent is given so long before it is measured, seconds. Guess: a stripe's pace is learnt in half
/// a second, and the queue of a move is gone by then.
const NEW_S: u32 = 3;
/// Less than this is noise, µs. Measured: of 10 estimates of the honest 8 are less far off.
const NOISE_US: u32 = 10_000;
/// A change of less is no news, µs. Guess.
const NEWS_US: u32 = 5_000;
/// Who comes so much later than promised is left, and shunned. Guess: two hops, and far more than the
/// estimates of the honest are off.
pub(super) const BROKEN_US: u32 = 60_000;

/// What is promised of one stripe, and what is seen.
#[derive(Clone, Copy, Debug)]
struct Row {
    stripe: u8,
    promised_us: u32,
    /// Behind the first shard of its block.
    behind_us: u32,
}

impl Row {
    /// When the first shard of a block comes if the promise holds, µs after it was made.
    fn first_us(&self) -> i64 {
        i64::from(self.promised_us) - i64::from(self.behind_us)
    }
}

/// By how much the shards of each stripe come later than promised, µs; nothing if too few are known.
fn excesses(mut rows: Vec<Row>) -> Vec<(u8, u32)> {
    if rows.len() < STRIPES_MIN {
        return Vec::new();
    }
    rows.sort_unstable_by_key(Row::first_us);
    let first_us = rows[rows.len() / 2].first_us();
    let excess = |row: &Row| u32::try_from(first_us - row.first_us()).unwrap_or(0);
    rows.iter().map(|row| (row.stripe, excess(row))).collect()
}

impl Parents {
    /// Compares what all parents promise with how far `behind_us` their stripes come. Says in which
    /// stripes a promise is newly found to be broken.
    fn compare(
        &mut self,
        now: Timestamp,
        who: &mut Roster<'_>,
        links: &Links,
        behind_us: impl Fn(u8) -> Option<u32>,
    ) -> StripeSet {
        let row = |stripe| {
            let feed = self.feed(stripe)?;
            let parent = feed.parent.as_ref()?;
            let steady = feed.is_fed() && !parent.path.stalled && feed.is_settled(now, NEW_S);
            let promised_us = self.promised_us(links, stripe).filter(|_| steady)?;
            Some(Row { stripe, promised_us, behind_us: behind_us(stripe)? })
        };
        let rows: Vec<Row> = (0..self.feeds.len() as u8).filter_map(row).collect();
        let mut broken = StripeSet::EMPTY;
        for (stripe, excess_us) in excesses(rows) {
            let Some(feed) = self.feed_aside(stripe) else { continue };
            let excess_us = if excess_us < NOISE_US { 0 } else { excess_us };
            // Twice in a row, or it is what its own parent does, of which it will tell.
            let again = feed.late_us >= BROKEN_US && excess_us >= BROKEN_US;
            if again && !feed.blamed {
                feed.blamed = true;
                broken.insert(stripe);
            }
            if feed.late_us.abs_diff(excess_us) >= NEWS_US {
                feed.late_us = excess_us;
                if let Some(parent) = &feed.parent {
                    who.candidates.found_late(parent.peer, excess_us);
                }
            }
        }
        broken
    }
}

impl Forest {
    /// How far each stripe comes behind the first shard of its block, µs, as far as that is known:
    /// to be told about once a second.
    pub fn on_paces(&mut self, cx: &mut Context<'_>, behind_us: impl Fn(u8) -> Option<u32>) {
        if self.setup.role != Role::Gateway || self.leaving || self.is_small() {
            return;
        }
        let (parents, mut who) = self.split();
        for stripe in parents.compare(cx.now, &mut who, cx.links, behind_us).iter() {
            if let Some(parent) = self.parent(stripe) {
                self.candidates.shun(cx.now, parent, false);
            }
            let _ = self.move_nearer(cx, stripe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(u32, u32)]) -> Vec<Row> {
        let row = |(stripe, (promised, behind)): (usize, &(u32, u32))| Row {
            stripe: stripe as u8,
            promised_us: promised * 1_000,
            behind_us: behind * 1_000,
        };
        rows.iter().enumerate().map(row).collect()
    }

    #[test]
    fn whose_shards_come_later_than_promised_stands_out() {
        let late = |said: &[(u32, u32)]| -> Vec<u32> {
            excesses(rows(said)).iter().map(|(_, us)| us / 1_000).rev().collect()
        };
        // The first comes at 40 ms.
        assert_eq!(late(&[(40, 0), (70, 30), (90, 50)]), [0, 0, 0]);
        let liar = excesses(rows(&[(40, 0), (70, 30), (5, 80), (90, 50), (60, 20)]));
        for (stripe, us) in liar {
            assert_eq!(us, if stripe == 2 { 115_000 } else { 0 });
        }
        assert_eq!(late(&[(40, 0), (5, 80)]), [] as [u32; 0], "one word against another");
        // Whoever is better than its word is not held against the others.
        let modest = excesses(rows(&[(140, 0), (70, 30), (90, 50), (60, 20)]));
        assert!(modest.iter().all(|(_, us)| *us == 0), "{modest:?}");
    }

    #[test]
    fn nothing_overflows() {
        let wild = [(u32::MAX, 0), (0, u32::MAX), (u32::MAX, u32::MAX), (0, 0)]
            .map(|(promised_us, behind_us)| Row { stripe: 0, promised_us, behind_us });
        assert_eq!(excesses(wild.to_vec()).len(), 4);
    }
}
