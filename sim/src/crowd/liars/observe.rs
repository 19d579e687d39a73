//! What the lies come to: how soon liars are cut, and how much of the forest they get.

use super::super::{Crowd, ROOT};
use crate::media::Histogram;
use crate::plan::Lie;
use crate::report::Figure;
use std::collections::BTreeMap;

/// Views and children are counted this often, µs.
const COUNT_US: u64 = 5_000_000;
/// Buckets of uplinks: quarters of octaves.
const UPLINKS: usize = 4 * 32;
/// Loads are kept to this, millionths.
const LOAD_MAX_PPM: u64 = 100_000_000;
/// Times are kept to this, µs.
const TIME_MAX_US: u64 = 60_000_000;

/// A stripe that a node took from a black hole and that has not flowed since.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// When the first black hole admitted it.
    since_us: u64,
    /// Blocks from this one on were made after its present parent admitted it.
    from: u32,
}

/// Children of the nodes with like uplinks, over all counts.
#[derive(Clone, Copy, Debug, Default)]
struct Fed {
    nodes: u64,
    children: u64,
}

/// What was seen so far.
pub(super) struct Observed {
    /// By polluter and child: when the child received the first spoilt shard.
    first_us: BTreeMap<(u32, u32), u64>,
    cut_max_us: Option<u64>,
    holes: BTreeMap<(u32, u8), Hole>,
    routed: Histogram,
    counted_us: u64,
    /// Entries in honest views, and those that are liars.
    seen: (u64, u64),
    /// Of these liars, how many of which kind.
    seen_of: BTreeMap<Lie, u64>,
    /// The living, and those that are liars.
    there: (u64, u64),
    /// Of these liars, how many of which kind.
    there_of: BTreeMap<Lie, u64>,
    honest: Vec<Fed>,
    boasters: Vec<Fed>,
    /// What boasters feed of what their uplinks carry, millionths.
    loads: Histogram,
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            first_us: BTreeMap::new(),
            cut_max_us: None,
            holes: BTreeMap::new(),
            routed: Histogram::new(1_000, TIME_MAX_US),
            counted_us: 0,
            seen: (0, 0),
            seen_of: BTreeMap::new(),
            there: (0, 0),
            there_of: BTreeMap::new(),
            honest: vec![Fed::default(); UPLINKS],
            boasters: vec![Fed::default(); UPLINKS],
            loads: Histogram::new(1_000, LOAD_MAX_PPM),
        }
    }
}

/// The bucket of an uplink.
fn bucket(upload_bps: u32) -> usize {
    let octave = upload_bps.max(4).ilog2();
    let quarter = upload_bps >> (octave - 2) & 3;
    (octave * 4 + quarter) as usize
}

/// Of what boasters have so many times what the honest with like uplinks have.
fn gain(honest: &[Fed], boasters: &[Fed]) -> Option<f64> {
    let (mut has, mut due) = (0.0, 0.0);
    for (honest, boasters) in honest.iter().zip(boasters) {
        if honest.nodes > 0 {
            has += boasters.children as f64;
            due += boasters.nodes as f64 * honest.children as f64 / honest.nodes as f64;
        }
    }
    (due > 0.0).then(|| has / due)
}

/// A kind of lies as figures name it.
const fn name(lie: Lie) -> &'static str {
    match lie {
        Lie::Polluter => "polluters",
        Lie::BlackHole => "black_holes",
        Lie::Capacity => "boasters",
        Lie::Depth => "depth_liars",
        Lie::Sybil => "sybils",
        Lie::Eclipse => "eclipsers",
    }
}

impl Crowd {
    /// A spoilt shard came to `node`, over a link that was up.
    pub(in super::super) fn saw_forgery(&mut self, node: u32, from: u32) {
        let way_us = self.registry.one_way_us(from, node);
        let observed = &mut self.liars.observed;
        let first_us = *observed.first_us.entry((from, node)).or_insert(self.now_us);
        let lasted_us = self.now_us - first_us + way_us;
        observed.cut_max_us = observed.cut_max_us.max(Some(lasted_us));
    }

    /// A parent said yes to `node`.
    pub(in super::super) fn saw_graft(&mut self, node: u32, stripe: u8, parent: u32) {
        let Some(media) = &self.media else { return };
        let from = media.made();
        // What a liar misses is nobody's loss.
        let honest = self.liars.lie(node).is_none();
        let (withholds, now_us) = (honest && self.withholds(parent, stripe), self.now_us);
        let holes = &mut self.liars.observed.holes;
        match holes.get_mut(&(node, stripe)) {
            Some(hole) => hole.from = from,
            None if withholds => _ = holes.insert((node, stripe), Hole { since_us: now_us, from }),
            None => {}
        }
    }

    /// Looks which stripes flow again; now and then counts views and children.
    pub(in super::super) fn observe_liars(&mut self) {
        if self.plan.liars.share_ppm == 0 {
            return;
        }
        self.look_at_holes();
        let warm = self.now_us >= self.plan.run.warm_up_us;
        if warm && self.now_us >= self.liars.observed.counted_us + COUNT_US {
            self.liars.observed.counted_us = self.now_us;
            self.count_liars();
        }
    }

