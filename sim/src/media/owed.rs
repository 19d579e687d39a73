//! Pulls that a node cannot answer yet, as it waits for the same stripe itself: the core's rule.

use super::tree::Edge;
use std::collections::BTreeMap;

/// How long a pull waits, µs. Basis: the core's live session.
const WAITS_US: u64 = 250_000;
/// Most that wait at one node. Basis: the same.
const WAITING_MAX: usize = 256;

/// One that waits.
#[derive(Clone, Copy, Debug)]
struct Pull {
    edge: Edge,
    /// The asker's life.
    life: u8,
    from: u32,
    until_us: u64,
}

/// All that wait, by node and stripe.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed(BTreeMap<(u32, u8), Vec<Pull>>);

impl Owed {
    /// A pull of blocks `from` one on, over `edge`, waits at a node.
    pub(super) fn note(&mut self, now_us: u64, at: (u32, u8), (edge, life): (Edge, u8), from: u32) {
        let its = self.0.entry(at).or_default();
        its.retain(|pull| pull.until_us > now_us && pull.edge.child != edge.child);
        if its.len() < WAITING_MAX {
            its.push(Pull { edge, life, from, until_us: now_us + WAITS_US });
        }
    }

    /// Whom a node owes a block: the edges and the lives they are for.
    pub(super) fn of(&mut self, now_us: u64, at: (u32, u8), block: u32) -> Vec<(Edge, u8)> {
        let Some(its) = self.0.get_mut(&at) else { return Vec::new() };
        its.retain(|pull| pull.until_us > now_us);
        let owed = its.iter().filter(|pull| pull.from <= block);
        let owed = owed.map(|pull| (pull.edge, pull.life)).collect();
        if its.is_empty() {
            self.0.remove(&at);
        }
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(child: u32) -> Edge {
        Edge { child, flight_us: 1, loss: 0, flags: 0 }
    }

    #[test]
    fn what_comes_is_owed_to_who_asked_a_moment_ago() {
        let mut owed = Owed::default();
        owed.note(0, (1, 3), (edge(7), 1), 100);
        owed.note(10_000, (1, 3), (edge(7), 1), 101);
        owed.note(10_000, (1, 3), (edge(8), 2), 90);
        let who = |owed: &mut Owed, now_us, block| -> Vec<(u32, u8)> {
            let owed = owed.of(now_us, (1, 3), block).into_iter();
            owed.map(|(edge, life)| (edge.child, life)).collect()
        };
        assert_eq!(who(&mut owed, 20_000, 100), [(8, 2)], "the other asked for later ones since");
        assert_eq!(who(&mut owed, 20_000, 101), [(7, 1), (8, 2)]);
        assert!(who(&mut owed, 260_000, 102).is_empty());
        assert!(owed.0.is_empty());
    }
}
