//! A shard: one signed, coded piece of a block, checkable and forwardable by itself.

use bytes::Bytes;

use super::Code;
use crate::identity::{Domain, SessionId};
use crate::wire::media::{SHARD_PAYLOAD_AT, SHARD_SIGNATURE_AT};

/// What a shard says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardHeader {
    /// Number of the block it is a piece of.
    pub block: u64,
    /// Number of the first block of that block's group.
    pub group: u64,
    /// The rendition.
    pub rendition: u8,
    /// Which piece it is, and so which tree carries it.
    pub stripe: u8,
    /// The code of the block.
    pub code: Code,
    /// Length of the encoded block, bytes.
    pub block_len: u32,
}

impl ShardHeader {
    /// Whether two shards can be pieces of one and the same block.
    #[must_use]
    pub fn same_block(&self, other: &Self) -> bool {
        Self { stripe: other.stripe, ..*self } == *other
    }
}

/// One of the n coded pieces of a block. Cloning shares its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Shard {
    header: ShardHeader,
    encoded: Bytes,
}

impl Shard {
    /// Parts that belong together: only decoding and signing make them.
    pub(crate) const fn from_parts(header: ShardHeader, encoded: Bytes) -> Self {
        Self { header, encoded }
    }

    /// All it says about itself.
    #[must_use]
    pub const fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// Number of the block it is a piece of.
    #[must_use]
    pub const fn block(&self) -> u64 {
        self.header.block
    }

    /// Number of the first block of its group.
    #[must_use]
    pub const fn group(&self) -> u64 {
        self.header.group
    }

    /// The rendition.
    #[must_use]
    pub const fn rendition(&self) -> u8 {
        self.header.rendition
    }

    /// Which piece of the block it is.
    #[must_use]
    pub const fn stripe(&self) -> u8 {
        self.header.stripe
    }

    /// Data shards of its block.
    #[must_use]
    pub const fn k(&self) -> u8 {
        self.header.code.k()
    }

    /// Parity shards of its block.
    #[must_use]
    pub const fn m(&self) -> u8 {
        self.header.code.m()
    }

    /// Length of the encoded block, bytes.
    #[must_use]
    pub const fn block_len(&self) -> u32 {
        self.header.block_len
    }

    /// Whether its block starts a group.
    #[must_use]
    pub const fn starts_group(&self) -> bool {
        self.header.block == self.header.group
    }

    /// The piece itself.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.encoded[SHARD_PAYLOAD_AT..]
    }

    /// Its Ed25519 signature, not checked.
    #[must_use]
    pub fn signature(&self) -> &[u8; 64] {
        self.encoded[SHARD_SIGNATURE_AT..].first_chunk().expect("every shard has a signature")
    }

    /// The whole shard as it crosses a link.
    #[must_use]
    pub const fn encoded(&self) -> &Bytes {
        &self.encoded
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ShardHeader { block, group, rendition, stripe, code, block_len } = self.header;
        write!(
            f,
            "Shard({block}/{stripe} group {group} rendition {rendition} {}+{} of {block_len} B)",
            code.k(),
            code.m()
        )
    }
}

/// What a shard's signature covers. spec: proto/SPEC.md#shard
pub(super) const MESSAGE_LEN: usize = Domain::Shard.tag().len() + 32 + 1 + 8 + 8 + 3 + 4 + 32;

/// Builds what the signature of a shard with this header and payload covers.
pub(super) fn message(
    session: &SessionId,
    header: &ShardHeader,
    payload: &[u8],
) -> [u8; MESSAGE_LEN] {
    let mut message = [0; MESSAGE_LEN];
    let mut left = &mut message[..];
    for part in [
        Domain::Shard.tag(),
        session.as_bytes(),
        &[header.rendition],
        &header.block.to_be_bytes(),
        &header.group.to_be_bytes(),
        &[header.stripe, header.code.k(), header.code.m()],
        &header.block_len.to_be_bytes(),
        blake3::hash(payload).as_bytes(),
    ] {
        let (here, rest) = left.split_at_mut(part.len());
        here.copy_from_slice(part);
        left = rest;
    }
    debug_assert!(left.is_empty());
    message
}
