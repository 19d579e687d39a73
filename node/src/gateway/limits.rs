//! Every bound of the gateway, each with its basis: spec | derived | measured | guess.

use std::time::Duration;

/// Longest SDP or SDP fragment taken, bytes. Derived: ten times the offer of a browser with every
/// codec and extension (6 kB), and the limit FFmpeg sets itself is 8 kB.
pub const SDP_BYTES_MAX: usize = 64 * 1024;
/// Most m-lines read of an offer. Derived: one audio, one video and one data channel are useful;
/// the rest is read so that the refusal can say what is wrong.
pub const SDP_MEDIA_MAX: usize = 16;
/// Most payload types read of one m-line. Spec: RFC 3551, a payload type has seven bits.
pub const SDP_PAYLOADS_MAX: usize = 128;
/// Most remote candidates kept of one peer. Guess: a browser on a laptop offers about six.
pub const CANDIDATES_MAX: usize = 16;
/// Most addresses one peer is reached at. Derived: the pairs that a browser keeps alive.
pub const PATHS_MAX: usize = 8;
/// Most peers (viewers and publishers). Derived: twice what one core serves at 2 Mbit/s
/// (`notes/edge.md`), as state per peer is about 200 kB.
pub const PEERS_MAX: usize = 4096;
/// Most peers that have not finished their handshake. Guess: bounds what a flood of valid
/// tickets can make us hold; one handshake lasts about 100 ms.
pub const HANDSHAKES_MAX: usize = 512;
/// Most SSRCs taken from one peer. Derived: audio, video and their retransmissions, twice over.
pub const SOURCES_MAX: usize = 16;
/// Most sessions with media here at once. Guess.
pub const STREAMS_MAX: usize = 256;

/// A peer that has not finished its handshake after this is dropped. Derived: OBS gives up after
/// 8 s, a browser after 15 s.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// A peer not heard from for this long is gone. Spec: RFC 7675 section 5.1, consent expires
/// after 30 s.
pub const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);
/// A publisher silent for this long may be replaced by another. Derived: it sends audio every
/// 20 ms and STUN every 2.5 s, so this is one lost check and not a hiccup.
pub const PUBLISHER_SILENT: Duration = Duration::from_secs(4);
/// Least time between two keyframe requests for one session. Spec: DESIGN.md section 5.
pub const KEYFRAME_REQUEST_INTERVAL: Duration = Duration::from_millis(500);
/// Least time between two replays of the cached group to one viewer. Guess: above a round trip
/// plus the time a browser needs to decode the first replay.
pub const REPLAY_INTERVAL: Duration = Duration::from_millis(1000);
/// A viewer's request for a keyframe is answered from the cache if the group is no older than
/// this. Derived: about what a keyframe from the publisher over four links takes at worst.
pub const REPLAY_AGE_MAX: Duration = Duration::from_millis(1500);
/// Time between two sender reports to a viewer. Derived: libwebrtc's interval for video.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// How long packets stay to answer NACKs. Derived: five round trips of 200 ms.
pub const RING_TIME: Duration = Duration::from_secs(1);
/// Most bytes kept of one session, the current group included. Derived: 8 s of 8 Mbit/s; a
/// longer group cannot be replayed, its viewers wait for the next keyframe.
pub const RING_BYTES_MAX: usize = 8 << 20;
/// Most packets kept of one track. Derived: `RING_BYTES_MAX` of packets of 500 bytes; also below
/// 2^15, so that a sequence number in a NACK names one packet.
pub const RING_PACKETS_MAX: usize = 16 * 1024;
/// Most retransmissions to one viewer per second. Derived: all packets of 4 Mbit/s; beyond that
/// the path is congested and repeating makes it worse.
pub const RETRANSMISSIONS_PER_SECOND_MAX: u32 = 500;

/// Least rate at which a viewer's backlog is sent, bit/s. Guess: a keyframe of 100 kB leaves in
/// 40 ms, and most home lines carry it.
pub const PACE_BPS_MIN: u64 = 20_000_000;
/// How many times the stream's bitrate a backlog is sent at. Derived: a group of 1 s is caught up
/// with in 0.33 s.
pub const PACE_FACTOR: u64 = 4;
/// Bytes sent to a viewer at once before pacing begins. Derived: a home router's shortest queue is
/// about 50 packets.
pub const PACE_BURST_BYTES: u64 = 40_000;
/// Time between two sends of a paced backlog. Derived: the resolution of tokio's timer.
pub const PACE_INTERVAL: Duration = Duration::from_millis(1);

/// Most commands waiting for the engine. Derived: a burst of joins; beyond, the HTTP side answers
/// 503.
pub const COMMANDS_MAX: usize = 256;
/// Most blocks waiting for the engine. Derived: 4 s of 30 blocks/s of two sessions.
pub const BLOCKS_MAX: usize = 256;
/// Most events waiting for the node. Derived: 1 s of a publisher's packets at 20 Mbit/s.
pub const EVENTS_MAX: usize = 4096;
/// Most datagrams handled before timers and commands get a turn. Guess.
pub const DATAGRAMS_PER_TURN: usize = 64;
/// Most bytes of one GSO batch. Spec: the UDP length field, less IP and UDP headers.
pub const BATCH_BYTES_MAX: usize = 60_000;
/// Most segments of one GSO batch. Spec: Linux UDP_MAX_SEGMENTS is 64 on the oldest kernels.
pub const BATCH_SEGMENTS_MAX: usize = 60;

/// Most client addresses the rate limiter remembers. Guess: about 100 bytes each.
pub const RATE_CLIENTS_MAX: usize = 4096;
/// Time a client has to send its request body. Guess.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