    fn look_at_holes(&mut self) {
        let mut holes = std::mem::take(&mut self.liars.observed.holes);
        holes.retain(|(node, stripe), hole| {
            let host = &self.hosts[*node as usize];
            let Some(media) = self.media.as_ref().filter(|_| host.alive) else { return false };
            if hole.since_us < host.joined_us {
                return false; // of an earlier life
            }
            let waited_us = self.now_us - hole.since_us;
            let parent = host.forest.parent(*stripe);
            let fed = parent.is_some_and(|parent| !self.withholds(parent.0, *stripe));
            let flows = media.newest(*node, *stripe).is_some_and(|newest| newest >= hole.from);
            if fed && flows && self.measures.warm {
                self.liars.observed.routed.add(waited_us);
            }
            !(fed && flows)
        });
        self.liars.observed.holes = holes;
    }

    fn count_liars(&mut self) {
        let mut observed = std::mem::take(&mut self.liars.observed);
        for node in &self.living {
            let host = &self.hosts[*node as usize];
            let lie = self.liars.lie(*node);
            observed.there.0 += 1;
            observed.there.1 += u64::from(lie.is_some());
            lie.into_iter().for_each(|lie| *observed.there_of.entry(lie).or_default() += 1);
            let at = bucket(host.node.upload_bps);
            let fed = match lie {
                None => Some(&mut observed.honest[at]),
                Some(Lie::Capacity) => Some(&mut observed.boasters[at]),
                Some(_) => None,
            };
            if let Some(fed) = fed {
                fed.nodes += 1;
                fed.children += host.forest.children_len() as u64;
            }
            if lie == Some(Lie::Capacity) {
                let slots = self.slots(host.node.upload_bps, host.forest.setup().role);
                let load_ppm =
                    host.forest.children_len() as u64 * 1_000_000 / u64::from(slots.max(1));
                observed.loads.add(load_ppm);
            }
            if lie.is_none() {
                for peer in host.forest.view().filter(|peer| peer.0 != ROOT) {
                    observed.seen.0 += 1;
                    let lie = self.liars.lie(peer.0);
                    observed.seen.1 += u64::from(lie.is_some());
                    lie.into_iter().for_each(|lie| *observed.seen_of.entry(lie).or_default() += 1);
                }
            }
        }
        self.liars.observed = observed;
    }

    /// What the lies came to, for the report.
    pub(in super::super) fn liar_figures(&mut self) -> Vec<Figure> {
        if self.plan.liars.share_ppm == 0 {
            return Vec::new();
        }
        let now_us = self.now_us;
        let accepted = self.media.as_ref().map_or(f64::NAN, |media| media.forged_blocks() as f64);
        let observed = &mut self.liars.observed;
        // Those that wait still have waited so long at least.
        for hole in observed.holes.values().filter(|hole| now_us > hole.since_us + 1_000_000) {
            observed.routed.add(now_us - hole.since_us);
        }
        let ms = |us: u64| us as f64 / 1_000.0;
        let quantile = |ppm| match observed.routed.count() {
            0 => f64::NAN,
            _ => ms(observed.routed.quantile_us(ppm)),
        };
        let share = |(all, liars): (u64, u64)| liars as f64 / all.max(1) as f64;
        let cut = observed.cut_max_us.map_or(f64::NAN, ms);
        let gain = gain(&observed.honest, &observed.boasters).unwrap_or(f64::NAN);
        let load = |ppm| match observed.loads.count() {
            0 => f64::NAN,
            _ => observed.loads.quantile_us(ppm) as f64 / 1e6,
        };
        let mut figures = vec![
            Figure::lower("forged_blocks_accepted", accepted),
            Figure::lower("polluter_cut_max_ms", cut),
            Figure::lower("black_hole_routed_round_p50_ms", quantile(500_000)),
            Figure::lower("black_hole_routed_round_p99_ms", quantile(990_000)),
            Figure::count("black_hole_grafts", observed.routed.count() as f64),
            Figure::lower("capacity_liar_gain", gain),
            Figure::lower("capacity_liar_load_p50", load(500_000)),
            Figure::lower("capacity_liar_load_p99", load(990_000)),
            Figure::lower("liar_view_ratio", share(observed.seen) / share(observed.there)),
            Figure::count("liar_share_pct", share(observed.there) * 100.0),
            Figure::count("polluters_cut", observed.first_us.len() as f64),
        ];
        let (views, all) = (observed.seen.0.max(1) as f64, observed.there.0.max(1) as f64);
        for (lie, there) in &observed.there_of {
            let seen = observed.seen_of.get(lie).copied().unwrap_or(0);
            let ratio = seen as f64 / views / (*there as f64 / all);
            figures.push(Figure::count(format!("view_ratio_of_{}", name(*lie)), ratio));
        }
        if let Some(media) = &self.media {
            let forged = media.figures.forged_received as f64;
            figures.push(Figure::count("forged_shards_received", forged));
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boasters_are_compared_with_the_honest_of_like_uplinks() {
        assert_eq!(bucket(4_000_000), bucket(4_100_000));
        assert_ne!(bucket(4_000_000), bucket(6_000_000));
        assert!(bucket(u32::MAX) < UPLINKS && bucket(0) < UPLINKS);
        let fed = |nodes, children| Fed { nodes, children };
        let honest = [fed(10, 20), fed(10, 200), fed(0, 0)];
        assert_eq!(gain(&honest, &[fed(1, 2), fed(1, 20), fed(5, 900)]), Some(1.0));
        assert_eq!(gain(&honest, &[fed(1, 6), fed(0, 0), fed(0, 0)]), Some(3.0));
        assert_eq!(gain(&honest, &[fed(0, 0); 3]), None);
    }
}
