//! What the swarm tells the driver.

use banyan_protocol::identity::SessionId;
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};

/// Something happened on the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node can be reached here by whoever can reach this machine's address.
    Listening(Multiaddr),
    /// It no longer can.
    ListeningEnded(Multiaddr),
    /// A peer sees this node under an address that is none of its own: its mapped address behind
    /// a NAT, or a lie. Reported once per address.
    ExternalAddress(Multiaddr),
    /// A peer that speaks to us, or that is in the same network; where links to it may be
    /// dialled, the best guess first.
    Peer {
        /// Who.
        peer: PeerId,
        /// Where: plain QUIC addresses only.
        addresses: Vec<Multiaddr>,
    },
    /// A peer could not be reached after [`Handle::dial`](super::Handle::dial).
    Unreachable(PeerId),
    /// The last connection to a peer is gone.
    Disconnected(PeerId),
    /// A capacity advert, signed by its sender for gossip; its content is unchecked.
    Advert {
        /// Who published it.
        from: PeerId,
        /// The session it is about.
        session: SessionId,
        /// At most [`ADVERT_BYTES_MAX`](super::limits::ADVERT_BYTES_MAX).
        bytes: Bytes,
    },
    /// Providers of a session found by one answer to
    /// [`Handle::find_providers`](super::Handle::find_providers); more may follow.
    Providers {
        /// The session searched.
        session: SessionId,
        /// Who provides it, and where links to them may be dialled, if known.
        peers: Vec<(PeerId, Vec<Multiaddr>)>,
    },
    /// A search has ended; search again if that was too few.
    SearchEnded {
        /// The session searched.
        session: SessionId,
        /// How many providers it found, this node not counted.
        found: usize,
    },
}

impl Event {
    /// Whether it may be dropped when nobody takes events: adverts repeat themselves.
    pub(super) const fn repeats_itself(&self) -> bool {
        matches!(self, Self::Advert { .. })
    }
}
