//! A plot as data: axes, series and marks. `chart` draws it, [`super::curve`] makes the points.

use super::number;
use serde::{Deserialize, Serialize};

/// An axis: what it shows, unit in words, and whether it is logarithmic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// What it shows and in which unit: `overlay delay, ms`.
    pub label: String,
    /// Logarithmic; points that are not above 0 are then left out.
    #[serde(default)]
    pub log: bool,
}

impl Axis {
    /// An axis with even steps.
    #[must_use]
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: false }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: true }
    }
}

/// One line, staircase or set of bars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Points in the order of x. Those that are not finite are not drawn.
    #[serde(serialize_with = "number::finite_points::serialize")]
    pub points: Vec<(f64, f64)>,
}

/// How the points are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Straight from point to point.
    #[default]
    Line,
    /// A value holds until the next point.
    Step,
    /// A bar centred on each x. Several series stand side by side.
    Bars,
}

/// A plot and the sentence that says how to read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// What it answers, in a few words.
    pub title: String,
    /// One sentence: how to read it.
    #[serde(default)]
    pub note: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// How the points are joined.
    #[serde(default)]
    pub kind: Kind,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Vertical lines with a label, such as the bar.
    #[serde(default, serialize_with = "number::finite_marks::serialize")]
    pub marks: Vec<(f64, String)>,
}

impl Plot {
    /// A plot of lines without any yet.
    #[must_use]
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, ..Self::default() }
    }

    /// The same plot with the sentence on how to read it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The same plot, its points joined otherwise.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same plot with one more series.
    #[must_use]
    pub fn series(mut self, name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        self.series.push(Series { name: name.into(), points });
        self
    }

    /// The same plot with one more vertical line.
    #[must_use]
    pub fn mark(mut self, x: f64, label: impl Into<String>) -> Self {
        self.marks.push((x, label.into()));
        self
    }
}
