//! Which addresses are worth knowing: those a link can be dialled at, few per peer.
//!
//! Identify, Kademlia and mDNS hand over whatever peers claim. Only plain QUIC addresses on a
//! usable IP are kept; loopback only from peers known to be on this machine.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use libp2p::{Multiaddr, PeerId};

use super::limits::{ADDRESSES_PER_PEER_MAX, PEERS_MAX};
use crate::transport::{from_multiaddr, to_multiaddr};

/// Where a link can be dialled, if `address` is of that kind.
#[must_use]
pub fn dialable(address: &Multiaddr) -> Option<SocketAddr> {
    let (socket, _) = from_multiaddr(address)?;
    (socket.port() != 0 && usable(socket.ip())).then_some(socket)
}

fn usable(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || v4.is_link_local())
        }
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local()),
    }
}

/// What `peer` may be dialled at, of all it claims: no duplicates, at most
/// [`ADDRESSES_PER_PEER_MAX`], without the `/p2p` suffix.
pub(super) fn filter<'a>(
    peer: PeerId,
    claimed: impl IntoIterator<Item = &'a Multiaddr>,
    loopback: bool,
) -> Vec<Multiaddr> {
    let mut kept = Vec::new();
    for address in claimed {
        let Some(socket) = dialable(address) else { continue };
        let other = from_multiaddr(address).and_then(|(_, p)| p).is_some_and(|p| p != peer);
        let plain = to_multiaddr(socket);
        if other || (!loopback && socket.ip().is_loopback()) || kept.contains(&plain) {
            continue;
        }
        kept.push(plain);
        if kept.len() == ADDRESSES_PER_PEER_MAX {
            break;
        }
    }
    kept
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(address: &Multiaddr) -> bool {
    from_multiaddr(address).is_some_and(|(socket, _)| socket.ip().is_loopback())
}

/// The addresses of peers, newest first.
#[derive(Debug, Default)]
pub(super) struct Book {
    peers: BTreeMap<PeerId, Entry>,
    /// Counts changes: the entry with the lowest count is the longest unheard.
    turn: u64,
}

#[derive(Debug)]
struct Entry {
    addresses: Vec<Multiaddr>,
    heard: u64,
}

impl Book {
    /// Puts filtered `addresses` in front of what is known of `peer`.
    pub(super) fn add(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        if addresses.is_empty() {
            return;
        }
        self.turn += 1;
        if !self.peers.contains_key(&peer) && self.peers.len() >= PEERS_MAX {
            self.forget_longest_unheard();
        }
        let entry = self.peers.entry(peer).or_insert(Entry { addresses: Vec::new(), heard: 0 });
        entry.heard = self.turn;
        let old = std::mem::replace(&mut entry.addresses, addresses.to_vec());
        for address in old {
            if !entry.addresses.contains(&address) {
                entry.addresses.push(address);
            }
        }
        entry.addresses.truncate(ADDRESSES_PER_PEER_MAX);
    }

    /// What is known of `peer`, the best first.
    pub(super) fn of(&self, peer: PeerId) -> &[Multiaddr] {
        self.peers.get(&peer).map_or(&[], |entry| &entry.addresses)
    }

    fn forget_longest_unheard(&mut self) {
        let longest = self.peers.iter().min_by_key(|(_, entry)| entry.heard);
        if let Some(peer) = longest.map(|(peer, _)| *peer) {
            self.peers.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect(text)
    }

    #[test]
    fn only_plain_quic_addresses_are_dialable() {
        let check = |text: &str, expected: Option<&str>| {
            let got = dialable(&address(text)).map(|a| a.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        };
        check("/ip4/192.0.2.1/udp/4433/quic-v1", Some("192.0.2.1:4433"));
        check("/ip6/2001:db8::1/udp/4433/quic-v1", Some("[2001:db8::1]:4433"));
        check("/ip4/192.0.2.1/udp/0/quic-v1", None);
        check("/ip4/0.0.0.0/udp/1/quic-v1", None);
        check("/ip4/224.0.0.1/udp/1/quic-v1", None);
        check("/ip4/255.255.255.255/udp/1/quic-v1", None);
        check("/ip4/169.254.1.1/udp/1/quic-v1", None);
        check("/ip6/fe80::1/udp/1/quic-v1", None);
        check("/ip6/::ffff:0.0.0.0/udp/1/quic-v1", None);
        check("/ip4/192.0.2.1/tcp/4433", None);
        check("/ip4/192.0.2.1/udp/4433/quic-v1/webtransport", None);
    }

    #[test]
    fn claims_are_filtered_and_capped() {
        let peer = PeerId::random();
        let own = format!("/ip4/192.0.2.1/udp/1/quic-v1/p2p/{peer}");
        let claimed = [
            address(&own),
            address("/ip4/192.0.2.1/udp/1/quic-v1"),
            address(&format!("/ip4/192.0.2.2/udp/1/quic-v1/p2p/{}", PeerId::random())),
            address("/ip4/127.0.0.1/udp/1/quic-v1"),
        ];
        let plain = address("/ip4/192.0.2.1/udp/1/quic-v1");
        assert_eq!(filter(peer, &claimed, false), std::slice::from_ref(&plain));
        assert_eq!(filter(peer, &claimed, true), [plain, claimed[3].clone()]);
        let many: Vec<Multiaddr> =
            (1..100).map(|i| address(&format!("/ip4/192.0.2.1/udp/{i}/quic-v1"))).collect();
        assert_eq!(filter(peer, &many, false).len(), ADDRESSES_PER_PEER_MAX);
    }

    #[test]
    fn the_book_is_bounded_and_prefers_the_newest() {
        let mut book = Book::default();
        let peer = PeerId::random();
        for port in 1..100 {
            book.add(peer, &[address(&format!("/ip4/192.0.2.1/udp/{port}/quic-v1"))]);
        }
        assert_eq!(book.of(peer).len(), ADDRESSES_PER_PEER_MAX);
        assert_eq!(book.of(peer)[0], address("/ip4/192.0.2.1/udp/99/quic-v1"));
        let any = address("/ip4/192.0.2.1/udp/1/quic-v1");
        for _ in 0..PEERS_MAX {
            book.add(PeerId::random(), std::slice::from_ref(&any));
        }
        assert_eq!(book.peers.len(), PEERS_MAX);
        assert!(book.of(peer).is_empty(), "the longest unheard is forgotten");
    }
}
