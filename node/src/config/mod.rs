//! Settings: what was said ([`patch`]), then what it means ([`Config`]).
//!
//! Every setting is a flag, a `BANYAN_…` variable and a key of `banyan.toml`, in that order of
//! precedence; what nobody said has a default, so that zero configuration works. [`resolve`]
//! validates all of it once, and nothing behind it checks again. [`show`] explains a configuration
//! to a person and writes `banyan.toml` from the flags' own documentation, so that the two cannot
//! tell different stories.
//!
//! Refuses to guess: a key it does not know, and a value out of range, are errors that say what
//! would be right.

pub mod load;
pub mod patch;
pub mod resolve;
pub mod show;
pub mod value;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use banyan_protocol::unit::Bitrate;
use serde::Serialize;

pub use value::{Bootstrap, Codec, LogFormat, PublicUrl, Role, TimeSpan, Watch};

/// All settings of a node: complete, validated, immutable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// Where keys and sessions are kept.
    pub data_dir: PathBuf,
    /// What to do for the sessions it is given.
    pub role: Role,
    /// The one UDP port.
    pub listen: Listen,
    /// The HTTP server.
    pub http: Http,
    /// What to give.
    pub capacity: Capacity,
    /// Finding others.
    pub discovery: Discovery,
    /// The session this node publishes.
    pub session: Session,
    /// Serving browsers.
    pub gateway: Gateway,
    /// What to write to standard error.
    pub log: Log,
}

/// The one UDP port that carries control, media and browsers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listen {
    /// The port; 0 for any.
    pub port: u16,
    /// Whether somebody chose the port. If nobody did and it is taken, any other will do.
    #[serde(skip)]
    pub port_is_chosen: bool,
    /// Local addresses, at most one of each family.
    pub bind: Vec<IpAddr>,
    /// Addresses others reach this node at that it cannot know by itself.
    pub advertise: Vec<SocketAddr>,
}

/// The HTTP server: pages, API, WHIP and WHEP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Http {
    /// Local address; port 0 for any.
    pub bind: SocketAddr,
    /// Whether somebody chose the address. If nobody did and the port is taken, any other will do.
    #[serde(skip)]
    pub bind_is_chosen: bool,
    /// How others see the server. It makes the node a portal: pages of other sites may ask it to
    /// open sessions.
    pub public_url: Option<PublicUrl>,
}

/// What the owner gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Upload for all sessions together.
    pub upload: Bitrate,
    /// Most children over all stripes and sessions.
    pub children_max: u32,
}

/// Finding others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Discovery {
    /// Whether to look around in the local network.
    pub mdns: bool,
    /// Nodes to ask first, besides those an invite names.
    pub bootstraps: Vec<Bootstrap>,
}

/// The session `banyan publish` makes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// Its title.
    pub title: String,
    /// Bitrate of picture and sound together.
    pub bitrate: Bitrate,
    /// Data shards of a block (*k*).
    pub data_shards: u8,
    /// Parity shards of a block (*m*).
    pub parity_shards: u8,
    /// Video codecs a publisher may send by WHIP, in no order.
    pub video_codecs: Vec<Codec>,
    /// Who may watch.
    pub watch: Watch,
    /// How long link and tickets work, from when the session is made.
    pub valid_for: TimeSpan,
}

/// Serving browsers by WebRTC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gateway {
    /// ICE candidates to offer first.
    pub candidates: Vec<SocketAddr>,
    /// Most browsers over all sessions.
    pub viewers_max: u32,
}

/// What to write to standard error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Log {
    /// A level, or directives of `tracing`.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
}
