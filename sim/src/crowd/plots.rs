//! What was seen, as plots. The order is that in which a person asks: is it fast, does it stay
//! fast, who comes late, what breaks, who pays.

use super::measure::{KINDS, Sample};
use super::{Crowd, ROOT, SAMPLE_US};
use crate::media::Histogram;
use crate::plan::{Bar, Media};
use crate::report::{Axis, Kind, Plot, curve};

/// The scale of a linear plot ends where so little (in percent) is beyond; the tail has its own
/// plot.
const SHOWN_PCT: f64 = 99.95;
/// Depths of the histogram.
const DEPTH_MAX: usize = 32;

impl Crowd {
    /// All plots of a run that has ended.
    pub(super) fn plots(&mut self) -> Vec<Plot> {
        let mut plots = Vec::new();
        self.delays(&mut plots);
        self.joins(&mut plots);
        self.forest_plots(&mut plots);
        self.repairs(&mut plots);
        self.uplinks(&mut plots);
        plots.push(self.control());
        if self.plan.liars.share_ppm > 0 {
            plots.push(self.capture());
        }
        plots.retain(|plot| plot.series.iter().any(|series| !series.points.is_empty()));
        plots
    }

    fn delays(&self, plots: &mut Vec<Plot>) {
        let counts = counts_ms(self.delay());
        let delay = Plot::new(
            "Overlay delay",
            Axis::linear("delay until the block is complete, ms"),
            Axis::linear("blocks at viewers, %"),
        )
        .note("How much of all that viewers got was there by then; further left is better.")
        .series("all viewers", shown(curve::counted_cdf(&counts)));
        let delay = self.bar(delay, "overlay_p50_ms", "p50 bar");
        plots.push(self.bar(delay, "overlay_p99_ms", "p99 bar"));
        let tail = Plot::new(
            "The tail of the delay",
            Axis::linear("delay, ms"),
            Axis::log("blocks later, %"),
        )
        .note("What is still to come after so long. At the p99 bar at most 1 % may be.")
        .series("all viewers", curve::counted_tail(&counts));
        plots.push(self.bar(tail, "overlay_p99_ms", "p99 bar"));
        let windows = &self.measures.windows;
        let course = |of: fn(&super::measure::Window) -> u64| {
            let points = windows.iter().map(|w| (w.at_us as f64 / 1e6, of(w) as f64 / 1e3));
            curve::course(&points.collect::<Vec<_>>())
        };
        let drift = over_time("Delay over time", "overlay delay, ms")
            .note("Flat is good: a forest that rots climbs.")
            .series("p50", course(|window| window.p50_us))
            .series("p99", course(|window| window.p99_us));
        plots.push(self.events(drift));
    }

    fn joins(&self, plots: &mut Vec<Plot>) {
        let mut plot = Plot::new(
            "Coming in",
            Axis::log("time since joining, ms"),
            Axis::linear("nodes that joined, %"),
        )
        .note("Until a node has parents for as many stripes as a block needs, and until it has its first block.")
        .series("stripes", shown(curve::counted_cdf(&counts_ms(&self.measures.join))));
        if let Some(media) = &self.media {
            let startup = shown(curve::counted_cdf(&counts_ms(&media.figures.startup)));
            plot = plot.series("first block", startup);
        }
        plots.push(self.bar(plot, "join_p99_ms", "p99 bar"));
        let people = over_time("Who is there", "nodes")
            .note("All nodes, and those that lack stripes for whole blocks.")
            .series("all", self.course(|sample| sample.living.into()))
            .series("hungry", self.course(|sample| sample.hungry.into()));
        plots.push(self.events(people));
        let hungry = over_time("Hunger", "count")
            .note("Nodes without enough stripes, and stripes without a parent. Newcomers are among them.")
            .series("hungry nodes", self.course(|sample| sample.hungry.into()))
            .series("orphan stripes", self.course(|sample| sample.orphans.into()));
        plots.push(self.events(hungry));
    }

