//! VP9 (RFC 9628), flexible mode: each frame names the one before it as its reference, and
//! keyframes carry their size.

use banyan_protocol::coding::VideoCodec;
use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Bits;
use super::{PAYLOAD_BYTES, PayloadError};

/// Flags, picture id of two bytes, and a reference or the scalability structure of a keyframe.
const DESCRIPTOR_BYTES_MAX: usize = 3 + 5;

const fn malformed(what: &'static str) -> PayloadError {
    PayloadError::new(VideoCodec::Vp9, what)
}

/// Width and height of a keyframe, `None` for any other frame (VP9 bitstream, section 6.2).
pub(super) fn inspect(frame: &[u8]) -> Result<Option<(u16, u16)>, PayloadError> {
    let mut bits = Bits::new(frame);
    keyframe_size(&mut bits).ok_or(malformed("a truncated frame header"))?
}

type Size = Option<(u16, u16)>;

fn keyframe_size(bits: &mut Bits<'_>) -> Option<Result<Size, PayloadError>> {
    if bits.read(2)? != 0b10 {
        return Some(Err(malformed("no frame marker")));
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    if profile == 3 {
        bits.read(1)?;
    }
    let show_existing_frame = bits.read(1)? == 1;
    if show_existing_frame {
        return Some(Ok(None));
    }
    let inter = bits.read(1)? == 1;
    if inter {
        return Some(Ok(None));
    }
    let _show_frame = bits.read(1)?;
    let _error_resilient = bits.read(1)?;
    if bits.read(24)? != 0x49_83_42 {
        return Some(Err(malformed("no sync code")));
    }
    if profile >= 2 {
        let _bit_depth = bits.read(1)?;
    }
    let color_space = bits.read(3)?;
    if color_space == 7 {
        if profile & 1 == 1 {
            bits.read(1)?;
        }
    } else {
        bits.read(1)?;
        if profile & 1 == 1 {
            bits.read(3)?;
        }
    }
    let (width, height) = (bits.read(16)?, bits.read(16)?);
    // Written as size - 1; 65536 does not fit the descriptor, and no decoder takes it.
    Some(Ok(Some(((width as u16).saturating_add(1), (height as u16).saturating_add(1)))))
}

pub(super) fn packetise(frame: &Bytes, picture_id: u16) -> Result<Vec<Bytes>, PayloadError> {
    let keyframe = inspect(frame)?;
    let pieces = frame.chunks(PAYLOAD_BYTES - DESCRIPTOR_BYTES_MAX);
    let last = pieces.len() - 1;
    let payloads = pieces.enumerate().map(|(index, piece)| {
        let mut payload = BytesMut::with_capacity(DESCRIPTOR_BYTES_MAX + piece.len());
        let structure = keyframe.filter(|_| index == 0);
        let mut flags = 0x90;
        flags |= if keyframe.is_none() { 0x40 } else { 0 };
        flags |= if index == 0 { 0x08 } else { 0 };
        flags |= if index == last { 0x04 } else { 0 };
        flags |= if structure.is_some() { 0x02 } else { 0 };
        payload.put_u8(flags);
        payload.put_u16(0x8000 | picture_id);
        if keyframe.is_none() {
            // P_DIFF 1, N 0.
            payload.put_u8(1 << 1);
        }
        if let Some((width, height)) = structure {
            // N_S 0 (one layer), Y 1.
            payload.put_u8(0x10);
            payload.put_u16(width);
            payload.put_u16(height);
        }
        payload.put_slice(piece);
        payload.freeze()
    });
    Ok(payloads.collect())
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
    let flags = *payload.first()?;
    let flag = |mask: u8| flags & mask != 0;
    let (picture_id, inter, layers, flexible, structure) =
        (flag(0x80), flag(0x40), flag(0x20), flag(0x10), flag(0x02));
    let mut at = 1;
    if picture_id {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if layers {
        at += if flexible { 1 } else { 2 };
    }
    if flexible && inter {
        for _ in 0..3 {
            at += 1;
            if payload.get(at - 1)? & 1 == 0 {
                break;
            }
        }
    }
    if structure {
        let header = *payload.get(at)?;
        at += 1;
        if header & 0x10 != 0 {
            at += 4 * (usize::from(header >> 5) + 1);
        }
        if header & 0x08 != 0 {
            let pictures = *payload.get(at)?;
            at += 1;
            for _ in 0..pictures {
                at += 1 + usize::from(payload.get(at)? >> 2 & 0x03);
            }
        }
    }
    Some(at)
}
