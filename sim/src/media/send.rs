//! The hot path: a shard that has come goes to all children.

use super::arrivals::{Came, NEVER, UNIT_US};
use super::hop::{Hop, Kind};
use super::node::Conduct;
use super::notice::Notice;
use super::stream::PACKET_BYTES;
use super::tree::{Edge, flag};
use super::{Media, Net};

/// After a loss the copy is sent again so much later than it left: 6/5 of a round trip, that is
/// 12/5 of one way, and this, µs. Basis: QUIC's loss detection by later packets (RFC 9002, 6.1),
/// whose time threshold is 9/8 of a round trip, and the acknowledgement's delay.
const REPEAT_DELAY_US: u64 = 10_000;
/// A lost copy of an older block than this is not sent again, µs. Basis: the core resets streams of
/// shards past their deadline.
const REPEAT_AGE_US: u64 = 1_000_000;

impl Media {
    /// The root sends a new block: every stripe's first child is served before any second one, so
    /// that all stripes get going.
    pub(super) fn send_block(&mut self, block: u32) {
        let (root, stripes) = (self.root, self.settings.stream.stripes());
        for stripe in 0..stripes {
            self.arrivals.row_mut(block, stripe)[root as usize] = 0;
        }
        let children = (0..stripes as u8).map(|s| self.trees.children(root, s).len());
        let most = children.max().unwrap_or(0);
        for rank in 0..most {
            for stripe in 0..stripes as u8 {
                if self.nodes[root as usize].withholds(stripe) {
                    continue;
                }
                if let Some(edge) = self.trees.children(root, stripe).get(rank) {
                    self.send_one(root, *edge, stripe, block, 0);
                }
            }
        }
    }

    /// Sends a shard that is ready at `ready_us` to all children of `node`.
    fn forward(&mut self, node: u32, stripe: u8, block: u32, ready_us: u64) {
        let edges = self.trees.children(node, stripe);
        let sender = &mut self.nodes[node as usize];
        if edges.is_empty() || sender.withholds(stripe) {
            return;
        }
        if sender.uplink.sheds(self.now_us) {
            self.figures.shed += edges.len() as u64;
            return;
        }
        let stream = &self.settings.stream;
        let bytes = stream.shard_bytes(block);
        let packets = bytes.div_ceil(PACKET_BYTES);
        let made_us = stream.made_us(block);
        let draws = self.draws.shard(node, block, stripe, 0);
        let mut run = sender.uplink.run(bytes, ready_us);
        let spoilt = sender.conduct == Conduct::Spoils || self.forged.holds(node, stripe, block);
        let quick = !spoilt && self.arrivals.has_slot(block);
        let row = if quick {
            self.arrivals.row_mut(block, usize::from(stripe))
        } else {
            Default::default()
        };
        let limit_us = self.clock.slot_us;
        let mut arrived = 0;
        let mut duplicates = 0;
        for edge in edges {
            let departs_us = run.next();
            let (jitter_us, chance) = draws.copy(edge.child);
            let after_us = departs_us + u64::from(edge.flight_us + jitter_us) - made_us;
            let lost = chance < u32::from(edge.loss) * packets;
            if edge.flags == 0
                && !lost
                && after_us < limit_us
                && let Some(cell) = row.get_mut(edge.child as usize)
            {
                let again = *cell != NEVER;
                duplicates += u64::from(again);
                arrived += u64::from(!again);
                *cell = (*cell).min((after_us / UNIT_US) as u16);
                continue;
            }
            self.slow.push((*edge, departs_us));
        }
        let copies = edges.len() as u32;
        sender.uplink.finish(run, bytes, copies, self.now_us);
        self.figures.sent += u64::from(copies);
        self.figures.arrived += arrived;
        self.figures.duplicates += duplicates;
        self.trace(run.departs_us() ^ u64::from(node) << 32 ^ u64::from(block) << 8);
        let mut slow = std::mem::take(&mut self.slow);
        for (edge, departs_us) in slow.drain(..) {
            self.carry(node, edge, stripe, block, (departs_us, 0));
        }
        self.slow = slow;
    }

    /// Sends one copy, for the `attempt`-th time.
    pub(super) fn send_one(&mut self, from: u32, edge: Edge, stripe: u8, block: u32, attempt: u8) {
        let mut bytes = self.settings.stream.shard_bytes(block);
        if attempt == 0 {
            self.figures.sent += 1;
        } else {
            bytes = bytes.min(PACKET_BYTES); // only what was lost
        }
        let uplink = &mut self.nodes[from as usize].uplink;
        if uplink.sheds(self.now_us) {
            self.figures.shed += 1;
            // A first copy was never sent; a repeat is of one that was, and ends here.
            self.figures.sent -= u64::from(attempt == 0);
            self.figures.void += u64::from(attempt > 0);
            return;
        }
        let departs_us = uplink.send(bytes, self.now_us);
        self.trace(departs_us ^ u64::from(edge.child) << 32 ^ u64::from(block) << 8);
        self.carry(from, edge, stripe, block, (departs_us, attempt));
    }

