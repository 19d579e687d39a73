//! `banyan-sim run PLAN` and `banyan-sim show PLAN`.

use banyan_sim::plan::Plan;
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
    anyhow::ensure!(
        options.report.is_none(),
        "the large world is not built yet, so there is nothing to report; leave out --report"
    );
    if !options.quiet {
        eprintln!("the large world is not built yet; this is the plan as it would run:");
    }
    print!("{}", show(plan)?);
    Ok(true)
}

/// The plan with everything that its file leaves open.
pub(crate) fn show(plan: &Plan) -> anyhow::Result<String> {
    let ratio = plan.resource_ratio();
    let head = format!("# {}\n# {}: R = {ratio:.2}\n\n", plan.about, plan.name);
    Ok(head + &plan.said.to_toml()?)
}
