//! What the driver tells the core.

use crate::capacity::Sent;
use crate::forest::{Contact, Role};
use crate::identity::{MediaKey, NodeId, SessionId};
use crate::ingest::Draft;
use crate::session::{Outline, SignedRootGrant};
use crate::unit::Bitrate;
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// One stimulus.
#[derive(Debug)]
pub enum Input {
    /// The owner of this node wants something.
    Command(Command),
    /// A link to `peer` is up, whoever dialled it.
    LinkUp {
        /// The node at the other end.
        peer: NodeId,
        /// The address it is at, as we see it.
        address: SocketAddr,
        /// Round trip of the handshake.
        rtt: Duration,
    },
    /// The link asked for by [`Output::Connect`](crate::output::Output::Connect) did not come up.
    LinkFailed(NodeId),
    /// A link that was up is gone.
    LinkDown(NodeId),
    /// A fresh estimate of the round trip to `peer`.
    Rtt(NodeId, Duration),
    /// A control message came.
    Control(NodeId, Bytes),
    /// A shard came on `channel`.
    Shard(NodeId, u32, Bytes),
    /// Discovery found members of a session.
    Found(SessionId, Vec<Contact>),
    /// What a member has to give, by gossip that is signed by it:
    /// [`Output::Advertise`](crate::output::Output::Advertise) of another node.
    Advert(NodeId, Bytes),
    /// The addresses at which this node can be reached.
    Addresses(Vec<SocketAddr>),
    /// What each link took since the last time, while there are links: several times a second.
    /// Means something once [`Command::Give`] was said.
    Sent(Vec<Sent>),
    /// A deadline given by [`Output::Wait`](crate::output::Output::Wait) passed. Late or spurious
    /// wakes are harmless.
    Wake,
}

/// What the owner of a node wants of it.
#[derive(Debug)]
pub enum Command {
    /// So much upload may go to others, over all sessions. From now on slots follow from what the
    /// uplink is measured to carry; the slots of a session are then the most that it gives.
    Give(Bitrate),
    /// Become the root of a session.
    Publish {
        /// The session.
        outline: Box<Outline>,
        /// The delegated media key that signs its shards.
        media_key: Box<MediaKey>,
        /// Children this node can feed at most, one stripe each.
        slots: u16,
        /// Number of the first block. A root that comes back must go on above what it sent before.
        first_block: u64,
    },
    /// Take part in a session.
    Join {
        /// The session.
        outline: Box<Outline>,
        /// How.
        role: JoinRole,
        /// Children this node can feed at most, one stripe each.
        slots: u16,
        /// Whom to ask first.
        bootstraps: Vec<Contact>,
    },
    /// Root only: one more block.
    Ingest(SessionId, Draft),
    /// A viewer here cannot start without a keyframe.
    Refresh(SessionId),
    /// Become the root of a session that this node is in, by a grant to it. Ignored if that does not
    /// hold. Its own blocks follow by [`Command::Ingest`].
    TakeOver {
        /// The session.
        session: SessionId,
        /// The publisher's word.
        grant: Box<SignedRootGrant>,
        /// The delegated media key that signs its shards.
        media_key: Box<MediaKey>,
        /// Children this node can feed, one stripe each.
        slots: u16,
    },
    /// Leave one session: pairs are pruned, children told whom to ask. A root ends the session.
    Leave(SessionId),
}

/// How a node that is not the root takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinRole {
    /// Takes every stripe and rebuilds the blocks.
    Gateway,
    /// Takes its home stripe and passes it on; others where the root is short of helpers, up to
    /// this many in all.
    Helper {
        /// Most stripes to carry.
        stripes_max: u8,
    },
}

impl From<JoinRole> for Role {
    fn from(role: JoinRole) -> Self {
        match role {
            JoinRole::Gateway => Self::Gateway,
            JoinRole::Helper { .. } => Self::Helper,
        }
    }
}
