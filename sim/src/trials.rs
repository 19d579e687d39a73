//! `banyan-sim search` and `banyan-sim shrink`: many runs of a plan for one answer.

use crate::run::simulate;
use anyhow::{Context as _, bail, ensure};
use banyan_sim::crowd::Violation;
use banyan_sim::plan::{Plan, PlanFile};
use banyan_sim::trial::{Need, shrink, smallest};
use std::fmt;
use std::path::Path;

/// What to search.
#[derive(clap::Args)]
pub(crate) struct SearchOptions {
    /// The key whose smallest value is wanted, such as world.resource_ratio
    #[arg(long)]
    key: String,
    /// The smallest value to try
    #[arg(long)]
    from: f64,
    /// The largest value to try
    #[arg(long)]
    to: f64,
    /// How close to come
    #[arg(long, default_value_t = 0.05)]
    step: f64,
    /// What must hold, such as 'unserved_nodes<=0'; may be given several times. The plan's bars if
    /// left out
    #[arg(long = "need", value_name = "FIGURE<=N")]
    needs: Vec<Need>,
}

/// Finds the smallest value of a key with which all needs are met; false if none is.
pub(crate) fn search(plan: &Plan, path: &Path, options: &SearchOptions) -> anyhow::Result<bool> {
    let SearchOptions { key, from, to, step, .. } = options;
    ensure!(from <= to && *step > 0.0, "--from {from} --to {to} --step {step}: nothing to search");
    let mut needs = options.needs.clone();
    if needs.is_empty() {
        let bars = plan.bars.iter();
        needs.extend(bars.map(|(figure, bar)| Need { figure: figure.clone(), bar: *bar }));
    }
    ensure!(!needs.is_empty(), "{} has no bars: say what must hold by --need", plan.name);
    let found = smallest(*from, *to, *step, |value| -> anyhow::Result<bool> {
        let mut file = plan.said.clone();
        file.set(key, &format!("{value:?}"))?;
        let report = simulate(&Plan::resolve(&plan.name, &file, path.parent())?, true)?;
        let met = needs.iter().all(|need| need.met(&report));
        let seen = needs.iter().map(|need| match report.figure(&need.figure) {
            Some(figure) => format!("{}={}", figure.name, figure.value),
            None => format!("{}=not measured", need.figure),
        });
        let seen = seen.collect::<Vec<_>>().join(" ");
        eprintln!("{key}={value:.4}: {} ({seen})", if met { "enough" } else { "too little" });
        Ok(met)
    })?;
    match found {
        Some(value) => println!("smallest_{}={value:.4}", key.replace('.', "_")),
        None => println!("smallest_{}=none to {to}", key.replace('.', "_")),
    }
    Ok(found.is_some())
}

/// What fails.
#[derive(clap::Args)]
pub(crate) struct ShrinkOptions {
    /// The figure that misses its bar in the plan
    #[arg(long)]
    figure: Option<String>,
    /// Or what does not hold, such as 'overlay_p99_ms<=150'
    #[arg(long, value_name = "FIGURE<=N")]
    need: Option<Need>,
    /// Or that a rule of the forest is broken, whichever it is
    #[arg(long)]
    rule: bool,
}

/// What a smaller plan must still show.
enum Failure {
    /// A figure that is not what it must be.
    Missed(Need),
    /// A broken rule of the forest.
    Broken,
}

/// Prints a smaller plan that misses the same; false if the plan does not miss it at all.
pub(crate) fn shrink_plan(
    plan: &Plan,
    path: &Path,
    options: &ShrinkOptions,
) -> anyhow::Result<bool> {
    let failure = failure(plan, options)?;
    let fails = |file: &PlanFile| {
        // A plan that cannot be, such as a fault after its end, does not fail.
        let Ok(plan) = Plan::resolve(&plan.name, file, path.parent()) else { return false };
        let fails = match (&failure, simulate(&plan, true)) {
            (Failure::Broken, Err(error)) => error.downcast_ref::<Violation>().is_some(),
            (Failure::Missed(need), Ok(report)) => {
                // One that is too small to measure anything does not fail either.
                let value = report.figure(&need.figure).and_then(|figure| figure.value.number());
                value.is_some_and(f64::is_finite) && !need.met(&report)
            }
            _ => false,
        };
        let (nodes, duration, faults) = (file.world.nodes, file.run.duration, file.fault.len());
        let verdict = if fails { "still fails" } else { "passes" };
        eprintln!("{nodes} nodes, {duration}, {faults} faults: {verdict}");
        fails
    };
    if !fails(&plan.said) {
        eprintln!("{}, seed {}, does not fail: {failure}", plan.name, plan.run.seed);
        return Ok(false);
    }
    let mut small = shrink(&plan.said, fails);
    small.bars.clear();
    if let Failure::Missed(need) = &failure {
        small.bars.insert(need.figure.clone(), need.bar);
    }
    println!("# {}, seed {}, shrunk; what fails: {failure}\n", plan.name, plan.run.seed);
    print!("{}", small.to_toml()?);
    Ok(true)
}

fn failure(plan: &Plan, options: &ShrinkOptions) -> anyhow::Result<Failure> {
    match (&options.need, &options.figure, options.rule) {
        (Some(need), None, false) => Ok(Failure::Missed(need.clone())),
        (None, Some(figure), false) => {
            let bar = plan.bars.get(figure).with_context(|| {
                format!("{} has no bar for {figure}: say --need '{figure}<=N'", plan.name)
            })?;
            Ok(Failure::Missed(Need { figure: figure.clone(), bar: *bar }))
        }
        (None, None, true) => Ok(Failure::Broken),
        _ => bail!("say one of --figure NAME, --need 'NAME<=N' and --rule"),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed(need) => write!(f, "{need}"),
            Self::Broken => f.write_str("a rule of the forest is broken"),
        }
    }
}
