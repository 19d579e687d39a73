//! What the status API says about each peer. No addresses and no session URLs: those are secrets
//! of the people behind them.

use std::time::Instant;

use banyan_protocol::identity::SessionId;
use serde::Serialize;

use super::connection::Connection;
use super::engine::Role;

/// One peer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeerStats {
    /// Unique on this node while it runs.
    pub peer: u64,
    /// Its session, in hexadecimal.
    pub session: String,
    /// What it does.
    #[serde(flatten)]
    pub role: RoleStats,
    /// Whether media can flow.
    pub connected: bool,
    /// Milliseconds since it was admitted.
    pub age_ms: u64,
    /// Milliseconds from admission to media that can flow.
    pub connected_after_ms: Option<u64>,
    /// Milliseconds since it was last heard.
    pub silent_ms: u64,
}

/// What is counted for a publisher or a viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum RoleStats {
    /// It sends.
    Publisher {
        /// RTP packets received.
        packets: u64,
        /// Their bytes.
        bytes: u64,
        /// Packets it was asked to send again, repeated requests counted each.
        nacked: u64,
        /// Requests for a keyframe sent to it.
        keyframe_requests: u64,
    },
    /// It watches.
    Viewer {
        /// RTP packets sent, repetitions not counted.
        packets: u64,
        /// Their payload bytes.
        bytes: u64,
        /// Packets it missed and asked for.
        nacked: u64,
        /// Of those, how many were sent again.
        retransmitted: u64,
        /// Its requests for a keyframe.
        keyframe_requests: u64,
        /// Of those, how many the cached group answered.
        replays: u64,
        /// Video packets that never reached it, by its own report.
        lost: u64,
        /// Of the last interval, in 1/256.
        fraction_lost: u8,
        /// Round trip to it.
        round_trip_ms: Option<f64>,
    },
}

pub(crate) fn of(
    now: Instant,
    peer: u64,
    session: SessionId,
    connection: &Connection,
    role: &Role,
) -> PeerStats {
    let millis = |since: Instant| now.saturating_duration_since(since).as_millis() as u64;
    let created = connection.created();
    PeerStats {
        peer,
        session: session.to_string(),
        role: match role {
            Role::Publisher(publisher) => {
                let counters = publisher.counters;
                RoleStats::Publisher {
                    packets: counters.packets,
                    bytes: counters.bytes,
                    nacked: counters.nacked,
                    keyframe_requests: counters.keyframe_requests,
                }
            }
            Role::Viewer(viewer) => {
                let (counters, (packets, bytes)) = (viewer.counters, viewer.sent());
                RoleStats::Viewer {
                    packets,
                    bytes,
                    nacked: counters.nacked,
                    retransmitted: counters.retransmitted,
                    keyframe_requests: counters.keyframe_requests,
                    replays: counters.replays,
                    lost: counters.lost,
                    fraction_lost: counters.fraction_lost,
                    round_trip_ms: counters.round_trip.map(|rtt| rtt.as_secs_f64() * 1e3),
                }
            }
        },
        connected: connection.is_connected(),
        age_ms: millis(created),
        connected_after_ms: connection
            .connected()
            .map(|at| at.saturating_duration_since(created).as_millis() as u64),
        silent_ms: millis(connection.heard()),
    }
}
