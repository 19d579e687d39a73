//! What one node knows of the others: looked up by peer, kept in the order it was learnt.

use super::candidates::Told;
use super::member::Member;
use super::peer::Peer;
use crate::time::Timestamp;
use std::time::Duration;

/// What a member says of itself is believed this long. Derived: two announcements and a loss.
pub(super) const FRESH: Duration = Duration::from_secs(25);

/// One member, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// What it said of itself; absent for bootstraps and discovery's finds.
    pub(super) member: Option<Member<()>>,
    /// When it said so.
    pub(super) said: Timestamp,
    pub(super) heard: Timestamp,
    pub(super) ask_after: Timestamp,
    /// Until when it counts that it was a parent whose shards did not come, seconds.
    pub(super) late_until_s: u32,
    /// How often it was that.
    pub(super) late: u8,
    /// Links to it that did not come up, in a row.
    pub(super) failures: u8,
    pub(super) home: u8,
    /// The best word there is for it.
    pub(super) told: Told,
}

impl Known {
    /// A member that nothing is known of but that it is there.
    pub(super) const fn new(now: Timestamp, home: u8, told: Told) -> Self {
        Self {
            member: None,
            said: Timestamp::ZERO,
            heard: now,
            ask_after: Timestamp::ZERO,
            late_until_s: 0,
            late: 0,
            failures: 0,
            home,
            told,
        }
    }

    /// Whether its word still counts.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.member.is_some() && now.since(self.said) < FRESH
    }

    /// What it said of itself, if that still counts.
    pub(super) fn fresh(&self, now: Timestamp) -> Option<&Member<()>> {
        self.member.as_ref().filter(|_| now.since(self.said) < FRESH)
    }

    /// Whether its shards did not come when it was a parent lately.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        u64::from(self.late_until_s) > now.as_micros() / 1_000_000
    }
}

/// All that are known. Their numbers stand apart from what is known of them: most messages look
/// somebody up, and dozens of numbers fit into a few cache lines.
#[derive(Debug, Default)]
pub(super) struct View {
    peers: Vec<Peer>,
    known: Vec<Known>,
}

impl View {
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(super) fn position(&self, peer: Peer) -> Option<usize> {
        self.peers.iter().position(|other| *other == peer)
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
    pub(super) fn push(&mut self, peer: Peer, known: Known) -> usize {
        // Views are small and a world has a million: no room that will not be used.
        if self.known.len() == self.known.capacity() {
            self.peers.reserve_exact(GROWTH);
            self.known.reserve_exact(GROWTH);
        }
        self.peers.push(peer);
        self.known.push(known);
        self.peers.len() - 1
    }

    /// Takes out the one at a position; the last takes its place.
    pub(super) fn swap_remove(&mut self, at: usize) {
        self.peers.swap_remove(at);
        self.known.swap_remove(at);
    }

    /// Takes out all that `keep` does not hold of.
    pub(super) fn retain(&mut self, keep: impl Fn(Peer, &Known) -> bool) {
        if self.iter().all(|(peer, known)| keep(peer, known)) {
            return;
        }
        let kept = self.iter().filter(|(peer, known)| keep(*peer, known));
        (self.peers, self.known) = kept.map(|(peer, known)| (peer, *known)).unzip();
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.peers.iter().copied()
    }

    /// All in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Peer, &Known)> + Clone {
        self.peers.iter().copied().zip(&self.known)
    }
}

/// Room is made for so many more at a time. Guess.
const GROWTH: usize = 16;
