//! What the world measures while it runs.

use super::host::{Host, NEVER};
use super::{Crowd, ROOT};
use crate::media::{Figures, Histogram};
use crate::plan::Plan;
use crate::population::Role;
use banyan_protocol::forest::Message;
use banyan_protocol::wire::control::Body;
use std::collections::BTreeMap;

/// A node that has not enough stripes after this long has failed to join, µs.
const JOIN_MAX_US: u64 = 10_000_000;

/// The delay is looked at in stretches of this length, µs; of a tenth of it in a short run. Guess:
/// short enough to see a drift begin, long enough that a p99 of a hundred nodes means something.
const WINDOW_US: u64 = 10_000_000;
/// Kinds of messages that are told apart.
pub(super) const KINDS: [&str; 9] = [
    "announce",
    "members",
    "graft",
    "admitted",
    "redirected",
    "prune",
    "path_update",
    "room",
    "other",
];

/// Counts and samples.
pub(super) struct Measures {
    pub(super) joins: u64,
    pub(super) join: Histogram,
    pub(super) join_failures: u64,
    pub(super) discoveries: u64,
    pub(super) links: u64,
    /// Links that the dialled node had no room for.
    pub(super) links_refused: u64,
    pub(super) late: u64,
    pub(super) pulls: u64,
    pub(super) promotions: u64,
    pub(super) forged: u64,
    pub(super) faults: Vec<u64>,
    /// Time from a parent's death to another parent's yes.
    pub(super) reparent: Histogram,
    /// Messages and bytes by kind, as [`KINDS`] names them.
    pub(super) messages: [(u64, u64); KINDS.len()],
    /// The bytes of these since the last sample.
    recent_bytes: [u64; KINDS.len()],
    /// Control bytes and node-seconds since the warm-up.
    pub(super) control_bytes: u64,
    pub(super) node_us: u64,
    /// Bytes that the root had sent when the warm-up ended.
    pub(super) root_bytes: u64,
    pub(super) warm: bool,
    /// Once a second: time, living, depth mean, depth p99, hungry nodes, orphan stripes.
    pub(super) samples: Vec<Sample>,
    /// How late blocks are by the trees, where no media tell.
    pub(super) delay: Histogram,
    /// The delay in one stretch of time after the other.
    pub(super) windows: Vec<Window>,
    /// What had been counted of delays when the present stretch began.
    window_from: Histogram,
    window_us: u64,
    /// Glitches counted by the last sample.
    glitches: u64,
    /// By node and stripe: when its parent died.
    orphans: BTreeMap<(u32, u8), u64>,
    warm_up_us: u64,
}

/// The delay of all blocks that were judged in one stretch of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Its end.
    pub(super) at_us: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

/// The state of the forest at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) at_us: u64,
    pub(super) living: u32,
    pub(super) depth_mean: f64,
    pub(super) depth_p99: u8,
    pub(super) depth_max: u8,
    /// Nodes with fewer stripes than a block needs.
    pub(super) hungry: u32,
    /// Stripes that are wanted and have no parent.
    pub(super) orphans: u32,
    pub(super) links_mean: f64,
    /// Living liars.
    pub(super) liars: u32,
    /// Stripes at honest nodes, and those of them that a liar feeds, or should.
    pub(super) honest_stripes: u32,
    pub(super) from_liars: u32,
    /// Glitches that began since the sample before.
    pub(super) glitches: u64,
    /// Control bytes sent since the sample before, by kind of message.
    pub(super) bytes: [u64; KINDS.len()],
}

impl Measures {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            joins: 0,
            join: Histogram::new(1_000, 60_000_000),
            join_failures: 0,
            discoveries: 0,
            links: 0,
            links_refused: 0,
            late: 0,
            pulls: 0,
            promotions: 0,
            forged: 0,
            faults: Vec::new(),
            reparent: Histogram::new(1_000, 60_000_000),
            messages: [(0, 0); KINDS.len()],
            recent_bytes: [0; KINDS.len()],
            control_bytes: 0,
            node_us: 0,
            root_bytes: 0,
            warm: plan.run.warm_up_us == 0,
            samples: Vec::new(),
            delay: Figures::default().delay,
            windows: Vec::new(),
            window_from: Figures::default().delay,
            window_us: if plan.run.duration_us < 10 * WINDOW_US {
                WINDOW_US / 10
            } else {
                WINDOW_US
            },
            glitches: 0,
            orphans: BTreeMap::new(),
            warm_up_us: plan.run.warm_up_us,
        }
    }

    pub(super) fn message(&mut self, message: &Message, bytes: u32) {
        let kind = match message {
            Body::Announce { .. } => 0,
            Body::Members(_) => 1,
            Body::Graft(_) => 2,
            Body::Admitted { .. } => 3,
            Body::Redirected { .. } => 4,
            Body::Prune { .. } => 5,
            Body::PathUpdate { .. } => 6,
            Body::Room { .. } => 7,
            Body::Pull { .. } | Body::Refresh | Body::Grant { .. } | Body::End { .. } => 8,
        };
        self.messages[kind].0 += 1;
        self.messages[kind].1 += u64::from(bytes);
        self.recent_bytes[kind] += u64::from(bytes);
    }

    pub(super) fn orphaned(&mut self, node: u32, stripe: u8, now_us: u64) {
        self.orphans.insert((node, stripe), now_us);
    }

    pub(super) fn adopted(&mut self, node: u32, stripe: u8, now_us: u64) {
        if let Some(since_us) = self.orphans.remove(&(node, stripe))
            && self.warm
        {
            self.reparent.add(now_us - since_us);
        }
    }

    pub(super) fn died(&mut self, host: &Host, now_us: u64) {
        self.joined_or_not(host, now_us);
        self.control_bytes += host.control_bytes;
    }

    /// A node that was there long enough without ever getting a block's stripes did not join.
    pub(super) fn joined_or_not(&mut self, host: &Host, now_us: u64) {
        let waited = now_us - host.joined_us;
        if host.ready_us == NEVER && waited >= JOIN_MAX_US && host.joined_us >= self.warm_up_us {
            self.join_failures += 1;
        }
    }
}

