//! Media as blocks, blocks as coded and signed shards, shards as blocks again.
//!
//! A root encodes a [`Block`] and gives the bytes to its [`Coder`]; a node that passes shards on
//! asks its [`Checker`] first and keeps them in a [`Ring`]; a gateway pushes shards into a
//! [`Rebuilder`] and takes blocks out in order.

mod assembly;
pub mod block;
mod gf256;
mod rebuild;
mod reed_solomon;
mod ring;
pub(crate) mod sample;
mod shard;
mod sign;
mod stripes;
mod window;

pub use crate::wire::media::EncodeError;
pub use block::{AudioCodec, Block, Digest, Format, Frame, Packet, Track, TrackFormat, VideoCodec};
pub use rebuild::{
    Inconsistency, Outcome, Push, Rebuilder, RebuilderConfig, RebuilderStats, Rebuilt, Violation,
};
pub use reed_solomon::{BadCode, Code};
pub use ring::Ring;
pub use shard::{Shard, ShardHeader};
pub use sign::{BadShard, Checker, Coder};
pub use stripes::StripeLag;
