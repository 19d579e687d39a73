//! `banyan config`: explains and checks the settings.

use anyhow::Result;
use clap::ArgMatches;

use super::out;
use crate::config::Config;
use crate::config::load::File;
use crate::config::patch::{NodePatch, SessionPatch};
use crate::config::show;

/// The verbs of `config`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Verb {
    /// Print the settings in force.
    Show(ShowOptions),
    /// Check flags, variables and file without starting anything.
    Check(Settings),
}

/// Flags of `config show`.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowOptions {
    /// Print a file with every setting explained and its default, instead.
    #[arg(long, conflicts_with_all = ["origin", "json"])]
    pub default: bool,
    /// Say who said what: flag, variable, file or nobody.
    #[arg(long)]
    pub origin: bool,
    /// Print JSON, with origins.
    #[arg(long)]
    pub json: bool,
    /// All settings, to see their effect.
    #[command(flatten)]
    pub settings: Settings,
}

/// All settings.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// The session's settings.
    #[command(flatten)]
    pub session: SessionPatch,
    /// The node's settings.
    #[command(flatten)]
    pub node: NodePatch,
}

impl Verb {
    /// What was said to this verb.
    #[must_use]
    pub fn settings(&self) -> (NodePatch, SessionPatch) {
        let settings = match self {
            Self::Show(options) => &options.settings,
            Self::Check(settings) => settings,
        };
        (settings.node.clone(), settings.session.clone())
    }
}

/// Prints what was asked for. `flags` are the verb's own.
///
/// # Errors
/// Standard output is closed.
pub fn run(verb: &Verb, config: &Config, file: &File, flags: &ArgMatches) -> Result<()> {
    let origin = |setting: &show::Setting| show::origin(setting, flags, file);
    match verb {
        Verb::Check(_) => {
            let from = match &file.path {
                Some(path) => path.display().to_string(),
                None => "no configuration file".to_owned(),
            };
            out::text(&format!("The settings are sound ({from}).\n"))?;
        }
        Verb::Show(options) if options.default => out::text(&show::default_file())?,
        Verb::Show(options) if options.json => out::json(&show::as_json(config, &origin))?,
        Verb::Show(options) => {
            let origin = options.origin.then_some(&origin as &dyn Fn(&_) -> _);
            out::text(&show::in_force(config, origin))?;
        }
    }
    Ok(())
}
