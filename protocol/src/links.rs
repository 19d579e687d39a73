//! The links of this node as the core knows them: who is connected, and who is still needed.

use crate::forest::{Action, Peer, position};
use crate::limits::LINKS_MAX;
use crate::output::Farewell;
use crate::room::make_room;
use crate::time::Timestamp;
use std::time::Duration;

/// How long a link that no session needs stays open. Guess: members ask again within seconds.
const IDLE: Duration = Duration::from_secs(15);

/// The same where half of all links there may be are there: newcomers must get in. Guess: who uses a
/// link once does so within a second.
const IDLE_CROWDED: Duration = Duration::from_secs(3);

/// One link. Small, because a node of a large session has dozens and a world has a million nodes.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// Round trip, µs; [`COMING_UP`] while there is none.
    rtt_us: u32,
    /// Twice the seconds when it was last of use, and one more if the peer asked for it.
    needed_at: u32,
}

impl Link {
    fn new(now: Timestamp, rtt_us: u32, is_theirs: bool) -> Self {
        Self { rtt_us, needed_at: 2 * seconds(now) + u32::from(is_theirs) }
    }

    const fn is_theirs(self) -> bool {
        self.needed_at % 2 == 1
    }

    fn needed(&mut self, now_s: u32) {
        self.needed_at = 2 * now_s + self.needed_at % 2;
    }

    const fn unused_s(self, now_s: u32) -> u32 {
        now_s.saturating_sub(self.needed_at / 2)
    }
}

/// No round trip yet.
const COMING_UP: u32 = u32::MAX;

/// Up to so many links are gone through rather than searched by halves. Guess: eight cache lines.
const FEW: usize = 128;

/// Changes that are remembered. Guess: what comes between two messages about members.
const CHANGED: usize = 8;

/// All links of a node, in the order of their peers. The peers stand apart: every message looks for
/// its own among dozens, and so that takes few cache lines.
#[derive(Debug)]
pub struct Links {
    peers: Vec<Peer>,
    links: Vec<Link>,
    /// Links that came up or went, ever.
    changes: u32,
    /// Whose the last of these were: the i-th change at i modulo the length.
    changed: [Peer; CHANGED],
}

impl Links {
    fn find(&self, peer: Peer) -> Option<usize> {
        if self.peers.len() <= FEW {
            return position(&self.peers, peer);
        }
        self.peers.binary_search(&peer).ok()
    }

    /// Where `peer` is, or belongs.
    fn place(&self, peer: Peer) -> Result<usize, usize> {
        self.peers.binary_search(&peer)
    }

    fn insert(&mut self, at: usize, peer: Peer, link: Link) {
        make_room(&mut self.peers);
        make_room(&mut self.links);
        self.peers.insert(at, peer);
        self.links.insert(at, link);
    }