    fn forest_plots(&self, plots: &mut Vec<Plot>) {
        let depth = over_time("Depth over time", "edges from the root")
            .note("Over all nodes and stripes. Flat is good.")
            .series("mean", self.course(|sample| sample.depth_mean))
            .series("p99", self.course(|sample| sample.depth_p99.into()))
            .series("deepest", self.course(|sample| sample.depth_max.into()));
        plots.push(self.events(depth));
        let mut depths = [0_u64; DEPTH_MAX];
        let mut errors_ms = Vec::new();
        for node in &self.living {
            let host = &self.hosts[*node as usize];
            for stripe in 0..self.stripes() {
                let Some(depth) = host.forest.depth(stripe) else { continue };
                depths[usize::from(depth).min(DEPTH_MAX - 1)] += 1;
                errors_ms.extend(self.estimate_error_ms(*node, stripe));
            }
        }
        let last = depths.iter().rposition(|count| *count > 0).unwrap_or(0);
        let bars = (1..=last).map(|depth| (depth as f64, depths[depth] as f64)).collect();
        let plot = Plot::new(
            "Depth at the end",
            Axis::linear("edges from the root"),
            Axis::linear("nodes × stripes"),
        )
        .note("How many are how far down, all stripes together.");
        plots.push(plot.kind(Kind::Bars).series("nodes × stripes", bars));
        let plot = Plot::new(
            "What nodes believe of their delay",
            Axis::linear("believed less measured delay, ms"),
            Axis::linear("nodes × stripes, %"),
        )
        .note("Parents are chosen by what they say of their delay. A steep step at 0 is the truth; left of it nodes think they are nearer than they are.");
        plots.push(plot.series("error", middle(curve::cdf(&errors_ms))).mark(0.0, "truth"));
    }

    /// By how much a node is wrong about its delay in a stripe, ms.
    pub(super) fn estimate_error_ms(&self, node: u32, stripe: u8) -> Option<f64> {
        let host = &self.hosts[node as usize];
        let believed_us = host.forest.delay_us(&host.links, stripe)?;
        let measured_us = self.media.as_ref()?.delay_us(node, stripe)?;
        Some((f64::from(believed_us) - measured_us as f64) / 1e3)
    }

    fn repairs(&self, plots: &mut Vec<Plot>) {
        let mut plot = Plot::new(
            "Repair",
            Axis::log("time since the parent's death, ms"),
            Axis::linear("stripes that lost it, %"),
        )
        .note("Until another node admits the orphan, and until the stripe's shards flow again: a backup feeds it meanwhile.");
        plot =
            plot.series("a parent", shown(curve::counted_cdf(&counts_ms(&self.measures.reparent))));
        if let Some(media) = &self.media {
            let flows = curve::counted_cdf(&counts_ms(&media.figures.repair));
            plot = plot.series("shards", shown(flows));
        }
        let plot = self.bar(plot, "repair_p50_ms", "p50 bar");
        plots.push(self.bar(plot, "repair_p99_ms", "p99 bar"));
        let Some(media) = &self.media else { return };
        let glitches = over_time("Glitches over time", "glitches per viewer-hour")
            .note("Runs of blocks that did not come in time, by when they began.")
            .series(
                "glitches",
                self.course(|sample| {
                    let hours = f64::from(sample.living) * SAMPLE_US as f64 / 3.6e9;
                    if hours > 0.0 { sample.glitches as f64 / hours } else { 0.0 }
                }),
            );
        plots.push(self.events(glitches));
        let lengths = Plot::new(
            "How long glitches last",
            Axis::linear("length of a glitch, ms"),
            Axis::log("glitches at least as long, %"),
        )
        .note("From the first block that did not come in time to the next that did.")
        .series("glitches", curve::counted_tail(&counts_ms(&media.figures.glitch)));
        plots.push(lengths);
    }

    fn uplinks(&mut self, plots: &mut Vec<Plot>) {
        let every = self.probe_factor();
        let Some(media) = &mut self.media else { return };
        let mut used_pct = Vec::new();
        let mut rates_bps = Vec::new();
        for node in &self.living {
            let host = &self.hosts[*node as usize];
            let used_bps = media.uplink_use_bps(*node) as f64 * every;
            used_pct.push((used_bps / f64::from(host.node.upload_bps) * 100.0).floor());
            let there_s = (self.now_us - host.joined_us) as f64 / 1e6;
            if there_s >= 1.0 {
                rates_bps.push(media.sent_bytes(*node) as f64 * 8.0 * every / there_s);
            }
        }
        let plot = Plot::new(
            "How full uplinks are",
            Axis::linear("used in the last second, % of the uplink"),
            Axis::linear("nodes"),
        )
        .note("Nodes plan with four fifths of their uplink; bursts of keyframes go beyond.");
        plots.push(plot.kind(Kind::Bars).series("nodes", curve::histogram(&used_pct, 25)));
        let (lorenz, gini) = curve::lorenz(&rates_bps);
        let plot = Plot::new(
            "Who gives how much",
            Axis::linear("nodes, %, the least giving first"),
            Axis::linear("of all upload, %"),
        )
        .note("Upload over each node's time in the session. The closer to the diagonal, the more alike all give; uplinks differ fifty-fold, so it cannot be straight.");
        plots.push(
            plot.series(format!("given, Gini {gini:.2}"), lorenz)
                .series("all alike", vec![(0.0, 0.0), (100.0, 100.0)]),
        );
    }

