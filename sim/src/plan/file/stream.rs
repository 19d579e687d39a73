//! `[stream]`, `[publisher]`, `[run]`: what is published, by whom, and for how long.

use crate::plan::value::Span;
use banyan_protocol::unit::Bitrate;
use serde::{Deserialize, Serialize};

/// `[stream]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamFile {
    /// Media per second, without parity. Spec: 4 Mbit/s.
    pub bitrate: Bitrate,
    /// Shards that rebuild a block. Spec: 8.
    pub k: u8,
    /// Parity shards. Spec: 2.
    pub m: u8,
    /// Blocks per second. Guess: 30.
    pub frame_rate: u32,
    /// Time between keyframes. Guess: 2 s, as streaming programs are set up.
    pub keyframe_every: Span,
    /// Size of a keyframe over that of the mean block. Spec: 2.
    pub keyframe_factor: f64,
}

impl Default for StreamFile {
    fn default() -> Self {
        Self {
            bitrate: Bitrate::from_kbps(4_000),
            k: 8,
            m: 2,
            frame_rate: 30,
            keyframe_every: Span(2_000_000),
            keyframe_factor: 2.0,
        }
    }
}

/// `[publisher]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublisherFile {
    /// Its uplink. Spec: 10 Mbit/s.
    pub upload: Bitrate,
    /// The city it is in. Guess: Frankfurt, near the middle of Europe's networks.
    pub place: String,
}

impl Default for PublisherFile {
    fn default() -> Self {
        Self { upload: Bitrate::from_kbps(10_000), place: "Frankfurt".to_owned() }
    }
}

/// `[run]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// Makes the world what it is. 1.
    pub seed: u64,
    /// Simulated time. Spec: 10 min.
    pub duration: Span,
    /// Figures are of what happens after this. Guess: 1 min, three rounds of the optimiser.
    pub warm_up: Span,
    /// Which shards are sent: "none", "probe" or "every".
    pub media: Media,
    /// Time between two blocks that are sent with media = "probe". Guess: 1 s.
    pub probe_every: Span,
}

impl Default for RunFile {
    fn default() -> Self {
        Self {
            seed: 1,
            duration: Span(600_000_000),
            warm_up: Span(60_000_000),
            media: Media::Every,
            probe_every: Span(1_000_000),
        }
    }
}

/// Which shards are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Media {
    /// None: who carries what is all that is looked at.
    None,
    /// Those of one block in a while; the others only take their time on the uplinks.
    Probe,
    /// Every shard of every block.
    Every,
}
