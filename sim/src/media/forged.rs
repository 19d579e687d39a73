//! Spoilt shards that a receiver took for good: none, as long as receivers check what comes.

use std::collections::BTreeSet;

/// Blocks after which a shard that a node has is sent to nobody any more. Derived: ten seconds of 30
/// blocks/s, beyond every deadline.
const KEPT_BLOCKS: u32 = 300;

/// The spoilt shards that nodes have accepted, and pass on as they are.
#[derive(Debug, Default)]
pub(super) struct Forged {
    /// By block, node and stripe.
    held: BTreeSet<(u32, u32, u8)>,
    blocks: u64,
}

impl Forged {
    /// Whether the shard that a node has of a block is spoilt.
    pub(super) fn holds(&self, node: u32, stripe: u8, block: u32) -> bool {
        !self.held.is_empty() && self.held.contains(&(block, node, stripe))
    }

    /// A node keeps a spoilt shard as if it were a good one.
    pub(super) fn accept(&mut self, node: u32, stripe: u8, block: u32) {
        let of_block = (block, node, 0)..=(block, node, u8::MAX);
        self.blocks += u64::from(self.held.range(of_block).next().is_none());
        self.held.insert((block, node, stripe));
        self.held = self.held.split_off(&(block.saturating_sub(KEPT_BLOCKS), 0, 0));
    }

    /// Blocks of which a node accepted spoilt shards, counted once for each node.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_counts_once_at_each_node_and_old_ones_are_forgotten() {
        let mut forged = Forged::default();
        for (node, stripe, block) in [(1, 0, 7), (1, 3, 7), (2, 3, 7), (1, 0, 8)] {
            forged.accept(node, stripe, block);
        }
        assert_eq!(forged.blocks(), 3);
        assert!(forged.holds(1, 3, 7) && !forged.holds(2, 0, 7));
        forged.accept(1, 0, 8 + KEPT_BLOCKS);
        assert!(!forged.holds(1, 3, 7) && forged.holds(1, 0, 8));
    }
}
