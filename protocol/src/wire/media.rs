//! Blocks and shards as bytes.
//!
//! Decoding is zero-copy: payloads share the memory of the bytes they were decoded from.

mod block;
mod shard;
#[cfg(test)]
mod tests;

pub use block::EncodeError;
pub(crate) use shard::{SHARD_PAYLOAD_AT, SHARD_SIGNATURE_AT};
