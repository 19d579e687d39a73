//! Reads `banyan.toml`, and puts flags, variables and file together.

use std::path::{Path, PathBuf};

use super::Config;
use super::patch::Patch;
use super::resolve::Places;
use crate::exit::Refusal;

/// Longest configuration file, bytes. Guess: hundreds of times the shipped one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A configuration file as read.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Where it is; absent when there is none.
    pub path: Option<PathBuf>,
    /// What it says.
    pub patch: Patch,
    /// The keys it sets, as `table.key`.
    pub keys: Vec<String>,
}

/// Reads the file named, or the user's if there is one.
///
/// # Errors
/// The named file is missing, or any file is not what it should be.
pub fn file(named: Option<&Path>, places: &Places) -> Result<File, Refusal> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => match places.config_file().filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(File::default()),
        },
    };
    let unreadable = |why: &dyn std::fmt::Display| {
        Refusal::new(format!("cannot read the configuration file {}: {why}", path.display()))
            .next("check the name, or start without --config: every setting has a default")
    };
    let size = std::fs::metadata(&path).map_err(|e| unreadable(&e))?.len();
    if size > FILE_BYTES_MAX {
        return Err(unreadable(&format!("it is {size} bytes long")));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&e))?;
    let (patch, keys) = parse(&text).map_err(|(line, why)| {
        Refusal::new(format!("{}, line {line}: {why}", path.display()))
            .means("the configuration file is not used, and nothing was started")
            .next("correct the line; `banyan config show --default` prints every key")
    })?;
    Ok(File { path: Some(path), patch, keys })
}

/// Reads the text of a configuration file: what it says, and which keys it sets.
///
/// # Errors
/// The line, and what is wrong there.
pub fn parse(text: &str) -> Result<(Patch, Vec<String>), (usize, String)> {
    let patch: Patch = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        let why = error.message().trim().replace("unknown field", "unknown key");
        (line, why.lines().collect::<Vec<_>>().join("; "))
    })?;
    let table: toml::Table = toml::from_str(text).map_err(|e| (1, e.message().to_owned()))?;
    let mut keys = Vec::new();
    for (name, value) in &table {
        match value {
            toml::Value::Table(inner) => keys.extend(inner.keys().map(|k| format!("{name}.{k}"))),
            _ => keys.push(name.clone()),
        }
    }
    Ok((patch, keys))
}

/// Flags and variables over the file over the defaults.
///
/// # Errors
/// As [`file`] and [`Patch::resolve`].
pub fn load(
    flags: Patch,
    named: Option<&Path>,
    places: &Places,
) -> Result<(Config, File), Refusal> {
    let file = file(named, places)?;
    let config = flags.over(file.patch.clone()).resolve(places)?;
    Ok((config, file))
}
