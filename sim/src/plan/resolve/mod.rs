//! From what a file says to what it means: every value checked, nothing left open.

mod coming;
mod stream;
mod world;

use super::{Liars, Media, Plan, PlanFile, Publisher, Run, Share, fault};
use crate::place::{ACCESS_US, Place, Places};
use crate::population::WHOLE_PPM;
use anyhow::{Context as _, ensure};
use banyan_protocol::unit::Bitrate;
use std::path::Path;

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
        world::scale_uplinks(&mut said)?;
        let world = world::resolve(&said, directory)?;
        let stream = stream::resolve(&said.stream)?;
        let run = run(&said)?;
        let place = &said.publisher.place;
        let city = world
            .places
            .find(place)
            .ok_or_else(|| no_such_place(place, &world.places))
            .context("publisher.place")?;
        let upload_bps = rate("publisher.upload", said.publisher.upload)?;
        let (coming, replace) = coming::arrival(&said, &world.model)?;
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
            publisher: Publisher { upload_bps, place: Place { city, access_us: ACCESS_US } },
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
pub(in crate::plan) fn no_such_place(name: &str, places: &Places) -> anyhow::Error {
    let known: Vec<_> =
        places.cities().iter().map(|city| format!("{} ({})", city.name, city.country)).collect();
    anyhow::anyhow!("{name:?} is not in this world, which has {}", known.join(", "))
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

/// A rate that a link can have.
fn rate(key: &str, rate: Bitrate) -> anyhow::Result<u32> {
    let bps = u32::try_from(rate.bps()).ok().filter(|bps| *bps >= 1_000);
    bps.with_context(|| format!("{key}: {rate} is not between 1 kbit/s and 4 Gbit/s"))
}
