//! From what a file says to what it means: every value checked, nothing left open.

use super::value::Life;
use super::{
    ArrivalKind, ChurnFile, Liars, LifeShape, Media, Plan, PlanFile, Publisher, ReplaceKind, Run,
    Share, Stream, StreamFile, World, fault,
};
use crate::place::Places;
use crate::population::{Coming, Distribution, Model, NatShares, Replace, WHOLE_PPM};
use anyhow::{Context as _, ensure};
use banyan_protocol::limits::{K_MAX, M_MAX};
use banyan_protocol::unit::Bitrate;
use std::path::Path;

/// The largest world. Derived: 1M nodes are the goal; more than ten times that is a typing error.
const NODES_MAX: u32 = 10_000_000;

/// The fastest stream. Guess: no camera gives more.
const FRAME_RATE_MAX: u32 = 240;

/// The largest keyframe, in mean blocks. Guess: above it, a group is all keyframe.
const KEYFRAME_FACTOR_MAX: f64 = 50.0;

impl Plan {
    /// Reads the plan in the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read; or names the line and key that are wrong, and what is allowed.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        Self::read_with(path, &[])
    }

    /// Reads a plan, then sets `KEY=VALUE` for each of `settings`.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if a setting names no key or has a wrong value.
    pub fn read_with(path: &Path, settings: &[String]) -> anyhow::Result<Self> {
        let read = || -> anyhow::Result<Self> {
            let text = std::fs::read_to_string(path).context("reading the plan")?;
            let mut file: PlanFile = text.parse()?;
            for setting in settings {
                let (key, value) = setting.split_once('=').with_context(|| {
                    format!("--set {setting}: write KEY=VALUE, such as world.nodes=1000")
                })?;
                file.set(key.trim(), value.trim())?;
            }
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let plan = Self::resolve(&name, &file, path.parent())?;
            Ok(Self { about: leading_comment(&text), ..plan })
        };
        read().with_context(|| path.display().to_string())
    }

    /// Reads a plan from TOML. Paths in it are relative to the working directory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(name: &str, toml: &str) -> anyhow::Result<Self> {
        let plan = Self::resolve(name, &toml.parse()?, None)?;
        Ok(Self { about: leading_comment(toml), ..plan })
    }

    /// Checks and completes what `file` says. Paths in it are relative to `directory`.
    ///
    /// # Errors
    /// Names the key that is wrong, its value and what is allowed.
    pub fn resolve(name: &str, file: &PlanFile, directory: Option<&Path>) -> anyhow::Result<Self> {
        let mut said = file.clone();
        scale_uplinks(&mut said)?;
        let world = world(&said, directory)?;
        let stream = stream(&said.stream)?;
        let run = run(&said)?;
        let place = &said.publisher.place;
        let city = world
            .places
            .find(place)
            .ok_or_else(|| no_such_place(place, &world.places))
            .context("publisher.place")?;
        let upload_bps = rate("publisher.upload", said.publisher.upload)?;
        let (coming, replace) = arrival(&said, &world.model)?;
        let faults = said.fault.iter().enumerate();
        let mut faults = faults
            .map(|(i, file)| fault::resolve(i, file, &world.places, said.run.duration))
            .collect::<anyhow::Result<Vec<_>>>()?;
        faults.sort_by_key(|fault| fault.at_us);
        let mut kinds = said.liars.kinds.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let honest = said.liars.share == Share(0);
        ensure!(honest || !kinds.is_empty(), "liars.kinds = []: name one kind at least");
        ensure!(said.liars.share.0 < WHOLE_PPM, "liars.share = \"100 %\": leave somebody honest");
        Ok(Self {
            name: name.to_owned(),
            about: String::new(),
            world,
            stream,
            publisher: Publisher { upload_bps, city },
            run,
            abrupt_ppm: said.churn.abrupt.0,
            coming,
            replace,
            faults,
            liars: Liars { share_ppm: said.liars.share.0, kinds },
            bars: said.bars.clone(),
            said,
        })
    }
}

