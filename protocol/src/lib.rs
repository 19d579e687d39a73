//! The Banyan core: one node's view of identity, sessions, coding and the stripe forest.
//!
//! Sans-IO: nothing here knows a clock, a socket, a file, a thread or a global random
//! generator. The node feeds it inputs and carries out its outputs; so does the simulator.
//!
//! Reading order: [`identity`] (who), [`session`] (what is live), [`coding`] (blocks, shards),
//! [`forest`] (who carries what), [`capacity`] (how much).

mod banyan;
mod bucket;
pub mod capacity;
pub mod coding;
mod context;
pub mod forest;
#[doc(hidden)]
pub mod fuzzing;
pub mod identity;
pub mod ingest;
pub mod input;
pub mod limits;
pub mod links;
pub mod output;
mod peers;
pub mod rng;
mod room;
pub mod session;
mod step;
pub mod time;
pub mod unit;
pub mod wire;

pub use banyan::Banyan;
pub use step::{Effects, step};
