//! The world: many of the cores that ship, in virtual time.
//!
//! [`world::World`] owns nodes ([`host::Host`]), what is on its way between them ([`queue::Queue`])
//! and time; it delays, jitters and loses shards, kills nodes and makes some of them forge.
//! [`stage::Stage`] puts a session on it. Nothing here decides what a node does: that is
//! `banyan_protocol`, driven by the same `step` as in the node.
//!
//! Same seed, same world: [`world::World::trace_hash`] of two runs is equal.
//!
//! ```
//! use banyan_protocol::input::JoinRole;
//! use banyan_sim::{stage::Stage, world::Network};
//! use std::time::Duration;
//!
//! let network =
//!     Network { delay: Duration::from_millis(20), jitter: Duration::ZERO, loss_ppm: 10_000 };
//! let mut stage = Stage::new(2, 7, network, (4, 2), 6); // two nodes, seed 7, 4+2, six slots
//! stage.join(1, JoinRole::Gateway, 0);
//! stage.publish(Duration::from_secs(2));
//! assert_eq!(stage.lost(1), 0);
//! ```
//!
//! For large worlds there are [`plan`] (what to simulate), [`population`] and [`place`] (who is
//! where, behind which links), [`wheel`] (what happens when), [`media`] (every shard of every block),
//! [`report`] (what came out) and [`trial`] (many runs for one answer).
//!
//! `cargo run -p banyan-sim -- close-up SEED` runs a session of six nodes and prints its figures;
//! with `--events` also all that happened. `run PLAN` runs a plan of `sim/plans/`.

pub mod crowd;
pub mod host;
pub mod media;
pub mod place;
pub mod plan;
pub mod population;
pub mod progress;
pub mod queue;
pub mod report;
pub mod stage;
pub mod stranger;
pub mod trial;
pub mod wheel;
pub mod world;
