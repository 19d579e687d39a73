//! What was said: every setting optional, the same structs for flags, variables and TOML.
//!
//! The rule, checked by a test: the argument's id is the TOML key, the variable is `BANYAN_` and
//! the key in capitals. Doc comments are the help text and the text of `banyan.toml`. No defaults
//! here: they live in [`super::resolve`].

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use banyan_protocol::unit::Bitrate;
use clap::{ArgAction, Args};
use serde::Deserialize;

use super::value::{Bootstrap, Codec, LogFormat, PublicUrl, Role, TimeSpan, Watch};

/// Heading of the session's settings in help texts.
pub const SESSION_HEADING: &str = "Session";

/// All that one source said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // Each is the table of that name.
pub struct Patch {
    pub data_dir: Option<PathBuf>,
    pub role: Option<Role>,
    pub listen: ListenPatch,
    pub http: HttpPatch,
    pub capacity: CapacityPatch,
    pub discovery: DiscoveryPatch,
    pub session: SessionPatch,
    pub gateway: GatewayPatch,
    pub log: LogPatch,
}

impl Patch {
    /// Puts together what the flags of one command said.
    #[must_use]
    pub fn from_flags(base: BasePatch, node: NodePatch, session: SessionPatch) -> Self {
        Self {
            data_dir: base.data_dir,
            role: node.role,
            listen: node.listen,
            http: node.http,
            capacity: node.capacity,
            discovery: node.discovery,
            session,
            gateway: node.gateway,
            log: base.log,
        }
    }
}

/// Flags of every command.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct BasePatch {
    /// Where keys and sessions are kept. Two nodes cannot share one.
    #[arg(
        id = "data_dir",
        long = "data-dir",
        env = "BANYAN_DATA_DIR",
        value_name = "DIR",
        global = true
    )]
    pub data_dir: Option<PathBuf>,
    /// What to log.
    #[command(flatten)]
    pub log: LogPatch,
}

/// Flags of the commands that run a node.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Node")]
pub struct NodePatch {
    /// What to do for the sessions it is given: pass on a stripe or two (helper), take all of it
    /// and serve browsers (gateway), or help until somebody opens the session here (auto).
    #[arg(id = "role", long, env = "BANYAN_ROLE", value_name = "ROLE")]
    pub role: Option<Role>,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub listen: ListenPatch,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub http: HttpPatch,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub capacity: CapacityPatch,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub discovery: DiscoveryPatch,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub gateway: GatewayPatch,
}

/// The one UDP port for everything but HTTP.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Listening")]
pub struct ListenPatch {
    /// UDP port for control, media and browsers; 0 takes any. If the default is taken, any other
    /// is used.
    #[arg(
        id = "listen.port",
        long = "listen-port",
        env = "BANYAN_LISTEN_PORT",
        value_name = "PORT"
    )]
    pub port: Option<u16>,
    /// Local addresses to listen at, one IPv4 and one IPv6 at most.
    #[arg(
        id = "listen.bind",
        long = "listen-bind",
        env = "BANYAN_LISTEN_BIND",
        value_name = "IP",
        value_delimiter = ','
    )]
    pub bind: Option<Vec<IpAddr>>,
    /// Addresses others reach this node at that it cannot find out by itself, such as a port
    /// forwarded by hand.
    #[arg(
        id = "listen.advertise",
        long = "listen-advertise",
        env = "BANYAN_LISTEN_ADVERTISE",
        value_name = "IP:PORT",
        value_delimiter = ','
    )]
    pub advertise: Option<Vec<SocketAddr>>,
}

/// The HTTP server: pages, API, WHIP and WHEP.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "HTTP")]
pub struct HttpPatch {
    /// Local address of pages, API, WHIP and WHEP; port 0 takes any. If the default is taken, any
    /// other port is used.
    #[arg(id = "http.bind", long = "http-bind", env = "BANYAN_HTTP_BIND", value_name = "IP:PORT")]
    pub bind: Option<SocketAddr>,
    /// How others see that server, such as "https://live.example.org": used in links. It makes
    /// this node a portal, which opens sessions for whoever asks.
    #[arg(
        id = "http.public_url",
        long = "http-public-url",
        env = "BANYAN_HTTP_PUBLIC_URL",
        value_name = "URL"
    )]
    pub public_url: Option<PublicUrl>,
}

