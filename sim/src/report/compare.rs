//! What got better or worse between two runs of a plan.

use super::{Better, Figure, Report, Value, number};
use anyhow::bail;
use std::cmp::Ordering;
use std::fmt;

/// How two reports are compared.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Changes below this many percent are noise. 1 unless said otherwise.
    pub threshold_pct: f64,
    /// Compare although the plans differ.
    pub across_plans: bool,
}

impl Default for How {
    fn default() -> Self {
        Self { threshold_pct: 1.0, across_plans: false }
    }
}

/// A figure that two runs have and that differs.
#[derive(Clone, Debug)]
pub struct Change {
    /// The figure of the earlier run.
    pub before: Figure,
    /// The figure of the later run.
    pub after: Figure,
    /// By how many percent the value went up; infinite from 0 or between what is no number.
    pub pct: f64,
}

/// What [`compare`] found. Its `Display` is the text for a terminal.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Figures that got worse, the worst first. A bar newly missed is the worst of all.
    pub worse: Vec<Change>,
    /// Figures that got better, the most first.
    pub better: Vec<Change>,
    /// Figures that changed and have no better direction, e.g. the trace hash.
    pub other: Vec<Change>,
    /// How many figures did not change by the threshold.
    pub same: usize,
    /// Names of figures that only the earlier run has.
    pub gone: Vec<String>,
    /// Names of figures that only the later run has.
    pub new: Vec<String>,
    header: String,
    threshold_pct: f64,
}

/// Compares an earlier report with a later one.
///
/// # Errors
///
/// If they are of different plans and `how` does not allow it.
pub fn compare(before: &Report, after: &Report, how: How) -> anyhow::Result<Comparison> {
    if before.plan != after.plan && !how.across_plans {
        bail!(
            "these are runs of different plans, {:?} and {:?}: their figures do not compare. \
             Compare two runs of one plan, or say that plans may differ",
            before.plan,
            after.plan
        );
    }
    let mut found = Comparison {
        header: header(before, after),
        threshold_pct: how.threshold_pct,
        ..Comparison::default()
    };
    for old in &before.figures {
        match after.figure(&old.name) {
            Some(new) => found.add(old, new),
            None => found.gone.push(old.name.clone()),
        }
    }
    let missing = after.figures.iter().filter(|figure| before.figure(&figure.name).is_none());
    found.new.extend(missing.map(|figure| figure.name.clone()));
    found.worse.sort_by(Change::by_weight);
    found.better.sort_by(Change::by_weight);
    Ok(found)
}

impl Comparison {
    /// Whether any figure got worse.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        !self.worse.is_empty()
    }

    fn add(&mut self, before: &Figure, after: &Figure) {
        let pct = change_pct(&before.value, &after.value);
        let change = Change { before: before.clone(), after: after.clone(), pct };
        let crossed = change.newly_missed() || change.newly_met();
        if !crossed && (pct == 0.0 || pct.abs() < self.threshold_pct) {
            self.same += 1;
            return;
        }
        match change.is_worse() {
            Some(true) => self.worse.push(change),
            Some(false) => self.better.push(change),
            None => self.other.push(change),
        }
    }
}

impl Change {
    /// Whether it got worse; `None` if the figure has no better direction.
    fn is_worse(&self) -> Option<bool> {
        if self.newly_missed() || self.newly_met() {
            return Some(self.newly_missed());
        }
        let nothing = |figure: &Figure| figure.value.number().is_none_or(f64::is_nan);
        if self.after.better == Better::Neither {
            return None;
        }
        match (nothing(&self.before), nothing(&self.after)) {
            // A measure lost is worse, one found is better.
            (false, true) => Some(true),
            (true, false) => Some(false),
            (true, true) => None,
            (false, false) => Some((self.pct > 0.0) == (self.after.better == Better::Lower)),
        }
    }

    fn newly_missed(&self) -> bool {
        self.after.met() == Some(false) && self.before.met() != Some(false)
    }

