//! [`Owed`]: pulls that this node cannot answer yet, as it waits for the same stripe itself.
//!
//! When a node near the root dies, its children lose a stripe together, and hundreds cannot pull it
//! from the root. One of them does, and the others pull from that one; what it is sent it passes on.

use crate::identity::NodeId;
use crate::room::make_room;
use crate::time::Timestamp;
use std::time::Duration;

/// How long a pull waits. Derived: who pulled asks another after 80 ms, and again this one after a
/// round of those it knows.
const WAITS: Duration = Duration::from_millis(250);
/// Most that wait. Guess: more than a node near the root has children.
const WAITING_MAX: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Pull {
    peer: NodeId,
    channel: u32,
    stripe: u8,
    /// The first block that it lacks.
    from: u64,
    until: Timestamp,
}

/// The pulls that wait, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Owed(Vec<Pull>);

impl Owed {
    /// A pull that cannot be answered now waits; one of the same peer for the same stripe is
    /// forgotten. When too many wait, the newest is dropped.
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        (peer, channel): (NodeId, u32),
        stripe: u8,
        from: u64,
    ) {
        self.0.retain(|pull| pull.until > now && (pull.peer, pull.stripe) != (peer, stripe));
        if self.0.len() < WAITING_MAX {
            make_room(&mut self.0);
            self.0.push(Pull { peer, channel, stripe, from, until: now + WAITS });
        }
    }

    /// Who waits for a block of a stripe, and on which channels. Others are not forgotten: more blocks
    /// come.
    pub(super) fn of(&self, now: Timestamp, stripe: u8, block: u64) -> Vec<(NodeId, u32)> {
        let waits = |pull: &&Pull| pull.stripe == stripe && pull.from <= block && pull.until > now;
        self.0.iter().filter(waits).map(|pull| (pull.peer, pull.channel)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(i: u32) -> NodeId {
        NodeId::from_bytes(*blake3::hash(&i.to_be_bytes()).as_bytes())
    }

    #[test]
    fn a_pull_waits_for_a_while_for_what_it_lacks_and_counts_once() {
        let at = |ms: u64| Timestamp::from_micros(ms * 1_000);
        let mut owed = Owed::default();
        owed.note(at(0), (node(1), 7), 3, 100);
        owed.note(at(10), (node(1), 7), 3, 101);
        assert_eq!(owed.of(at(20), 3, 101), [(node(1), 7)]);
        assert!(owed.of(at(20), 3, 100).is_empty(), "it asked for later ones since");
        assert!(owed.of(at(20), 4, 101).is_empty());
        assert!(owed.of(at(260), 3, 101).is_empty(), "it has asked another");
    }

    #[test]
    fn few_enough_wait() {
        let mut owed = Owed::default();
        for peer in 0..1_000 {
            owed.note(Timestamp::ZERO, (node(peer), 1), 0, 0);
        }
        assert_eq!(owed.of(Timestamp::ZERO, 0, 5).len(), WAITING_MAX);
    }
}
