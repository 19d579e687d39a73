//! The media plane: every shard of every block, at the pace of ten million deliveries a second.
//!
//! The control plane decides who is whose parent and tells it by [`Media::graft`] and
//! [`Media::prune`]; this engine makes blocks at the root, sends them down the trees over uplinks
//! that take time, and keeps who has what since when. What a node would notice it tells by
//! [`Notice`]s: a stripe that is late, a silence, a forgery.
//!
//! What makes it fast: only copies to nodes that pass them on are events. The arrival of a copy at
//! a leaf, nine of ten, is known when it is sent and written down at once, ahead of its time
//! (`arrivals`). All that concerns every node (deadlines, delays, lateness) is done for a block at a
//! time, in the order of memory.
//!
//! Times are µs since the world began; node numbers are indices below the capacity it is made
//! with, and may be reused after a death. Same seed and same calls, same
//! [`trace_hash`](Media::trace_hash).
//!
//! Reading order: `settings` and `stream` (what is sent), `tree` (to whom), `members` (what the
//! control plane says), `send` (the hot path), `arrivals`, `clock`, `late`, `viewers`, `repair`.

mod arrivals;
mod clock;
mod draw;
mod figures;
mod forged;
mod histogram;
mod hop;
mod lanes;
mod late;
mod members;
mod net;
mod node;
mod notice;
mod owed;
mod repair;
mod send;
mod served;
mod settings;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod uplink;
mod viewers;

pub use figures::Figures;
pub use histogram::Histogram;
pub use net::Net;
pub use node::{Conduct, Joiner};
pub use notice::Notice;
pub use settings::Settings;
pub use stream::Stream;
pub(crate) use uplink::Uplink;

use crate::wheel::Wheel;
use arrivals::{Arrivals, UNIT_US};
use banyan_protocol::forest::Pace;
use draw::Draws;
use hop::Hop;
use late::{Look, Watch};
use node::Node;
use repair::Gaps;
use tree::{NOBODY, Trees};
use viewers::Viewers;

/// The media plane of one session.
pub struct Media {
    /// What was counted so far.
    pub figures: Figures,
    settings: Settings,
    now_us: u64,
    root: u32,
    nodes: Vec<Node>,
    trees: Trees,
    arrivals: Arrivals,
    viewers: Viewers,
    watch: Watch,
    gaps: Gaps,
    owed: owed::Owed,
    draws: Draws,
    hops: Wheel<Hop>,
    /// Who has to look again, kept for its memory.
    suspects: Vec<late::Suspect>,
    clock: clock::Clock,
    forged: forged::Forged,
    /// Copies that the quick path of the hot loop leaves over.
    slow: Vec<(tree::Edge, u64)>,
    trace: u64,
}

impl Media {
    /// A session without nodes, with room for `capacity` node numbers.
    ///
    /// # Errors
    /// Says which setting is impossible.
    pub fn new(settings: Settings, capacity: usize) -> Result<Self, String> {
        settings.check()?;
        let stripes = settings.stream.stripes();
        let arrivals = Arrivals::new(capacity, stripes, clock::slots(&settings));
        let capacity = arrivals.capacity();
        Ok(Self {
            figures: Figures::default(),
            settings,
            now_us: 0,
            root: NOBODY,
            nodes: vec![Node::vacant(); capacity],
            trees: Trees::new(capacity, stripes),
            viewers: Viewers::new(capacity),
            watch: Watch::new(capacity, stripes, clock::slack_us(&settings)),
            gaps: Gaps::default(),
            owed: owed::Owed::default(),
            draws: Draws::new(settings.seed, settings.jitter_us),
            hops: Wheel::new(),
            suspects: Vec::new(),
            clock: clock::Clock::new(&settings, arrivals.slots()),
            forged: forged::Forged::default(),
            arrivals,
            slow: Vec::new(),
            trace: settings.seed,
        })
    }

    /// Blocks of which a node accepted spoilt shards since the session began, counted once for each
    /// node.
    #[must_use]
    pub fn forged_blocks(&self) -> u64 {
        self.forged.blocks()
    }

    /// From now on nobody checks what comes.
    #[cfg(test)]
    pub(crate) fn leave_out_checks(&mut self) {
        self.settings.checks = false;
    }

