//! `banyan-sim compare A B`.

use banyan_sim::report::{self, How};
use std::path::PathBuf;

/// What to compare, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The earlier report: its directory or figures.json
    a: PathBuf,
    /// The later report
    b: PathBuf,
    /// Changes below this many percent are noise
    #[arg(long, value_name = "PERCENT", default_value_t = How::default().threshold_pct)]
    threshold: f64,
    /// Compare although the plans differ
    #[arg(long)]
    across_plans: bool,
}

/// Prints what differs; false if anything got worse.
pub(crate) fn compare(options: &Options) -> anyhow::Result<bool> {
    let how = How { threshold_pct: options.threshold, across_plans: options.across_plans };
    let (before, after) = (report::read(&options.a)?, report::read(&options.b)?);
    let comparison = report::compare(&before, &after, how)?;
    print!("{comparison}");
    Ok(!comparison.is_worse())
}
