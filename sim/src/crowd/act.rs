//! What nodes do to each other: links, messages, timers; and what that means for the media plane.

use super::host::NEVER;
use super::mail::{HANDSHAKE_BYTES, wire_bytes};
use super::{Crowd, Event};
use crate::population::Meeting;
use banyan_protocol::forest::{Action, Context, Forest, Peer};
use banyan_protocol::output::OrphanCause;
use banyan_protocol::time::Timestamp;
use std::time::Duration;

/// A node that dials another learns this late that nobody is there, µs. Derived: the handshake
/// timeout of a real link.
const HANDSHAKE_TIMEOUT_US: u64 = 3_000_000;
/// Its first packet is sent again after this, µs. Derived: QUIC's first probe timeout, three times an
/// initial round trip of 333 ms (RFC 9002, 6.2.2).
const REPEAT_US: u64 = 1_000_000;
/// Round trips more where a hole is punched. Spec: `forest.md` 6.
const PUNCH_RTTS: u64 = 3;
/// Most blocks a new child is sent of those that were made before. Derived: 0.4 s.
const RESUMED_MAX: u32 = 12;
/// Links are looked over this often, µs. Basis: the core's hub.
const TIDY_US: u64 = 2_000_000;

impl Crowd {
    /// Lets a node's forest act, and carries out what it asks for.
    pub(super) fn act(&mut self, node: u32, act: impl FnOnce(&mut Forest, &mut Context<'_>)) {
        let mut actions = std::mem::take(&mut self.actions);
        let host = &mut self.hosts[node as usize];
        let now = Timestamp::from_micros(self.now_us);
        let (links, directory) = (&mut host.links, &self.registry);
        act(&mut host.forest, &mut Context { now, links, directory, out: &mut actions });
        for action in actions.drain(..) {
            self.carry_out(node, action);
        }
        self.actions = actions;
        self.set_timer(node);
    }

    /// Pushes a wake-up unless one comes early enough.
    fn set_timer(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        let deadline = host.forest.deadline().map_or(NEVER, Timestamp::as_micros);
        if host.alive && deadline < host.wake_us {
            host.wake_us = deadline.max(self.now_us);
            self.wheel.push(host.wake_us, Event::Wake(node));
        }
    }

    pub(super) fn wake(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if !host.alive || host.wake_us != self.now_us {
            return; // of an earlier life, or another came before it
        }
        host.wake_us = NEVER;
        let now = Timestamp::from_micros(self.now_us);
        if host.forest.deadline().is_none_or(|deadline| deadline > now) {
            self.set_timer(node);
            return;
        }
        if self.now_us >= host.tidied_us + TIDY_US {
            host.tidied_us = self.now_us;
            let forest = &host.forest;
            let mut needed: Vec<Peer> = forest.needed().collect();
            needed.sort_unstable();
            let needs = |peer: Peer| needed.binary_search(&peer).is_ok();
            let mut closed = Vec::new();
            host.links.close_idle(now, needs, &mut closed);
            for action in closed {
                self.carry_out(node, action);
            }
        }
        self.act(node, |forest, cx| forest.on_time(cx));
    }

    fn carry_out(&mut self, node: u32, action: Action) {
        match action {
            Action::Connect(peer) => self.connect(node, peer.0),
            Action::Disconnect(peer, _) => {
                let at_us = self.now_us + self.registry.one_way_us(node, peer.0);
                let life = self.hosts[peer.0 as usize].life;
                self.wheel.push(at_us, Event::LinkDown { at: peer.0, peer: node, life });
            }
            Action::Send(peer, message) => {
                let message = self.falsify(node, message);
                let bytes = wire_bytes(&message);
                self.note(u64::from(node) << 32 ^ u64::from(peer.0) << 8 ^ u64::from(bytes));
                self.hosts[node as usize].control_bytes += u64::from(bytes);
                self.measures.message(&message, bytes);
                let host = &self.hosts[peer.0 as usize];
                if host.alive && self.registry.is_reachable(node, peer.0) {
                    let at_us = self.now_us + self.registry.one_way_us(node, peer.0);
                    let (from, to, life) = (node, peer.0, host.life);
                    let slot = self.mail.post(message);
                    self.wheel.push(at_us, Event::Message { slot, from, to, life });
                }
            }
            Action::Grafted { stripe, parent, old, .. } => {
                self.note(u64::from(stripe) << 56 ^ u64::from(node) << 24 ^ u64::from(parent.0));
                self.saw_graft(node, stripe, parent.0);
                self.grafted(node, stripe, parent.0, old.map(|old| old.0));
            }
            Action::Orphaned { .. } => {}
            Action::Admitted { stripe, child, .. } => {
                let forest = &self.hosts[node as usize].forest;
                let rank = forest.children(stripe).position(|(peer, _)| peer == child);
                if let (Some(media), Some(rank)) = (&mut self.media, rank) {
                    let newest = media.newest(child.0, stripe);
                    // Older blocks are past every viewer's deadline.
                    let oldest = media.made().saturating_sub(RESUMED_MAX);
                    let resume = newest.map(|newest| (newest + 1).max(oldest));
                    let pair = (node, child.0, stripe);
                    media.graft(&self.registry, pair, rank, resume, self.now_us);
                }
            }
            Action::Released { stripe, child } => {
                if let Some(media) = &mut self.media {
                    media.prune(node, child.0, stripe);
                }
            }
            Action::CandidatesWanted(_) => self.discover(node),
        }
    }

    fn connect(&mut self, node: u32, peer: u32) {
        self.hosts[node as usize].control_bytes += HANDSHAKE_BYTES;
        self.measures.links += 1;
        let life = self.hosts[node as usize].life;
        if !self.dial(node, peer) {
            let (at, repeat_us) = (node, self.now_us + REPEAT_US);
            self.wheel.push(repeat_us, Event::Redial { at, peer, life });
        }
    }

    /// The dial is repeated: the way may be open now.
    pub(super) fn redial(&mut self, at: u32, peer: u32, life: u8) {
        if self.is(at, life)
            && !self.hosts[at as usize].links.is_up(Peer(peer))
            && !self.dial(at, peer)
        {
            let fails_us = self.now_us + HANDSHAKE_TIMEOUT_US - REPEAT_US;
            self.wheel.push(fails_us, Event::LinkFailed { at, peer, life });
        }
    }

    /// Sends the first packet of a link: whether it comes through, and the link up.
    fn dial(&mut self, node: u32, peer: u32) -> bool {
        let rtt_us = 2 * self.registry.one_way_us(node, peer);
        let host = &self.hosts[peer as usize];
        let life = self.hosts[node as usize].life;
        let open = host.alive && self.registry.is_reachable(node, peer);
        let trips = match self.registry.meeting(node, peer) {
            Meeting::Never => None,
            Meeting::Direct => Some(1),
            Meeting::Punched => Some(1 + PUNCH_RTTS),
        };
        let Some(trips) = trips.filter(|_| open) else { return false };
        let at_us = self.now_us + trips * rtt_us;
        let other = host.life;
        // The one that is dialled first, so that what the dialler says finds it up.
        self.wheel.push(at_us, Event::LinkUp { at: peer, peer: node, life: other });
        self.wheel.push(at_us, Event::LinkUp { at: node, peer, life });
        true
    }

    pub(super) fn link_up(&mut self, at: u32, peer: u32, life: u8) {
        if !self.is(at, life) || !self.hosts[peer as usize].alive {
            return;
        }
        let rtt = Duration::from_micros(2 * self.registry.one_way_us(at, peer));
        let now = Timestamp::from_micros(self.now_us);
        if self.hosts[at as usize].links.on_up(now, Peer(peer), rtt) {
            self.act(at, |forest, cx| forest.on_link_up(cx, Peer(peer)));
        } else {
            // It has too many, and closes this one.
            self.measures.links_refused += 1;
            let at_us = self.now_us + self.registry.one_way_us(at, peer);
            let life = self.hosts[peer as usize].life;
            self.wheel.push(at_us, Event::LinkDown { at: peer, peer: at, life });
        }
    }

    pub(super) fn link_failed(&mut self, at: u32, peer: u32, life: u8) {
        // The other may have dialled meanwhile.
        if self.is(at, life) && !self.hosts[at as usize].links.is_up(Peer(peer)) {
            self.hosts[at as usize].links.on_down(Peer(peer));
            self.act(at, |forest, cx| forest.on_link_failed(cx, Peer(peer)));
        }
    }

    pub(super) fn link_down(&mut self, at: u32, peer: u32, life: u8) {
        if self.is(at, life) && self.hosts[at as usize].links.on_down(Peer(peer)) {
            self.act(at, |forest, cx| {
                forest.on_link_down(cx, Peer(peer), OrphanCause::LinkDown);
            });
        }
    }

    pub(super) fn receive(&mut self, slot: u32, from: u32, to: u32, life: u8) {
        let Some(message) = self.mail.collect(slot) else { return };
        if self.is(to, life) && self.hosts[to as usize].links.is_up(Peer(from)) {
            self.act(to, |forest, cx| forest.on_message(cx, Peer(from), message));
        }
    }
}
