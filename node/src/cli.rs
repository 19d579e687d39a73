//! The command line: which verb, with which settings.
//!
//! Flags of settings are those of [`crate::config::patch`]; the other flags belong to the verbs in
//! [`crate::cmd`]. Exit codes are those of [`crate::exit`].

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cmd;
use crate::config::load::load;
use crate::config::patch::{BasePatch, NodePatch, Patch, SESSION_HEADING, SessionPatch};
use crate::config::resolve::Places;
use crate::{exit, telemetry};

/// Live events from a camera to any number of browsers, carried by those who help.
#[derive(Debug, Parser)]
#[command(name = "banyan", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file [default: ~/.config/banyan/banyan.toml, if there is one].
    #[arg(long, env = "BANYAN_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    base: BasePatch,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  banyan demo                         see it work on this machine
  banyan publish --title \"My show\"    get an address to stream to and a link to share
  banyan up 'banyan://…'              help carry a session
  banyan watch 'banyan://…'           watch the numbers of a session
";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run six nodes on this machine and show a session in the browser.
    Demo(cmd::demo::Options),
    /// Help: carry the sessions you are invited to, until Ctrl-C.
    Up(cmd::up::Options),
    /// Make a session, or reopen it, and be its root until Ctrl-C.
    Publish(cmd::publish::Options),
    /// Take a session and print its numbers.
    Watch(cmd::watch::Options),
    /// Say what the node running on this machine does.
    Status(cmd::status::Options),
    /// Explain or check the settings.
    #[command(subcommand)]
    Config(cmd::config::Verb),
}

impl Verb {
    /// The settings said by flags and variables of this verb.
    fn settings(&self) -> (NodePatch, SessionPatch) {
        let none = SessionPatch::default();
        match self {
            Self::Demo(options) => {
                let node = NodePatch { http: options.http.clone(), ..NodePatch::default() };
                (node, none)
            }
            Self::Up(options) => (options.node.clone(), none),
            Self::Publish(options) => (options.node.clone(), options.session.clone()),
            Self::Watch(options) => (options.node.clone(), none),
            Self::Status(_) => (NodePatch::default(), none),
            Self::Config(verb) => verb.settings(),
        }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = calm(Cli::command())
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    match parsed {
        Ok((cli, matches)) => exit::report(run(cli, &matches)),
        Err(error) => {
            // A closed pipe is all that can go wrong, and then nobody reads.
            let _ = error.print();
            // clap answers 2 to what is the caller's mistake; 2 is "broken" here.
            ExitCode::from(u8::from(error.use_stderr()))
        }
    }
}

/// Keeps help short: `-h` leaves out the settings of the node, which `--help` has, and neither
/// shows what variables hold.
fn calm(command: Command) -> Command {
    let command = command.mut_subcommands(calm);
    command.mut_args(|arg| {
        let heading = arg.get_help_heading();
        let of_node = heading.is_some_and(|heading| heading != SESSION_HEADING);
        arg.hide_env_values(true).hide_short_help(of_node)
    })
}

fn run(cli: Cli, matches: &ArgMatches) -> Result<()> {
    let (node, session) = cli.verb.settings();
    let flags = Patch::from_flags(cli.base, node, session);
    let (config, file) = load(flags, cli.config.as_deref(), &Places::from_env())?;
    telemetry::init(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the worker threads")?;
    match cli.verb {
        Verb::Demo(options) => runtime.block_on(cmd::demo::run(options, config)),
        Verb::Up(options) => runtime.block_on(cmd::up::run(options, config)),
        Verb::Publish(options) => runtime.block_on(cmd::publish::run(options, config)),
        Verb::Watch(options) => runtime.block_on(cmd::watch::run(options, config)),
        Verb::Status(options) => runtime.block_on(cmd::status::run(&options, &config)),
        Verb::Config(verb) => cmd::config::run(&verb, &config, &file, innermost(matches)),
    }
}

/// What was said to the verb itself.
fn innermost(mut matches: &ArgMatches) -> &ArgMatches {
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_settings_are_heard_before_and_behind_the_verb() {
        for line in [
            ["banyan", "--data-dir", "/d", "status", "--log", "debug"],
            ["banyan", "--log", "debug", "status", "--data-dir", "/d"],
        ] {
            let cli = Cli::try_parse_from(line).expect("parses");
            assert_eq!(cli.base.data_dir, Some(PathBuf::from("/d")));
            assert_eq!(cli.base.log.filter.as_deref(), Some("debug"));
        }
    }
}
