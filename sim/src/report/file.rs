//! Reports on disk: a directory with a page, the figures and a picture.

use super::{Report, forest_svg, page};
use anyhow::{Context, bail};
use std::fs;
use std::path::Path;

/// The file of a report that [`read`] reads.
pub(super) const FIGURES: &str = "figures.json";

/// Writes `report.html`, `figures.json` and, if there is a forest, `forest.svg` into `dir`, which
/// is made if it does not exist. Files of an earlier report are replaced.
///
/// # Errors
///
/// If the directory or a file in it cannot be written; the message names it.
pub fn write(dir: &Path, report: &Report) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making the directory {}", dir.display()))?;
    let put = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    };
    let json = serde_json::to_string_pretty(report).context("writing the figures as JSON")?;
    put(FIGURES, &(json + "\n"))?;
    put("report.html", &page::html(report))?;
    match &report.forest {
        Some(forest) => put("forest.svg", &forest_svg(forest)),
        None => forget(&dir.join("forest.svg")),
    }
}

/// A picture left from an earlier run would be taken for one of this run.
fn forget(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing the old {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Reads the report at `path`: a directory that [`write()`] filled, or its `figures.json`.
///
/// # Errors
///
/// If there is no such file or it is not a report; the message says where and what to do.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let file = if path.is_dir() { path.join(FIGURES) } else { path.to_path_buf() };
    if !file.exists() {
        bail!(
            "there is no report at {}: make one with `run PLAN --report DIR`, then name DIR or \
             DIR/{FIGURES}",
            file.display()
        );
    }
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not the JSON of a report: it must be a {FIGURES} as `run --report` writes it",
            file.display()
        )
    })
}
