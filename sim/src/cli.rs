//! What can be asked for on the command line.

use crate::{close_up, compare, run};
use banyan_sim::plan::Plan;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The Banyan world: many of the cores that ship, in virtual time.
#[derive(Parser)]
#[command(name = "banyan-sim", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a plan and print its figures; ends with 1 if one misses its bar
    Run {
        #[command(flatten)]
        plan: PlanArgs,
        /// Write a page with plots, the figures as JSON and a picture of the forest to this directory
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
        /// Show no progress
        #[arg(long, short)]
        quiet: bool,
    },
    /// Print a plan with everything that it leaves open filled in
    Show {
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Say what got better or worse from report A to report B; ends with 1 if anything got worse
    Compare(compare::Options),
    /// Run a session of six full nodes and print what they saw
    CloseUp {
        /// Makes the session what it is
        #[arg(default_value_t = 1)]
        seed: u64,
        /// Print all that happened
        #[arg(long)]
        events: bool,
    },
}

#[derive(Args)]
struct PlanArgs {
    /// A TOML file, such as sim/plans/small.toml
    plan: PathBuf,
    /// Make another world of the same kind: short for --set run.seed=N
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Change one key of the plan, such as world.nodes=1000; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl PlanArgs {
    fn read(&self) -> anyhow::Result<Plan> {
        let seed = self.seed.map(|seed| format!("run.seed={seed}"));
        let settings: Vec<_> = self.settings.iter().cloned().chain(seed).collect();
        Plan::read_with(&self.plan, &settings)
    }
}

impl Cli {
    /// Does what was asked; false if the answer is "no".
    pub(crate) fn run(self) -> anyhow::Result<bool> {
        match self.verb {
            Verb::Run { plan, report, quiet } => {
                run::run(&plan.read()?, &run::Options { report, quiet })
            }
            Verb::Show { plan } => {
                print!("{}", run::show(&plan.read()?)?);
                Ok(true)
            }
            Verb::Compare(options) => compare::compare(&options),
            Verb::CloseUp { seed, events } => {
                close_up::close_up(seed, events);
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_options_are_read() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let read = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.verb);
        let run = read("banyan-sim run p.toml --seed 7 --set a=1 --set b=2 --report out --quiet");
        let Ok(Verb::Run { plan, report: Some(report), quiet: true }) = run else {
            panic!("not a run")
        };
        assert_eq!((plan.seed, plan.settings.len()), (Some(7), 2));
        assert_eq!(report, PathBuf::from("out"));
        let Ok(Verb::CloseUp { seed: 42, events: true }) = read("banyan-sim close-up 42 --events")
        else {
            panic!("not a close-up")
        };
        assert!(read("banyan-sim compare a").is_err());
        assert!(read("banyan-sim").is_err());
    }
}
