//! What can be asked for on the command line.

use crate::{close_up, compare, run, trials};
use banyan_sim::plan::Plan;
use banyan_sim::report::write_index;
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
        #[command(flatten)]
        options: run::Options,
    },
    /// Find the smallest value of a key with which a plan meets its needs; ends with 1 if none does
    Search {
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        options: trials::SearchOptions,
    },
    /// Make a plan that misses a figure smaller, as long as it still misses, and print it as TOML
    Shrink {
        #[command(flatten)]
        plan: PlanArgs,
        #[command(flatten)]
        options: trials::ShrinkOptions,
    },
    /// Write a page over all reports in the directories of DIR: every figure against its bar
    Index {
        /// The directory above the reports
        dir: PathBuf,
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

    /// The words that make this plan again, but for the seed.
    fn words(&self) -> String {
        let mut words = quoted(&self.plan.to_string_lossy());
        for setting in &self.settings {
            words += &format!(" --set {}", quoted(setting));
        }
        words
    }
}

/// `word` as one word of a shell command.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

impl Cli {
    /// Does what was asked; false if the answer is "no".
    pub(crate) fn run(self) -> anyhow::Result<bool> {
        match self.verb {
            Verb::Run { plan, options } => {
                run::run(&plan.read()?, &plan.plan, &plan.words(), &options)
            }
            Verb::Search { plan, options } => trials::search(&plan.read()?, &plan.plan, &options),
            Verb::Shrink { plan, options } => {
                trials::shrink_plan(&plan.read()?, &plan.plan, &options)
            }
            Verb::Index { dir } => {
                let reports = write_index(&dir)?;
                println!("{} reports: {}", reports.len(), dir.join("index.html").display());
                let missed = reports.iter().flat_map(|(name, report)| {
                    report.missed().into_iter().map(move |figure| (name, figure))
                });
                for (name, figure) in missed {
                    println!("missed: {name} {}={}", figure.name, figure.value);
                }
                Ok(true)
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
        let Ok(Verb::Run { plan, options: run::Options { report, seeds: 1, quiet: true } }) = run
        else {
            panic!("not a run")
        };
        assert_eq!((plan.seed, plan.settings.len()), (Some(7), 2));
        assert_eq!(report, Some(PathBuf::from("out")));
        assert_eq!(plan.words(), "p.toml --set a=1 --set b=2");
        let search = "banyan-sim search p.toml --key world.resource_ratio --from 1.2 --to 3 \
                      --need unserved_nodes<=0 --need overlay_p99_ms<=150";
        assert!(matches!(read(search), Ok(Verb::Search { .. })));
        assert!(read("banyan-sim search p.toml --key a --from 1 --to 3 --need b").is_err());
        assert!(matches!(read("banyan-sim shrink p.toml --figure a"), Ok(Verb::Shrink { .. })));
        assert!(matches!(read("banyan-sim shrink p.toml --rule"), Ok(Verb::Shrink { .. })));
        assert!(read("banyan-sim run p.toml --seeds 0").is_err());
        let Ok(Verb::CloseUp { seed: 42, events: true }) = read("banyan-sim close-up 42 --events")
        else {
            panic!("not a close-up")
        };
        assert!(read("banyan-sim compare a").is_err());
        assert!(read("banyan-sim").is_err());
    }
}
