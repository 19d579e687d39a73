//! Values as people write them: "250ms", "10 min", "0.5 %".

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A stretch of time, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

/// Units of time and their µs. The first that divides a span is how it is written.
const UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// A span longer than 1000 days is a typing error, and sums stay far from overflow.
const SPAN_US_MAX: f64 = 86_400e9;

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "{text:?} is not a time: write a number and a unit, such as \"250ms\", \"2 s\" or \"10 min\""
            )
        };
        let (number, unit) = split(text).ok_or_else(expected)?;
        let unit = if unit == "µs" { "us" } else { unit };
        let (_, us) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
        let span = number * *us as f64;
        if !(0.0..=SPAN_US_MAX).contains(&span) {
            return Err(format!("{text:?} is too long: a thousand days is the most"));
        }
        Ok(Self(span.round() as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |(_, us): &&(&str, u64)| self.0.is_multiple_of(*us);
        match UNITS.iter().find(divides) {
            Some((name, us)) if self.0 > 0 => write!(f, "{} {name}", self.0 / us),
            _ => write!(f, "0 s"),
        }
    }
}

/// A share of a whole, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

impl Share {
    /// `percent` of a hundred.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self(percent * 10_000)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("{text:?} is not a share: write \"0 %\" to \"100 %\", such as \"0.5 %\"");
        let (number, unit) = split(text).ok_or_else(expected)?;
        if unit != "%" || !(0.0..=100.0).contains(&number) {
            return Err(expected());
        }
        Ok(Self((number * 10_000.0).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 10_000.0)
    }
}

/// How long nodes stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Until the end.
    Endless,
    /// This long on average.
    Mean(Span),
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "endless" {
            return Ok(Self::Endless);
        }
        text.parse().map(Self::Mean).map_err(|error: String| format!("{error}, or \"endless\""))
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endless => f.write_str("endless"),
            Self::Mean(span) => span.fmt(f),
        }
    }
}

/// The number that a text begins with, and the rest.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

/// Reads and writes a value as the text that a person would.
macro_rules! as_text {
    ($($value:ty),*) => {$(
        impl Serialize for $value {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_text!(Span, Share, Life);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_read_and_written_alike() {
        for (text, us, again) in [
            ("250ms", 250_000, "250 ms"),
            ("1.5 s", 1_500_000, "1500 ms"),
            ("10 min", 600_000_000, "10 min"),
            ("90 s", 90_000_000, "90 s"),
            ("120 min", 7_200_000_000, "2 h"),
            ("7 µs", 7, "7 us"),
            ("0 s", 0, "0 s"),
        ] {
            let span: Span = text.parse().expect(text);
            assert_eq!((span.0, span.to_string().as_str()), (us, again), "{text}");
            assert_eq!(again.parse(), Ok(span));
        }
        for bad in ["", "10", "ten min", "-1 s", "5 weeks", "1.2.3 s", "999999 h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
        for (text, ppm) in [("0.5 %", 5_000), ("100%", 1_000_000), ("0 %", 0), ("12.34 %", 123_400)]
        {
            let share: Share = text.parse().expect(text);
            assert_eq!(share.0, ppm);
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        for bad in ["", "0.5", "101 %", "-1 %", "half"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
        assert_eq!("endless".parse(), Ok(Life::Endless));
        assert_eq!("10 min".parse(), Ok(Life::Mean(Span(600_000_000))));
        assert!("for ever".parse::<Life>().expect_err("no time").contains("endless"));
    }
}
