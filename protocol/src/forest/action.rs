//! What a node's forest asks of the node, and tells it.

use super::peer::Peer;
use super::stripe::StripeSet;
use crate::output::{Farewell, OrphanCause};
use crate::wire::control::Body;
use std::time::Duration;

/// A control message between two nodes of one session, as one of them names the others.
pub type Message = Body<Peer, Peer>;

/// One effect or event.
#[derive(Debug)]
pub enum Action {
    /// Bring up a link.
    Connect(Peer),
    /// Close a link.
    Disconnect(Peer, Farewell),
    /// Send a control message over a link that is up.
    Send(Peer, Message),
    /// A parent feeds a stripe.
    Grafted {
        /// The stripe.
        stripe: u8,
        /// The parent.
        parent: Peer,
        /// The parent it takes the place of.
        old: Option<Peer>,
        /// Links from the root to this node.
        depth: u8,
        /// How long the stripe had no parent that fed it.
        waited: Duration,
    },
    /// A stripe has no parent.
    Orphaned {
        /// The stripe.
        stripe: u8,
        /// The parent it had.
        parent: Peer,
        /// Why.
        cause: OrphanCause,
    },
    /// This node feeds one more child, or the same one anew.
    Admitted {
        /// The stripe.
        stripe: u8,
        /// The child.
        child: Peer,
        /// What to write in front of its shards.
        channel: u32,
        /// The first block it still needs; 0: the current group.
        resume: u64,
    },
    /// This node feeds one child less.
    Released {
        /// The stripe.
        stripe: u8,
        /// The child.
        child: Peer,
    },
    /// Nobody known takes this node as a child; discovery should look again.
    CandidatesWanted(StripeSet),
}