impl Crowd {
    /// A parent feeds a stripe of `node` from now on.
    pub(super) fn grafted(&mut self, node: u32, stripe: u8, _parent: u32, _old: Option<u32>) {
        self.measures.adopted(node, stripe, self.now_us);
        let needed = self.needed(&self.hosts[node as usize]);
        let host = &mut self.hosts[node as usize];
        let enough = host.forest.fed().len() >= needed;
        if host.ready_us == NEVER && enough {
            host.ready_us = self.now_us;
            if self.measures.warm {
                self.measures.join.add(self.now_us - host.joined_us);
            }
        }
    }

    pub(super) fn sample(&mut self) {
        self.look_at_trees();
        self.look_at_delay();
        if !self.measures.warm && self.now_us >= self.plan.run.warm_up_us {
            self.warmed_up();
        }
        self.measures.node_us += super::SAMPLE_US * self.living.len() as u64;
        let n = self.stripes();
        let mut depths = [0u64; 32];
        let mut sample = Sample { at_us: self.now_us, ..Sample::default() };
        let mut links = 0;
        for node in &self.living {
            let host = &self.hosts[*node as usize];
            links += host.links.len();
            let mut fed = 0;
            for stripe in 0..n {
                match host.forest.depth(stripe) {
                    Some(depth) => {
                        depths[usize::from(depth.min(31))] += 1;
                        fed += 1;
                    }
                    None if host.forest.wants(stripe) => sample.orphans += 1,
                    None => {}
                }
            }
            sample.hungry += u32::from(fed < self.needed(host));
        }
        let count: u64 = depths.iter().sum();
        let sum: u64 = depths.iter().enumerate().map(|(depth, count)| depth as u64 * count).sum();
        sample.living = self.living.len() as u32;
        sample.depth_mean = sum as f64 / count.max(1) as f64;
        sample.links_mean = links as f64 / self.living.len().max(1) as f64;
        let mut left = count / 100;
        for depth in (0..32).rev() {
            if depths[depth] > 0 && sample.depth_max == 0 {
                sample.depth_max = depth as u8;
            }
            if depths[depth] > left {
                sample.depth_p99 = depth as u8;
                break;
            }
            left -= depths[depth];
        }
        sample.bytes = std::mem::take(&mut self.measures.recent_bytes);
        if let Some(media) = &self.media {
            sample.glitches = media.figures.glitches - self.measures.glitches;
            self.measures.glitches = media.figures.glitches;
        }
        if self.plan.liars.share_ppm > 0 {
            self.look_at_liars(&mut sample);
        }
        self.measures.samples.push(sample);
    }

    fn look_at_liars(&self, sample: &mut Sample) {
        for node in &self.living {
            if self.liars.lie(*node).is_some() {
                sample.liars += 1;
                continue;
            }
            let forest = &self.hosts[*node as usize].forest;
            for parent in (0..self.stripes()).filter_map(|stripe| forest.parent(stripe)) {
                sample.honest_stripes += 1;
                sample.from_liars += u32::from(self.liars.lie(parent.0).is_some());
            }
        }
    }

    /// Stripes that a node must have to do its part: those of a block; one for a helper.
    pub(super) fn needed(&self, host: &Host) -> u32 {
        match host.node.role {
            Role::Gateway => self.plan.stream.k.into(),
            Role::Helper => 1,
        }
    }

    /// How late blocks are at viewers: as the media plane saw, or by the trees.
    pub(super) fn delay(&self) -> &Histogram {
        self.media.as_ref().map_or(&self.measures.delay, |media| &media.figures.delay)
    }

    /// Writes down the delay of the stretch of time that ends now, if one does.
    fn look_at_delay(&mut self) {
        if !self.now_us.is_multiple_of(self.measures.window_us) {
            return;
        }
        let delay = self.delay().since(&self.measures.window_from);
        self.measures.window_from = self.delay().clone();
        if delay.count() > 0 {
            let (p50_us, p99_us) = (delay.quantile_us(500_000), delay.quantile_us(990_000));
            self.measures.windows.push(Window { at_us: self.now_us, p50_us, p99_us });
        }
    }

    /// From now on figures count.
    fn warmed_up(&mut self) {
        let measures = &mut self.measures;
        measures.warm = true;
        measures.control_bytes = 0;
        measures.node_us = 0;
        measures.messages = [(0, 0); KINDS.len()];
        for host in &mut self.hosts {
            host.control_bytes = 0;
        }
        if let Some(media) = &mut self.media {
            self.checks.clear(&media.figures);
            media.start_counting();
            measures.root_bytes = media.sent_bytes(ROOT);
            measures.window_from = media.figures.delay.clone();
            measures.glitches = 0;
        }
    }
}
