//! What the control plane tells the media plane: who is there, and who is whose parent.

use super::arrivals::{KEPT, NEVER, UNIT_US};
use super::hop::{Hop, Kind};
use super::node::{Conduct, Downlink, Joiner, Node};
use super::tree::{Edge, flag};
use super::uplink::Uplink;
use super::{Media, Net};

/// A new child gets the blocks it missed at this much of the stripe's rate, as (3, 2): 1.5 times.
/// Basis: `forest.md` 5.6.
const FEED_RATE: (u64, u64) = (3, 2);
/// Most blocks sent for one request. Basis: the core's ring; no more is remembered here.
const PULLED_MAX: u32 = KEPT;

impl Media {
    /// The source of all stripes from now on. It must have joined.
    pub fn set_root(&mut self, node: u32) {
        self.root = node;
    }

    /// `node` begins a life.
    ///
    /// # Panics
    /// If it is alive, or not below the capacity.
    pub fn join(&mut self, node: u32, joiner: Joiner, now_us: u64) {
        let old = self.nodes[node as usize];
        assert!(!old.alive, "node {node} joins while it is alive");
        self.nodes[node as usize] = Node {
            uplink: Uplink::new(joiner.upload_bps, joiner.bloat_us),
            downlink: Downlink::new(joiner.download_bps),
            conduct: Conduct::Honest,
            alive: true,
            ..old
        };
        self.arrivals.clear(node);
        let stripes = self.settings.stream.stripes() as u8;
        (0..stripes).for_each(|stripe| self.watch.renew(node, stripe, 0));
        if joiner.viewer {
            self.viewers.join(node, now_us);
        }
    }

    /// `node` dies without a word: it neither sends nor receives any more, and what has not left
    /// its modem is gone. Its parents go on sending to it until they prune it; its children do not
    /// know (tell [`orphaned`](Self::orphaned) for the figures).
    pub fn kill(&mut self, node: u32, now_us: u64) {
        let dying = &mut self.nodes[node as usize];
        if !dying.alive {
            return;
        }
        (dying.alive, dying.died_us) = (false, now_us);
        dying.life = dying.life.wrapping_add(1);
        for (stripe, edges) in self.trees.take_children(node) {
            for edge in edges.into_iter().filter(|edge| edge.flags & flag::DEAD == 0) {
                self.undo(node, edge, stripe, now_us);
                self.refresh(edge.child, stripe);
            }
        }
        self.trees.bury(node);
        self.gaps.forget(node);
        self.viewers.leave(node, self.settings.stream.interval_us(), &mut self.figures);
    }

    /// Takes back arrivals that were written down ahead, of copies that had not left when `from`
    /// died.
    fn undo(&mut self, from: u32, edge: Edge, stripe: u8, now_us: u64) {
        let stream = self.settings.stream;
        for block in self.arrivals.oldest()..self.arrivals.made() {
            let made_us = stream.made_us(block);
            let came = self.arrivals.row(block, usize::from(stripe))[edge.child as usize];
            let came_us = made_us + u64::from(came) * UNIT_US;
            if came == NEVER || came_us <= now_us {
                continue;
            }
            let (jitter_us, _) = self.draws.shard(from, block, stripe, 0).copy(edge.child);
            if came_us.saturating_sub(u64::from(edge.flight_us + jitter_us)) <= now_us {
                continue; // on its way
            }
            self.arrivals.row_mut(block, usize::from(stripe))[edge.child as usize] = NEVER;
            self.figures.take_back();
            let made_us = |block| stream.made_us(block);
            let (what, look) = ((edge.child, stripe, block), self.look());
            self.watch.look_again(&self.arrivals, what, look, made_us, &mut self.suspects);
            self.look_again();
        }
    }

    /// `parent` sends `stripe` to `child` from now on, `rank`-th of its children in this stripe
    /// (those behind move back). First it sends the blocks from `resume` on that it has, at 1.5 ×
    /// the stripe's rate; `None`: only what is new. Repeating a graft moves the child.
    pub fn graft(
        &mut self,
        net: &impl Net,
        (parent, child, stripe): (u32, u32, u8),
        rank: usize,
        resume: Option<u32>,
        now_us: u64,
    ) {
        if !self.nodes[parent as usize].alive || !self.nodes[child as usize].alive {
            return;
        }
        let edge = self.edge(net, parent, child);
        if self.trees.graft(parent, stripe, rank, edge) {
            self.watch.renew(child, stripe, self.arrivals.made());
            self.feed(parent, child, stripe, resume, now_us);
        }
        self.refresh(child, stripe);
        if self.trees.children(parent, stripe).len() == 1 {
            self.refresh(parent, stripe); // it was a leaf
        }
    }

    /// `parent` sends `stripe` to `child` no more. What it has sent comes.
    pub fn prune(&mut self, parent: u32, child: u32, stripe: u8) {
        if self.trees.prune(parent, child, stripe) {
            self.refresh(child, stripe);
            if self.trees.children(parent, stripe).is_empty() {
                self.refresh(parent, stripe); // it is a leaf again
            }
        }
    }

    /// The parent of `node` in `stripe` has died: from now until another node's shard comes the
    /// stripe is broken.
    pub fn orphaned(&mut self, node: u32, stripe: u8, now_us: u64) {
        let made_us = |block| self.settings.stream.made_us(block);
        let newest = self.arrivals.newest(node, stripe, u64::MAX, made_us);
        self.gaps.open(node, stripe, now_us, newest.map_or(0, |newest| newest + 1));
    }

