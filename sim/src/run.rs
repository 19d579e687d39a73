//! `banyan-sim run PLAN` and `banyan-sim show PLAN`.

use crate::cost;
use banyan_sim::crowd::Crowd;
use banyan_sim::plan::{Plan, PlanFile};
use banyan_sim::progress::Progress;
use banyan_sim::report::{self, Report};
use banyan_sim::trial::Summary;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How to run a plan.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write a page with plots, the figures as JSON and a picture of the forest to this directory;
    /// with --seeds, to a directory in it for each seed
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Run so many seeds one after another; print the median and the worst of each figure
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// The report of one run of a plan. An error may be a [`Violation`](banyan_sim::crowd::Violation).
pub(crate) fn simulate(plan: &Plan, quiet: bool) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut report = Crowd::new(plan)?.run(Progress::new(plan.run.duration_us, quiet))?;
    report.figures.extend(cost::figures(began.elapsed()));
    plan.judge(&mut report);
    Ok(report)
}

/// Runs `plan`, prints its figures, writes its report; false if a figure misses its bar.
/// `words` are the words of the command line that make this plan.
pub(crate) fn run(
    plan: &Plan,
    path: &Path,
    words: &str,
    options: &Options,
) -> anyhow::Result<bool> {
    let mut reports = Vec::new();
    let mut all_met = true;
    for nth in 0..options.seeds {
        let mut plan = plan.clone();
        if nth > 0 {
            let seed = plan.run.seed.wrapping_add(nth) & i64::MAX as u64; // as TOML can write it
            let file = PlanFile { run: reseeded(&plan, seed), ..plan.said.clone() };
            plan = Plan { about: plan.about, ..Plan::resolve(&plan.name, &file, path.parent())? };
        }
        if options.seeds > 1 && !options.quiet {
            eprintln!("seed {}, {} of {}", plan.run.seed, nth + 1, options.seeds);
        }
        let report = simulate(&plan, options.quiet)?;
        if options.seeds == 1 {
            print!("{}", report.lines());
        }
        if let Some(dir) = &options.report {
            let dir = match options.seeds {
                1 => dir.clone(),
                _ => dir.join(format!("seed-{}", plan.run.seed)),
            };
            report::write(&dir, &report)?;
        }
        all_met &= say_missed(&report, words);
        reports.push(report);
    }
    if options.seeds > 1 {
        print!("{}", Summary::new(&reports));
    }
    Ok(all_met)
}

/// Says what missed its bar and how to look into it; true if nothing did.
fn say_missed(report: &Report, words: &str) -> bool {
    let missed = report.missed();
    for figure in &missed {
        eprintln!("missed: {}={}", figure.name, figure.value);
    }
    if let Some(first) = missed.first() {
        let sim = "cargo run --release -p banyan-sim --";
        let seed = report.seed;
        eprintln!("run again: {sim} run {words} --seed {seed}");
        eprintln!("shrink it: {sim} shrink {words} --seed {seed} --figure {}", first.name);
    }
    missed.is_empty()
}

fn reseeded(plan: &Plan, seed: u64) -> banyan_sim::plan::RunFile {
    banyan_sim::plan::RunFile { seed, ..plan.said.run.clone() }
}

/// The plan with everything that its file leaves open.
pub(crate) fn show(plan: &Plan) -> anyhow::Result<String> {
    let ratio = plan.resource_ratio();
    let head = format!("# {}\n# {}: R = {ratio:.2}\n\n", plan.about, plan.name);
    Ok(head + &plan.said.to_toml()?)
}
