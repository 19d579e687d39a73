//! How late blocks are where no media tell: worked out from the trees.
//!
//! A block is thought to be made now and sent down all trees as the media plane would send it: each
//! node serves its children in their order, over an uplink that is idle when the block is made. Loss,
//! keyframes and queues that last from block to block are left out, so the tail is shorter than what
//! is measured with media.

use super::{Crowd, stream};
use crate::media::{Settings, Uplink};
use crate::population::Role;
use banyan_protocol::forest::Peer;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A block that is no keyframe: the second of a stream.
const ORDINARY: u32 = 1;
/// The shard never comes.
const NEVER: u32 = u32::MAX;
/// In worlds of more nodes not every sample looks at the trees, but one in [`SELDOM`]. Guess: a look
/// takes about 1 µs for each node.
const LARGE: usize = 20_000;
/// See [`LARGE`].
const SELDOM: usize = 5;

/// A shard on its way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shard {
    comes_us: u64,
    to: u32,
    stripe: u8,
}

/// All that is sent of one block.
struct Block {
    bytes: u32,
    stripes: usize,
    /// When its shards come, by node and stripe, µs since it was made.
    came_us: Vec<u32>,
    /// Uplinks of nodes that have sent something.
    uplinks: BTreeMap<u32, Uplink>,
    /// What is on its way to nodes that pass it on, the first to come on top.
    under_way: BinaryHeap<Reverse<Shard>>,
}

impl Crowd {
    /// Counts how late a block is at each viewer, if it is time to look.
    pub(super) fn look_at_trees(&mut self) {
        let seldom = self.living.len() > LARGE;
        let skip = seldom && !self.measures.samples.len().is_multiple_of(SELDOM);
        if self.media.is_some() || !self.measures.warm || skip {
            return;
        }
        let (n, k) = (usize::from(self.stripes()), usize::from(self.plan.stream.k));
        let mut came_us = self.send_block();
        for node in &self.living {
            let viewer = self.hosts[*node as usize].node.role == Role::Gateway;
            if !viewer || self.liars.lie(*node).is_some() {
                continue;
            }
            let at = *node as usize * n;
            let (_, complete_us, _) = came_us[at..at + n].select_nth_unstable(k - 1);
            if *complete_us != NEVER {
                self.measures.delay.add((*complete_us).into());
            }
        }
    }

    /// When the shards of a block that is made at 0 come, by node and stripe, µs.
    fn send_block(&self) -> Vec<u32> {
        let stripes = usize::from(self.stripes());
        let mut block = Block {
            bytes: stream(&self.plan, 1).shard_bytes(ORDINARY),
            stripes,
            came_us: vec![NEVER; self.hosts.len() * stripes],
            uplinks: BTreeMap::new(),
            under_way: BinaryHeap::new(),
        };
        if self.hosts[self.root as usize].alive {
            // Every stripe's first child is served before any second one.
            let mut children: Vec<(usize, u8, Peer)> = Vec::new();
            for stripe in 0..self.stripes() {
                let its = self.hosts[self.root as usize].forest.children(stripe).enumerate();
                children.extend(its.map(|(rank, (child, _))| (rank, stripe, child)));
            }
            children.sort_unstable();
            let children = children.into_iter().map(|(_, stripe, child)| (stripe, child));
            self.send(&mut block, self.root, 0, children);
        }
        let processing_us = Settings::reference(self.plan.run.seed).processing_us;
        while let Some(Reverse(Shard { comes_us, to, stripe })) = block.under_way.pop() {
            let children = self.hosts[to as usize].forest.children(stripe);
            let children = children.map(|(child, _)| (stripe, child));
            self.send(&mut block, to, comes_us + processing_us, children);
        }
        block.came_us
    }

    /// Sends a node's shards that are ready at `ready_us` to its children, one after the other.
    fn send(
        &self,
        block: &mut Block,
        from: u32,
        ready_us: u64,
        children: impl Iterator<Item = (u8, Peer)>,
    ) {
        let node = &self.hosts[from as usize].node;
        let uplink = block.uplinks.entry(from);
        let uplink = uplink.or_insert_with(|| Uplink::new(node.upload_bps.into(), node.bloat_us));
        let mut run = uplink.run(block.bytes, ready_us);
        let mut copies = 0;
        for (stripe, Peer(to)) in children {
            let departs_us = run.next();
            copies += 1;
            let host = &self.hosts[to as usize];
            let came_us = &mut block.came_us[to as usize * block.stripes + usize::from(stripe)];
            // A child that died or went elsewhere is still fed for a while.
            let hangs = host.alive && host.forest.parent(stripe) == Some(Peer(from));
            if !hangs || *came_us != NEVER || !self.registry.is_reachable(from, to) {
                continue;
            }
            let way_us = self.registry.one_way_us(from, to) + u64::from(self.plan.world.jitter_us);
            let comes_us = departs_us + way_us;
            *came_us = u32::try_from(comes_us).unwrap_or(NEVER);
            if host.forest.has_children(stripe) && !self.withholds(to, stripe) {
                block.under_way.push(Reverse(Shard { comes_us, to, stripe }));
            }
        }
        uplink.finish(run, block.bytes, copies, ready_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, PlanFile};

    /// 120 nodes whose network neither loses nor jitters, and whose blocks are all alike.
    const WORLD: &str = "
        [world]
        nodes = 120
        loss = '0 %'
        jitter = '0 ms'
        bufferbloat = '0 %'
        [stream]
        keyframe_factor = 1.0
        [churn]
        mean_life = 'endless'
        [run]
        duration = '20 s'
        warm_up = '15 s'
    ";

    #[test]
    fn shards_come_when_the_media_plane_would_bring_them() {
        let file: PlanFile = WORLD.parse().expect("a plan");
        let plan = Plan::resolve("still", &file, None).expect("a plan");
        let mut crowd = Crowd::new(&plan).expect("a world");
        while crowd.step(plan.run.duration_us) {}
        let media = crowd.media.take().expect("media");
        let came_us = crowd.send_block();
        let (mut shards, mut alike) = (0, 0);
        for node in &crowd.living {
            for stripe in 0..crowd.stripes() {
                let Some(measured_us) = media.delay_us(*node, stripe) else { continue };
                let at = *node as usize * usize::from(crowd.stripes()) + usize::from(stripe);
                shards += 1;
                alike += u32::from(measured_us.abs_diff(came_us[at].into()) <= 1_000);
            }
        }
        // The others have changed their parents within the last half second, or are below such. A
        // wrong order of children or a hop too many would leave next to none.
        assert!(shards >= 900 && alike * 4 >= shards * 3, "{alike} of {shards}");
        crowd.look_at_trees();
        let viewers = crowd.measures.delay.count();
        assert!((100..=120).contains(&viewers), "one for each, not {viewers}");
    }
}
