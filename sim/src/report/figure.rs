//! A figure: a name, a value, which direction is better, and the bar it must reach.

use super::number;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value as it is printed: a number, or text such as a trace hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Text. (First, so that `null` is left to the number.)
    Text(String),
    /// A number, in the unit that the figure's name ends in. NaN says: nothing was measured.
    Number(#[serde(with = "number::nullable")] f64),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => f.write_str(&number::text(*value)),
            // One figure is one line, whatever a plan called it.
            Self::Text(text) => f.write_str(&text.replace(['\n', '\r'], " ")),
        }
    }
}

/// Which direction of a figure is the better one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better: delays, glitches, control bytes.
    Lower,
    /// More is better: blocks delivered.
    Higher,
    /// It only says what was: counts, the trace hash. With a bar: it must equal the bar.
    #[default]
    Neither,
}

/// One figure of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Words joined by `_`, the unit last: `overlay_p99_ms`. It never changes between versions.
    pub name: String,
    /// What was measured.
    pub value: Value,
    /// Which direction is better.
    #[serde(default)]
    pub better: Better,
    /// The value it must reach, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bar: Option<f64>,
}

/// Endings of names that are units, as a person reads them. Longest first.
const UNITS: [(&str, &str); 15] = [
    ("_bytes_per_s", "bytes/s"),
    ("_kbit_s", "kbit/s"),
    ("_mbit_s", "Mbit/s"),
    ("_bytes", "bytes"),
    ("_mbps", "Mbit/s"),
    ("_kbps", "kbit/s"),
    ("_ratio", "×"),
    ("_ppm", "ppm"),
    ("_pct", "%"),
    ("_gib", "GiB"),
    ("_mib", "MiB"),
    ("_min", "min"),
    ("_us", "µs"),
    ("_ms", "ms"),
    ("_s", "s"),
];

impl Figure {
    /// A number of which less is better.
    #[must_use]
    pub fn lower(name: impl Into<String>, value: f64) -> Self {
        Self::new(name, Value::Number(value), Better::Lower)
    }

    /// A number of which more is better.
    #[must_use]
    pub fn higher(name: impl Into<String>, value: f64) -> Self {
        Self::new(name, Value::Number(value), Better::Higher)
    }

    /// A number that only says what was.
    #[must_use]
    pub fn count(name: impl Into<String>, value: f64) -> Self {
        Self::new(name, Value::Number(value), Better::Neither)
    }

    /// Text, e.g. the trace hash.
    #[must_use]
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Value::Text(text.into()), Better::Neither)
    }

    fn new(name: impl Into<String>, value: Value, better: Better) -> Self {
        Self { name: name.into(), value, better, bar: None }
    }

    /// The same figure with the bar it must reach.
    #[must_use]
    pub fn bar(mut self, bar: f64) -> Self {
        self.bar = Some(bar);
        self
    }

    /// Whether the bar is reached; `None` without a bar. What was not measured is not met.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let bar = self.bar?;
        let Some(value) = self.value.number() else { return Some(false) };
        Some(match self.better {
            Better::Lower => value <= bar,
            Better::Higher => value >= bar,
            Better::Neither => value == bar,
        })
    }

    /// The name as words: `overlay p99`, without the unit.
    #[must_use]
    pub fn words(&self) -> String {
        self.split().0.replace('_', " ")
    }

    /// The unit the name ends in, as a person reads it; empty if it ends in none.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        self.split().1
    }

    /// The bar in words: `≤ 130 ms`.
    pub(super) fn bar_words(&self) -> Option<String> {
        let sign = match self.better {
            Better::Lower => "≤",
            Better::Higher => "≥",
            Better::Neither => "=",
        };
        let amount = with_unit(&number::spaced(self.bar?), self.unit());
        Some(format!("{sign} {amount}"))
    }

    /// The value for a reader, without its unit.
    pub(super) fn value_words(&self) -> String {
        let Some(value) = self.value.number() else { return self.value.to_string() };
        let words = number::spaced(value);
        // 130.04 beside a bar of 130 must not read as 130.
        let same = self.bar.is_some_and(|bar| bar != value && number::spaced(bar) == words);
        if same { value.to_string() } else { words }
    }

    /// The value for a reader, with its unit.
    pub(super) fn amount(&self) -> String {
        match self.value.number() {
            Some(value) if !value.is_finite() => self.value_words(),
            _ => with_unit(&self.value_words(), self.unit()),
        }
    }

    fn split(&self) -> (&str, &'static str) {
        let found =
            UNITS.iter().find_map(|(end, unit)| Some((self.name.strip_suffix(end)?, *unit)));
        // `joins_per_s` and `joins_per_node_s` read best as they stand.
        let whole =
            |stem: &str| !stem.is_empty() && !stem.ends_with("_per") && !stem.contains("_per_");
        found.filter(|(stem, _)| whole(stem)).unwrap_or((&self.name, ""))
    }
}

/// An amount and its unit; percent and factor stand close, as usual.
pub(super) fn with_unit(amount: &str, unit: &str) -> String {
    match unit {
        "" => amount.into(),
        "%" | "×" => format!("{amount}{unit}"),
        _ => format!("{amount} {unit}"),
    }
}
