//! The one line of JSON that `up` and `publish` print when they are ready; `demo` and tests read
//! it.

use serde::{Deserialize, Serialize};

use crate::status::NodeStatus;

/// What a node says once it listens and has joined what it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ready {
    /// Always `ready`.
    pub event: String,
    /// Its process.
    pub pid: u32,
    /// Node id, 64 hexadecimal digits.
    pub node: String,
    /// The same key as libp2p writes it.
    pub peer_id: String,
    /// The one UDP port.
    pub port: u16,
    /// Address of its HTTP server, `ip:port`.
    pub http: String,
    /// The sessions it has joined or publishes, 64 hexadecimal digits each.
    pub sessions: Vec<String>,
    /// What it publishes, if it does.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub publishes: Option<Publishes>,
}

/// The addresses of a session that was made or reopened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publishes {
    /// Session id, 64 hexadecimal digits.
    pub session: String,
    /// Its title.
    pub title: String,
    /// Where to send media.
    pub whip: String,
    /// The bearer token for it.
    pub ticket: String,
    /// The link to share.
    pub watch: String,
    /// The page to publish from.
    pub studio: String,
    /// Whether the link is the same as before.
    pub reopened: bool,
}

impl Ready {
    /// What `status` says that others must know at once.
    pub(super) fn of(status: &NodeStatus, publishes: Option<Publishes>) -> Self {
        Self {
            event: "ready".to_owned(),
            pid: std::process::id(),
            node: status.node.clone(),
            peer_id: status.peer_id.clone(),
            port: status.port,
            http: status.http.clone(),
            sessions: status.sessions.iter().map(|session| session.id.clone()).collect(),
            publishes,
        }
    }
}
