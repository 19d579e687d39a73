//! What must hold of a run for it to count: `overlay_p99_ms<=150`.

use crate::plan::Bar;
use crate::report::Report;
use std::fmt;
use std::str::FromStr;

/// A figure and what it must reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The figure's name.
    pub figure: String,
    /// What it must reach.
    pub bar: Bar,
}

impl Need {
    /// Whether a run reaches it. A figure that there is not, or that is no number, does not.
    #[must_use]
    pub fn met(&self, report: &Report) -> bool {
        let value = report.figure(&self.figure).and_then(|figure| figure.value.number());
        value.is_some_and(|value| self.bar.met(value))
    }
}

impl FromStr for Need {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = || format!("{text:?} is not a need: write \"overlay_p99_ms<=150\"");
        let at = text.find(['<', '>']).ok_or_else(example)?;
        let (figure, bar) = text.split_at(at);
        let figure = figure.trim();
        if figure.is_empty() {
            return Err(example());
        }
        Ok(Self { figure: figure.to_owned(), bar: bar.parse()? })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.figure, self.bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    #[test]
    fn needs_are_read_and_met() {
        let need: Need = "delay_ms <= 150".parse().expect("a need");
        assert_eq!(need.to_string(), "delay_ms <= 150");
        let mut report = Report::new("p", 1, "");
        assert!(!need.met(&report), "not measured");
        for (value, met) in [(150.0, true), (150.5, false), (f64::NAN, false)] {
            report.figures = vec![Figure::lower("delay_ms", value)];
            assert_eq!(need.met(&report), met);
        }
        for bad in ["", "delay_ms", "<=5", "delay_ms<5", "delay_ms<=many"] {
            assert!(bad.parse::<Need>().is_err(), "{bad}");
        }
    }
}