    fn newly_met(&self) -> bool {
        self.after.met() == Some(true) && self.before.met() == Some(false)
    }

    /// The gravest first: bars crossed, then by percent, then by name so that it is one order.
    fn by_weight(&self, other: &Self) -> Ordering {
        let crossed = |change: &Self| change.newly_missed() || change.newly_met();
        crossed(other)
            .cmp(&crossed(self))
            .then(other.pct.abs().total_cmp(&self.pct.abs()))
            .then_with(|| self.after.name.cmp(&other.after.name))
    }

    /// `141 → 128 ms`, `-13 (-9.2 %)` and what it means for the bar, as four columns.
    fn columns(&self) -> [String; 4] {
        let values = format!("{} → {}", self.before.value_words(), self.after.amount());
        let by = match (self.before.value.number(), self.after.value.number()) {
            (Some(a), Some(b)) if (b - a).is_finite() && self.pct.is_finite() => {
                format!("{} ({:+.1} %)", signed(b - a), self.pct)
            }
            (Some(a), Some(b)) if (b - a).is_finite() => signed(b - a),
            _ => String::new(),
        };
        let bar = match self.after.bar_words() {
            Some(bar) if self.newly_missed() => format!("now misses its bar {bar}"),
            Some(bar) if self.newly_met() => format!("now meets its bar {bar}"),
            Some(bar) if self.after.met() == Some(false) => format!("misses its bar {bar}"),
            Some(bar) => format!("bar {bar}"),
            None => String::new(),
        };
        [self.after.name.clone(), values, by, bar]
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.header)?;
        for (title, changes) in
            [("worse", &self.worse), ("better", &self.better), ("changed", &self.other)]
        {
            if !changes.is_empty() {
                write!(f, "\n{title} ({})\n{}", changes.len(), table(changes))?;
            }
        }
        for (title, names) in
            [("only in the earlier", &self.gone), ("only in the later", &self.new)]
        {
            if !names.is_empty() {
                write!(f, "\n{title}\n  {}\n", names.join("\n  "))?;
            }
        }
        let threshold = number::text(self.threshold_pct);
        write!(f, "\nsame within {threshold} %: {}\n", count(self.same, "figure"))
    }
}

/// What is compared: one line, and what differs in how the runs were made.
fn header(before: &Report, after: &Report) -> String {
    let mut text = if before.plan == after.plan {
        format!("{}, seed {} → {}\n", after.plan, before.seed, after.seed)
    } else {
        format!("{} seed {} → {} seed {}\n", before.plan, before.seed, after.plan, after.seed)
    };
    let keys = before.config.keys().chain(after.config.keys());
    let keys: std::collections::BTreeSet<_> = keys.collect();
    for key in keys {
        let (old, new) = (before.config.get(key), after.config.get(key));
        if old != new {
            let word = |value: Option<&String>| value.map_or("(unset)".into(), String::clone);
            text += &format!("  config {key}: {} → {}\n", word(old), word(new));
        }
    }
    text
}

/// Rows in columns, two spaces between them.
fn table(changes: &[Change]) -> String {
    let rows: Vec<_> = changes.iter().map(Change::columns).collect();
    let length = |text: &String| text.chars().count();
    let widths: Vec<_> =
        (0..4).map(|i| rows.iter().map(|row| length(&row[i])).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("  {cell:<width$}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// By how many percent of `before` the value went up.
fn change_pct(before: &Value, after: &Value) -> f64 {
    let (Value::Number(a), Value::Number(b)) = (before, after) else {
        return if before == after { 0.0 } else { f64::INFINITY };
    };
    if a == b || (a.is_nan() && b.is_nan()) {
        0.0
    } else if *a == 0.0 || !(b - a).is_finite() {
        if b < a { f64::NEG_INFINITY } else { f64::INFINITY }
    } else {
        (b - a) / a.abs() * 100.0
    }
}

fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number::spaced(value))
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
