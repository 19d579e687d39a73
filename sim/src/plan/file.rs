//! What a plan's file says. Every key may be left out; the defaults are the reference world
//! (10 000 nodes on one continent), and their basis is said at each.

use super::bar::Bar;
use super::spread::{Between, Spread};
use super::value::{Life, Share, Span};
use crate::place::Continent;
use anyhow::{Context as _, bail};
use banyan_protocol::unit::Bitrate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

/// A plan as it is written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanFile {
    /// `[world]`: nodes and networks.
    pub world: WorldFile,
    /// `[stream]`: what is published.
    pub stream: StreamFile,
    /// `[publisher]`: by whom.
    pub publisher: PublisherFile,
    /// `[run]`: how long and how closely.
    pub run: RunFile,
    /// `[churn]`: how nodes leave.
    pub churn: ChurnFile,
    /// `[arrival]`: how nodes come.
    pub arrival: ArrivalFile,
    /// `[liars]`: who lies.
    pub liars: LiarsFile,
    /// `[bars]`: what figures must reach.
    pub bars: BTreeMap<String, Bar>,
    /// `[[fault]]`: what goes wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<FaultFile>,
}

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

/// `[churn]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChurnFile {
    /// Mean life of those that are not short; or "endless". Spec: 10 min.
    pub mean_life: Life,
    /// How lives are spread. Guess: exponential.
    pub shape: LifeShape,
    /// Nodes that stay very short. Guess: none; studies of live viewers see 20 %.
    pub short_share: Share,
    /// How long those stay on average, exponentially. Guess: 30 s.
    pub short_life: Span,
    /// Of the nodes that leave, those that do so without a word. Spec: all.
    pub abrupt: Share,
}

impl Default for ChurnFile {
    fn default() -> Self {
        Self {
            mean_life: Life::Mean(Span(600_000_000)),
            shape: LifeShape::Exponential,
            short_share: Share::percent(0),
            short_life: Span(30_000_000),
            abrupt: Share::percent(100),
        }
    }
}

/// How lives are spread about their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LifeShape {
    /// All alike.
    Constant,
    /// Without age.
    Exponential,
    /// With σ = 1: the median is 0.61 of the mean.
    Lognormal,
    /// With α = 2: the shortest is half of the mean, few are very long.
    Pareto,
}

/// `[arrival]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArrivalFile {
    /// How the first nodes come: "start", "flash" or "poisson". "start".
    pub kind: ArrivalKind,
    /// When a flash crowd begins. Guess: 5 s, when the seeds are in place.
    pub at: Span,
    /// Time in which all come. Guess: 10 s.
    pub within: Span,
    /// Nodes that are there from the start, before a flash crowd. Guess: 20.
    pub seeds: u32,
    /// What happens when one has left: "each", "rate" or "none". "each".
    pub replace: ReplaceKind,
}

impl Default for ArrivalFile {
    fn default() -> Self {
        Self {
            kind: ArrivalKind::Start,
            at: Span(5_000_000),
            within: Span(10_000_000),
            seeds: 20,
            replace: ReplaceKind::Each,
        }
    }
}

/// How the first nodes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalKind {
    /// All from time 0, steadily over `within`.
    Start,
    /// `seeds` at time 0, the others steadily over `within` from `at`.
    Flash,
    /// Each by itself, so many on average in `within`.
    Poisson,
}

/// What happens when a node has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplaceKind {
    /// A new one comes for it.
    Each,
    /// New ones come by themselves, as many as leave on average.
    Rate,
    /// Nothing.
    None,
}

/// `[liars]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiarsFile {
    /// Of all nodes. Spec: none unless a plan is about them.
    pub share: Share,
    /// Equally many of each of these. All kinds.
    pub kinds: Vec<Lie>,
}

impl Default for LiarsFile {
    fn default() -> Self {
        use Lie::{BlackHole, Capacity, Depth, Eclipse, Polluter, Sybil};
        let kinds = vec![Polluter, BlackHole, Capacity, Depth, Sybil, Eclipse];
        Self { share: Share::percent(0), kinds }
    }
}

/// Kinds of lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// Passes on shards that it changed.
    Polluter,
    /// Admits children and sends them nothing.
    BlackHole,
    /// Claims an uplink that it lacks.
    Capacity,
    /// Claims to be near the root.
    Depth,
    /// Is many nodes.
    Sybil,
    /// Fills the views of others with its friends.
    Eclipse,
}

/// `[[fault]]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When.
    pub at: Span,
    /// For how long (partition, uplink-drop).
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// It meets a random share of the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// It meets the nodes of a city or country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How much of the uplink is lost (uplink-drop).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Share>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Some cannot reach the others for a while.
    Partition,
    /// Some die at once.
    Outage,
    /// The publisher's node dies.
    RootDeath,
    /// The publisher's node hands over.
    RootHandover,
    /// The uplinks of some, or else the publisher's, shrink.
    UplinkDrop,
}

impl FaultKind {
    /// As it is written in a plan.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Outage => "outage",
            Self::RootDeath => "root-death",
            Self::RootHandover => "root-handover",
            Self::UplinkDrop => "uplink-drop",
        }
    }
}

impl FromStr for PlanFile {
    type Err = anyhow::Error;

    fn from_str(toml: &str) -> anyhow::Result<Self> {
        Ok(toml::from_str(toml)?)
    }
}

impl PlanFile {
    /// Sets one key, such as `world.nodes` or `fault.0.at`, to a value as TOML writes it; quotes
    /// round a text may be left out.
    ///
    /// # Errors
    /// If there is no such key, or it cannot have that value: says what is allowed.
    pub fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        let context = || format!("setting {key} = {value}");
        let mut table = toml::Value::try_from(&*self).with_context(context)?;
        let (mut at, mut path) = (&mut table, key.split('.').peekable());
        while let Some(part) = path.next() {
            let known = match at {
                toml::Value::Table(table) => {
                    Some(table.entry(part).or_insert_with(|| toml::Table::new().into()))
                }
                toml::Value::Array(items) => {
                    part.parse().ok().and_then(|index: usize| items.get_mut(index))
                }
                _ => None,
            };
            let Some(next) = known else {
                bail!("{}: there is nothing below {:?}", context(), key_before(key, part));
            };
            at = next;
            if path.peek().is_none() {
                *at = read_value(value);
            }
        }
        *self = table.try_into().with_context(context)?;
        Ok(())
    }

    /// All keys with their values, as TOML.
    ///
    /// # Errors
    /// If a path in it is not Unicode.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        toml::to_string(self).context("writing the plan as TOML")
    }
}

/// What of `key` comes before `part`.
fn key_before<'a>(key: &'a str, part: &str) -> &'a str {
    key.split(part).next().unwrap_or(key).trim_end_matches('.')
}

/// A value as TOML reads it, or else the text itself.
fn read_value(text: &str) -> toml::Value {
    let line = toml::from_str::<toml::Table>(&format!("value = {text}"));
    let value = line.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
