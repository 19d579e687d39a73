//! Members of a session: who they are, where they can be reached, what they say they carry.

use super::coordinate::Spot;
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

/// How a node is reached from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anybody reaches it: a public address, a forwarded port, UPnP; or nothing else is known.
    #[default]
    Public,
    /// Behind a router that keeps one mapping per socket: a hole can be punched.
    Punchable,
    /// Behind a router with a mapping per destination: it meets public nodes only.
    Hard,
}

impl Reach {
    /// Whether two nodes come to a link at all.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.min(other) == Self::Public || self.max(other) == Self::Punchable
    }

    /// Whether a node that dials the `other` needs the help of a third.
    #[must_use]
    pub fn punches(self, other: Self) -> bool {
        other != Self::Public
    }
}

/// One member of a session, as it describes itself. `P` says which node it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<P = Contact> {
    /// Who and where.
    pub contact: P,
    /// What it is in the session.
    pub role: Role,
    /// The stripes it is fed.
    pub carries: StripeSet,
    /// Children it feeds at most.
    pub slots: u16,
    /// Children it would still admit.
    pub slots_free: u16,
    /// Links from the root, the largest over its stripes.
    pub depth: u8,
    /// From the root to where its next child in its home stripe would be, without the link to it, µs.
    pub delay_us: u32,
    /// Since it said so itself, seconds.
    pub age_s: u16,
    /// How it is reached.
    pub reach: Reach,
    /// Where it is.
    pub spot: Spot,
}

impl<P> Member<P> {
    /// The same with the node named in another way, if it can be.
    pub fn map<Q>(self, name: impl FnOnce(P) -> Option<Q>) -> Option<Member<Q>> {
        let Self { contact, role, carries, slots, slots_free, depth, delay_us, age_s, reach, spot } =
            self;
        let contact = name(contact)?;
        Some(Member {
            contact,
            role,
            carries,
            slots,
            slots_free,
            depth,
            delay_us,
            age_s,
            reach,
            spot,
        })
    }
}
