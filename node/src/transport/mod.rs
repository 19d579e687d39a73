//! One UDP port for everything: libp2p control, links, and browsers' WebRTC.
//!
//! ```text
//!               ┌ first byte is QUIC's ─► quinn ─┬ ALPN libp2p ───────► QuicTransport ─► swarm
//! UDP port ─────┤ (IPv4 and IPv6)                └ ALPN banyan-link/1 ► Link ──────────► links
//!               └ STUN, DTLS, SRTP ─► answered here (plain STUN) or Foreign ───────────► gateway
//! ```
//!
//! Owns: the sockets, the QUIC endpoints, TLS identities, admission of handshakes, hole punching.
//! Refuses: any decision about sessions, and any reading or writing on a connection.
//!
//! Reading order: [`bind`] and `socket` (the port), [`split`] and [`stun`] (what is not QUIC),
//! `tls` and `params` (how connections are made), `accept` and `dial`, [`quic`] (what libp2p
//! sees), [`link`] (what sessions see), [`SharedQuic`] (the handle).

mod accept;
mod address;
pub mod bind;
pub mod congestion;
mod counters;
mod dial;
mod error;
mod foreign;
mod gate;
mod interfaces;
pub mod limits;
pub mod link;
mod muxer;
mod params;
mod punch;
pub mod quic;
mod rate;
mod shared;
mod socket;
pub mod split;
pub mod stun;
mod tls;
mod verifier;

pub use address::{from_multiaddr, to_multiaddr};
pub use bind::Config;
pub use counters::Snapshot;
pub use error::Error;
pub use foreign::{Foreign, ForeignSender};
pub use link::Link;
pub use muxer::{Muxer, Substream};
pub use quic::QuicTransport;
pub use shared::{Bound, SharedQuic};
pub use split::Kind;
pub use tls::{ALPN_CONTROL, ALPN_LINK};
