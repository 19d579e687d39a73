//! What the media plane counts.

use super::histogram::Histogram;

/// What the media plane counts. All of it may be cleared while it runs, for example after the
/// world has warmed up, but then `sent` no longer balances.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Overlay delay: from a block's making to its completion at a viewer, if by the deadline.
    pub delay: Histogram,
    /// From a parent's death to the first shard of the stripe that another node sent.
    pub repair: Histogram,
    /// From a viewer's joining to its first complete block.
    pub startup: Histogram,
    /// Lengths of glitches.
    pub glitch: Histogram,
    /// Blocks that viewers were due.
    pub viewer_blocks: u64,
    /// Of these, not complete by the deadline.
    pub missing_blocks: u64,
    /// Runs of missing blocks.
    pub glitches: u64,
    /// Copies of shards sent. Each ends up in one of the five following, or is under way.
    pub sent: u64,
    /// Copies that were the first of their shard at their receiver.
    pub arrived: u64,
    /// Copies of a shard that the receiver had.
    pub duplicates: u64,
    /// Copies to nodes that are dead, cut off or pruned, those that died with their sender, and
    /// those lost that a full uplink did not repeat.
    pub void: u64,
    /// Spoilt copies, noticed by their receiver.
    pub forged_received: u64,
    /// Copies not sent at all, because the uplink was behind by more than a second.
    pub shed: u64,
    /// Copies lost on the way and sent again.
    pub repeated: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            delay: Histogram::new(250, 1_050_000),
            repair: Histogram::new(1_000, 60_000_000),
            startup: Histogram::new(1_000, 60_000_000),
            glitch: Histogram::new(1_000, 60_000_000),
            viewer_blocks: 0,
            missing_blocks: 0,
            glitches: 0,
            sent: 0,
            arrived: 0,
            duplicates: 0,
            void: 0,
            forged_received: 0,
            shed: 0,
            repeated: 0,
        }
    }
}

impl Figures {
    /// Copies under way: sent, and not yet at any end. Means nothing after figures were cleared.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        let ended = self.arrived + self.duplicates + self.void + self.forged_received;
        self.sent.saturating_sub(ended)
    }

    /// A copy that was counted as arrived ahead of its time will not arrive. It may have been
    /// counted before figures were cleared.
    pub(super) fn take_back(&mut self) {
        self.arrived = self.arrived.saturating_sub(1);
        self.void += 1;
    }
}
