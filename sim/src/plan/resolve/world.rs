//! `[world]`: nodes and networks, checked.

use super::rate;
use crate::place::Places;
use crate::plan::{PlanFile, Share, Span, World};
use crate::population::{Distribution, Model, NatShares, WHOLE_PPM};
use anyhow::{Context as _, ensure};
use banyan_protocol::unit::Bitrate;
use std::path::Path;

/// The largest world. Derived: 1M nodes are the goal; more than ten times that is a typing error.
const NODES_MAX: u32 = 10_000_000;

/// Moves the upper end of the uplinks so that all uplinks are `resource_ratio` times the demand.
pub(super) fn scale_uplinks(file: &mut PlanFile) -> anyhow::Result<()> {
    let Some(ratio) = file.world.resource_ratio else { return Ok(()) };
    ensure!(
        ratio.is_finite() && (0.1..=1_000.0).contains(&ratio),
        "world.resource_ratio = {ratio} is not between 0.1 and 1000"
    );
    let publisher = file.publisher.upload.bps() as f64 / f64::from(file.world.nodes.max(1));
    let mean = ratio * file.stream.bitrate.bps() as f64 - publisher;
    file.world.uplinks = file.world.uplinks.with_mean(mean).with_context(|| {
        format!(
            "world.resource_ratio = {ratio} needs uplinks of {:.2} Mbit/s on average, which is \
             less than the smallest in world.uplinks; lower its from",
            mean / 1e6
        )
    })?;
    Ok(())
}

/// Checks `[world]`, and `[churn]` for how long nodes live.
pub(super) fn resolve(said: &PlanFile, directory: Option<&Path>) -> anyhow::Result<World> {
    let file = &said.world;
    let nodes = file.nodes;
    ensure!(
        (1..=NODES_MAX).contains(&nodes),
        "world.nodes = {nodes} is not between 1 and {NODES_MAX}"
    );
    let mut places = Places::new(file.continent);
    if let Some(matrix) = &file.rtt_matrix {
        let path = directory.map_or_else(|| matrix.clone(), |directory| directory.join(matrix));
        places = places.read_matrix(&path).context("world.rtt_matrix")?;
    }
    let nat = &file.nat;
    let sum = [nat.public, nat.punchable, nat.hard].iter().map(|share| share.0).sum::<u32>();
    ensure!(
        sum == WHOLE_PPM,
        "world.nat: public = \"{}\", punchable = \"{}\" and hard = \"{}\" must add up to 100 %, \
         not {}",
        nat.public,
        nat.punchable,
        nat.hard,
        Share(sum)
    );
    ensure!(
        (1..=1_000).contains(&file.loss_burst),
        "world.loss_burst = {} is not between 1 and 1000 packets",
        file.loss_burst
    );
    let short = |key: &str, span: Span| {
        let us = u32::try_from(span.0).ok().filter(|us| *us <= 10_000_000);
        us.with_context(|| format!("{key} = \"{span}\" is longer than 10 s"))
    };
    let upload_bps = file.uplinks.resolve("world.uplinks")?;
    let download_bps = file.downlinks.resolve("world.downlinks")?;
    for (key, rates) in [("world.uplinks", &upload_bps), ("world.downlinks", &download_bps)] {
        for bps in ends(rates) {
            rate(key, Bitrate::from_bps(bps as u64))?;
        }
    }
    let model = Model {
        upload_bps,
        download_bps,
        nat: NatShares { public_ppm: nat.public.0, punchable_ppm: nat.punchable.0 },
        bloat_share_ppm: file.bufferbloat.0,
        bloat_us: file.bufferbloat_buffer.resolve("world.bufferbloat_buffer")?,
        loss_ppm: file.loss.resolve("world.loss")?,
        skew_us_max: short("world.clock_skew", file.clock_skew)?,
        life_us: super::coming::life(&said.churn)?,
        helper_ppm: file.helpers.0,
    };
    let jitter_us = short("world.jitter", file.jitter)?;
    Ok(World { nodes, places, model, loss_burst: file.loss_burst, jitter_us })
}

/// The values between which a distribution lies, as far as they can be too small or large.
fn ends(distribution: &Distribution) -> Vec<f64> {
    match distribution {
        Distribution::Uniform { from, to } | Distribution::LogUniform { from, to } => {
            vec![*from, *to]
        }
        other => vec![other.mean()],
    }
}
