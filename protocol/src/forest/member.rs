//! Members of a session: who they are, where they can be reached, what they say they carry.

use super::stripe::StripeSet;
use crate::identity::NodeId;
use crate::limits::ADDRESSES_MAX;
use std::net::SocketAddr;

/// Where a node can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The node.
    pub node: NodeId,
    /// Its addresses, most promising first, at most [`ADDRESSES_MAX`].
    pub addresses: Vec<SocketAddr>,
}

impl Contact {
    /// A contact with the first [`ADDRESSES_MAX`] different addresses of `addresses`.
    pub fn new(node: NodeId, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let mut kept = Vec::with_capacity(ADDRESSES_MAX);
        for address in addresses {
            if kept.len() < ADDRESSES_MAX && !kept.contains(&address) {
                kept.push(address);
            }
        }
        Self { node, addresses: kept }
    }
}

/// What a node is in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The publisher's node: source of every stripe.
    Root,
    /// Rebuilds the rendition for browsers or a native viewer.
    Gateway,
    /// Relays its home stripe and shows nothing.
    Helper,
}

/// One member of a session, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who and where.
    pub contact: Contact,
    /// What it is in the session.
    pub role: Role,
    /// The stripes it is fed.
    pub carries: StripeSet,
    /// Children it would still admit.
    pub slots_free: u16,
    /// Links from the root, the largest over its stripes.
    pub depth: u8,
}