/// The comment that a file begins with, as one line.
fn leading_comment(toml: &str) -> String {
    let lines = toml.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

/// A name that is neither city nor country of the world.
pub(super) fn no_such_place(name: &str, places: &Places) -> anyhow::Error {
    let known: Vec<_> =
        places.cities().iter().map(|city| format!("{} ({})", city.name, city.country)).collect();
    anyhow::anyhow!("{name:?} is not in this world, which has {}", known.join(", "))
}

/// Moves the upper end of the uplinks so that all uplinks are `resource_ratio` times the demand.
fn scale_uplinks(file: &mut PlanFile) -> anyhow::Result<()> {
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

fn world(said: &PlanFile, directory: Option<&Path>) -> anyhow::Result<World> {
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
    let short = |key: &str, span: super::Span| {
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
        life_us: life(&said.churn)?,
        helper_ppm: file.helpers.0,
    };
    let jitter_us = short("world.jitter", file.jitter)?;
    Ok(World { nodes, places, model, loss_burst: file.loss_burst, jitter_us })
}

/// A rate that a link can have.
fn rate(key: &str, rate: Bitrate) -> anyhow::Result<u32> {
    let bps = u32::try_from(rate.bps()).ok().filter(|bps| *bps >= 1_000);
    bps.with_context(|| format!("{key}: {rate} is not between 1 kbit/s and 4 Gbit/s"))
}

fn ends(distribution: &Distribution) -> Vec<f64> {
    match distribution {
        Distribution::Uniform { from, to } | Distribution::LogUniform { from, to } => {
            vec![*from, *to]
        }
        other => vec![other.mean()],
    }
}

fn stream(file: &StreamFile) -> anyhow::Result<Stream> {
    let StreamFile { bitrate, k, m, frame_rate, keyframe_every, keyframe_factor } = *file;
    let bitrate_bps = u64::from(rate("stream.bitrate", bitrate)?);
    ensure!((1..=K_MAX).contains(&k), "stream.k = {k} is not between 1 and {K_MAX}");
    ensure!(m <= M_MAX, "stream.m = {m} is not between 0 and {M_MAX}");
    ensure!(
        (1..=FRAME_RATE_MAX).contains(&frame_rate),
        "stream.frame_rate = {frame_rate} is not between 1 and {FRAME_RATE_MAX} per second"
    );
    let blocks = keyframe_every.0 * u64::from(frame_rate) / 1_000_000;
    let group_blocks = u32::try_from(blocks).ok().filter(|blocks| (1..=100_000).contains(blocks));
    let group_blocks = group_blocks.with_context(|| {
        format!(
            "stream.keyframe_every = \"{keyframe_every}\" makes groups of {blocks} blocks, which \
             must be 1 to 100000"
        )
    })?;
    let factor_max = KEYFRAME_FACTOR_MAX.min(f64::from(group_blocks));
    ensure!(
        (1.0..=factor_max).contains(&keyframe_factor),
        "stream.keyframe_factor = {keyframe_factor} is not between 1 and {factor_max}, the blocks \
         of a group or {KEYFRAME_FACTOR_MAX}"
    );
    let keyframe_percent = (keyframe_factor * 100.0).round() as u32;
    Ok(Stream { bitrate_bps, k, m, frame_rate, group_blocks, keyframe_percent })
}

fn run(said: &PlanFile) -> anyhow::Result<Run> {
    let file = &said.run;
    ensure!(
        file.warm_up < file.duration,
        "run.warm_up = \"{}\" leaves nothing of run.duration = \"{}\" to take figures of",
        file.warm_up,
        file.duration
    );
    ensure!(
        file.media != Media::Probe || file.probe_every.0 > 0,
        "run.probe_every = \"0 s\": use run.media = \"every\" to send all"
    );
    Ok(Run {
        seed: file.seed,
        duration_us: file.duration.0,
        warm_up_us: file.warm_up.0,
        media: file.media,
        probe_every_us: file.probe_every.0,
    })
}

/// Lives, in µs.
fn life(file: &ChurnFile) -> anyhow::Result<Option<Distribution>> {
    let Life::Mean(mean) = file.mean_life else {
        ensure!(
            file.short_share == Share(0),
            "churn.short_share = \"{}\" needs a churn.mean_life for the others",
            file.short_share
        );
        return Ok(None);
    };
    ensure!(
        mean.0 >= 1_000_000,
        "churn.mean_life = \"{mean}\" is shorter than 1 s; \"endless\" means that nobody leaves"
    );
    let mean = mean.0 as f64;
    let rest = match file.shape {
        LifeShape::Constant => Distribution::Constant(mean),
        LifeShape::Exponential => Distribution::Exponential { mean },
        // The mean of a lognormal is its median times e^(σ²/2).
        LifeShape::Lognormal => {
            Distribution::LogNormal { median: mean / libm::exp(0.5), sigma: 1.0 }
        }
        // The mean of a Pareto is its smallest times α/(α - 1).
        LifeShape::Pareto => Distribution::Pareto { min: mean / 2.0, alpha: 2.0 },
    };
    if file.short_share == Share(0) {
        return Ok(Some(rest));
    }
    let first = Box::new(Distribution::Exponential { mean: file.short_life.0 as f64 });
    Ok(Some(Distribution::Mix { first_ppm: file.short_share.0, first, rest: Box::new(rest) }))
}

fn arrival(said: &PlanFile, model: &Model) -> anyhow::Result<(Coming, Replace)> {
    let file = &said.arrival;
    let nodes = said.world.nodes;
    let for_us = file.within.0;
    let coming = match file.kind {
        ArrivalKind::Start => Coming::Within { from_us: 0, for_us, seeds: 0 },
        ArrivalKind::Flash => {
            ensure!(
                file.seeds < nodes,
                "arrival.seeds = {} leaves nobody of world.nodes = {nodes} to come",
                file.seeds
            );
            Coming::Within { from_us: file.at.0, for_us, seeds: file.seeds }
        }
        ArrivalKind::Poisson => Coming::Poisson { gap_us: for_us / u64::from(nodes) },
    };
    ensure!(
        file.within < said.run.duration,
        "arrival.within = \"{}\" is not shorter than run.duration = \"{}\"",
        file.within,
        said.run.duration
    );
    let replace = match (file.replace, &model.life_us) {
        (ReplaceKind::Each, _) => Replace::Each,
        (ReplaceKind::Rate, Some(life)) => {
            Replace::Rate { gap_us: (life.mean() / f64::from(nodes)).max(1.0) as u64 }
        }
        // Nobody leaves.
        (ReplaceKind::None, _) | (ReplaceKind::Rate, None) => Replace::None,
    };
    Ok((coming, replace))
}
