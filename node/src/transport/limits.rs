//! Every bound of the transport, each with its basis: spec | derived | measured | guess.

use std::time::Duration;

/// Longest time a handshake or a hole punch may take. Derived: three losses of a first flight at
/// the 100 ms initial round trip (0.3 + 0.6 + 1.2 s), and as much again for slow paths.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Handshakes in progress at once. Derived: at 100 ms each, 128 admit 1280 peers per second; each
/// costs some 30 kB while it lasts.
pub const HANDSHAKES_MAX: usize = 128;
/// Handshakes in progress from one IPv4 address or IPv6 /56. Derived: a quarter of
/// [`HANDSHAKES_MAX`], so that one network cannot hold all; 320 per second at 100 ms each.
pub const HANDSHAKES_PER_SOURCE_MAX: usize = 32;
/// First packets the endpoint buffers before we look at them, bytes in all. Guess: the accept
/// loop looks at once.
pub const INCOMING_BUFFER_BYTES_MAX: u64 = 1 << 20;
/// Hole punches waited for at once. Guess: DCUtR tries a few addresses of a few peers.
pub const PUNCHES_MAX: usize = 256;

/// Round trip assumed before the first is measured. Derived: RFC 9002 assumes 333 ms, which
/// repeats a first flight that met a closed NAT only after 1 s; 100 ms repeats it after 300 ms.
pub const INITIAL_RTT: Duration = Duration::from_millis(100);

/// Control connections waiting for the swarm. Guess.
pub const CONTROL_BACKLOG_MAX: usize = 64;
/// Bidirectional streams a peer may hold open on a control connection. Measured: stock libp2p
/// uses its default, 256, and needs less.
pub const CONTROL_STREAMS_MAX: u32 = 256;
/// Bytes in flight towards us on one control connection. Derived: the largest control message
/// (256 kB of gossip control) twice, with room for a slow reader.
pub const CONTROL_WINDOW_BYTES: u32 = 1 << 20;
/// A control connection silent for this long is dead. Spec: libp2p-quic's default.
pub const CONTROL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an idle control connection says so. Derived: two losses are survived.
pub const CONTROL_KEEP_ALIVE: Duration = Duration::from_secs(3);

/// Links waiting for whoever takes them. Guess.
pub const LINK_BACKLOG_MAX: usize = 64;
/// Unidirectional streams a peer may hold open on a link. Derived: a stream per shard, one
/// second (the ring buffer) of 60 blocks per second of 20 stripes, and three renditions.
pub const LINK_UNI_STREAMS_MAX: u32 = 4096;
/// Bidirectional streams a peer may hold open on a link. Guess: control framing needs one.
pub const LINK_BI_STREAMS_MAX: u32 = 16;
/// Bytes in flight towards us, and unsent from us, on one link. Derived: 1 s of 20 Mbit/s is
/// 2.5 MB; a link behind by more than that carries nothing worth having.
pub const LINK_WINDOW_BYTES: u32 = 4 << 20;
/// Bytes in flight towards us on one stream of either kind of connection. The server cannot tell
/// the kinds apart when it sets this. Derived: a keyframe block of 1 MB on one stream.
pub const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of QUIC datagrams kept for a slow reader; the oldest are dropped. Guess: 100 ms of
/// 20 Mbit/s.
pub const DATAGRAM_BUFFER_BYTES: usize = 256 << 10;
/// A link silent for this long is dead. Guess: home links that lose their Wi-Fi for a second or
/// two should not flap; the forest notices a silent stripe within 100 ms on its own.
pub const LINK_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an idle link says so. Derived: four losses in a row are survived.
pub const LINK_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Datagrams that are not QUIC waiting for the gateway; the newest are dropped. Derived: 100 ms
/// of feedback from 1000 viewers at 20 datagrams per second each.
pub const FOREIGN_BACKLOG_MAX: usize = 2048;
/// Socket buffer asked for, bytes per direction. Derived: 30 ms of 1 Gbit/s.
pub const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Ports tried until one is free for both IPv4 and IPv6. Guess: one in a hundred is taken.
pub const PORT_ATTEMPTS_MAX: usize = 16;
/// STUN answers per second for one bucket of sources. Guess: a browser asks two or three times
/// per candidate gathering; many may share one address.
pub const STUN_ANSWERS_PER_SECOND: u32 = 50;
/// Buckets of sources for STUN answers. Derived: with [`STUN_ANSWERS_PER_SECOND`] at most 3200
/// answers per second, below 2 Mbit/s, however many addresses a flood forges.
pub const STUN_BUCKETS: usize = 64;
/// Longest time a clean shutdown waits for peers to hear of it. Guess: three round trips of a
/// slow path.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
