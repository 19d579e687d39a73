//! `[churn]` and `[arrival]`: how nodes leave and come, checked.

use crate::plan::{ArrivalKind, ChurnFile, Life, LifeShape, PlanFile, ReplaceKind, Share};
use crate::population::{Coming, Distribution, Model, Replace};
use anyhow::ensure;

/// Lives, in µs; none: nobody leaves.
pub(super) fn life(file: &ChurnFile) -> anyhow::Result<Option<Distribution>> {
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

/// How nodes come, and what happens when one has left.
pub(super) fn arrival(said: &PlanFile, model: &Model) -> anyhow::Result<(Coming, Replace)> {
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
