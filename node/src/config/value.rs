//! Values of settings: read from flags, variables and TOML alike, written as they are read.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use banyan_protocol::coding::block::VideoCodec;
use banyan_protocol::session;
use libp2p::PeerId;
use serde::{Deserialize, Serialize};

/// What a node does for the sessions it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A helper, and a gateway for each session that is opened here.
    #[default]
    Auto,
    /// Relays one stripe and shows nothing.
    Helper,
    /// Takes the whole session and serves browsers.
    Gateway,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Helper => "helper",
            Self::Gateway => "gateway",
        })
    }
}

/// Who may watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// Whoever has the link.
    #[default]
    Open,
    /// Whoever has a ticket signed by the publisher.
    Ticket,
}

impl From<Watch> for session::Watch {
    fn from(watch: Watch) -> Self {
        match watch {
            Watch::Open => Self::Open,
            Watch::Ticket => Self::Ticket,
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A video codec a publisher may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The names say it.
pub enum Codec {
    Vp8,
    Vp9,
    H264,
    H265,
    Av1,
}

impl Codec {
    /// Every one, in the order they are offered.
    pub const ALL: [Self; 5] = [Self::H264, Self::Vp8, Self::Vp9, Self::Av1, Self::H265];
}

impl From<Codec> for VideoCodec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Vp8 => Self::Vp8,
            Codec::Vp9 => Self::Vp9,
            Codec::H264 => Self::H264,
            Codec::H265 => Self::H265,
            Codec::Av1 => Self::Av1,
        }
    }
}

/// A length of time as people write it: `250ms`, `10s`, `15min`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

/// Units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for TimeSpan {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "{text:?} is not a length of time: write a whole number and a unit, such as \
                 \"250ms\", \"10s\", \"15min\", \"24h\" or \"7d\""
            ))
        };
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, unit) = trimmed.split_at(split);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(bad)?;
        let millis = number.checked_mul(*millis).ok_or_else(bad)?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (unit, size) = UNITS
            .iter()
            .find(|(_, size)| millis >= *size && millis % size == 0)
            .unwrap_or(&UNITS[UNITS.len() - 1]);
        write!(f, "{}{unit}", millis / size)
    }
}

/// A node to ask first: `PEER@IP:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Whom to expect there.
    pub peer: PeerId,
    /// Where.
    pub addr: SocketAddr,
}

impl FromStr for Bootstrap {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let parse = || {
            let (peer, addr) = text.trim().split_once('@')?;
            Some(Self { peer: peer.parse().ok()?, addr: addr.parse().ok()? })
        };
        parse().ok_or_else(|| {
            BadValue(format!(
                "{text:?} is not a node's address: write PEER@IP:PORT, as `banyan status` shows it"
            ))
        })
    }
}

impl fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.peer, self.addr)
    }
}

/// Scheme and authority under which others see this node's HTTP server: `https://example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as a `Host` header writes them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }
}

impl FromStr for PublicUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue(format!(
                "{text:?} is not a public address: write scheme and host alone, such as \
                 \"https://live.example.org\""
            ))
        };
        let uri: axum::http::Uri = text.trim().parse().map_err(|_| bad())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad());
        };
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') || !bare {
            return Err(bad());
        }
        Ok(Self(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase())))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a value of its setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(String);

macro_rules! as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
as_text!(TimeSpan, Bootstrap, PublicUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_are_read() {
        for text in ["250ms", "10s", "15min", "24h", "0ms", "90s"] {
            let span: TimeSpan = text.parse().expect(text);
            assert_eq!(span.to_string().parse(), Ok(span), "{text}");
        }
        assert_eq!("24h".parse::<TimeSpan>().expect("a day").to_string(), "1d");
        for bad in ["", "10", "s", "-1s", "1.5s", "99999999999999999999d", "9999999999999999999d"] {
            assert!(bad.parse::<TimeSpan>().is_err(), "{bad}");
        }
        let peer = PeerId::random();
        for text in [format!("{peer}@1.2.3.4:5"), format!("{peer}@[::1]:5")] {
            assert_eq!(text.parse::<Bootstrap>().expect("an address").to_string(), text);
        }
        for bad in ["", "@", "1.2.3.4:5", "x@1.2.3.4:5", &format!("{peer}@example.org:5")] {
            assert!(bad.parse::<Bootstrap>().is_err(), "{bad}");
        }
        let url: PublicUrl = "https://Live.Example.org/".parse().expect("a URL");
        assert_eq!(url.as_str(), "https://live.example.org");
        assert_eq!(url.authority(), "live.example.org");
        for bad in ["", "example.org", "ftp://a", "https://a/b", "https://a/?q", "https://u@a"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
