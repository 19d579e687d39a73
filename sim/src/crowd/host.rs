//! One node of the crowd: a forest machine, its links, and what the world knows of it.

use crate::population::Node;
use banyan_protocol::forest::Forest;
use banyan_protocol::links::Links;

/// No time: later than all.
pub(super) const NEVER: u64 = u64::MAX;

/// A node.
pub(super) struct Host {
    /// Its place in the forest: the code that ships.
    pub(super) forest: Forest,
    /// Its links: the same.
    pub(super) links: Links,
    /// As the world made it.
    pub(super) node: Node,
    /// When its next wake-up is due that counts.
    pub(super) wake_us: u64,
    /// When it joined.
    pub(super) joined_us: u64,
    /// From when it had enough stripes for blocks, or [`NEVER`].
    pub(super) ready_us: u64,
    /// When its links were last looked over.
    pub(super) tidied_us: u64,
    /// Control bytes it sent.
    pub(super) control_bytes: u64,
    /// Counts the lives of its number.
    pub(super) life: u8,
    pub(super) alive: bool,
}

impl Host {
    /// Reads a little of each of its parts, so that the processor has them at hand.
    pub(super) fn glance(&self) -> u64 {
        self.forest.glance() ^ self.links.glance() ^ self.wake_us ^ u64::from(self.life)
    }

    /// The same with what is to be found only through those parts.
    pub(super) fn glance_deeper(&self) -> u64 {
        self.forest.glance_deeper() ^ self.links.glance_deeper()
    }
}
