//! What a run says to people: one page, one file of figures, one picture, one comparison.
//!
//! Pure functions of data; nothing here simulates. A run fills a [`Report`]; then
//! - [`Report::lines`] are the `name=value` lines of standard output,
//! - [`write()`] puts `report.html`, `figures.json` and `forest.svg` into a directory,
//! - [`write_index`] puts a page over many of these,
//! - [`read`] and [`compare`] say what got better or worse between two runs.
//!
//! Reading order: [`Figure`], [`Plot`] and [`curve`] (from samples to points), [`ForestPicture`].
//! Whatever comes from a plan (names, labels, places) is escaped where it is drawn.
//!
//! ```
//! use banyan_sim::report::{Figure, Report};
//!
//! let mut report = Report::new("reference-10k", 1, "Ten thousand nodes on one continent.");
//! report.figures.push(Figure::lower("overlay_p99_ms", 141.25).bar(130.0));
//! assert_eq!(report.lines(), "overlay_p99_ms=141.25\n");
//! assert_eq!(report.missed()[0].name, "overlay_p99_ms");
//! ```

mod chart;
mod compare;
pub mod curve;
mod figure;
mod file;
mod forest;
mod index;
mod markup;
mod number;
mod page;
mod picture;
mod plot;
mod scale;

pub use compare::{Change, Comparison, How, compare};
pub use figure::{Better, Figure, Value};
pub use file::{read, write};
pub use forest::forest_svg;
pub use index::write_index;
pub use picture::{ForestPicture, TreeNode};
pub use plot::{Axis, Kind, Plot, Series};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that a run has to say. As JSON it is `figures.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The plan's name, e.g. `reference-10k`: the file under `sim/plans/` without its ending.
    pub plan: String,
    /// The seed that makes this world again.
    pub seed: u64,
    /// One or two sentences: what this plan tries.
    #[serde(default)]
    pub about: String,
    /// The settings of the run as a person would write them, units included.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// The figures, the most important first.
    pub figures: Vec<Figure>,
    /// The plots, in the order they are shown.
    #[serde(default)]
    pub plots: Vec<Plot>,
    /// A tree of the forest, to be drawn.
    #[serde(default)]
    pub forest: Option<ForestPicture>,
}

impl Report {
    /// A report without figures yet.
    #[must_use]
    pub fn new(plan: impl Into<String>, seed: u64, about: impl Into<String>) -> Self {
        Self { plan: plan.into(), seed, about: about.into(), ..Self::default() }
    }

    /// The figures as `name=value` lines for standard output, each ended by a newline.
    #[must_use]
    pub fn lines(&self) -> String {
        self.figures.iter().map(|figure| format!("{}={}\n", figure.name, figure.value)).collect()
    }

    /// The figures that have a bar and do not reach it.
    #[must_use]
    pub fn missed(&self) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.met() == Some(false)).collect()
    }

    /// The figure called `name`.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// The command that makes this run again, from the top of the repository.
    #[must_use]
    pub fn command(&self) -> String {
        let plan = markup::shell_word(&format!("sim/plans/{}.toml", self.plan));
        format!("cargo run --release -p banyan-sim -- run {plan} --seed {}", self.seed)
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
