//! What a node is doing in a session, for people and tests.

use super::Live;
use crate::forest::Role;
use crate::identity::{NodeId, SessionId};
use crate::peers::Peers;
use crate::time::Timestamp;
use std::time::Duration;

impl Live {
    /// What this node is doing in the session.
    pub(crate) fn status(&self, now: Timestamp, peers: &Peers) -> SessionStatus {
        let forest = &self.forest;
        let stripes = (0..self.outline.stripes()).map(|stripe| {
            let progress = &self.progress[usize::from(stripe)];
            StripeStatus {
                stripe,
                wanted: self.role == Role::Root || forest.wants(stripe),
                parent: forest.parent(stripe).and_then(|peer| peers.id(peer)),
                links: forest.depth(stripe),
                backup: forest.backups(stripe).next().and_then(|peer| peers.id(peer)),
                silent: progress.newest.map(|_| now.since(progress.newest_at)),
                children: forest.children(stripe).filter_map(|(p, _)| peers.id(p)).collect(),
            }
        });
        SessionStatus {
            session: self.session(),
            role: self.role,
            home: forest.setup().home,
            slots: forest.setup().slots,
            slots_free: forest.slots_free(now),
            members: forest.members(),
            ended: self.ended,
            head: self.head.newest(),
            blocks: self.media.blocks(),
            parity_used: self.media.parity_used(),
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            blocks_lost: self.media.blocks_lost(),
            stripes: stripes.collect(),
        }
    }
}

/// One session on this node, for people and tests.
#[derive(Clone, Debug)]
pub struct SessionStatus {
    /// Which.
    pub session: SessionId,
    /// What this node is in it.
    pub role: Role,
    /// Its home stripe.
    pub home: u8,
    /// Children it can feed.
    pub slots: u16,
    /// Children it would still admit.
    pub slots_free: u16,
    /// Other members it knows of.
    pub members: usize,
    /// Whether the publisher ended it.
    pub ended: bool,
    /// The newest block seen.
    pub head: Option<u64>,
    /// Root: blocks made. Gateway: blocks rebuilt.
    pub blocks: u64,
    /// Gateway: shards that parity stood in for.
    pub parity_used: u64,
    /// Bytes of shards sent.
    pub sent_bytes: u64,
    /// Bytes of shards received, duplicates included.
    pub received_bytes: u64,
    /// Gateway: blocks that missed their deadline.
    pub blocks_lost: u64,
    /// Its stripes in order.
    pub stripes: Vec<StripeStatus>,
}

/// One stripe on this node.
#[derive(Clone, Debug)]
pub struct StripeStatus {
    /// Which.
    pub stripe: u8,
    /// Whether this node takes it at all.
    pub wanted: bool,
    /// Who feeds it.
    pub parent: Option<NodeId>,
    /// Links from the root, if it is fed.
    pub links: Option<u8>,
    /// Who is asked first when the parent falls silent.
    pub backup: Option<NodeId>,
    /// Time since the last shard from the parent.
    pub silent: Option<Duration>,
    /// Whom this node feeds.
    pub children: Vec<NodeId>,
}
