//! Those that one node knows of: looked up by peer, kept in the order they were learnt.

use super::known::Known;
use super::peer::{Peer, position};
use super::told::Told;
use crate::limits::CANDIDATES_MAX;
use crate::links::Links;
use crate::room::make_room;

/// Homes told apart when they are counted: as many as bits of a set of stripes.
const HOMES: usize = 32;

/// All that are known. Their numbers stand apart from what is known of them: most messages look
/// somebody up, and dozens of numbers fit into a few cache lines.
#[derive(Debug, Default)]
pub(super) struct View {
    peers: Vec<Peer>,
    known: Vec<Known>,
    /// A bit for each with whom a link is up.
    linked: u64,
    /// The changes of links until which that was true; none: it is not known.
    as_of: Option<u32>,
    /// How many are at home in which stripe.
    of_home: [u8; HOMES],
}

const _: () = assert!(CANDIDATES_MAX <= u64::BITS as usize, "a bit for each");

impl View {
    /// Looks who has a link, as far as that may have changed.
    pub(super) fn look_at(&mut self, links: &Links) {
        match self.as_of.and_then(|as_of| links.changed_since(as_of)) {
            Some(changed) => changed.for_each(|peer| self.look_at_one(links, peer)),
            None => (0..self.peers.len())
                .for_each(|at| self.set_linked(at, links.is_up(self.peers[at]))),
        }
        self.as_of = Some(links.changes());
    }

    fn look_at_one(&mut self, links: &Links, peer: Peer) {
        if let Some(at) = self.position(peer) {
            self.set_linked(at, links.is_up(peer));
        }
    }

    fn set_linked(&mut self, at: usize, linked: bool) {
        self.linked = self.linked & !(1 << at) | u64::from(linked) << at;
    }

    /// Whether the one at a position has a link, as of the last [`View::look_at`].
    pub(super) fn is_linked(&self, at: usize) -> bool {
        self.linked & 1 << at != 0
    }

    /// Those without a link, as of the last [`View::look_at`], with their positions.
    pub(super) fn unlinked(&self) -> impl Iterator<Item = (usize, Peer, &Known)> {
        let mut left = !self.linked;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            self.known.get(at).map(|known| (at, self.peers[at], known))
        })
    }

    /// How many are at home in the same stripe as one of them.
    pub(super) fn of_home(&self, known: &Known) -> usize {
        self.of_home[usize::from(known.home) % HOMES].into()
    }

    /// How many are known by the word of one other.
    pub(super) fn told(&self, told: Told) -> usize {
        self.known.iter().filter(|known| known.told == told).count()
    }

    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// See [`Forest::glance`](super::machine::Forest::glance).
    pub(super) fn glance(&self) -> u32 {
        self.peers.iter().step_by(16).fold(0, |all, peer| all ^ peer.0)
    }

    pub(super) fn position(&self, peer: Peer) -> Option<usize> {
        position(&self.peers, peer)
    }

    pub(super) fn get(&self, peer: Peer) -> Option<&Known> {
        self.known.get(self.position(peer)?)
    }

    pub(super) fn get_mut(&mut self, peer: Peer) -> Option<&mut Known> {
        let at = self.position(peer)?;
        self.known.get_mut(at)
    }

    /// What is known of the one at a [`View::position`].
    pub(super) fn at_mut(&mut self, at: usize) -> &mut Known {
        &mut self.known[at]
    }

    /// Adds one at the end and says at which position that is.
    pub(super) fn push(&mut self, peer: Peer, known: Known, is_linked: bool) -> usize {
        make_room(&mut self.peers);
        make_room(&mut self.known);
        let at = self.peers.len();
        self.set_linked(at, is_linked);
        self.of_home[usize::from(known.home) % HOMES] += 1;
        self.peers.push(peer);
        self.known.push(known);
        at
    }

    /// Takes out the one at a position; the last takes its place.
    pub(super) fn swap_remove(&mut self, at: usize) {
        let last = self.is_linked(self.peers.len() - 1);
        self.set_linked(at, last);
        self.peers.swap_remove(at);
        let known = self.known.swap_remove(at);
        self.of_home[usize::from(known.home) % HOMES] -= 1;
    }

    /// Takes out all that `keep` does not hold of.
    pub(super) fn retain(&mut self, keep: impl Fn(Peer, &Known) -> bool) {
        if self.iter().all(|(peer, known)| keep(peer, known)) {
            return;
        }
        let old = std::mem::take(self);
        for (peer, known) in old.iter().filter(|(peer, known)| keep(*peer, known)) {
            self.push(peer, *known, false); // who has a link is looked up again
        }
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.peers.iter().copied()
    }

    /// All in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Peer, &Known)> + Clone {
        self.peers.iter().copied().zip(&self.known)
    }
}
