//! `[world]`: nodes and networks.

use crate::place::Continent;
use crate::plan::spread::{Between, Spread};
use crate::plan::value::{Share, Span};
use banyan_protocol::unit::Bitrate;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[world]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldFile {
    /// How many nodes, without the publisher's. Spec: 10 000.
    pub nodes: u32,
    /// "europe" or "world". Spec: one continent.
    pub continent: Continent,
    /// CSV of measured round-trip times between cities; relative to the plan's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_matrix: Option<PathBuf>,
    /// Uplinks. Spec: log-uniform 2–100 Mbit/s.
    pub uplinks: Spread<Bitrate>,
    /// All uplinks over what all receivers need: moves the upper end of `uplinks` to reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_ratio: Option<f64>,
    /// Downlinks. Guess: 100 Mbit/s, which no stream fills.
    pub downlinks: Spread<Bitrate>,
    /// How nodes are reached. Derived: 30 % of pairs cannot meet.
    pub nat: NatFile,
    /// Nodes that only help. Guess: none, the hardest case, for all must be served.
    pub helpers: Share,
    /// Packets lost on each access link. Spec: 0.5 %.
    pub loss: Spread<Share>,
    /// Mean run of lost packets; 1: each for itself. Guess: 1; plans about bursts say more.
    pub loss_burst: u32,
    /// Median of what packets are delayed beyond their way. Guess: 0.5 ms, 5 ms for one in 100.
    pub jitter: Span,
    /// Nodes whose uplink buffer is bloated. Measured by others: 30 % of homes.
    pub bufferbloat: Share,
    /// What such a buffer holds. Measured by others: 50–300 ms.
    pub bufferbloat_buffer: Spread<Span>,
    /// Clocks are off by up to this, either way. Guess: 50 ms, as NTP at home does.
    pub clock_skew: Span,
}

impl Default for WorldFile {
    fn default() -> Self {
        let mbps = |mbps: u64| Bitrate::from_kbps(1_000 * mbps);
        let span_ms = |ms: u64| Span(1_000 * ms);
        Self {
            nodes: 10_000,
            continent: Continent::Europe,
            rtt_matrix: None,
            uplinks: Spread::Between { from: mbps(2), to: mbps(100), shape: Between::LogUniform },
            resource_ratio: None,
            downlinks: Spread::One(mbps(100)),
            nat: NatFile::default(),
            helpers: Share::percent(0),
            loss: Spread::One(Share(5_000)),
            loss_burst: 1,
            jitter: Span(500),
            bufferbloat: Share::percent(30),
            bufferbloat_buffer: Spread::Between {
                from: span_ms(50),
                to: span_ms(300),
                shape: Between::Uniform,
            },
            clock_skew: span_ms(50),
        }
    }
}

/// `world.nat`: shares that add up to 100 %.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NatFile {
    /// Reached by anybody.
    pub public: Share,
    /// Reached through a punched hole.
    pub punchable: Share,
    /// Reaching only public nodes.
    pub hard: Share,
}

impl Default for NatFile {
    fn default() -> Self {
        let percent = Share::percent;
        Self { public: percent(25), punchable: percent(51), hard: percent(24) }
    }
}
