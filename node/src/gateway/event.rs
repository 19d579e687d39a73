//! What the gateway tells the node.

use std::time::{Duration, Instant};

use banyan_protocol::coding::{Format, Track};
use banyan_protocol::identity::SessionId;
use banyan_protocol::ingest::RtpIn;

/// One sender report of a publisher: the same moment on its two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport {
    /// The track it is about.
    pub track: Track,
    /// The publisher's wall clock, NTP format.
    pub ntp: u64,
    /// The track's RTP clock at that moment.
    pub rtp: u32,
    /// When it came.
    pub arrived: Instant,
}

/// Why a peer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// It said so, by DELETE or by closing its connection.
    Left,
    /// It was not heard from any more.
    Silent,
    /// It was admitted, but its handshake never completed.
    NeverConnected,
    /// Another publisher took its place.
    Replaced,
    /// The session ended, or changed to a codec this viewer did not agree to.
    Ended,
    /// Its connection failed inside this gateway.
    Failed,
}

/// What the gateway tells the node. Events of one session are in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayEvent {
    /// A publisher can send. From here until `PublisherGone`, packets of the session are its own.
    PublisherConnected {
        /// The session it publishes.
        session: SessionId,
        /// What it was told to send.
        format: Format,
        /// The tracks on which it can be asked for lost packets.
        nack: Vec<Track>,
    },
    /// A publisher's packet.
    Ingest {
        /// Its session.
        session: SessionId,
        /// The packet, checked and opened.
        packet: RtpIn,
        /// When it came.
        arrived: Instant,
    },
    /// A publisher's sender report.
    SenderReport {
        /// Its session.
        session: SessionId,
        /// The report.
        report: SenderReport,
    },
    /// The publisher sends no more.
    PublisherGone {
        /// Its session.
        session: SessionId,
        /// Why.
        why: Gone,
    },
    /// A viewer cannot start, or go on, before the next keyframe. At most one in
    /// [`KEYFRAME_REQUEST_INTERVAL`](super::limits::KEYFRAME_REQUEST_INTERVAL) for each session.
    KeyframeWanted {
        /// Its session.
        session: SessionId,
    },
    /// A viewer's connection is up.
    ViewerConnected {
        /// Its session.
        session: SessionId,
        /// The viewer, unique on this node.
        viewer: u64,
        /// From its request to media that can flow.
        took: Duration,
    },
    /// A viewer is gone.
    ViewerGone {
        /// Its session.
        session: SessionId,
        /// The viewer.
        viewer: u64,
        /// Why.
        why: Gone,
    },
}