    /// Carries a copy that leaves its sender's modem to its end.
    fn carry(&mut self, from: u32, edge: Edge, stripe: u8, block: u32, sent: (u64, u8)) {
        let (departs_us, attempt) = sent;
        if edge.flags & (flag::DEAD | flag::CUT) != 0 {
            self.figures.void += 1;
            return;
        }
        let bytes = self.settings.stream.shard_bytes(block);
        let packets = if attempt == 0 { bytes.div_ceil(PACKET_BYTES) } else { 1 };
        let (jitter_us, chance) = self.draws.shard(from, block, stripe, attempt).copy(edge.child);
        let pair = (from, edge.child, stripe);
        if chance < u32::from(edge.loss) * packets {
            self.figures.repeated += 1;
            let pulled = edge.flags & flag::PULLED != 0;
            let kind = Kind::Repeat { attempt: attempt.saturating_add(1), pulled };
            let noticed_us = departs_us + u64::from(edge.flight_us) * 12 / 5 + REPEAT_DELAY_US;
            self.hops.push(noticed_us, self.hop(kind, pair, block, 0));
            return;
        }
        let comes_us = departs_us + u64::from(edge.flight_us + jitter_us);
        let child = &mut self.nodes[edge.child as usize];
        let at_us = child.downlink.receive(bytes, comes_us);
        let spoilt = self.nodes[from as usize].conduct == Conduct::Spoils
            || self.forged.holds(from, stripe, block);
        let after_us = at_us - self.settings.stream.made_us(block);
        let plain = edge.flags & flag::EVENT == 0 && !spoilt && self.arrivals.has_slot(block);
        if plain && after_us < self.clock.slot_us {
            self.receive(edge.child, stripe, block, after_us);
            return;
        }
        let kind = if spoilt { Kind::ArriveSpoilt } else { Kind::Arrive };
        self.hops.push(at_us, self.hop(kind, pair, block, (at_us - departs_us) as u32));
    }

    fn receive(&mut self, node: u32, stripe: u8, block: u32, after_us: u64) -> Came {
        let came = self.arrivals.record(node, stripe, block, after_us);
        match came {
            Came::First => self.figures.arrived += 1,
            Came::Again => self.figures.duplicates += 1,
        }
        came
    }

    /// Something is at the end of its way.
    pub(super) fn arrive(&mut self, hop: Hop, net: &impl Net, notices: &mut Vec<Notice>) {
        match hop.kind {
            Kind::Arrive | Kind::ArriveSpoilt => self.copy_comes(hop, notices),
            Kind::Repeat { attempt, pulled } => self.repeat(net, hop, attempt, pulled),
            Kind::Feed => self.feed_one(hop),
            Kind::Pull => self.answer(net, hop),
            Kind::Late => {
                let Hop { node, stripe, .. } = hop;
                if self.lives(hop) && self.still_late(node, stripe) {
                    notices.push(Notice::Late { node, stripe, at_us: self.now_us });
                }
            }
            Kind::Silent => {
                if self.lives(hop) && self.still_silent(hop.node) {
                    notices.push(Notice::Silent { node: hop.node, at_us: self.now_us });
                }
            }
        }
    }

    fn copy_comes(&mut self, hop: Hop, notices: &mut Vec<Notice>) {
        let Hop { node, from, stripe, block, .. } = hop;
        let (child, sender) = (&self.nodes[node as usize], &self.nodes[from as usize]);
        let orphan = sender.life != hop.from_life;
        let departed_us = self.now_us - u64::from(hop.travel_us);
        if child.life != hop.node_life || orphan && departed_us > sender.died_us {
            self.figures.void += 1;
            return;
        }
        let spoilt = hop.kind == Kind::ArriveSpoilt;
        if spoilt && self.settings.checks {
            self.figures.forged_received += 1;
            notices.push(Notice::Forged { node, from, stripe, at_us: self.now_us });
            return;
        }
        if orphan {
            self.gaps.still_from_the_dead(node, stripe, block);
        }
        let after_us = self.now_us - self.settings.stream.made_us(block);
        if self.receive(node, stripe, block, after_us) == Came::First {
            if spoilt {
                self.forged.accept(node, stripe, block);
            }
            self.forward(node, stripe, block, self.now_us + self.settings.processing_us);
            self.send_owed(node, stripe, block);
        }
    }

    /// What a node has now it sends to those who pulled it before.
    fn send_owed(&mut self, node: u32, stripe: u8, block: u32) {
        for (edge, life) in self.owed.of(self.now_us, (node, stripe), block) {
            let bytes = self.settings.stream.shard_bytes(block);
            let asks = self.nodes[edge.child as usize].life == life
                && self.trees.edge(node, edge.child, stripe).is_none()
                && !self.nodes[node as usize].withholds(stripe);
            if asks && self.nodes[node as usize].uplink.spend_on_pulls(bytes, self.now_us) {
                self.send_one(node, edge, stripe, block, 0);
            }
        }
    }

    /// Whether both nodes of an event live the lives they did.
    pub(super) fn lives(&self, hop: Hop) -> bool {
        let (sender, child) = (&self.nodes[hop.from as usize], &self.nodes[hop.node as usize]);
        sender.life == hop.from_life && sender.alive && child.life == hop.node_life
    }

    /// Whether they do, and the sender sends.
    pub(super) fn sends(&self, hop: Hop) -> bool {
        self.lives(hop) && !self.nodes[hop.from as usize].withholds(hop.stripe)
    }

    fn repeat(&mut self, net: &impl Net, hop: Hop, attempt: u8, pulled: bool) {
        let young = self.now_us < self.settings.stream.made_us(hop.block) + REPEAT_AGE_US;
        let edge = if pulled {
            Some(self.answering(net, hop))
        } else {
            self.trees.edge(hop.from, hop.node, hop.stripe).copied()
        };
        match edge.filter(|_| young && self.sends(hop)) {
            Some(edge) => self.send_one(hop.from, edge, hop.stripe, hop.block, attempt),
            None => self.figures.void += 1,
        }
    }

    fn feed_one(&mut self, hop: Hop) {
        let has = self.arrivals.came(hop.from, hop.stripe, hop.block).is_some();
        let edge = self.trees.edge(hop.from, hop.node, hop.stripe).copied();
        if let Some(edge) = edge.filter(|_| has && self.sends(hop)) {
            self.send_one(hop.from, edge, hop.stripe, hop.block, 0);
        }
    }
}
