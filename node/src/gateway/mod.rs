//! The gateway: WHIP ingest and WHEP playback for browsers and encoders, on the node's one port.
//!
//! Reading order: [`handle`] (what it does), [`http`] (how peers come in), [`engine`] (who is
//! here), [`connection`] (how bytes get to and from a peer), [`publisher`] (RTP in),
//! [`playback`] (RTP out).
//!
//! The gateway knows no ticket, no mesh and no block format: it asks a [`Access`](http::Access)
//! who may come in, hands packets out as [`GatewayEvent`]s, and takes rebuilt blocks. Payloads pass
//! verbatim.

mod candidates;
pub(crate) mod connection;
mod datagrams;
mod engine;
mod event;
mod handle;
pub mod http;
pub mod limits;
mod network;
mod playback;
mod publisher;
mod random;
mod refusal;
mod run;
pub mod sdp;
mod stats;

pub use datagrams::Datagrams;
pub use engine::{Admitted, Patched, Resource};
pub use event::{GatewayEvent, Gone, SenderReport};
pub use handle::{Config, GatewayHandle, Overloaded, start};
pub use refusal::Refusal;
pub use stats::{PeerStats, RoleStats};
