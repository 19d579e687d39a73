//! Media as blocks, blocks as coded and signed shards, shards as blocks again.

pub mod block;

pub use block::{AudioCodec, Block, Digest, Format, Frame, Packet, Track, TrackFormat, VideoCodec};
