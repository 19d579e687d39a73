//! The figures of a run.

use super::mail::KEEPALIVE_BYTES_PER_S;
use super::measure::{KINDS, Sample};
use super::{Crowd, ROOT};
use crate::media::Histogram;
use crate::report::{Figure, Report, curve};

/// Milliseconds of a histogram's quantile.
fn ms(histogram: &Histogram, ppm: u32) -> f64 {
    if histogram.count() == 0 { f64::NAN } else { histogram.quantile_us(ppm) as f64 / 1_000.0 }
}

/// The median and the 99th percentile of a histogram, called `NAME_p50_ms` and `NAME_p99_ms`.
fn quantiles(figures: &mut Vec<Figure>, name: &str, histogram: &Histogram) {
    figures.push(Figure::lower(format!("{name}_p50_ms"), ms(histogram, 500_000)));
    figures.push(Figure::lower(format!("{name}_p99_ms"), ms(histogram, 990_000)));
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1);
    values.sum::<f64>() / count as f64
}

impl Crowd {
    /// What was seen since the warm-up, to be read by people.
    pub(super) fn report(&mut self) -> Report {
        let mut report = self.plan.report();
        let figures = &mut report.figures;
        self.media_figures(figures);
        self.control_figures(figures);
        self.forest_figures(figures);
        self.join_figures(figures);
        self.counts(figures);
        figures.extend(self.liar_figures());
        figures.extend(self.heal_figures());
        figures.push(Figure::text("trace_hash", format!("{:016x}", self.trace_hash())));
        report.plots = self.plots();
        report.forest = self.picture();
        report
    }

    fn media_figures(&self, figures: &mut Vec<Figure>) {
        quantiles(figures, "overlay", self.delay());
        let Some(media) = &self.media else { return };
        let seen = &media.figures;
        let seconds = (self.plan.run.duration_us - self.plan.run.warm_up_us) as f64 / 1e6;
        let stream_bps = self.plan.stream.bitrate_bps as f64;
        let ratio = self.root_sent_bytes() * 8.0 / seconds / stream_bps;
        figures.push(Figure::lower("publisher_upload_ratio", ratio));
        let block_s = media.settings().stream.interval_us() as f64 / 1e6;
        let hours = seen.viewer_blocks as f64 * block_s / 3600.0;
        figures.push(Figure::lower("glitches_per_viewer_hour", seen.glitches as f64 / hours));
        let missing = seen.missing_blocks as f64 / seen.viewer_blocks.max(1) as f64 * 1e6;
        figures.push(Figure::lower("blocks_missing_ppm", missing));
        figures.push(Figure::lower("blocks_lost", seen.missing_blocks as f64));
        quantiles(figures, "repair", &seen.repair);
    }

    fn control_figures(&self, figures: &mut Vec<Figure>) {
        let living = self.living.iter().map(|node| self.hosts[*node as usize].control_bytes);
        // Of a first root that has gone it is counted already.
        let root = &self.hosts[ROOT as usize];
        let root = if root.alive { root.control_bytes } else { 0 };
        let control = self.measures.control_bytes + living.sum::<u64>() + root;
        let each =
            control as f64 / self.node_seconds() + KEEPALIVE_BYTES_PER_S as f64 * self.links_mean();
        let stream = self.plan.stream.bitrate_bps as f64 / 8.0;
        figures.push(Figure::lower("control_share_pct", each / stream * 100.0));
        figures.push(Figure::lower("control_bytes_per_node_s", each));
    }

    fn forest_figures(&self, figures: &mut Vec<Figure>) {
        quantiles(figures, "reparent", &self.measures.reparent);
        let warm: Vec<&Sample> = self.warm_samples().collect();
        let depth = mean(warm.iter().map(|sample| sample.depth_mean));
        let p99 = warm.iter().map(|sample| sample.depth_p99).max().unwrap_or(0);
        let max = warm.iter().map(|sample| sample.depth_max).max().unwrap_or(0);
        figures.push(Figure::lower("depth_mean", depth));
        figures.push(Figure::lower("depth_p99", p99.into()));
        figures.push(Figure::lower("depth_max", max.into()));
        let hungry = mean(warm.iter().map(|sample| f64::from(sample.hungry)));
        figures.push(Figure::lower("hungry_nodes_mean", hungry));
        if let Some(last) = warm.last() {
            figures.push(Figure::lower("orphan_stripes_end", last.orphans.into()));
        }
        if self.hosts[self.root as usize].alive {
            figures.push(Figure::lower("adrift_stripes_end", self.adrift() as f64));
        }
        let stripes = (0..self.stripes()).collect::<Vec<_>>();
        let errors = self.living.iter().flat_map(|node| stripes.iter().map(move |s| (*node, *s)));
        let errors: Vec<f64> = errors.filter_map(|(n, s)| self.estimate_error_ms(n, s)).collect();
        let sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
        figures.push(Figure::count("estimate_bias_ms", curve::quantile(&errors, 0.5)));
        figures.push(Figure::lower("estimate_error_p50_ms", curve::quantile(&sizes, 0.5)));
        figures.push(Figure::lower("estimate_error_p99_ms", curve::quantile(&sizes, 0.99)));
    }

    fn join_figures(&mut self, figures: &mut Vec<Figure>) {
        quantiles(figures, "join", &self.measures.join);
        if let Some(media) = &self.media {
            quantiles(figures, "startup", &media.figures.startup);
        }
        for node in &self.living {
            self.measures.joined_or_not(&self.hosts[*node as usize], self.now_us);
        }
        figures.push(Figure::lower("join_failures", self.measures.join_failures as f64));
        let unserved = self.unserved();
        let all = unserved.hungry + unserved.patchy;
        figures.push(Figure::lower("unserved_nodes", all.into()));
        figures.push(Figure::lower("unserved_hungry", unserved.hungry.into()));
    }

    fn counts(&self, figures: &mut Vec<Figure>) {
        let measures = &self.measures;
        let mut count = |name: &str, value: f64| figures.push(Figure::count(name, value));
        count("nodes_end", self.living.len() as f64);
        count("joins", measures.joins as f64);
        if let Some(media) = &self.media {
            let seen = &media.figures;
            count("repairs", seen.repair.count() as f64);
            count("shards_sent", seen.sent as f64);
            count("shards_arrived", seen.arrived as f64);
            count("shards_duplicate", seen.duplicates as f64);
            count("shards_void", seen.void as f64);
            count("shards_shed", seen.shed as f64);
            count("shards_repeated", seen.repeated as f64);
        }
        count("links_mean", self.links_mean());
        count("links_made", measures.links as f64);
        count("links_refused", measures.links_refused as f64);
        count("discoveries", measures.discoveries as f64);
        count("late_notices", measures.late as f64);
        count("pulls", measures.pulls as f64);
        count("promotions", measures.promotions as f64);
        let node_seconds = self.node_seconds();
        for (kind, (messages, bytes)) in KINDS.iter().zip(measures.messages) {
            count(&format!("{kind}_per_node_s"), messages as f64 / node_seconds);
            count(&format!("{kind}_bytes_per_node_s"), bytes as f64 / node_seconds);
        }
    }

    fn warm_samples(&self) -> impl Iterator<Item = &Sample> {
        let warm_up_us = self.plan.run.warm_up_us;
        self.measures.samples.iter().filter(move |sample| sample.at_us >= warm_up_us)
    }

    fn node_seconds(&self) -> f64 {
        self.measures.node_us as f64 / 1e6
    }

    fn links_mean(&self) -> f64 {
        mean(self.measures.samples.iter().map(|sample| sample.links_mean))
    }
}
