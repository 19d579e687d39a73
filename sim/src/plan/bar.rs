//! What a figure must reach.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A bound for a figure: `130` or `"<= 130"` is the most it may be, `">= 5"` the least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// The figure may be this or less.
    AtMost(f64),
    /// The figure may be this or more.
    AtLeast(f64),
}

impl Bar {
    /// Whether `figure` reaches it. What is not a number reaches nothing.
    #[must_use]
    pub fn met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "<= {bound}"),
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
        }
    }
}

impl FromStr for Bar {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (bar, number): (fn(f64) -> Self, _) = match text.trim().split_at_checked(2) {
            Some(("<=", number)) => (Self::AtMost, number),
            Some((">=", number)) => (Self::AtLeast, number),
            _ => (Self::AtMost, text),
        };
        match number.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(bar(number)),
            _ => Err(format!(
                "{text:?} is not a bar: write a number, \"<= 130\" (at most) or \">= 5\" (at least)"
            )),
        }
    }
}

impl Serialize for Bar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Bar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"<= 130\" or \">= 5\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bar, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bar, E> {
        Ok(Bar::AtMost(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Bar, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_read_and_met() {
        for (text, bar) in [
            ("130", Bar::AtMost(130.0)),
            ("<=1.5", Bar::AtMost(1.5)),
            (" >= 5 ", Bar::AtLeast(5.0)),
        ] {
            assert_eq!(text.parse(), Ok(bar));
            assert_eq!(bar.to_string().parse(), Ok(bar));
        }
        for bad in ["", "<", "< 5", "many", "<= NaN", "= 3"] {
            assert!(bad.parse::<Bar>().is_err(), "{bad}");
        }
        assert!(Bar::AtMost(5.0).met(5.0) && !Bar::AtMost(5.0).met(5.1));
        assert!(Bar::AtLeast(5.0).met(5.0) && !Bar::AtLeast(5.0).met(4.9));
        assert!(!Bar::AtMost(5.0).met(f64::NAN) && !Bar::AtLeast(5.0).met(f64::NAN));
    }
}
