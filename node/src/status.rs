//! What a node says about itself: `GET /api/status`, `banyan status`, and what tests read.
//!
//! Plain data and nothing else. Byte counts are totals since the node started, rates are over the
//! last few seconds. Readers must take unknown members: later versions add some.

use serde::{Deserialize, Serialize};

/// A node and all it carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    /// Version of the program.
    pub version: String,
    /// Node id, 64 hexadecimal digits.
    pub node: String,
    /// The same key as libp2p writes it.
    pub peer_id: String,
    /// The role the owner gave it: `auto`, `helper` or `gateway`.
    pub role: String,
    /// Process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// The one UDP port.
    pub port: u16,
    /// Addresses others can reach it at, as far as it knows, `ip:port`.
    pub addresses: Vec<String>,
    /// Address of its HTTP server, `ip:port`.
    pub http: String,
    /// What its owner gives, bit/s.
    pub upload_limit_bps: u64,
    /// What its uplink is expected to carry for others, bit/s: the limit, until a queue shows that the
    /// line is full; then what came through.
    pub upload_expected_bps: u64,
    /// What it sends on all links and to all viewers now, bit/s.
    pub upload_bps: u64,
    /// What it receives on all links now, bit/s.
    pub download_bps: u64,
    /// The sessions it carries.
    pub sessions: Vec<SessionStatus>,
    /// Its media links.
    pub links: Vec<LinkStatus>,
}

/// What a node is in one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionRole {
    /// The publisher's node: source of every stripe.
    Root,
    /// Relays its home stripe.
    #[default]
    Helper,
    /// Rebuilds the session and serves browsers.
    Gateway,
}

/// One session on this node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionStatus {
    /// Session id, 64 hexadecimal digits.
    pub id: String,
    /// The publisher's title for it.
    pub title: String,
    /// What this node is in it.
    pub role: SessionRole,
    /// Links between the root and here on the longest stripe; 0 at the root, absent while unknown.
    pub depth: Option<u32>,
    /// Bitrate the publisher announced, bit/s.
    pub bitrate_bps: u64,
    /// Data shards of a block (*k*).
    pub data_shards: u8,
    /// Parity shards of a block (*m*).
    pub parity_shards: u8,
    /// The stripes this node takes, or at the root sends, in order.
    pub stripes: Vec<StripeStatus>,
    /// Blocks complete here: ingested at the root, rebuilt at a gateway.
    pub blocks: u64,
    /// Shards that did not come in time and that parity stood in for.
    pub parity_used: u64,
    /// Blocks given up.
    pub blocks_lost: u64,
    /// Whether the publisher sends media to this node now. False where this node is not the root.
    pub publisher_connected: bool,
    /// Browsers served now.
    pub viewers: u32,
    /// Sent for this session now, to children and viewers, bit/s.
    pub upload_bps: u64,
    /// Received for this session now, bit/s.
    pub download_bps: u64,
    /// Delay from the root closing a block to it being complete here, recent median, ms. Absent
    /// while unknown. Compares two clocks: it is only as good as their agreement.
    pub delay_ms: Option<u32>,
}

/// One stripe of a session on this node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StripeStatus {
    /// Which one, from 0.
    pub stripe: u8,
    /// Whether it is the home stripe: the one this node multiplies.
    pub home: bool,
    /// Node id of the parent; absent at the root and at an orphan.
    pub parent: Option<String>,
    /// Node id of the warm backup parent.
    pub backup: Option<String>,
    /// Node ids of the children.
    pub children: Vec<String>,
    /// Links between the root and here on this stripe.
    pub depth: Option<u32>,
    /// Time since the last shard from the parent, ms.
    pub silent_ms: Option<u32>,
}

/// One media link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkStatus {
    /// Node id at the other end.
    pub peer: String,
    /// Its address, `ip:port`.
    pub addr: String,
    /// Smoothed round-trip time, ms.
    pub rtt_ms: f64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// QUIC packets lost on the way out.
    pub lost_packets: u64,
}
