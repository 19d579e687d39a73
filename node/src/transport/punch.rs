//! Hole punches in progress: who waits for which peer to come in from where.
//!
//! Kept per (peer, address), because a peer's addresses are tried at the same time; matched by
//! peer first, because the peer's NAT may have picked another port than the one we were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libp2p::PeerId;
use tokio::sync::oneshot;

use super::limits::PUNCHES_MAX;

/// What opens the NAT: looks like QUIC to our own socket split, and is too short to draw a
/// stateless reset (RFC 9000 section 10.3).
pub(super) const PACKET: [u8; 8] = [0x40, 0, 0, 0, 0, 0, 0, 0];

/// The wait after the `sent`-th packet. Derived: dense while both sides are most likely to meet,
/// then as thin as keeps any NAT open.
pub(super) const fn pause(sent: u32) -> Duration {
    Duration::from_millis(if sent < 50 { 20 } else { 100 })
}

/// All punches of the node.
#[derive(Debug, Default)]
pub(super) struct Punches {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_peer: BTreeMap<(PeerId, u64), Waiter>,
}

#[derive(Debug)]
struct Waiter {
    address: SocketAddr,
    found: oneshot::Sender<quinn::Connection>,
}

/// One punch; dropping it ends the wait.
#[derive(Debug)]
pub(super) struct Punch {
    punches: Arc<Punches>,
    key: (PeerId, u64),
    /// Gives the connection the peer opened through the hole.
    pub(super) found: oneshot::Receiver<quinn::Connection>,
}

impl Punches {
    /// Waits for `peer`, expected from `address`; `None` when too many wait.
    pub(super) fn wait(self: &Arc<Self>, peer: PeerId, address: SocketAddr) -> Option<Punch> {
        let (sender, found) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.by_peer.len() >= PUNCHES_MAX {
            return None;
        }
        let key = (peer, waiting.next);
        waiting.next += 1;
        waiting.by_peer.insert(key, Waiter { address, found: sender });
        Some(Punch { punches: self.clone(), key, found })
    }

    /// Hands `connection` to whoever waits for its peer; gives it back if nobody does.
    pub(super) fn hand_over(
        &self,
        peer: PeerId,
        connection: quinn::Connection,
    ) -> Option<quinn::Connection> {
        match self.take(peer, connection.remote_address()) {
            Some(found) => found.send(connection).err(),
            None => Some(connection),
        }
    }

    fn take(&self, peer: PeerId, from: SocketAddr) -> Option<oneshot::Sender<quinn::Connection>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = || waiting.by_peer.range((peer, 0)..=(peer, u64::MAX));
        let exact = of_peer().find(|(_, waiter)| waiter.address == from);
        let key = *exact.or_else(|| of_peer().next())?.0;
        waiting.by_peer.remove(&key).map(|waiter| waiter.found)
    }
}

impl Drop for Punch {
    fn drop(&mut self) {
        let mut waiting = self.punches.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_peer.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    #[test]
    fn the_address_decides_among_punches_of_a_peer() {
        let punches = Arc::new(Punches::default());
        let peer = PeerId::random();
        let mut first = punches.wait(peer, address(1)).expect("room");
        let mut second = punches.wait(peer, address(2)).expect("room");
        drop(punches.take(peer, address(2)).expect("the second waits"));
        assert!(matches!(second.found.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert!(matches!(first.found.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        // Another port than expected: the NAT chose it.
        assert!(punches.take(peer, address(9)).is_some());
        assert!(punches.take(peer, address(1)).is_none());
    }

    #[test]
    fn a_stranger_takes_nobodys_punch() {
        let punches = Arc::new(Punches::default());
        let _punch = punches.wait(PeerId::random(), address(1)).expect("room");
        assert!(punches.take(PeerId::random(), address(1)).is_none());
    }

    #[test]
    fn punches_are_bounded_and_forgotten() {
        let punches = Arc::new(Punches::default());
        let peer = PeerId::random();
        let held: Vec<Punch> = (0..1000).filter_map(|i| punches.wait(peer, address(i))).collect();
        assert_eq!(held.len(), PUNCHES_MAX);
        drop(held);
        assert!(punches.take(peer, address(1)).is_none());
        assert!(punches.wait(peer, address(1)).is_some());
    }
}
