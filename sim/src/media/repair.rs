//! How long a stripe is silent after its parent died.

use super::arrivals::{Arrivals, UNIT_US};
use super::histogram::Histogram;
use std::collections::BTreeMap;

/// An orphan's wait.
#[derive(Clone, Copy, Debug)]
struct Gap {
    since_us: u64,
    /// Blocks before this one the dead parent may have sent.
    from: u32,
}

/// Orphans that wait for a stripe to flow again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    open: BTreeMap<(u32, u8), Gap>,
}

impl Gaps {
    /// The parent of `node` died; blocks before `from` are there or under way.
    pub(crate) fn open(&mut self, node: u32, stripe: u8, since_us: u64, from: u32) {
        self.open.entry((node, stripe)).or_insert(Gap { since_us, from });
    }

    /// Something that the dead parent had sent before still comes.
    pub(crate) fn still_from_the_dead(&mut self, node: u32, stripe: u8, block: u32) {
        if let Some(gap) = self.open.get_mut(&(node, stripe)) {
            gap.from = gap.from.max(block + 1);
        }
    }

    /// The node died, too.
    pub(crate) fn forget(&mut self, node: u32) {
        self.open.retain(|(waiting, _), _| *waiting != node);
    }

    /// How many stripes at how many nodes do not flow yet.
    pub(crate) fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Closes the gaps that ended by `now_us`.
    pub(crate) fn close(
        &mut self,
        arrivals: &Arrivals,
        now_us: u64,
        made_us: impl Fn(u32) -> u64,
        repair: &mut Histogram,
    ) {
        self.open.retain(|(node, stripe), gap| {
            let blocks = gap.from.max(arrivals.oldest())..arrivals.made();
            let first = blocks
                .filter_map(|block| {
                    let after = arrivals.came(*node, *stripe, block)?;
                    Some(made_us(block) + u64::from(after) * UNIT_US)
                })
                .min();
            let Some(at) = first.filter(|at| *at <= now_us) else { return true };
            repair.add(at.saturating_sub(gap.since_us));
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_with_the_first_shard_that_the_dead_parent_did_not_send() {
        let mut arrivals = Arrivals::new(64, 1, 8);
        (0..6).for_each(|_| _ = arrivals.make());
        let made_us = |block| u64::from(block) * 100_000;
        let mut gaps = Gaps::default();
        let mut repair = Histogram::new(1000, 1_000_000);
        gaps.open(5, 0, 110_000, 1);
        gaps.open(6, 0, 110_000, 1);
        gaps.open(5, 0, 160_000, 2); // it was an orphan already
        arrivals.record(5, 0, 1, 32_000);
        gaps.still_from_the_dead(5, 0, 1);
        gaps.close(&arrivals, 200_000, made_us, &mut repair);
        assert_eq!((gaps.waiting(), repair.count()), (2, 0));
        arrivals.record(5, 0, 3, 48_000);
        arrivals.record(5, 0, 2, 240_000); // pulled, and later
        gaps.close(&arrivals, 340_000, made_us, &mut repair);
        assert_eq!(repair.count(), 0, "it is still in flight");
        gaps.close(&arrivals, 360_000, made_us, &mut repair);
        assert_eq!((gaps.waiting(), repair.max_us()), (1, 348_000 - 110_000));
        gaps.forget(6);
        assert_eq!(gaps.waiting(), 0);
    }
}
