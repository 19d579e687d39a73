//! Every bound of the system in one place, each with its basis: spec | derived | measured | guess.

/// Most data shards of a block. Spec: `proto/SPEC.md#session-descriptor`.
pub const K_MAX: u8 = 16;
/// Most parity shards of a block. Spec: `proto/SPEC.md#session-descriptor`.
pub const M_MAX: u8 = 4;
/// Most stripes of a rendition. Derived: `K_MAX + M_MAX`.
pub const STRIPES_MAX: u8 = K_MAX + M_MAX;
/// Longest encoded block, bytes. Derived: a 2 s worth keyframe of a 20 Mbit/s stream is far below;
/// a block is held whole in memory by every gateway, so it must be bounded.
pub const BLOCK_BYTES_MAX: usize = 4 << 20;
/// Longest RTP payload kept verbatim, bytes. Derived: the largest UDP payload on an Ethernet path.
pub const PAYLOAD_BYTES_MAX: usize = 1460;
/// Most RTP packets in one block. Derived: `BLOCK_BYTES_MAX` over a payload of about 1 kB.
pub const BLOCK_PACKETS_MAX: usize = 4096;
/// Most frames in one block: one video frame, some audio frames. Guess.
pub const BLOCK_FRAMES_MAX: usize = 64;

/// Longest control message, bytes. Derived: the largest, 8 members with 4 IPv6 addresses each,
/// takes about 1.1 kB; the rest is room for fields to come.
pub const CONTROL_BYTES_MAX: usize = 8 << 10;
/// Most addresses of one contact. Derived: IPv4 and IPv6, local and mapped.
pub const ADDRESSES_MAX: usize = 4;
/// Most members in one message. Derived: `forest.md` 5.2, a shuffle of 8.
pub const MEMBERS_MAX: usize = 8;
/// Most members a redirect names. Spec: `proto/SPEC.md#link`.
pub const REDIRECTS_MAX: usize = 4;
/// Most links between the root and a node. Derived: twice the depth the forest aims at (7), so that
/// only a loop or a lie can reach it.
pub const PATH_MAX: usize = 16;
/// Largest delay from the root that is told, µs. Guess: 60 s, so that sums stay far from overflow.
pub const DELAY_US_MAX: u32 = 60_000_000;
/// Most blocks one pull may name. Derived: 2 s at 30 blocks/s.
pub const PULL_BLOCKS_MAX: u64 = 64;
/// Most members of a session a node remembers. Derived: `forest.md` 5.2, active 6, passive 48.
pub const CANDIDATES_MAX: usize = 64;
/// Most children of one node, over all stripes. Guess: 1 Gbit/s of 0.5 Mbit/s stripes is twice that.
pub const CHILDREN_MAX: usize = 1024;
/// Most sessions a node takes part in. Guess.
pub const SESSIONS_MAX: usize = 64;
/// Most places named with the room below a node. Guess: one for each reach.
pub const PLACES_MAX: usize = 2;
/// Most links of a node. Derived: `CHILDREN_MAX` children plus parents and backups.
pub const LINKS_MAX: usize = 2048;
/// Most nodes a node has numbers for. Derived: all links, and 64 members of each of 64 sessions with
/// what they name.
pub const PEERS_MAX: usize = LINKS_MAX + 2 * SESSIONS_MAX * CANDIDATES_MAX;
/// Control messages a peer may send at once. Derived: while a session forms, the root's short
/// stripes change up to 40 times, and each change is told for each of 20 stripes; twice that.
pub const CONTROL_BURST: u64 = 2048;
/// Control messages a peer may send per second for ever. Derived: ten times a path each second for
/// 20 stripes, and what else there is.
pub const CONTROL_PER_SECOND: u64 = 256;

/// How far a clock may be behind the publisher's before what it signed is "not valid yet", seconds.
/// Guess: home computers without time service drift by minutes, not hours.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 300;
/// Longest life of a session's descriptor and of a delegation, seconds: 31 days. Guess: covers a
/// channel that never stops, renewed monthly, and bounds what a stolen media key is worth.
pub const SESSION_SECONDS_MAX: u64 = 31 * 24 * 60 * 60;
/// Longest encoded signed descriptor, bytes. Derived: the largest valid one is about 700 bytes; the
/// rest is room for fields to come, and the whole must fit a link that people paste.
pub const DESCRIPTOR_BYTES_MAX: usize = 1024;
/// Longest session title, characters. Guess: one line on a phone.
pub const TITLE_CHARS_MAX: usize = 80;
/// Largest bitrate a descriptor may say, bits per second. Guess: above any WebRTC encoder.
pub const BITRATE_BPS_MAX: u64 = 100_000_000;
/// Most nodes in an invite. Spec: `proto/SPEC.md#invite`.
pub const INVITE_BOOTSTRAPS_MAX: usize = 8;
/// Longest invite as text, bytes. Derived: descriptor and bootstraps at their largest are 3 kB in
/// base64, a ticket 2 kB, a portal's address 1 kB.
pub const INVITE_TEXT_BYTES_MAX: usize = 8 * 1024;
/// Longest ticket, bytes. Derived: a ticket is 300 bytes; other issuers may add claims.
pub const TICKET_BYTES_MAX: usize = 2 * 1024;
/// How far clocks may differ when a ticket's times are checked, seconds. Derived: RFC 7519 section
/// 4.1.4 allows "some small leeway, usually no more than a few minutes"; a ticket may live minutes.
pub const TICKET_LEEWAY_SECONDS: u64 = 30;