    fn control(&self) -> Plot {
        let mut plot = over_time("What control costs", "bytes per node and second")
            .note("By kind of message; handshakes and keepalives are not among them.");
        for (kind, name) in KINDS.iter().enumerate() {
            let points =
                self.course(|sample| sample.bytes[kind] as f64 / f64::from(sample.living.max(1)));
            plot = plot.series(name.replace('_', " "), points);
        }
        self.events(plot)
    }

    fn capture(&self) -> Plot {
        let pct = |part: u32, all: u32| f64::from(part) / f64::from(all.max(1)) * 100.0;
        let plot = over_time("What liars catch", "%")
            .note("The share of honest nodes' stripes whose parent lies, beside the share of liars among the nodes: above it, lying pays.")
            .series("stripes with a lying parent", self.course(|s| pct(s.from_liars, s.honest_stripes)))
            .series("liars", self.course(|s| pct(s.liars, s.living)));
        self.events(plot)
    }

    /// How many blocks there are for each that is sent.
    pub(super) fn probe_factor(&self) -> f64 {
        match (&self.media, self.plan.run.media) {
            (Some(media), Media::Probe) => media.settings().stream.every.into(),
            _ => 1.0,
        }
    }

    fn course(&self, value: impl Fn(&Sample) -> f64) -> Vec<(f64, f64)> {
        let points = self.measures.samples.iter().map(|s| (s.at_us as f64 / 1e6, value(s)));
        curve::course(&points.collect::<Vec<_>>())
    }

    /// Marks the bar of a figure, if it has one.
    fn bar(&self, plot: Plot, figure: &str, label: &str) -> Plot {
        match self.plan.bars.get(figure) {
            Some(Bar::AtMost(bound) | Bar::AtLeast(bound)) => plot.mark(*bound, label),
            None => plot,
        }
    }

    /// Marks when something goes wrong, and when it is mended; the end of the warm-up too.
    fn events(&self, mut plot: Plot) -> Plot {
        let warm_up_us = self.plan.run.warm_up_us;
        if warm_up_us > 0 {
            plot = plot.mark(warm_up_us as f64 / 1e6, "figures from here");
        }
        for fault in &self.plan.said.fault {
            let at_s = fault.at.0 as f64 / 1e6;
            plot = plot.mark(at_s, fault.kind.name());
            if let Some(lasts) = fault.lasts {
                plot =
                    plot.mark(at_s + lasts.0 as f64 / 1e6, format!("{} ends", fault.kind.name()));
            }
        }
        plot
    }

    /// Bytes that the root sent since the warm-up, of the whole stream.
    pub(super) fn root_sent_bytes(&self) -> f64 {
        let sent = self.media.as_ref().map_or(0, |media| media.sent_bytes(ROOT));
        sent.saturating_sub(self.measures.root_bytes) as f64 * self.probe_factor()
    }
}

fn over_time(title: &str, y: &str) -> Plot {
    Plot::new(title, Axis::linear("simulated time, s"), Axis::linear(y))
}

/// Counts in the bins of a histogram, each at its upper edge.
fn counts_ms(histogram: &Histogram) -> Vec<(f64, u64)> {
    let (width_us, max_us) = (histogram.bin_us(), histogram.max_us());
    let edge = |from_us: u64| (from_us + width_us).min(max_us) as f64 / 1e3;
    histogram.bins().map(|(from_us, count)| (edge(from_us), count)).collect()
}

/// A distribution without its last stragglers.
fn shown(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let end = points.iter().position(|(_, share)| *share >= SHOWN_PCT);
    points.truncate(end.map_or(points.len(), |end| end + 1));
    points
}

/// A distribution without stragglers at either end.
fn middle(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    shown(points).into_iter().filter(|(_, share)| *share >= 100.0 - SHOWN_PCT).collect()
}
