//! A property's spread over nodes as a plan says it: one value, or a table with a shape.

use super::value::{Share, Span};
use crate::population::Distribution;
use banyan_protocol::unit::Bitrate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::marker::PhantomData;

/// What can be spread: a value that is a number inside.
pub trait Quantity: Copy + std::str::FromStr<Err: std::fmt::Display> + std::fmt::Display {
    /// The number, in the unit of the type.
    fn number(self) -> f64;
    /// The value of such a number.
    fn from_number(number: f64) -> Self;
}

impl Quantity for Bitrate {
    fn number(self) -> f64 {
        self.bps() as f64
    }
    fn from_number(number: f64) -> Self {
        Self::from_bps(number.round() as u64)
    }
}

impl Quantity for Span {
    fn number(self) -> f64 {
        self.0 as f64
    }
    fn from_number(number: f64) -> Self {
        Self(number.round() as u64)
    }
}

impl Quantity for Share {
    fn number(self) -> f64 {
        f64::from(self.0)
    }
    fn from_number(number: f64) -> Self {
        Self(number.round() as u32)
    }
}

/// One value for all, `"100 Mbit/s"`, or a table:
/// `{ from = "2 Mbit/s", to = "100 Mbit/s", shape = "log-uniform" }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread<T> {
    /// The same for all.
    One(T),
    /// Between two values.
    Between {
        /// The smallest.
        from: T,
        /// The largest.
        to: T,
        /// How likely those between are.
        shape: Between,
    },
}

/// How values between two bounds are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Between {
    /// All are equally likely.
    Uniform,
    /// All orders of magnitude are equally likely.
    LogUniform,
}

impl<T: Quantity> Spread<T> {
    /// The distribution, checked. `key` is its place in the plan, for the error.
    pub(super) fn resolve(&self, key: &str) -> anyhow::Result<Distribution> {
        match *self {
            Self::One(value) => Ok(Distribution::Constant(value.number())),
            Self::Between { from, to, shape } => {
                let (low, high) = (from.number(), to.number());
                anyhow::ensure!(
                    low <= high,
                    "{key}: from = \"{from}\" is more than to = \"{to}\"; exchange them"
                );
                Ok(match shape {
                    Between::Uniform => Distribution::Uniform { from: low, to: high },
                    Between::LogUniform => {
                        anyhow::ensure!(
                            low > 0.0,
                            "{key}: from = \"{from}\" must be above 0 for shape = \"log-uniform\"; \
                             use \"uniform\""
                        );
                        Distribution::LogUniform { from: low, to: high }
                    }
                })
            }
        }
    }

    /// The same spread with an upper end that makes its mean `mean`, if there is one.
    pub(super) fn with_mean(self, mean: f64) -> Option<Self> {
        let Self::Between { from, shape, .. } = self else {
            return Some(Self::One(T::from_number(mean)));
        };
        let spread = |to| Self::Between { from, to: T::from_number(to), shape };
        let reached =
            |to| spread(to).resolve("").is_ok_and(|distribution| distribution.mean() >= mean);
        // The mean grows with the upper end, and is less than half of it only by a logarithm.
        let (mut low, mut high) = (from.number(), mean.max(1.0) * 1e4);
        if mean < low || !reached(high) {
            return None;
        }
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if reached(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(spread(high))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Table<T> {
    from: T,
    to: T,
    #[serde(default = "uniform")]
    shape: Between,
}

fn uniform() -> Between {
    Between::Uniform
}

impl<T: Quantity + Serialize> Serialize for Spread<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::One(value) => value.serialize(serializer),
            Self::Between { from, to, shape } => Table { from, to, shape }.serialize(serializer),
        }
    }
}

impl<'de, T: Quantity + Deserialize<'de>> Deserialize<'de> for Spread<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Quantity + Deserialize<'de>> de::Visitor<'de> for Reader<T> {
    type Value = Spread<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one value in quotes, or a table with from, to and shape")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(Spread::One).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Table { from, to, shape } =
            Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Spread::Between { from, to, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_end_is_found_for_a_mean() {
        let mbit = |number: f64| Bitrate::from_bps((number * 1e6) as u64);
        let shape = Between::LogUniform;
        let spread = Spread::Between { from: mbit(2.0), to: mbit(100.0), shape };
        let found = spread.with_mean(8e6).expect("2 Mbit/s is less");
        let Spread::Between { to, .. } = found else { panic!("{found:?}") };
        // (21.2 - 2) / ln(21.2 / 2) = 8.
        assert!((19.0..23.0).contains(&(to.bps() as f64 / 1e6)), "{to}");
        assert!((found.resolve("").expect("valid").mean() / 8e6 - 1.0).abs() < 1e-6);
        assert_eq!(spread.with_mean(1e6), None, "no upper end is below the lower one");
        assert_eq!(Spread::One(mbit(1.0)).with_mean(3e6), Some(Spread::One(mbit(3.0))));
    }
}
