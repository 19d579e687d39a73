//! What the core asks of the driver.

use crate::coding::Block;
use crate::forest::{Contact, StripeSet};
use crate::identity::{NodeId, SessionId};
use crate::time::Timestamp;
use bytes::Bytes;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// One effect.
#[derive(Debug)]
pub enum Output {
    /// Bring up a link. Answered by `LinkUp` or `LinkFailed`.
    Connect(Contact),
    /// Close the link to a node.
    Disconnect(NodeId, Farewell),
    /// Send a control message.
    Control(NodeId, Bytes),
    /// Send one shard to each of the children.
    Shard(ShardOut),
    /// Tell other members, by gossip, what this node has to give. Signed by whoever carries it.
    Advertise(SessionId, Bytes),
    /// One block of a session, in order.
    Deliver(SessionId, Arc<Block>),
    /// Something happened that an owner, a log or a counter wants to know.
    Event(Event),
    /// Nothing more to do until then.
    Wait(Option<Timestamp>),
}

/// A shard on its way out.
#[derive(Clone, Debug)]
pub struct ShardOut {
    /// The children and the channels they asked for.
    pub to: Vec<(NodeId, u32)>,
    /// The session.
    pub session: SessionId,
    /// The block; older blocks go first.
    pub block: u64,
    /// The stripe.
    pub stripe: u8,
    /// The shard as it came.
    pub bytes: Bytes,
}

/// Why a link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// No session needs it.
    Idle,
    /// This node shuts down.
    Leaving,
    /// This node has as many links as it may.
    Full,
    /// The peer broke a rule.
    Violation(Violation),
}

/// A rule that a peer broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A control message that cannot be decoded.
    #[error("malformed control message")]
    Control,
    /// A path that does not end at the peer itself.
    #[error("path of another node")]
    Path,
    /// A shard that cannot be decoded, or is not of the session's shape.
    #[error("malformed shard")]
    Shard,
    /// A shard whose signature is not the publisher's.
    #[error("forged shard")]
    Forged,
    /// An end of session that the publisher did not sign.
    #[error("forged end of session")]
    ForgedEnd,
    /// A grant of the root's place that the publisher did not sign, or that names another node.
    #[error("forged grant of the root's place")]
    ForgedGrant,
    /// More control messages than any node has to say.
    #[error("flood of control messages")]
    Flood,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A parent feeds a stripe now.
    Grafted {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The parent.
        parent: NodeId,
        /// Links from the root to this node.
        depth: u8,
        /// How long the stripe had no parent that fed it.
        waited: Duration,
    },
    /// A stripe has no parent.
    Orphaned {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The parent it had.
        parent: NodeId,
        /// Why.
        cause: OrphanCause,
    },
    /// This node feeds one more child.
    ChildAdmitted {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The child.
        child: NodeId,
    },
    /// This node feeds one child less.
    ChildReleased {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The child.
        child: NodeId,
    },
    /// Shards were asked of a backup.
    Pulled {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The backup.
        from: NodeId,
        /// How many blocks.
        blocks: u64,
    },
    /// A peer did not get what it asked for out of the ring: it asked for more than any repair
    /// needs, or all who ask together want more than the uplink has to spare.
    PullShed {
        /// The session.
        session: SessionId,
        /// The stripe.
        stripe: u8,
        /// The peer.
        peer: NodeId,
    },
    /// Blocks could not be rebuilt before their deadline.
    BlocksLost {
        /// The session.
        session: SessionId,
        /// Their numbers.
        blocks: Range<u64>,
    },
    /// A peer broke a rule and was cut.
    Violated {
        /// The peer.
        peer: NodeId,
        /// The rule.
        violation: Violation,
    },
    /// The publisher signed something that does not fit together: blocks that do not chain.
    PublisherInconsistent {
        /// The session.
        session: SessionId,
        /// The block.
        block: u64,
    },
    /// Root: a viewer somewhere needs a keyframe.
    KeyframeWanted {
        /// The session.
        session: SessionId,
    },
    /// Nobody known takes this node as a child; discovery should look again.
    CandidatesWanted {
        /// The session.
        session: SessionId,
        /// Stripes without a parent.
        stripes: StripeSet,
    },
    /// Another node is the root now.
    RootGranted {
        /// The session.
        session: SessionId,
        /// The root.
        root: NodeId,
    },
    /// The session is over.
    Ended {
        /// The session.
        session: SessionId,
    },
}

/// Why a stripe lost its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanCause {
    /// The link went down.
    LinkDown,
    /// It dissolved the pair.
    Pruned,
    /// Its path is a loop.
    Loop,
    /// It broke a rule.
    Violation,
}

/// Effects in order.
#[derive(Debug, Default)]
pub struct Outbox(VecDeque<Output>);

impl Outbox {
    /// Queues an effect.
    pub fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    /// Queues an event.
    pub fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    /// Takes the oldest effect.
    pub fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }
}
