//! One stripe as a child sees it: who feeds it, who is asked next, how far it has come.

use super::member::Contact;
use super::path::Path;
use crate::identity::NodeId;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// The parent of a stripe.
#[derive(Debug)]
pub(crate) struct Parent {
    pub node: NodeId,
    /// Its path, as it says.
    pub path: Path,
    /// It said it stops feeding; it is gone at this time at the latest.
    pub draining_until: Option<Timestamp>,
}

/// The search for a parent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// None runs.
    Idle,
    /// Nobody to ask just now.
    Waiting { until: Timestamp },
    /// A link to the next one to ask is coming up.
    Connecting { peer: NodeId, deadline: Timestamp },
    /// An answer is awaited.
    Asking { peer: NodeId, request: u32, deadline: Timestamp },
}

impl Search {
    /// When it needs attention.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        match *self {
            Self::Idle => None,
            Self::Waiting { until: deadline }
            | Self::Connecting { deadline, .. }
            | Self::Asking { deadline, .. } => Some(deadline),
        }
    }

    /// The node it waits for.
    pub(crate) fn peer(&self) -> Option<NodeId> {
        match *self {
            Self::Connecting { peer, .. } | Self::Asking { peer, .. } => Some(peer),
            Self::Idle | Self::Waiting { .. } => None,
        }
    }
}

/// One stripe of a session on a node that is not its root.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Whether this node wants the stripe at all.
    pub wanted: bool,
    pub parent: Option<Parent>,
    pub search: Search,
    /// Whom the search asks before anyone else.
    pub prefer: VecDeque<Contact>,
    /// The silent parent that the search replaces.
    pub repair_of: Option<NodeId>,
    /// Nodes with the stripe that are not below the parent; the first has a warm link.
    pub backups: Vec<Contact>,
    /// Since when nobody feeds it.
    pub hungry_since: Timestamp,
    /// The newest block that came from the parent (or was the head when the parent took over).
    pub newest: Option<u64>,
    /// When that was.
    pub newest_at: Timestamp,
    /// Do not pull before.
    pub pull_after: Timestamp,
}

impl Feed {
    pub(crate) fn new(wanted: bool, now: Timestamp) -> Self {
        Self {
            wanted,
            parent: None,
            search: Search::Idle,
            prefer: VecDeque::new(),
            repair_of: None,
            backups: Vec::new(),
            hungry_since: now,
            newest: None,
            newest_at: now,
            pull_after: now,
        }
    }

    /// Whether it comes regularly: it has a parent that neither leaves nor is being replaced.
    pub(crate) fn is_fed(&self) -> bool {
        self.wanted
            && self.repair_of.is_none()
            && self.parent.as_ref().is_some_and(|parent| parent.draining_until.is_none())
    }

    pub(crate) fn is_parent(&self, node: &NodeId) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.node == *node)
    }

    /// A shard of `block` came from the parent.
    pub(crate) fn on_shard(&mut self, now: Timestamp, block: u64) {
        if self.newest.is_none_or(|newest| block > newest) {
            self.newest = Some(block);
            self.newest_at = now;
        }
    }

    /// Takes a new parent; shards from it are due from the current `head` on.
    pub(crate) fn adopt(&mut self, now: Timestamp, parent: Parent, head: Option<u64>) -> Duration {
        let waited = now.since(self.hungry_since);
        self.parent = Some(parent);
        self.search = Search::Idle;
        self.repair_of = None;
        self.prefer.clear();
        self.newest = head;
        self.newest_at = now;
        waited
    }

    /// The parent is gone.
    pub(crate) fn orphan(&mut self, now: Timestamp) -> Option<NodeId> {
        let parent = self.parent.take()?;
        self.hungry_since = self.hungry_since.max(self.newest_at).min(now);
        Some(parent.node)
    }
}
