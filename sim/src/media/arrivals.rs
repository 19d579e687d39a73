//! Who has which shard since when.
//!
//! Blocks of the last half second lie in slots, each with one row per stripe of one `u16` per node:
//! the time from the block's making to the shard's arrival in units of 16 µs. What a shard's
//! children need at the same moment so lies in one row (20 kB at 10 000 nodes), and all nodes are
//! gone through at once in the order of memory. Of older blocks one bit remains, for 64 blocks.
//!
//! An arrival may be written down ahead of its time: a time after now is a shard in flight.

/// One unit of arrival times, µs. Derived: then a `u16` reaches over 1 s, and the error is far
/// below the jitter.
pub(crate) const UNIT_US: u64 = 16;
/// No arrival.
pub(crate) const NEVER: u16 = u16::MAX;
/// Nodes gone through at once. Derived: a cache line or two of each row.
pub(crate) const LANES: usize = 64;
/// Blocks of which is known whether they came. Basis: a ring of 1 s at 30 blocks/s, twice.
pub(crate) const KEPT: u32 = 64;

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The first of its shard.
    First,
    /// The shard was there.
    Again,
}

/// The arrivals of all nodes.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    stripes: usize,
    /// Node numbers, a multiple of [`LANES`].
    capacity: usize,
    /// A power of two less one.
    slot_mask: u32,
    /// By slot, stripe, node.
    slots: Vec<u16>,
    /// By stripe, node: bit `i` is block `retired - 1 - i`.
    history: Vec<u64>,
    /// Blocks made so far.
    made: u32,
    /// Blocks that left their slot.
    retired: u32,
}

