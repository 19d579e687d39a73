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