/// Longest gossip message, bytes. Spec: `proto/SPEC.md#capacity-adverts`.
pub const GOSSIP_BYTES_MAX: usize = 1024;
/// Longest encoded signed capacity advert, bytes. Derived: the largest valid one takes 187; gossip
/// passes each on about six times.
pub const ADVERT_BYTES_MAX: usize = 200;
/// Life of a capacity advert, seconds. Spec: `forest.md` 5.2; two intervals of a small session.
pub const ADVERT_SECONDS: u64 = 20;
/// Life of the advert of a node that has not changed for long, seconds. Spec: `forest.md` 5.2.
pub const ADVERT_SECONDS_STABLE: u64 = 60;
/// How far clocks may differ when a capacity advert's time is checked, seconds. Guess: who has time
/// service is within one; who has none goes by the publisher's clock, from blocks and beacons.
pub const ADVERT_LEEWAY_SECONDS: u64 = 10;
/// Longest encoded grant of the root's place, bytes. Derived: the largest takes 203.
pub const GRANT_BYTES_MAX: usize = 256;
/// Longest encoded beacon, bytes. Derived: the largest takes 98.
pub const BEACON_BYTES_MAX: usize = 120;

/// Longest encoded video frame, bytes. Derived: leaves a quarter of `BLOCK_BYTES_MAX` for the audio
/// and the headers of its block.
pub const FRAME_BYTES_MAX: usize = BLOCK_BYTES_MAX / 4 * 3;
/// Most parameter sets remembered from a keyframe. Guess: VPS, SPS and PPS of two layers, and two.
pub const PARAMETER_SETS_MAX: usize = 8;
/// Most RTP packets in one video frame. Derived: leaves room in its block for one packet per audio
/// frame and for parameter sets put in front.
pub const FRAME_PACKETS_MAX: usize = BLOCK_PACKETS_MAX - BLOCK_FRAMES_MAX - PARAMETER_SETS_MAX;
/// Most packets of a track held while one is missing, and the jump in sequence numbers that is taken
/// for a restart. Derived: 200 ms of a 50 Mbit/s stream in packets of 1200 bytes.
pub const REORDER_PACKETS_MAX: usize = 1024;
/// Most asks for one missing packet. Derived: one per 40 ms within the 200 ms that video waits.
pub const NACK_ASKS_MAX: u32 = 4;

/// Largest number of a block. Derived: sums of numbers and windows stay far from overflow.
pub const BLOCK_NUMBER_MAX: u64 = (1 << 62) - 1;
/// Longest `fmtp` of a track, bytes. Derived: H.265 parameter sets in base64 take some 300.
pub const FMTP_BYTES_MAX: usize = 1024;
/// Most blocks between the next one to play and the newest one seen, and most that a join may wait
/// for from the start of their group. Derived: 17 s at 30 blocks/s; OBS's default group at 60
/// blocks/s is 250 blocks.
pub const WINDOW_BLOCKS: u64 = 512;
/// Most bytes of shards and blocks held until they are played. Derived: 10 s of 20 Mbit/s with
/// parity.
pub const WINDOW_BYTES_MAX: usize = 32 << 20;
/// How many played or lost blocks are remembered, to tell surplus shards from late ones and to
/// measure stripes that lag. Derived: 4 s at 30 blocks/s, beyond any stripe worth keeping.
pub const PAST_BLOCKS: usize = 128;
/// Most outcomes a rebuilder keeps for a caller that does not ask. Derived: one push gives at most
/// one per stripe of one block, an expiry one per stripe and block of a few.
pub const OUTCOMES_MAX: usize = 256;
/// Most shards in a ring. Derived: `WINDOW_BLOCKS` of `STRIPES_MAX` stripes.
pub const RING_SHARDS_MAX: usize = WINDOW_BLOCKS as usize * STRIPES_MAX as usize;
