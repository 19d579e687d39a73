//! Messages under way: kept by number so that events stay small, and what they weigh on the wire.

use banyan_protocol::forest::{Member, Message, Peer};
use banyan_protocol::wire::control::Body;

/// Bytes around each message: IPv4, UDP and QUIC headers, the seal, the frame. Derived: 20 + 8 + 25.
const PACKET_BYTES: u32 = 53;
/// A frame with its session. Derived: 32 bytes and four tags with lengths.
const FRAME_BYTES: u32 = 40;
/// A node's key and one IPv4 address. Derived: 34 + 8 and the tag around.
const CONTACT_BYTES: u32 = 44;
/// What a member says of itself beside its contact. Derived: nine small numbers.
const MEMBER_BYTES: u32 = 40;
/// A signed grant of the root's place. Derived: three keys, three numbers and a signature.
const GRANT_BYTES: u32 = 190;
/// A link that comes up: what one side sends. Derived: QUIC's padded initial packets, the TLS
/// certificate of libp2p, finished, first acknowledgements.
pub(super) const HANDSHAKE_BYTES: u64 = 2_800;
/// A link that is kept alive, bytes each second and side. Derived: a ping of 60 bytes each 15 s.
pub(super) const KEEPALIVE_BYTES_PER_S: u64 = 4;

/// Messages under way.
#[derive(Default)]
pub(super) struct Mail {
    slots: Vec<Option<Message>>,
    free: Vec<u32>,
}

impl Mail {
    /// Keeps a message and says under which number.
    pub(super) fn post(&mut self, message: Message) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(message);
                slot
            }
            None => {
                self.slots.push(Some(message));
                self.slots.len() as u32 - 1
            }
        }
    }

    /// Looks at a message without taking it.
    pub(super) fn glance(&self, slot: u32) -> u64 {
        u64::from(self.slots[slot as usize].is_some())
    }

    /// Takes a message out.
    pub(super) fn collect(&mut self, slot: u32) -> Option<Message> {
        self.free.push(slot);
        self.slots[slot as usize].take()
    }
}

/// Bytes that a message takes on the wire, headers included.
pub(super) fn wire_bytes(message: &Message) -> u32 {
    let members = |members: &[Member<Peer>]| members.len() as u32 * (CONTACT_BYTES + MEMBER_BYTES);
    let path = |tags: &[u32]| 12 + 4 * tags.len() as u32;
    let body = match message {
        Body::Announce { .. } => CONTACT_BYTES + MEMBER_BYTES,
        Body::Members(all) => members(all),
        Body::Graft(graft) => 24 + graft.repair_of.map_or(0, |_| 34),
        Body::Admitted { path: p, backups, displaced, .. } => {
            let named = backups.len() + displaced.iter().count();
            8 + path(&p.tags) + CONTACT_BYTES * named as u32
        }
        Body::Redirected { members: all, .. } => 10 + members(all),
        Body::Prune { successors, .. } => 4 + CONTACT_BYTES * successors.len() as u32,
        Body::PathUpdate { path: p, above, .. } => {
            4 + path(&p.tags) + above.map_or(0, |_| CONTACT_BYTES)
        }
        Body::Room { places, .. } => 6 + members(places),
        Body::Pull { .. } => 16,
        Body::Refresh => 2,
        Body::Grant { .. } => 2 + CONTACT_BYTES + GRANT_BYTES,
        Body::End { .. } => 72,
    };
    PACKET_BYTES + FRAME_BYTES + body
}