    /// What it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time, µs.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The number of the next block: how many were made.
    #[must_use]
    pub fn made(&self) -> u32 {
        self.arrivals.made()
    }

    /// The newest block of `stripe` that `node` has now.
    #[must_use]
    pub fn newest(&self, node: u32, stripe: u8) -> Option<u32> {
        let stream = &self.settings.stream;
        self.arrivals.newest(node, stripe, self.now_us, |block| stream.made_us(block))
    }

    /// How long the shards of `stripe` take from the root to `node`, µs: the median over the blocks
    /// of the last half second that had time to come; `None` if none did.
    #[must_use]
    pub fn delay_us(&self, node: u32, stripe: u8) -> Option<u64> {
        let stream = &self.settings.stream;
        let blocks = self.arrivals.oldest()..self.made();
        let due = blocks.filter(|block| stream.made_us(*block) + clock::LEARN_US <= self.now_us);
        let came = due.filter_map(|block| self.arrivals.came(node, stripe, block));
        let mut came: Vec<u64> = came.map(|units| u64::from(units) * UNIT_US).collect();
        came.sort_unstable();
        came.get(came.len() / 2).copied()
    }

    /// Whether a stripe that was noticed late still is: nothing newer has come since.
    #[must_use]
    pub fn still_late(&self, node: u32, stripe: u8) -> bool {
        let had = self.newest(node, stripe).map_or(0, |newest| newest + 1);
        self.nodes[node as usize].alive
            && self.trees.parent(node, stripe) != NOBODY
            && self.watch.told(node, stripe) == Some(had)
    }

    /// Whether a node is silent: it has parents, and had something, but not for two intervals and
    /// 120 ms. (In a probe: nothing of a block by its deadline.)
    #[must_use]
    pub fn still_silent(&self, node: u32) -> bool {
        let stripes = 0..self.settings.stream.stripes() as u8;
        let newest = stripes.clone().filter_map(|stripe| self.newest(node, stripe)).max();
        let Some(block) = newest else { return false };
        if !self.nodes[node as usize].alive || !self.trees.has_parents(node) {
            return false;
        }
        let came = stripes.filter_map(|stripe| self.arrivals.came(node, stripe, block)).min();
        let came_us = u64::from(came.unwrap_or(0)) * UNIT_US;
        let silent_us = clock::silent_us(&self.settings);
        self.settings.stream.made_us(block) + came_us + silent_us <= self.now_us + UNIT_US
    }

    /// What `node` has learned of the pace of `stripe`.
    #[must_use]
    pub fn pace(&self, node: u32, stripe: u8) -> Pace {
        self.watch.pace(node, stripe)
    }

    /// How long a copy that `node` were to send now would wait for its uplink, µs.
    #[must_use]
    pub fn queue_us(&self, node: u32) -> u64 {
        self.nodes[node as usize].uplink.queue_us(self.now_us)
    }

    /// What `node` sent in the last second, bit/s.
    pub fn uplink_use_bps(&mut self, node: u32) -> u64 {
        self.nodes[node as usize].uplink.use_bps(self.now_us)
    }

    /// Bytes that `node` sent in its present or last life.
    #[must_use]
    pub fn sent_bytes(&self, node: u32) -> u64 {
        self.nodes[node as usize].uplink.sent_bytes()
    }

    /// From now on figures and what viewers saw count.
    pub fn start_counting(&mut self) {
        self.figures = Figures::default();
        self.viewers.forget_seen();
    }
    /// Of the present or last life of `node` as a viewer, since [`Media::start_counting`]: blocks
    /// due, of these missing, glitches.
    #[must_use]
    pub fn seen(&self, node: u32) -> (u32, u32, u32) {
        self.viewers.seen(node)
    }

    /// Stripes at nodes that have not flowed since their parent's death.
    #[must_use]
    pub fn still_broken(&self) -> usize {
        self.gaps.waiting()
    }

    /// Events to come. Every copy of a shard that is under way is one of them.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.hops.len()
    }

    /// A number that two runs of the same seed and the same calls share.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.trace
    }

    fn trace(&mut self, what: u64) {
        self.trace = draw::mix(self.trace.rotate_left(1) ^ what);
    }

    fn look(&self) -> Look {
        self.clock.look(self.now_us, &self.settings)
    }
}
