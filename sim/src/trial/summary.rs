//! Several runs of a plan that differ in their seed: the usual and the worst of each figure.

use crate::report::{Better, Report, Value, curve};
use std::fmt;

/// One figure over all runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The median; NaN if no run has a number for it.
    pub median: f64,
    /// The worst value and the seed of its run; `None` if the figure has no better direction. A run
    /// that measured nothing is the worst of all.
    pub worst: Option<(f64, u64)>,
}

/// Several runs. Its `Display` is a line for each figure: `name=median worst=… seed=…`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// In the order of the first run's figures.
    pub rows: Vec<Row>,
}

impl Summary {
    /// Of these runs of one plan.
    #[must_use]
    pub fn new(reports: &[Report]) -> Self {
        let figures = reports.first().map(|report| report.figures.as_slice()).unwrap_or_default();
        let numbers = figures.iter().filter(|figure| matches!(figure.value, Value::Number(_)));
        let rows = numbers.map(|figure| {
            let value = |report: &Report| {
                report.figure(&figure.name).and_then(|f| f.value.number()).unwrap_or(f64::NAN)
            };
            let values: Vec<_> =
                reports.iter().map(|report| (value(report), report.seed)).collect();
            let badness = |value: f64| match figure.better {
                _ if value.is_nan() => f64::INFINITY,
                Better::Higher => -value,
                Better::Lower | Better::Neither => value,
            };
            let worst = values.iter().copied().max_by(|a, b| badness(a.0).total_cmp(&badness(b.0)));
            Row {
                name: figure.name.clone(),
                median: curve::quantile(&values.iter().map(|v| v.0).collect::<Vec<_>>(), 0.5),
                worst: worst.filter(|_| figure.better != Better::Neither),
            }
        });
        Self { rows: rows.collect() }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { name, median, worst } in &self.rows {
            write!(f, "{name}={}", Value::Number(*median))?;
            if let Some((value, seed)) = worst {
                write!(f, " worst={} seed={seed}", Value::Number(*value))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    #[test]
    fn the_worst_is_the_largest_or_the_smallest_and_nothing_is_worse() {
        let runs = [(1, 90.0, 99.0), (2, 120.0, 98.0), (3, 100.0, f64::NAN)];
        let reports = runs.map(|(seed, delay, served)| {
            let mut report = Report::new("p", seed, "");
            report.figures.push(Figure::lower("delay_ms", delay));
            report.figures.push(Figure::higher("served_pct", served));
            report.figures.push(Figure::count("joins", delay));
            report.figures.push(Figure::text("trace_hash", "ab"));
            report
        });
        let text = Summary::new(&reports).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "delay_ms=100 worst=120 seed=2");
        assert!(lines[1].starts_with("served_pct=98 worst=") && lines[1].ends_with("seed=3"));
        assert_eq!(lines[2..], ["joins=100"]);
        assert_eq!(Summary::new(&[]), Summary::default());
    }
}
