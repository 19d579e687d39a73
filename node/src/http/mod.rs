//! The HTTP server of the node: API, pages and the gateway's WHIP and WHEP, on one address.
//!
//! [`router`] assembles the routes that others bring, [`bind`] takes the address, [`serve`] answers
//! until told to stop. Whoever calls is a stranger: sizes, times and counts are bounded
//! ([`server`]), and the API minds which page asks ([`gate`]).
//!
//! Refuses to know the mesh: what the API says comes from a [`Control`].

pub mod api;
pub mod client;
pub mod gate;
pub mod problem;
pub mod server;
mod stall;

#[cfg(test)]
mod tests;

pub use api::{Control, OpenedSession, SessionInfo};
pub use problem::Problem;
pub use server::{bind, router, serve};
