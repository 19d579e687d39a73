//! Inputs as files, one each.

use std::path::Path;

use super::Target;

/// The inputs kept in a directory, by name. None if there is no such directory.
///
/// # Panics
/// If a file there cannot be read.
#[must_use]
pub fn read_corpus(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a kept input")).collect()
}

/// Writes the seeds of `target` into its directory under `directory`.
///
/// # Panics
/// If a file cannot be written.
pub fn write_seeds(directory: &Path, target: &Target) {
    let directory = directory.join(target.name);
    std::fs::create_dir_all(&directory).expect("a directory for seeds");
    for (number, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(directory.join(format!("seed-{number}")), seed).expect("writing a seed");
    }
}