impl Arrivals {
    /// Room for `nodes` node numbers, and for `blocks` blocks (at least) in slots.
    pub(crate) fn new(nodes: usize, stripes: usize, blocks: u32) -> Self {
        let capacity = nodes.next_multiple_of(LANES);
        let slots = blocks.next_power_of_two();
        Self {
            stripes,
            capacity,
            slot_mask: slots - 1,
            slots: vec![NEVER; slots as usize * stripes * capacity],
            history: vec![0; stripes * capacity],
            made: 0,
            retired: 0,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Blocks made so far; the next block's number.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// The oldest block that has a slot.
    pub(crate) fn oldest(&self) -> u32 {
        self.retired
    }

    /// How many blocks have slots at once.
    pub(crate) fn slots(&self) -> u32 {
        self.slot_mask + 1
    }

    /// Opens the slot of the next block and returns the block. The oldest makes room.
    pub(crate) fn make(&mut self) -> u32 {
        let block = self.made;
        if block >= self.slots() {
            self.retire(block - self.slots());
        }
        self.made += 1;
        block
    }

    fn retire(&mut self, block: u32) {
        let from = self.at(block, 0);
        let slot = &mut self.slots[from..from + self.stripes * self.capacity];
        for (bits, came) in self.history.iter_mut().zip(slot.iter()) {
            *bits = *bits << 1 | u64::from(*came != NEVER);
        }
        slot.fill(NEVER);
        self.retired = block + 1;
    }

    #[inline]
    fn at(&self, block: u32, stripe: usize) -> usize {
        ((block & self.slot_mask) as usize * self.stripes + stripe) * self.capacity
    }

    /// The arrivals of a block's shard, by node. The block must have a slot.
    #[inline]
    pub(crate) fn row(&self, block: u32, stripe: usize) -> &[u16] {
        let at = self.at(block, stripe);
        &self.slots[at..at + self.capacity]
    }

    /// The same, to be written.
    #[inline]
    pub(crate) fn row_mut(&mut self, block: u32, stripe: usize) -> &mut [u16] {
        let at = self.at(block, stripe);
        &mut self.slots[at..at + self.capacity]
    }

    /// Whether the block has a slot.
    #[inline]
    pub(crate) fn has_slot(&self, block: u32) -> bool {
        block >= self.retired && block < self.made
    }

    /// A copy comes, `after_us` after its block was made.
    pub(crate) fn record(&mut self, node: u32, stripe: u8, block: u32, after_us: u64) -> Came {
        let (node, stripe) = (node as usize, usize::from(stripe));
        if self.has_slot(block) {
            let cell = &mut self.row_mut(block, stripe)[node];
            let came = if *cell == NEVER { Came::First } else { Came::Again };
            *cell = (*cell).min(units(after_us));
            return came;
        }
        let behind = self.retired.saturating_sub(1).saturating_sub(block);
        let Some(bit) = 1_u64.checked_shl(behind).filter(|_| block < self.retired) else {
            return Came::Again; // older than anybody remembers
        };
        let bits = &mut self.history[stripe * self.capacity + node];
        let came = if *bits & bit == 0 { Came::First } else { Came::Again };
        *bits |= bit;
        came
    }

    /// When the shard came or will come, in units after its block's making; `Some(0)` for a block
    /// without a slot that came at some time.
    pub(crate) fn came(&self, node: u32, stripe: u8, block: u32) -> Option<u16> {
        let (node, stripe) = (node as usize, usize::from(stripe));
        if self.has_slot(block) {
            return Some(self.row(block, stripe)[node]).filter(|at| *at != NEVER);
        }
        let behind = self.retired.checked_sub(1)?.checked_sub(block)?;
        let bit = 1_u64.checked_shl(behind)?;
        (self.history[stripe * self.capacity + node] & bit != 0).then_some(0)
    }

    /// The newest block of `stripe` that `node` has at `now_us`. `made_us` says when blocks are
    /// made.
    pub(crate) fn newest(
        &self,
        node: u32,
        stripe: u8,
        now_us: u64,
        made_us: impl Fn(u32) -> u64,
    ) -> Option<u32> {
        let row = |block| self.row(block, usize::from(stripe))[node as usize];
        let there = |block: &u32| {
            let at = row(*block);
            at != NEVER && made_us(*block) + u64::from(at) * UNIT_US <= now_us
        };
        (self.retired..self.made).rev().find(there).or_else(|| {
            let bits = self.history[usize::from(stripe) * self.capacity + node as usize];
            (bits != 0).then(|| self.retired - 1 - bits.trailing_zeros())
        })
    }

    /// Forgets all of a node, for the next that gets its number.
    pub(crate) fn clear(&mut self, node: u32) {
        for slot in self.slots.chunks_exact_mut(self.capacity) {
            slot[node as usize] = NEVER;
        }
        for bits in self.history.chunks_exact_mut(self.capacity) {
            bits[node as usize] = 0;
        }
    }
}

/// A time after a block's making in units; what is too long is the longest.
#[inline]
pub(crate) fn units(after_us: u64) -> u16 {
    (after_us / UNIT_US).min(u64::from(NEVER - 1)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_us(block: u32) -> u64 {
        u64::from(block) * 1000
    }

    #[test]
    fn newest_counts_what_came_and_not_what_is_in_flight() {
        let mut arrivals = Arrivals::new(10, 2, 4);
        assert_eq!(arrivals.capacity(), 64);
        (0..3).for_each(|_| _ = arrivals.make());
        assert_eq!(arrivals.newest(3, 1, 9_999, made_us), None);
        assert_eq!(arrivals.record(3, 1, 1, 160), Came::First);
        assert_eq!(arrivals.record(3, 1, 2, 320), Came::First);
        assert_eq!(arrivals.record(3, 1, 2, 640), Came::Again);
        assert_eq!(arrivals.newest(3, 1, 1_159, made_us), None);
        assert_eq!(arrivals.newest(3, 1, 1_160, made_us), Some(1));
        assert_eq!(arrivals.newest(3, 1, 2_320, made_us), Some(2));
        assert_eq!(arrivals.newest(3, 0, 2_320, made_us), None);
    }

    #[test]
    fn older_blocks_leave_a_bit_for_64_blocks() {
        let mut arrivals = Arrivals::new(10, 2, 4);
        for block in 0..40 {
            arrivals.make();
            if block % 2 == 0 {
                arrivals.record(3, 1, block, 160);
            }
        }
        let came = |a: &Arrivals, block| a.came(3, 1, block).is_some();
        assert!((0..40).all(|block| came(&arrivals, block) == (block % 2 == 0)));
        assert_eq!(arrivals.record(3, 1, 7, 0), Came::First);
        assert_eq!(arrivals.record(3, 1, 7, 0), Came::Again);
        assert!(came(&arrivals, 7));
        (40..72).for_each(|_| _ = arrivals.make());
        assert_eq!(arrivals.newest(3, 1, u64::MAX, made_us), Some(38));
        assert!(came(&arrivals, 4) && !came(&arrivals, 2), "68 blocks left their slots");
        assert_eq!(arrivals.record(3, 1, 2, 0), Came::Again);
        arrivals.clear(3);
        assert_eq!(arrivals.newest(3, 1, u64::MAX, made_us), None);
    }
}
