//! The world: many of the cores that ship, in virtual time.
//!
//! Same seed, same world: [`world::World::trace_hash`] of two runs is equal.

pub mod host;
pub mod queue;
pub mod stage;
pub mod world;
