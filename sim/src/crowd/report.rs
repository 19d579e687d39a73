//! The figures of a run.

use super::mail::KEEPALIVE_BYTES_PER_S;
use super::{Crowd, ROOT};
use crate::media::Histogram;
use crate::report::{Figure, Report};

/// Milliseconds of a histogram's quantile.
fn ms(histogram: &Histogram, ppm: u32) -> f64 {
    if histogram.count() == 0 { f64::NAN } else { histogram.quantile_us(ppm) as f64 / 1_000.0 }
}

impl Crowd {
    /// What was seen since the warm-up.
    pub(super) fn report(&mut self) -> Report {
        let mut report = self.plan.report();
        let figures = &mut report.figures;
        let seconds = (self.plan.run.duration_us - self.plan.run.warm_up_us) as f64 / 1e6;
        if let Some(media) = &self.media {
            let seen = &media.figures;
            figures.push(Figure::lower("overlay_p50_ms", ms(&seen.delay, 500_000)));
            figures.push(Figure::lower("overlay_p99_ms", ms(&seen.delay, 990_000)));
            let sent = media.sent_bytes(ROOT) - self.measures.root_bytes;
            let every = if self.plan.run.media == crate::plan::Media::Every {
                1.0
            } else {
                f64::from(media.settings().stream.every)
            };
            let ratio = sent as f64 * every * 8.0 / seconds / self.plan.stream.bitrate_bps as f64;
            figures.push(Figure::lower("publisher_upload_ratio", ratio));
        }
        let living = self.living.iter().map(|node| self.hosts[*node as usize].control_bytes);
        let control = self.measures.control_bytes + living.sum::<u64>();
        let node_seconds = self.measures.node_us as f64 / 1e6;
        let links = self.measures.samples.iter().map(|s| s.links_mean).sum::<f64>()
            / self.measures.samples.len().max(1) as f64;
        let each = control as f64 / node_seconds + KEEPALIVE_BYTES_PER_S as f64 * links;
        let stream = self.plan.stream.bitrate_bps as f64 / 8.0;
        figures.push(Figure::lower("control_share_pct", each / stream * 100.0));
        figures.push(Figure::lower("control_bytes_per_node_s", each));
        if let Some(media) = &self.media {
            let seen = &media.figures;
            let block_s = media.settings().stream.interval_us() as f64 / 1e6;
            let hours = seen.viewer_blocks as f64 * block_s / 3600.0;
            figures.push(Figure::lower("glitches_per_viewer_hour", seen.glitches as f64 / hours));
            let missing = seen.missing_blocks as f64 / seen.viewer_blocks.max(1) as f64 * 1e6;
            figures.push(Figure::lower("blocks_missing_ppm", missing));
            figures.push(Figure::lower("repair_p50_ms", ms(&seen.repair, 500_000)));
            figures.push(Figure::lower("repair_p99_ms", ms(&seen.repair, 990_000)));
            figures.push(Figure::count("repairs", seen.repair.count() as f64));
            figures.push(Figure::count("shards_sent", seen.sent as f64));
            figures.push(Figure::count("shards_arrived", seen.arrived as f64));
            figures.push(Figure::count("shards_duplicate", seen.duplicates as f64));
            figures.push(Figure::count("shards_void", seen.void as f64));
            figures.push(Figure::count("shards_shed", seen.shed as f64));
            figures.push(Figure::count("shards_repeated", seen.repeated as f64));
        }
        figures.push(Figure::lower("reparent_p50_ms", ms(&self.measures.reparent, 500_000)));
        figures.push(Figure::lower("reparent_p99_ms", ms(&self.measures.reparent, 990_000)));
        let warm = self.measures.samples.iter().filter(|s| s.at_us >= self.plan.run.warm_up_us);
        let warm: Vec<_> = warm.copied().collect();
        let mean = warm.iter().map(|s| s.depth_mean).sum::<f64>() / warm.len().max(1) as f64;
        let p99 = warm.iter().map(|s| s.depth_p99).max().unwrap_or(0);
        let max = warm.iter().map(|s| s.depth_max).max().unwrap_or(0);
        figures.push(Figure::lower("depth_mean", mean));
        figures.push(Figure::lower("depth_p99", p99.into()));
        figures.push(Figure::lower("depth_max", max.into()));
        let hungry =
            warm.iter().map(|s| f64::from(s.hungry)).sum::<f64>() / warm.len().max(1) as f64;
        figures.push(Figure::lower("hungry_nodes_mean", hungry));
        if let Some(last) = warm.last() {
            figures.push(Figure::lower("orphan_stripes_end", last.orphans.into()));
        }
        figures.push(Figure::lower("join_p50_ms", ms(&self.measures.join, 500_000)));
        figures.push(Figure::lower("join_p99_ms", ms(&self.measures.join, 990_000)));
        for node in &self.living {
            self.measures.joined_or_not(&self.hosts[*node as usize], self.now_us);
        }
        figures.push(Figure::lower("join_failures", self.measures.join_failures as f64));
        figures.push(Figure::count("joins", self.measures.joins as f64));
        figures.push(Figure::count("links_mean", links));
        figures.push(Figure::count("links_made", self.measures.links as f64));
        figures.push(Figure::count("discoveries", self.measures.discoveries as f64));
        figures.push(Figure::count("late_notices", self.measures.late as f64));
        figures.push(Figure::count("pulls", self.measures.pulls as f64));
        figures.push(Figure::count("promotions", self.measures.promotions as f64));
        let kinds =
            ["announce", "members", "graft", "admitted", "redirected", "prune", "path_update"];
        for (kind, (count, bytes)) in kinds.iter().zip(self.measures.messages) {
            let per = |value: u64| value as f64 / node_seconds;
            figures.push(Figure::count(format!("{kind}_per_node_s"), per(count)));
            figures.push(Figure::count(format!("{kind}_bytes_per_node_s"), per(bytes)));
        }
        figures.push(Figure::text("trace_hash", format!("{:016x}", self.trace_hash())));
        self.plan.judge(&mut report);
        report
    }
}
