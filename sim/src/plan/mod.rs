//! A plan: which world, which stream, what goes wrong, and what the figures must reach.
//!
//! [`PlanFile`] is what was said, in TOML or by `--set`; [`Plan`] is what it means: complete,
//! checked, in integers. What a file leaves out is the reference world.
//!
//! ```
//! use banyan_sim::plan::{Plan, PlanFile};
//!
//! let mut file: PlanFile = "[churn]\nmean_life = '5 min'".parse()?;
//! file.set("world.nodes", "1000")?;
//! let plan = Plan::resolve("five", &file, None)?;
//! assert_eq!((plan.world.nodes, plan.stream.k), (1000, 8));
//! assert!(file.set("world.node", "1").is_err()); // names the keys that there are
//! # anyhow::Ok(())
//! ```

mod bar;
mod fault;
mod file;
mod report;
mod resolve;
mod spread;
mod stream;
mod value;

pub use bar::Bar;
pub use fault::{Fault, What, Who};
pub use file::{
    ArrivalFile, ArrivalKind, ChurnFile, FaultFile, FaultKind, LiarsFile, Lie, LifeShape, Media,
    NatFile, PlanFile, PublisherFile, ReplaceKind, RunFile, StreamFile, WorldFile,
};
pub use spread::{Between, Quantity, Spread};
pub use stream::Stream;
pub use value::{Life, Share, Span};

use crate::place::{Place, Places};
use crate::population::{Arrivals, Coming, Model, Population, Replace};
use std::collections::BTreeMap;

/// What a world is made from, and what it must show.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file's name without its ending.
    pub name: String,
    /// What it is for: the comment that its file begins with.
    pub about: String,
    /// The nodes and where they are.
    pub world: World,
    /// What is published.
    pub stream: Stream,
    /// Who publishes it.
    pub publisher: Publisher,
    /// How long, and how closely.
    pub run: Run,
    /// Of the nodes that leave, those that do so without a word, in millionths.
    pub abrupt_ppm: u32,
    /// How the first nodes come.
    pub coming: Coming,
    /// What happens when one has left.
    pub replace: Replace,
    /// What goes wrong, in order of time.
    pub faults: Vec<Fault>,
    /// Who lies.
    pub liars: Liars,
    /// What figures must reach, by name.
    pub bars: BTreeMap<String, Bar>,
    /// What was said, completed: as TOML it gives this plan again.
    pub said: PlanFile,
}

/// The nodes of a plan and where they are.
#[derive(Clone, Debug)]
pub struct World {
    /// How many, the publisher's not counted.
    pub nodes: u32,
    /// Their cities, and the ways between them.
    pub places: Places,
    /// Of what kind they are.
    pub model: Model,
    /// Mean length of a run of lost packets.
    pub loss_burst: u32,
    /// Median of the delay that packets meet beyond the way, in µs.
    pub jitter_us: u32,
}

/// The publisher's node: no router before it, no end of its life but by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// What its uplink carries.
    pub upload_bps: u32,
    /// Where it is. Its access network adds the median, so that no figure is the publisher's luck.
    pub place: Place,
}

/// How long a plan runs, and how closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Makes the world what it is.
    pub seed: u64,
    /// Simulated time, in µs.
    pub duration_us: u64,
    /// Figures are of what happens after this, in µs.
    pub warm_up_us: u64,
    /// Which shards are sent.
    pub media: Media,
    /// Time between two probe blocks, in µs, for [`Media::Probe`].
    pub probe_every_us: u64,
}

/// Who lies, and how. Each liar is of one kind, which are equally many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liars {
    /// Of all nodes, in millionths.
    pub share_ppm: u32,
    /// The kinds there are; none only if nobody lies.
    pub kinds: Vec<Lie>,
}

impl Plan {
    /// The seed, for generators.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.run.seed.to_be_bytes());
        seed
    }

    /// Draws the nodes of this world.
    #[must_use]
    pub fn population(&self) -> Population {
        Population::new(self.world.model.clone(), &self.seed())
    }

    /// Says when they come.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        Arrivals::new(self.world.nodes, self.coming, self.replace, &self.seed())
    }

    /// R: the uplink of all, the publisher's too, over what all receivers need (without parity).
    #[must_use]
    pub fn resource_ratio(&self) -> f64 {
        let nodes = f64::from(self.world.nodes);
        let upload = nodes * self.world.model.upload_bps.mean();
        (upload + f64::from(self.publisher.upload_bps)) / (nodes * self.stream.bitrate_bps as f64)
    }
}

#[cfg(test)]
mod tests;