/// What you give.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Capacity")]
pub struct CapacityPatch {
    /// Upload to spend on all sessions together, such as "20 Mbit/s".
    #[arg(
        id = "capacity.upload",
        long = "capacity-upload",
        env = "BANYAN_CAPACITY_UPLOAD",
        value_name = "RATE"
    )]
    pub upload: Option<Bitrate>,
    /// Most children over all stripes and sessions.
    #[arg(
        id = "capacity.children_max",
        long = "capacity-children-max",
        env = "BANYAN_CAPACITY_CHILDREN_MAX",
        value_name = "COUNT"
    )]
    pub children_max: Option<u32>,
}

/// Finding other nodes.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Discovery")]
pub struct DiscoveryPatch {
    /// Look for nodes in the local network.
    #[arg(
        id = "discovery.mdns",
        long = "discovery-mdns",
        env = "BANYAN_DISCOVERY_MDNS",
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub mdns: Option<bool>,
    /// Nodes to ask first, besides those an invite names.
    #[arg(
        id = "discovery.bootstraps",
        long = "discovery-bootstraps",
        env = "BANYAN_DISCOVERY_BOOTSTRAPS",
        value_name = "PEER@IP:PORT",
        value_delimiter = ','
    )]
    pub bootstraps: Option<Vec<Bootstrap>>,
}

/// The session `banyan publish` makes.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = SESSION_HEADING)]
pub struct SessionPatch {
    /// Title that viewers see.
    #[arg(id = "session.title", long = "title", env = "BANYAN_SESSION_TITLE", value_name = "TEXT")]
    pub title: Option<String>,
    /// Bitrate of picture and sound together, such as "4 Mbit/s".
    #[arg(
        id = "session.bitrate",
        long = "bitrate",
        env = "BANYAN_SESSION_BITRATE",
        value_name = "RATE"
    )]
    pub bitrate: Option<Bitrate>,
    /// Data shards of a block, 1 to 16. Follows from the bitrate: 4 up to 2 Mbit/s, 8 up to
    /// 5 Mbit/s, 12 above.
    #[arg(
        id = "session.data_shards",
        long = "data-shards",
        env = "BANYAN_SESSION_DATA_SHARDS",
        value_name = "COUNT"
    )]
    pub data_shards: Option<u8>,
    /// Parity shards of a block, 0 to 4: so many parents can fail at once unnoticed.
    #[arg(
        id = "session.parity_shards",
        long = "parity-shards",
        env = "BANYAN_SESSION_PARITY_SHARDS",
        value_name = "COUNT"
    )]
    pub parity_shards: Option<u8>,
    /// Video codecs that publishers may send by WHIP; of these, each sends what it likes best.
    #[arg(
        id = "session.video_codecs",
        long = "video-codecs",
        visible_alias = "video-codec",
        env = "BANYAN_SESSION_VIDEO_CODECS",
        value_name = "CODEC",
        value_delimiter = ','
    )]
    pub video_codecs: Option<Vec<Codec>>,
    /// Who may watch: whoever has the link (open), or whoever has a ticket you signed (ticket).
    #[arg(id = "session.watch", long = "watch", env = "BANYAN_SESSION_WATCH", value_name = "WHO")]
    pub watch: Option<Watch>,
    /// How long link and tickets work, such as "24h" or "30d".
    #[arg(
        id = "session.valid_for",
        long = "valid-for",
        env = "BANYAN_SESSION_VALID_FOR",
        value_name = "TIME"
    )]
    pub valid_for: Option<TimeSpan>,
}

/// Serving browsers by WebRTC.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Gateway")]
pub struct GatewayPatch {
    /// Addresses to offer browsers first, besides those the node finds out by itself.
    #[arg(
        id = "gateway.candidates",
        long = "gateway-candidates",
        env = "BANYAN_GATEWAY_CANDIDATES",
        value_name = "IP:PORT",
        value_delimiter = ','
    )]
    pub candidates: Option<Vec<SocketAddr>>,
    /// Most browsers to serve, over all sessions.
    #[arg(
        id = "gateway.viewers_max",
        long = "gateway-viewers-max",
        env = "BANYAN_GATEWAY_VIEWERS_MAX",
        value_name = "COUNT"
    )]
    pub viewers_max: Option<u32>,
}

/// What to write to standard error.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogPatch {
    /// A level (error, warn, info, debug, trace), or directives such as
    /// "info,banyan_node::link=trace".
    #[arg(
        id = "log.filter",
        long = "log",
        env = "BANYAN_LOG_FILTER",
        value_name = "FILTER",
        global = true
    )]
    pub filter: Option<String>,
    /// How log lines look: text or json.
    #[arg(
        id = "log.format",
        long = "log-format",
        env = "BANYAN_LOG_FORMAT",
        value_name = "FORMAT",
        global = true
    )]
    pub format: Option<LogFormat>,
}
