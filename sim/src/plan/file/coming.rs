//! `[churn]` and `[arrival]`: how nodes leave and come.

use crate::plan::value::{Life, Share, Span};
use serde::{Deserialize, Serialize};

/// `[churn]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChurnFile {
    /// Mean life of those that are not short; or "endless". Spec: 10 min.
    pub mean_life: Life,
    /// How lives are spread. Guess: exponential.
    pub shape: LifeShape,
    /// Nodes that stay very short. Guess: none; studies of live viewers see 20 %.
    pub short_share: Share,
    /// How long those stay on average, exponentially. Guess: 30 s.
    pub short_life: Span,
    /// Of the nodes that leave, those that do so without a word. Spec: all.
    pub abrupt: Share,
}

impl Default for ChurnFile {
    fn default() -> Self {
        Self {
            mean_life: Life::Mean(Span(600_000_000)),
            shape: LifeShape::Exponential,
            short_share: Share::percent(0),
            short_life: Span(30_000_000),
            abrupt: Share::percent(100),
        }
    }
}

/// How lives are spread about their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LifeShape {
    /// All alike.
    Constant,
    /// Without age.
    Exponential,
    /// With σ = 1: the median is 0.61 of the mean.
    Lognormal,
    /// With α = 2: the shortest is half of the mean, few are very long.
    Pareto,
}

/// `[arrival]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArrivalFile {
    /// How the first nodes come: "start", "flash" or "poisson". "start".
    pub kind: ArrivalKind,
    /// When a flash crowd begins. Guess: 5 s, when the seeds are in place.
    pub at: Span,
    /// Time in which all come. Guess: 10 s.
    pub within: Span,
    /// Nodes that are there from the start, before a flash crowd. Guess: 20.
    pub seeds: u32,
    /// What happens when one has left: "each", "rate" or "none". "each".
    pub replace: ReplaceKind,
}

impl Default for ArrivalFile {
    fn default() -> Self {
        Self {
            kind: ArrivalKind::Start,
            at: Span(5_000_000),
            within: Span(10_000_000),
            seeds: 20,
            replace: ReplaceKind::Each,
        }
    }
}

/// How the first nodes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalKind {
    /// All from time 0, steadily over `within`.
    Start,
    /// `seeds` at time 0, the others steadily over `within` from `at`.
    Flash,
    /// Each by itself, so many on average in `within`.
    Poisson,
}

/// What happens when a node has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplaceKind {
    /// A new one comes for it.
    Each,
    /// New ones come by themselves, as many as leave on average.
    Rate,
    /// Nothing.
    None,
}