    /// `node` asks `from` for all it has of `stripe` that is newer than what `node` has, at most
    /// 64 blocks. The request takes one way.
    pub fn pull(&mut self, net: &impl Net, node: u32, from: u32, stripe: u8, now_us: u64) {
        if !self.nodes[node as usize].alive || !net.reachable(node, from) {
            return;
        }
        let next = self.newest(node, stripe).map_or(0, |newest| newest + 1);
        let travel_us = net.one_way_us(node, from);
        let hop = self.hop(Kind::Pull, (from, node, stripe), next, travel_us);
        self.hops.push(now_us + u64::from(travel_us), hop);
    }

    /// How `node` behaves from now on.
    pub fn set_conduct(&mut self, node: u32, conduct: Conduct) {
        self.nodes[node as usize].conduct = conduct;
    }

    /// What the uplink of `node` carries from now on.
    pub fn set_upload(&mut self, node: u32, upload_bps: u64) {
        self.nodes[node as usize].uplink.set_upload(upload_bps);
    }

    /// The network is another now: asks it again for every pair.
    pub fn network_changed(&mut self, net: &impl Net) {
        for (parent, edge) in self.trees.edges_mut() {
            edge.flight_us = net.one_way_us(parent, edge.child);
            edge.loss = loss(net.loss_ppm(parent, edge.child));
            edge.flags &= !flag::CUT;
            if !net.reachable(parent, edge.child) {
                edge.flags |= flag::CUT;
            }
        }
    }

    /// An event for the present lives of two nodes.
    pub(super) fn hop(
        &self,
        kind: Kind,
        (from, node, stripe): (u32, u32, u8),
        block: u32,
        travel_us: u32,
    ) -> Hop {
        let node_life = self.nodes[node as usize].life;
        let from_life = self.nodes[from as usize].life;
        Hop { kind, stripe, node_life, from_life, node, from, block, travel_us }
    }

    /// The pair as the network makes it.
    pub(super) fn edge(&self, net: &impl Net, parent: u32, child: u32) -> Edge {
        let flight_us = net.one_way_us(parent, child);
        let mut flags = 0;
        if !net.reachable(parent, child) {
            flags |= flag::CUT;
        }
        if self.nodes[child as usize].downlink.has_limit() {
            flags |= flag::CAPPED;
        }
        Edge { child, flight_us, loss: loss(net.loss_ppm(parent, child)), flags }
    }

    /// Sees to it that copies to a node are events if they must be: if it passes them on, or has
    /// more than one parent, whose copies must not be taken for each other's.
    fn refresh(&mut self, node: u32, stripe: u8) {
        let parents = self.trees.parents(node, stripe);
        let event = parents.len() > 1 || !self.trees.children(node, stripe).is_empty();
        for parent in parents {
            if let Some(edge) = self.trees.edge_mut(parent, node, stripe) {
                edge.flags = edge.flags & !flag::EVENT | if event { flag::EVENT } else { 0 };
            }
        }
    }

    /// Plans the sending of older blocks to a new child.
    fn feed(&mut self, parent: u32, child: u32, stripe: u8, resume: Option<u32>, now_us: u64) {
        let made = self.arrivals.made();
        let from = resume.unwrap_or(made).max(made.saturating_sub(KEPT));
        let mut turn_us = now_us;
        for block in from.min(self.arrivals.oldest())..made {
            let Some(came) = self.arrivals.came(parent, stripe, block) else { continue };
            let came_us = self.settings.stream.made_us(block) + u64::from(came) * UNIT_US;
            let at_us = if self.arrivals.has_slot(block) && came_us > now_us {
                came_us + self.settings.processing_us // it would be passed on then in any case
            } else if block >= from {
                let at_us = turn_us;
                turn_us += self.feed_us(block);
                at_us
            } else {
                continue;
            };
            self.hops.push(at_us, self.hop(Kind::Feed, (parent, child, stripe), block, 0));
        }
    }

    fn feed_us(&self, block: u32) -> u64 {
        let stream = &self.settings.stream;
        let bits = u64::from(stream.shard_bytes(block)) * 8;
        bits * 1_000_000 * FEED_RATE.1 / (stream.stripe_bps() * FEED_RATE.0).max(1)
    }

    /// What a request's answer travels over.
    pub(super) fn answering(&self, net: &impl Net, hop: Hop) -> Edge {
        let mut edge = self.edge(net, hop.from, hop.node);
        edge.flags |= flag::EVENT | flag::PULLED;
        edge
    }

    /// A request reaches `from`: sends what it has from `next` on.
    pub(super) fn answer(&mut self, net: &impl Net, hop: Hop) {
        if !self.sends(hop) {
            return;
        }
        let edge = self.answering(net, hop);
        let stream = self.settings.stream;
        let made = self.arrivals.made();
        let mut sent = 0;
        for block in hop.block.max(made.saturating_sub(KEPT))..made {
            let came = self.arrivals.came(hop.from, hop.stripe, block);
            let there = came.is_some_and(|came| {
                stream.made_us(block) + u64::from(came) * UNIT_US <= self.now_us
                    || !self.arrivals.has_slot(block)
            });
            let bytes = stream.shard_bytes(block);
            let uplink = &mut self.nodes[hop.from as usize].uplink;
            if there && sent < PULLED_MAX && uplink.spend_on_pulls(bytes, self.now_us) {
                self.send_one(hop.from, edge, hop.stripe, block, 0);
                sent += 1;
            }
        }
        if sent == 0 && !self.trees.children(hop.from, hop.stripe).is_empty() {
            let at = (hop.from, hop.stripe);
            self.owed.note(self.now_us, at, (edge, hop.node_life), hop.block);
        }
    }
}

/// Of a million to of 65 536; what is not never stays not never.
fn loss(ppm: u32) -> u16 {
    let of = (u64::from(ppm) * 65_536).div_ceil(1_000_000);
    of.min(u64::from(u16::MAX)) as u16
}
