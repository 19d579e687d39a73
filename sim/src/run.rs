//! `banyan-sim run PLAN` and `banyan-sim show PLAN`.

use banyan_sim::crowd::Crowd;
use banyan_sim::plan::Plan;
use banyan_sim::progress::Progress;
use std::path::PathBuf;

/// How to run a plan.
pub(crate) struct Options {
    /// Where the report goes, if anywhere.
    pub(crate) report: Option<PathBuf>,
    /// Whether to show no progress.
    pub(crate) quiet: bool,
}

/// Runs `plan`, prints its figures, writes its report; false if a figure misses its bar.
pub(crate) fn run(plan: &Plan, options: &Options) -> anyhow::Result<bool> {
    let mut crowd = Crowd::new(plan)?;
    let report = crowd.run(Progress::new(plan.run.duration_us, options.quiet))?;
    print!("{}", report.lines());
    if let Some(dir) = &options.report {
        banyan_sim::report::write(dir, &report)?;
    }
    let missed = report.missed();
    for figure in &missed {
        eprintln!("missed: {}={}", figure.name, figure.value);
    }
    if !missed.is_empty() {
        eprintln!("run again: {}", report.command());
    }
    Ok(missed.is_empty())
}

/// The plan with everything that its file leaves open.
pub(crate) fn show(plan: &Plan) -> anyhow::Result<String> {
    let ratio = plan.resource_ratio();
    let head = format!("# {}\n# {}: R = {ratio:.2}\n\n", plan.about, plan.name);
    Ok(head + &plan.said.to_toml()?)
}
