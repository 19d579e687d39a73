//! `[liars]` and `[[fault]]`: who lies, and what goes wrong.

use crate::plan::value::{Share, Span};
use serde::{Deserialize, Serialize};

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
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Outage => "outage",
            Self::RootDeath => "root-death",
            Self::RootHandover => "root-handover",
            Self::UplinkDrop => "uplink-drop",
        }
    }
}
