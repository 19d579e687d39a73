//! Units that must not be mixed up.

use std::fmt;
use std::str::FromStr;

/// Bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// `bps` bits per second.
    #[must_use]
    pub const fn from_bps(bps: u64) -> Self {
        Self(bps)
    }

    /// `kbps` thousand bits per second.
    #[must_use]
    pub const fn from_kbps(kbps: u64) -> Self {
        Self(kbps * 1_000)
    }

    /// Bits per second.
    #[must_use]
    pub const fn bps(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b if b >= 1_000_000 && b % 100_000 == 0 => {
                write!(f, "{} Mbit/s", b as f64 / 1e6)
            }
            b if b >= 1_000 && b % 100 == 0 => write!(f, "{} kbit/s", b as f64 / 1e3),
            b => write!(f, "{b} bit/s"),
        }
    }
}

/// Why a text is not a bitrate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a bitrate: write a number and a unit, such as \"20 Mbit/s\" or \"800 kbit/s\""
)]
pub struct ParseBitrateError(String);

impl FromStr for Bitrate {
    type Err = ParseBitrateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let err = || ParseBitrateError(text.to_owned());
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(err)?;
        let (number, unit) = trimmed.split_at(split);
        let number: f64 = number.parse().map_err(|_| err())?;
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "bit/s" | "bps" => 1.0,
            "kbit/s" | "kbps" | "k" => 1e3,
            "mbit/s" | "mbps" | "m" => 1e6,
            "gbit/s" | "gbps" | "g" => 1e9,
            _ => return Err(err()),
        };
        let bps = number * factor;
        // Above 1 Tbit/s a number is a typing error, and the sums below stay far from overflow.
        if !bps.is_finite() || !(0.0..=1e12).contains(&bps) {
            return Err(err());
        }
        Ok(Self(bps as u64))
    }
}

impl serde::Serialize for Bitrate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Bitrate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_read_and_written_alike() {
        for (text, bps) in [
            ("20 Mbit/s", 20_000_000),
            ("1.5mbps", 1_500_000),
            ("800 kbit/s", 800_000),
            ("9 bit/s", 9),
        ] {
            let rate: Bitrate = text.parse().expect(text);
            assert_eq!(rate.bps(), bps);
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        for bad in ["", "20", "fast", "-1 Mbit/s", "1e9 Gbit/s", "20 MB/s"] {
            assert!(bad.parse::<Bitrate>().is_err(), "{bad}");
        }
    }
}
