//! The root's side of a shard and every other node's: code and sign, check.
//!
//! Two ways to check, one way to blame. [`Checker::check`] is `verify_strict`; it decides what may
//! be passed on and who is at fault. [`Checker::check_batch`] may accept a few signatures more, but
//! only ones that the holder of the media key made on purpose (a point of small order mixed into R
//! or the key), and it rejects nothing that `check` accepts. So a node that passes on only what
//! `check` accepted is never blamed by another honest node, and what only a batch accepts goes no
//! further than the node's own viewers. spec: proto/SPEC.md#checking

use bytes::Bytes;
use ed25519_dalek::{Signature, VerifyingKey, verify_batch};

use super::shard::message;
use super::{BadCode, Code, Shard, ShardHeader};
use crate::identity::{MediaKey, SessionId};
use crate::limits::BLOCK_BYTES_MAX;
use crate::wire::media::{SHARD_PAYLOAD_AT, SHARD_SIGNATURE_AT};

/// Cuts, codes and signs the blocks of one rendition.
pub struct Coder {
    session: SessionId,
    rendition: u8,
    code: Code,
    key: MediaKey,
}

impl Coder {
    /// A coder for one rendition of a session, signing with the session's media key.
    ///
    /// # Errors
    /// If there is no k+m code.
    pub fn new(
        session: SessionId,
        rendition: u8,
        k: u8,
        m: u8,
        key: MediaKey,
    ) -> Result<Self, BadCode> {
        Ok(Self { session, rendition, code: Code::new(k, m)?, key })
    }

    /// The code in use.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The shards of a block, one per stripe in order of the stripes. Takes what [`Block::encode`]
    /// gave; each shard is one allocation.
    ///
    /// # Panics
    /// If `block` is empty or longer than [`BLOCK_BYTES_MAX`], or `group` is above `number`.
    ///
    /// [`Block::encode`]: super::Block::encode
    #[must_use]
    pub fn encode(&self, number: u64, group: u64, block: &Bytes) -> Vec<Shard> {
        assert!(
            !block.is_empty() && block.len() <= BLOCK_BYTES_MAX && group <= number,
            "block {number} of group {group}, {} bytes",
            block.len()
        );
        (0..self.code.n())
            .map(|stripe| {
                let header = ShardHeader {
                    block: number,
                    group,
                    rendition: self.rendition,
                    stripe,
                    code: self.code,
                    block_len: block.len() as u32,
                };
                self.shard(header, block)
            })
            .collect()
    }

    fn shard(&self, header: ShardHeader, block: &[u8]) -> Shard {
        let len = SHARD_PAYLOAD_AT + self.code.piece_len(block.len());
        let mut out = Vec::with_capacity(len);
        header.put(&mut out);
        out.resize(len, 0);
        let (head, payload) = out.split_at_mut(SHARD_PAYLOAD_AT);
        self.code.piece(block, header.stripe, payload);
        let signature = self.key.sign(&message(&self.session, &header, payload));
        head[SHARD_SIGNATURE_AT..].copy_from_slice(&signature);
        Shard::from_parts(header, out.into())
    }
}

/// A shard's signature is not by the session's media key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shard {block}/{stripe} is not signed by the session's media key")]
pub struct BadShard {
    /// Number of the block it claims to be a piece of.
    pub block: u64,
    /// The stripe it claims.
    pub stripe: u8,
}

/// Checks the signatures of one session's shards.
#[derive(Clone, Debug)]
pub struct Checker {
    session: SessionId,
    key: VerifyingKey,
}

impl Checker {
    /// A checker for a session whose media key is `key`.
    #[must_use]
    pub const fn new(session: SessionId, key: VerifyingKey) -> Self {
        Self { session, key }
    }

    /// Checks one shard. A node passes on only what passes here.
    ///
    /// # Errors
    /// If the signature is not the media key's: whoever sent the shard is at fault.
    pub fn check(&self, shard: &Shard) -> Result<(), BadShard> {
        let signature = Signature::from_bytes(shard.signature());
        self.key
            .verify_strict(&self.message(shard), &signature)
            .map_err(|_| BadShard { block: shard.block(), stripe: shard.stripe() })
    }

    /// Checks several shards at about a third of the cost each, for a node's own use of them.
    ///
    /// # Errors
    /// The positions of those that [`Checker::check`] rejects, never none.
    pub fn check_batch(&self, shards: &[&Shard]) -> Result<(), Vec<usize>> {
        // A batch of one costs more than a single check.
        if shards.len() > 1 {
            let messages: Vec<_> = shards.iter().map(|shard| self.message(shard)).collect();
            let messages: Vec<&[u8]> = messages.iter().map(|message| &message[..]).collect();
            let signatures: Vec<_> =
                shards.iter().map(|shard| Signature::from_bytes(shard.signature())).collect();
            if verify_batch(&messages, &signatures, &vec![self.key; shards.len()]).is_ok() {
                return Ok(());
            }
        }
        let bad: Vec<usize> =
            (0..shards.len()).filter(|i| self.check(shards[*i]).is_err()).collect();
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }

    fn message(&self, shard: &Shard) -> [u8; super::shard::MESSAGE_LEN] {
        message(&self.session, shard.header(), shard.payload())
    }
}

#[cfg(test)]
mod tests;
