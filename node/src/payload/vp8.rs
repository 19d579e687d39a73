//! VP8 (RFC 7741): a descriptor with a 15-bit picture id, and the frame in pieces.

use banyan_protocol::coding::VideoCodec;
use bytes::{BufMut, Bytes, BytesMut};

use super::{PAYLOAD_BYTES, PayloadError};

/// X and I set, picture id of two bytes.
const DESCRIPTOR_BYTES: usize = 4;

const fn malformed(what: &'static str) -> PayloadError {
    PayloadError::new(VideoCodec::Vp8, what)
}

/// The P bit of the frame tag (RFC 6386, section 9.1).
pub(super) fn is_keyframe(frame: &[u8]) -> Result<bool, PayloadError> {
    if frame.len() < 3 {
        return Err(malformed("a frame shorter than its tag"));
    }
    Ok(frame[0] & 1 == 0)
}

/// The whole frame is sent as one partition, as browsers do.
pub(super) fn packetise(frame: &Bytes, picture_id: u16) -> Vec<Bytes> {
    let pieces = frame.chunks(PAYLOAD_BYTES - DESCRIPTOR_BYTES).enumerate();
    pieces
        .map(|(index, piece)| {
            let mut payload = BytesMut::with_capacity(DESCRIPTOR_BYTES + piece.len());
            payload.put_u8(if index == 0 { 0x90 } else { 0x80 });
            payload.put_u8(0x80);
            payload.put_u16(0x8000 | picture_id);
            payload.put_slice(piece);
            payload.freeze()
        })
        .collect()
}

pub(super) fn assemble<'a>(
    payloads: impl Iterator<Item = &'a Bytes>,
) -> Result<Vec<u8>, PayloadError> {
    let mut frame = Vec::new();
    for payload in payloads {
        let at = descriptor_bytes(payload).ok_or(malformed("a truncated descriptor"))?;
        frame.extend_from_slice(payload.get(at..).ok_or(malformed("a truncated descriptor"))?);
    }
    Ok(frame)
}

/// Section 4.2.
fn descriptor_bytes(payload: &[u8]) -> Option<usize> {
    if payload.first()? & 0x80 == 0 {
        return Some(1);
    }
    let extensions = *payload.get(1)?;
    let mut at = 2;
    if extensions & 0x80 != 0 {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    Some(at + usize::from(extensions & 0x40 != 0) + usize::from(extensions & 0x30 != 0))
}
