//! spec: proto/SPEC.md#shard

use bytes::{BufMut, Bytes};

use crate::coding::{Code, Shard, ShardHeader};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_NUMBER_MAX};
use crate::wire::DecodeError;
use crate::wire::reader::Reader;

const VERSION: u8 = 1;
/// Where the signature starts: after version, rendition, stripe, k, m, block, group, block_len.
pub(crate) const SHARD_SIGNATURE_AT: usize = 5 + 8 + 8 + 4;
/// Where the payload starts.
pub(crate) const SHARD_PAYLOAD_AT: usize = SHARD_SIGNATURE_AT + 64;

impl ShardHeader {
    /// Appends all of a shard that comes before its signature.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.put_slice(&[VERSION, self.rendition, self.stripe, self.code.k(), self.code.m()]);
        out.put_u64(self.block);
        out.put_u64(self.group);
        out.put_u32(self.block_len);
    }
}

impl Shard {
    /// Reads a shard and keeps `encoded`, so that passing it on copies nothing.
    ///
    /// # Errors
    /// If the bytes are not exactly one shard within the limits.
    pub fn decode(encoded: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&encoded);
        if reader.u8("version")? != VERSION {
            return Err(DecodeError::field("version", "unknown"));
        }
        let rendition = reader.u8("rendition")?;
        let stripe = reader.u8("stripe")?;
        let code = Code::new(reader.u8("k")?, reader.u8("m")?)
            .map_err(|_| DecodeError::field("k", "k or m out of range"))?;
        if stripe >= code.n() {
            return Err(DecodeError::field("stripe", "not below k + m"));
        }
        let block = reader.u64("block")?;
        let group = reader.u64("group")?;
        if block > BLOCK_NUMBER_MAX || group > block {
            return Err(DecodeError::field("block", "above its limit or below its group"));
        }
        let block_len = reader.u32("block_len")?;
        if block_len == 0 || block_len as usize > BLOCK_BYTES_MAX {
            return Err(DecodeError::field("block_len", "zero or above its limit"));
        }
        reader.array::<64>("signature")?;
        let payload = reader.left();
        match payload.checked_sub(code.piece_len(block_len as usize)) {
            None => return Err(DecodeError::Truncated("payload")),
            Some(0) => {}
            Some(more) => return Err(DecodeError::Trailing(more)),
        }
        let header = ShardHeader { block, group, rendition, stripe, code, block_len };
        Ok(Self::from_parts(header, encoded))
    }
}
