//! The way in: nodes an invite names, tried until somebody answers, and again when all are lost.

use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::limits::{BOOTSTRAP_RETRY_MAX, BOOTSTRAP_RETRY_MIN, BOOTSTRAPS_MAX};

/// Known entry points and when to try them next.
#[derive(Debug)]
pub(super) struct Bootstraps {
    nodes: Vec<(PeerId, Multiaddr)>,
    wait: Duration,
    next: Option<Instant>,
}

impl Default for Bootstraps {
    fn default() -> Self {
        Self { nodes: Vec::new(), wait: BOOTSTRAP_RETRY_MIN, next: None }
    }
}

impl Bootstraps {
    /// Adds a node, in place of the oldest if there are too many. Due at once.
    pub(super) fn add(&mut self, peer: PeerId, address: Multiaddr) {
        let node = (peer, address);
        if !self.nodes.contains(&node) {
            if self.nodes.len() >= BOOTSTRAPS_MAX {
                self.nodes.remove(0);
            }
            self.nodes.push(node);
        }
        self.wait = BOOTSTRAP_RETRY_MIN;
        self.next = None;
    }

    /// The nodes to dial now: all, if the node is `alone` and has waited long enough.
    pub(super) fn due(&mut self, alone: bool, now: Instant) -> Vec<(PeerId, Multiaddr)> {
        if !alone {
            self.wait = BOOTSTRAP_RETRY_MIN;
            self.next = None;
            return Vec::new();
        }
        if self.nodes.is_empty() || self.next.is_some_and(|next| now < next) {
            return Vec::new();
        }
        self.next = Some(now + self.wait);
        self.wait = (self.wait * 2).min(BOOTSTRAP_RETRY_MAX);
        self.nodes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Multiaddr {
        "/ip4/192.0.2.1/udp/1/quic-v1".parse().expect("valid")
    }

    #[test]
    fn a_lone_node_tries_again_ever_more_seldom() {
        let mut bootstraps = Bootstraps::default();
        let start = Instant::now();
        assert!(bootstraps.due(true, start).is_empty(), "nobody to ask");
        bootstraps.add(PeerId::random(), address());
        let seconds =
            (0..300).filter(|&s| !bootstraps.due(true, start + Duration::from_secs(s)).is_empty());
        assert_eq!(seconds.collect::<Vec<_>>(), [0, 2, 6, 14, 30, 62, 122, 182, 242]);
        // Company resets it.
        let later = start + Duration::from_secs(300);
        assert!(bootstraps.due(false, later).is_empty());
        assert_eq!(bootstraps.due(true, later).len(), 1);
    }

    #[test]
    fn entry_points_are_bounded() {
        let mut bootstraps = Bootstraps::default();
        for _ in 0..100 {
            bootstraps.add(PeerId::random(), address());
        }
        assert_eq!(bootstraps.due(true, Instant::now()).len(), BOOTSTRAPS_MAX);
    }
}
