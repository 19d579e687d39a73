//! The Banyan core: one node's view of identity, sessions, coding and the stripe forest.
//!
//! Sans-IO: nothing here knows a clock, a socket, a file, a thread or a global random
//! generator. The node feeds it inputs and carries out its outputs; so does the simulator.
//!
//! Reading order: [`identity`] (who), [`session`] (what is live), [`coding`] (blocks, shards),
//! [`forest`] (who carries what).

pub mod coding;
pub mod forest;
#[doc(hidden)]
pub mod fuzzing;
pub mod identity;
pub mod ingest;
pub mod limits;
pub mod rng;
pub mod session;
pub mod time;
pub mod unit;
pub mod wire;
