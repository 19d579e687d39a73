//! Who is who, by number: what follows from keys and addresses in the real network.

use crate::media::Net;
use crate::place::{Place, Places};
use crate::population::{Meeting, Nat};
use banyan_protocol::forest::{Directory, Peer, Tag};

/// Facts of one node that others may look up. Small: a world has a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub(super) place: Place,
    pub(super) tag: Tag,
    pub(super) network: u32,
    pub(super) loss_ppm: u32,
    pub(super) home: u8,
    pub(super) nat: Nat,
    /// On which side of a partition it is.
    pub(super) side: u8,
}

/// All nodes by number.
pub(super) struct Registry {
    pub(super) facts: Vec<Fact>,
    pub(super) places: Places,
}

impl Registry {
    pub(super) fn fact(&self, node: u32) -> &Fact {
        &self.facts[node as usize]
    }

    /// One way between two nodes, µs.
    pub(super) fn one_way_us(&self, a: u32, b: u32) -> u64 {
        self.places.one_way_us(&self.fact(a).place, &self.fact(b).place).into()
    }

    /// How node `a` comes to a link with `b` when it dials.
    pub(super) fn meeting(&self, a: u32, b: u32) -> Meeting {
        self.fact(a).nat.meets(self.fact(b).nat)
    }

    /// Whether packets get through at all.
    pub(super) fn is_reachable(&self, a: u32, b: u32) -> bool {
        self.fact(a).side == self.fact(b).side
    }
}

impl Directory for Registry {
    fn home(&self, peer: Peer) -> u8 {
        self.fact(peer.0).home
    }

    fn tag(&self, peer: Peer) -> Tag {
        self.fact(peer.0).tag
    }

    fn network(&self, peer: Peer) -> u32 {
        self.fact(peer.0).network
    }
}

impl Net for Registry {
    fn one_way_us(&self, from: u32, to: u32) -> u32 {
        self.places.one_way_us(&self.fact(from).place, &self.fact(to).place)
    }

    fn loss_ppm(&self, from: u32, to: u32) -> u32 {
        // Both access links lose.
        (self.fact(from).loss_ppm + self.fact(to).loss_ppm) / 2
    }

    fn reachable(&self, from: u32, to: u32) -> bool {
        self.is_reachable(from, to)
    }
}
