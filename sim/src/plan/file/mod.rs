//! What a plan's file says. Every key may be left out; the defaults are the reference world
//! (10 000 nodes on one continent), and the basis of each is said at its key.

mod coming;
mod set;
mod stream;
mod trouble;
mod world;

pub use coming::{ArrivalFile, ArrivalKind, ChurnFile, LifeShape, ReplaceKind};
pub use stream::{Media, PublisherFile, RunFile, StreamFile};
pub use trouble::{FaultFile, FaultKind, LiarsFile, Lie};
pub use world::{NatFile, WorldFile};

use super::bar::Bar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

impl FromStr for PlanFile {
    type Err = anyhow::Error;

    fn from_str(toml: &str) -> anyhow::Result<Self> {
        Ok(toml::from_str(toml)?)
    }
}