    /// How many links came up or went, ever.
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    /// Whose links came up or went since there had been so many changes; `None` if they are too
    /// many to be remembered.
    pub(crate) fn changed_since(&self, changes: u32) -> Option<impl Iterator<Item = Peer> + '_> {
        let count = self.changes.wrapping_sub(changes) as usize;
        let nth = move |i| self.changed[changes.wrapping_add(i as u32) as usize % CHANGED];
        (count <= CHANGED).then(|| (0..count).map(nth))
    }

    fn change(&mut self, peer: Peer) {
        self.changed[self.changes as usize % CHANGED] = peer;
        self.changes = self.changes.wrapping_add(1);
    }

    /// Whether a link to `peer` is up.
    #[must_use]
    pub fn is_up(&self, peer: Peer) -> bool {
        self.find(peer).is_some_and(|at| self.links[at].rtt_us != COMING_UP)
    }

    /// Whether there is a link to `peer` for which the peer asked, not this node.
    #[must_use]
    pub fn is_theirs(&self, peer: Peer) -> bool {
        self.find(peer).is_some_and(|at| self.links[at].is_theirs())
    }

    /// Round trip to `peer`, if a link is up.
    #[must_use]
    pub fn rtt(&self, peer: Peer) -> Option<Duration> {
        let Link { rtt_us, .. } = self.links[self.find(peer)?];
        (rtt_us != COMING_UP).then(|| Duration::from_micros(rtt_us.into()))
    }

    /// Asks for a link unless there is one or one is on its way. False if there are too many.
    pub fn connect(&mut self, now: Timestamp, peer: Peer, out: &mut Vec<Action>) -> bool {
        match self.place(peer) {
            Ok(at) => self.links[at].needed(seconds(now)),
            Err(_) if self.peers.len() >= LINKS_MAX => return false,
            Err(at) => {
                self.insert(at, peer, Link::new(now, COMING_UP, false));
                out.push(Action::Connect(peer));
            }
        }
        true
    }

    /// Takes note of a link, whoever dialled it. False, and it is to be closed, if there are too
    /// many.
    pub fn on_up(&mut self, now: Timestamp, peer: Peer, rtt: Duration) -> bool {
        let link = |is_theirs| Link::new(now, micros(rtt), is_theirs);
        match self.place(peer) {
            Ok(at) => self.links[at] = link(self.links[at].is_theirs()),
            Err(_) if self.peers.len() >= LINKS_MAX => return false,
            Err(at) => self.insert(at, peer, link(true)),
        }
        self.change(peer);
        true
    }

    /// A fresh estimate of the round trip to `peer`.
    pub fn on_rtt(&mut self, peer: Peer, rtt: Duration) {
        if let Some(at) = self.find(peer)
            && self.links[at].rtt_us != COMING_UP
        {
            self.links[at].rtt_us = micros(rtt);
        }
    }

    /// A link is gone, or never came up. False if there was none.
    pub fn on_down(&mut self, peer: Peer) -> bool {
        let Some(at) = self.find(peer) else { return false };
        self.peers.remove(at);
        if self.links.remove(at).rtt_us != COMING_UP {
            self.change(peer);
        }
        true
    }

    /// Closes links that nothing has `needed` for a while.
    pub fn close_idle(
        &mut self,
        now: Timestamp,
        needed: impl Fn(Peer) -> bool,
        out: &mut Vec<Action>,
    ) {
        let now_s = seconds(now);
        let idle = if self.peers.len() > LINKS_MAX / 2 { IDLE_CROWDED } else { IDLE };
        let mut kept = 0;
        for at in 0..self.peers.len() {
            let (peer, mut link) = (self.peers[at], self.links[at]);
            if needed(peer) {
                link.needed(now_s);
            }
            let unused_s = link.unused_s(now_s);
            if link.rtt_us != COMING_UP && unused_s > idle.as_secs() as u32 {
                out.push(Action::Disconnect(peer, Farewell::Idle));
                self.change(peer);
            } else {
                (self.peers[kept], self.links[kept]) = (peer, link);
                kept += 1;
            }
        }
        self.peers.truncate(kept);
        self.links.truncate(kept);
    }

    /// Every peer with a link that is up.
    pub fn up(&self) -> impl Iterator<Item = Peer> + '_ {
        let links = self.peers.iter().zip(&self.links);
        links.filter(|(_, link)| link.rtt_us != COMING_UP).map(|(peer, _)| *peer)
    }

    /// Every peer with a link, up or coming up.
    pub fn all(&self) -> impl Iterator<Item = Peer> + '_ {
        self.peers.iter().copied()
    }

    /// How many there are, up or coming up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// See [`Forest::glance`](crate::forest::Forest::glance).
    #[must_use]
    pub fn glance(&self) -> u64 {
        (self.peers.len() + self.links.len()) as u64 ^ u64::from(self.changes)
    }

    /// See [`Forest::glance_deeper`](crate::forest::Forest::glance_deeper).
    #[must_use]
    pub fn glance_deeper(&self) -> u64 {
        let peers = self.peers.iter().step_by(16).fold(0, |all, peer| all ^ peer.0);
        u64::from(peers)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }
}

fn seconds(now: Timestamp) -> u32 {
    (now.as_micros() / 1_000_000) as u32
}

impl Default for Links {
    fn default() -> Self {
        let (peers, links) = (Vec::new(), Vec::new());
        Self { peers, links, changes: 0, changed: [Peer(0); CHANGED] }
    }
}

/// Never [`COMING_UP`].
fn micros(rtt: Duration) -> u32 {
    u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).min(COMING_UP - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_theirs_unless_this_node_asked_for_it() {
        let (mut links, mut out) = (Links::default(), Vec::new());
        let at = |s: u64| Timestamp::from_micros(s * 1_000_000);
        let (ours, theirs, rtt) = (Peer(1), Peer(2), Duration::from_millis(20));
        assert!(links.connect(at(0), ours, &mut out));
        assert!(links.on_up(at(1), ours, rtt) && links.on_up(at(1), theirs, rtt));
        assert!(links.on_up(at(2), theirs, rtt), "reported twice");
        assert!(links.connect(at(3), theirs, &mut out), "there is one already");
        assert_eq!([ours, theirs].map(|peer| links.is_theirs(peer)), [false, true]);
        links.close_idle(at(17), |peer| peer == theirs, &mut out);
        assert_eq!((links.is_up(ours), links.is_up(theirs)), (false, true), "idle for 16 s");
        links.close_idle(at(32), |_| false, &mut out);
        assert!(links.is_theirs(theirs), "needed 15 s ago");
        links.close_idle(at(33), |_| false, &mut out);
        assert!(links.is_empty());
    }

    #[test]
    fn idle_links_of_a_crowd_make_room_sooner() {
        let at = |s: u64| Timestamp::from_micros(s * 1_000_000);
        let left = |count: usize| {
            let mut links = Links::default();
            for peer in (0..count as u32).map(Peer) {
                assert!(links.on_up(at(0), peer, Duration::from_millis(20)));
            }
            links.close_idle(at(4), |peer| peer == Peer(7), &mut Vec::new());
            links.len()
        };
        assert_eq!([LINKS_MAX / 2, LINKS_MAX].map(left), [LINKS_MAX / 2, 1]);
    }
}
