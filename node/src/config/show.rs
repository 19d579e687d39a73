//! Explains settings to a person: what each is, what it is now and who said so; writes
//! `banyan.toml`.
//!
//! The list of settings is read from the flags' own definitions ([`super::patch`]), so that help,
//! file and this cannot disagree.

use std::fmt::Write;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};

use super::Config;
use super::load::File;
use super::patch::{BasePatch, NodePatch, Patch, SessionPatch};
use super::resolve::Places;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key: `key` or `table.key`.
    pub key: String,
    /// Its flag, with the dashes.
    pub flag: String,
    /// Its variable.
    pub variable: String,
    /// What it is.
    pub help: String,
}

/// Who said what a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A configuration file.
    File(PathBuf),
    /// Nobody.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The tables in the order of the file; the first is the top of it.
const TABLES: [(&str, &str); 8] = [
    ("", ""),
    ("listen", "The one UDP port for everything but HTTP."),
    ("http", "The HTTP server: pages, API, WHIP and WHEP."),
    ("capacity", "What you give."),
    ("discovery", "Finding other nodes."),
    ("session", "The session `banyan publish` makes."),
    ("gateway", "Serving browsers by WebRTC."),
    ("log", "What to write to standard error."),
];

const HEADER: &str = "\
# Settings of a Banyan node. Every one has a default, shown here commented out: uncomment a line to
# change it. Each is also a flag and an environment variable; a flag wins over a variable, a
# variable over this file. Read from ~/.config/banyan/banyan.toml, or from the file that --config
# or BANYAN_CONFIG names. `banyan config check` validates it, `banyan config show --origin` says
# what is in force and why.
#
# Written by `banyan config show --default`.
";

/// Every setting, in the order of the file.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let command = BasePatch::augment_args(Command::new("banyan"));
    let command = SessionPatch::augment_args(NodePatch::augment_args(command));
    let mut settings: Vec<Setting> = command
        .get_arguments()
        .filter_map(|arg| {
            // The help of an argument without a variable is none of ours.
            let variable = arg.get_env()?.to_string_lossy().into_owned();
            let help = arg.get_long_help().or(arg.get_help())?.to_string();
            Some(Setting {
                key: arg.get_id().to_string(),
                flag: format!("--{}", arg.get_long()?),
                variable,
                help: format!("{}.", help.trim_end_matches('.')),
            })
        })
        .collect();
    settings.sort_by_key(|setting| {
        TABLES.iter().position(|(name, _)| *name == table(&setting.key).0).unwrap_or(TABLES.len())
    });
    settings
}

/// The text of `banyan.toml`: every setting explained, with its default, commented out.
#[must_use]
pub fn default_file() -> String {
    let home = Places { home: Some(PathBuf::from("~")), ..Places::default() };
    let defaults = Patch::default().resolve(&home).expect("the defaults are valid");
    let values = values(&defaults);
    let mut out = HEADER.to_owned();
    for (name, about) in TABLES {
        if !name.is_empty() {
            let _ = write!(out, "\n# {about}\n[{name}]\n");
        }
        for setting in settings().iter().filter(|setting| table(&setting.key).0 == name) {
            out.push('\n');
            for line in wrap(&setting.help, 98) {
                let _ = writeln!(out, "# {line}");
            }
            let _ = writeln!(out, "# Flag {}, variable {}.", setting.flag, setting.variable);
            let key = table(&setting.key).1;
            let _ = match value(&values, &setting.key) {
                Some(value) => writeln!(out, "#{key} = {value}"),
                None => writeln!(out, "# No default: {key}"),
            };
        }
    }
    out
}

/// The configuration in force as TOML, each line with its origin if asked for.
#[must_use]
pub fn in_force(config: &Config, origins: Option<&dyn Fn(&Setting) -> Origin>) -> String {
    let values = values(config);
    let mut out = String::new();
    for (name, _) in TABLES {
        if !name.is_empty() {
            let _ = write!(out, "\n[{name}]\n");
        }
        for setting in settings().iter().filter(|setting| table(&setting.key).0 == name) {
            let key = table(&setting.key).1;
            let mut line = match value(&values, &setting.key) {
                Some(value) => format!("{key} = {value}"),
                None => format!("# {key} is not set"),
            };
            if let Some(origin) = origins {
                line = format!("{line:<44} # {}", origin(setting));
            }
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// The configuration in force for a program: key → value and origin.
#[must_use]
pub fn as_json(config: &Config, origin: &dyn Fn(&Setting) -> Origin) -> serde_json::Value {
    let values = values(config);
    let entries = settings().into_iter().map(|setting| {
        let origin = origin(&setting).to_string();
        let entry = serde_json::json!({ "value": value(&values, &setting.key), "origin": origin });
        (setting.key, entry)
    });
    serde_json::Value::Object(entries.collect())
}

/// Who said what a setting is.
#[must_use]
pub fn origin(setting: &Setting, flags: &ArgMatches, file: &File) -> Origin {
    let known = flags.try_contains_id(&setting.key).unwrap_or(false);
    let source = known.then(|| flags.value_source(&setting.key)).flatten();
    match (source, &file.path) {
        (Some(ValueSource::CommandLine), _) => Origin::Flag(setting.flag.clone()),
        (Some(ValueSource::EnvVariable), _) => Origin::Variable(setting.variable.clone()),
        (_, Some(path)) if file.keys.contains(&setting.key) => Origin::File(path.clone()),
        _ => Origin::Default,
    }
}

fn values(config: &Config) -> toml::Table {
    toml::Table::try_from(config).expect("settings are tables of plain values")
}

fn value<'a>(values: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    match table(key) {
        ("", key) => values.get(key),
        (table, key) => values.get(table)?.get(key),
    }
}

/// The table and the name of a key.
fn table(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("", key))
}

/// Breaks a text into lines of at most `width` characters, at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
