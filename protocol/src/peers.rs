//! The nodes this node has heard of, by number: who they are, where they can be reached.

use crate::bucket::Bucket;
use crate::forest::{Contact, Directory, Peer, Tag, home, tag};
use crate::identity::NodeId;
use crate::limits::{CONTROL_BURST, CONTROL_PER_SECOND, PEERS_MAX};
use crate::session::Outline;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// One node.
#[derive(Debug)]
struct Entry {
    contact: Contact,
    /// Where it was seen, if a link to it is or was up.
    seen: Option<SocketAddr>,
    /// Control messages it may still send.
    control: Bucket,
}

/// Nodes by number. A number means the same node until [`Peers::keep`] drops it.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    entries: Vec<Option<Entry>>,
    by_id: BTreeMap<NodeId, Peer>,
    free: Vec<Peer>,
}

impl Peers {
    /// The number of a node, if it has one.
    pub(crate) fn find(&self, node: &NodeId) -> Option<Peer> {
        self.by_id.get(node).copied()
    }

    /// The number of a node, a new one if need be. `None` if there are too many.
    pub(crate) fn number(&mut self, now: Timestamp, node: NodeId) -> Option<Peer> {
        if let Some(peer) = self.find(&node) {
            return Some(peer);
        }
        let entry = Entry {
            contact: Contact::new(node, []),
            seen: None,
            control: Bucket::full(now, CONTROL_BURST, CONTROL_PER_SECOND),
        };
        let peer = match self.free.pop() {
            Some(peer) => peer,
            None if self.entries.len() >= PEERS_MAX => return None,
            None => {
                self.entries.push(None);
                Peer(self.entries.len() as u32 - 1)
            }
        };
        self.entries[peer.0 as usize] = Some(entry);
        self.by_id.insert(node, peer);
        Some(peer)
    }

    /// Learns a contact. `first`: its own word, which goes before what is known.
    pub(crate) fn learn(&mut self, now: Timestamp, contact: &Contact, first: bool) -> Option<Peer> {
        if self.is_crowded() && self.find(&contact.node).is_none() {
            return None; // names cost nothing: they shall not take the places of those that link
        }
        let peer = self.number(now, contact.node)?;
        let entry = self.entries[peer.0 as usize].as_mut()?;
        let old = std::mem::take(&mut entry.contact.addresses);
        let new = contact.addresses.iter().copied();
        // What others say of a node stands behind what it says itself, and where it was seen goes
        // before all: that address was reachable a moment ago.
        entry.contact = if first {
            Contact::new(contact.node, entry.seen.into_iter().chain(new).chain(old))
        } else {
            Contact::new(contact.node, entry.seen.into_iter().chain(old).chain(new))
        };
        Some(peer)
    }

    /// A link to a node is up, which is at `address`.
    pub(crate) fn on_up(
        &mut self,
        now: Timestamp,
        node: NodeId,
        address: SocketAddr,
    ) -> Option<Peer> {
        let peer = self.number(now, node)?;
        let entry = self.entries[peer.0 as usize].as_mut()?;
        entry.seen = Some(address);
        Some(peer)
    }

    /// Takes note of a control message. False if the node sends more than any has to say.
    pub(crate) fn on_control(&mut self, now: Timestamp, peer: Peer) -> bool {
        let entry = self.entries.get_mut(peer.0 as usize).and_then(Option::as_mut);
        entry.is_none_or(|entry| entry.control.take(now, 1))
    }

    fn entry(&self, peer: Peer) -> Option<&Entry> {
        self.entries.get(peer.0 as usize)?.as_ref()
    }

    /// The node with a number.
    pub(crate) fn id(&self, peer: Peer) -> Option<NodeId> {
        self.entry(peer).map(|entry| entry.contact.node)
    }

    /// The node with a number, and where it can be reached.
    pub(crate) fn contact(&self, peer: Peer) -> Option<&Contact> {
        self.entry(peer).map(|entry| &entry.contact)
    }

    /// Drops all but those in `used`, which is in ascending order.
    pub(crate) fn keep(&mut self, used: &[Peer]) {
        for (at, slot) in self.entries.iter_mut().enumerate() {
            let peer = Peer(at as u32);
            if let Some(entry) = slot
                && used.binary_search(&peer).is_err()
            {
                self.by_id.remove(&entry.contact.node);
                *slot = None;
                self.free.push(peer);
            }
        }
    }

    /// Whether it is so full that only those that link get a number.
    pub(crate) fn is_crowded(&self) -> bool {
        self.by_id.len() * 4 >= PEERS_MAX * 3
    }
}

/// The same nodes as one session sees them.
pub(crate) struct SessionPeers<'a> {
    pub peers: &'a Peers,
    pub outline: &'a Outline,
}

impl Directory for SessionPeers<'_> {
    fn home(&self, peer: Peer) -> u8 {
        let Outline { epoch_seed, .. } = self.outline;
        self.peers.id(peer).map_or(0, |node| home(&node, epoch_seed, self.outline.stripes()))
    }

    fn tag(&self, peer: Peer) -> Tag {
        self.peers.id(peer).map_or(0, |node| tag(&node, &self.outline.session))
    }

    fn network(&self, peer: Peer) -> u32 {
        let entry = self.peers.entry(peer);
        let address =
            entry.and_then(|entry| entry.seen.or(entry.contact.addresses.first().copied()));
        match address.map(|address| address.ip()) {
            Some(IpAddr::V4(ip)) => u32::from(ip) >> 8,
            Some(IpAddr::V6(ip)) => {
                let digest = blake3::hash(&ip.octets()[..6]);
                let bytes = digest.as_bytes();
                u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | 1 << 31
            }
            None => peer.0 | 3 << 30, // nothing is known: a network of its own
        }
    }
}
