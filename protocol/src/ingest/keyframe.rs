//! Spots the payload that begins a keyframe. The only place that looks inside payloads.
//!
//! Total on any bytes: what cannot be read is not a keyframe. It answers for the *first slice* of a
//! keyframe only, so that a frame whose beginning was lost does not pass for one.

use crate::coding::VideoCodec;

/// Whether `payload` holds the beginning of a keyframe's picture data.
#[must_use]
pub fn starts_keyframe(codec: VideoCodec, payload: &[u8]) -> bool {
    let found = match codec {
        VideoCodec::Vp8 => vp8(payload),
        VideoCodec::Vp9 => vp9(payload),
        VideoCodec::H264 => h264(payload),
        VideoCodec::H265 => h265(payload),
        VideoCodec::Av1 => av1(payload),
    };
    found.unwrap_or(false)
}

/// The parameter sets in `payload` that a decoder needs before a keyframe: H264 SPS and PPS, H265
/// VPS, SPS and PPS. None for codecs that carry them in the keyframe itself.
pub(super) fn parameter_sets(codec: VideoCodec, payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let units = match codec {
        VideoCodec::H264 => h264_units(payload),
        VideoCodec::H265 => h265_units(payload),
        VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::Av1 => None,
    };
    units.into_iter().flatten().filter(move |unit| match codec {
        VideoCodec::H264 => h264_type(unit).is_some_and(|unit| (7..=8).contains(&unit)),
        _ => h265_type(unit).is_some_and(|unit| (32..=34).contains(&unit)),
    })
}

/// RFC 7741, section 4.2 and 4.3: start of partition 0, and the P bit of the frame header clear.
fn vp8(payload: &[u8]) -> Option<bool> {
    let first = *payload.first()?;
    if first & 0x17 != 0x10 {
        return Some(false);
    }
    let mut at = 1;
    if first & 0x80 != 0 {
        let extensions = *payload.get(at)?;
        at += 1;
        if extensions & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extensions & 0x40 != 0) + usize::from(extensions & 0x30 != 0);
    }
    Some(payload.get(at)? & 0x01 == 0)
}

/// RFC 9628, section 4.2: start of a frame, not inter-picture predicted, spatial layer 0.
///
/// Some packetizers (FFmpeg's, Pion's) never set the P bit. So the frame header must agree where it
/// can be read (VP9 bitstream specification, section 6.2).
fn vp9(payload: &[u8]) -> Option<bool> {
    let first = *payload.first()?;
    let flag = |mask: u8| first & mask != 0;
    let (picture_id, inter, layers, flexible) = (flag(0x80), flag(0x40), flag(0x20), flag(0x10));
    let (begins, structure) = (flag(0x08), flag(0x02));
    if inter || !begins {
        return Some(false);
    }
    let mut at = 1;
    if picture_id {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if layers {
        if payload.get(at)? & 0x0e != 0 {
            return Some(false);
        }
        at += if flexible { 1 } else { 2 };
    }
    if structure {
        at = vp9_after_structure(payload, at)?;
    }
    let header = *payload.get(at)?;
    if header & 0xc0 != 0x80 {
        // No VP9 frame header: encrypted end to end. The descriptor alone must do.
        return Some(true);
    }
    // Profile 3 has a reserved bit before show_existing_frame and frame_type.
    let shift = if header & 0x30 == 0x30 { 1 } else { 2 };
    Some(header >> shift & 0x03 == 0)
}

/// The index after the scalability structure at `at` (RFC 9628, section 4.2.1).
fn vp9_after_structure(payload: &[u8], at: usize) -> Option<usize> {
    let header = *payload.get(at)?;
    let layers = usize::from(header >> 5) + 1;
    let mut at = at + 1;
    if header & 0x10 != 0 {
        at += 4 * layers;
    }
    if header & 0x08 != 0 {
        let pictures = *payload.get(at)?;
        at += 1;
        for _ in 0..pictures {
            at += 1 + usize::from(payload.get(at)? >> 2 & 0x03);
        }
    }
    Some(at)
}

const H264_IDR: u8 = 5;
const H264_STAP_A: u8 = 24;
const H264_FU_A: u8 = 28;
const H264_FU_B: u8 = 29;

/// RFC 6184: an IDR slice with `first_mb_in_slice` 0, alone, in a STAP-A or at an FU's start.
fn h264(payload: &[u8]) -> Option<bool> {
    let first = *payload.first()?;
    // `first_mb_in_slice` is ue(v): a leading 1 is 0.
    let first_slice = |byte: u8| byte & 0x80 != 0;
    match first & 0x1f {
        unit @ (H264_FU_A | H264_FU_B) => {
            let header = *payload.get(1)?;
            // An FU-B has a decoding order number before its data.
            let data = *payload.get(if unit == H264_FU_A { 2 } else { 4 })?;
            Some(header & 0x80 != 0 && header & 0x1f == H264_IDR && first_slice(data))
        }
        _ => Some(h264_units(payload)?.any(|unit| {
            h264_type(unit) == Some(H264_IDR) && unit.get(1).copied().is_some_and(first_slice)
        })),
    }
}

fn h264_type(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header & 0x1f)
}

/// The whole NAL units of a payload: itself, or what a STAP-A aggregates.
fn h264_units(payload: &[u8]) -> Option<Units<'_>> {
    match payload.first()? & 0x1f {
        1..=23 => Some(Units::Single(Some(payload))),
        H264_STAP_A => Some(Units::Aggregated(&payload[1..])),
        _ => None,
    }
}

const H265_AP: u8 = 48;
const H265_FU: u8 = 49;

/// RFC 7798: an IRAP slice (types 16 to 23) with `first_slice_segment_in_pic_flag` set.
fn h265(payload: &[u8]) -> Option<bool> {
    let irap = |unit: u8| (16..=23).contains(&unit);
    let first_slice = |byte: u8| byte & 0x80 != 0;
    if payload.first()? >> 1 & 0x3f == H265_FU {
        let header = *payload.get(2)?;
        let data = *payload.get(3)?;
        return Some(header & 0x80 != 0 && irap(header & 0x3f) && first_slice(data));
    }
    Some(h265_units(payload)?.any(|unit| {
        h265_type(unit).is_some_and(irap) && unit.get(2).copied().is_some_and(first_slice)
    }))
}

fn h265_type(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header >> 1 & 0x3f)
}

/// The whole NAL units of a payload: itself, or what an aggregation packet holds. Without DONL,
/// which WebRTC does not negotiate.
fn h265_units(payload: &[u8]) -> Option<Units<'_>> {
    match payload.first()? >> 1 & 0x3f {
        0..H265_AP => Some(Units::Single(Some(payload))),
        H265_AP => Some(Units::Aggregated(payload.get(2..)?)),
        _ => None,
    }
}

/// NAL units of one payload; 16-bit lengths before each when aggregated.
enum Units<'a> {
    Single(Option<&'a [u8]>),
    Aggregated(&'a [u8]),
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Units::Single(unit) => unit.take(),
            Units::Aggregated(rest) => {
                let (length, after) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                let unit = after.get(..length)?;
                *rest = &after[length..];
                Some(unit)
            }
        }
    }
}

const AV1_SEQUENCE_HEADER: u8 = 1;
const AV1_FRAME_HEADER: u8 = 3;
const AV1_FRAME: u8 = 6;

/// AV1 RTP payload, section 4.4: the N bit; or, from a packetizer that leaves it clear, a sequence
/// header followed by the header of a shown key frame.
fn av1(payload: &[u8]) -> Option<bool> {
    let aggregation = *payload.first()?;
    let continues = aggregation & 0x80 != 0;
    if continues {
        return Some(false);
    }
    if aggregation & 0x08 != 0 {
        return Some(true);
    }
    let count = usize::from(aggregation >> 4 & 0x03);
    let mut rest = &payload[1..];
    let mut sequence_header = false;
    let mut index = 0;
    while !rest.is_empty() {
        index += 1;
        let element = if index == count {
            std::mem::take(&mut rest)
        } else {
            let (length, used) = leb128(rest)?;
            let end = used.checked_add(length)?;
            // A fragment at the end of a packet without W is cut by the packet's end.
            let element = rest.get(used..end)?;
            rest = &rest[end..];
            element
        };
        let header = *element.first()?;
        let mut at = 1 + usize::from(header & 0x04 != 0);
        if header & 0x02 != 0 {
            at += leb128(element.get(at..)?)?.1;
        }
        match header >> 3 & 0x0f {
            AV1_SEQUENCE_HEADER => sequence_header = true,
            AV1_FRAME_HEADER | AV1_FRAME => {
                // show_existing_frame 0, frame_type KEY_FRAME (0), show_frame 1.
                return Some(sequence_header && element.get(at)? & 0xf0 == 0x10);
            }
            _ => {}
        }
    }
    Some(false)
}

/// A little-endian base-128 number and how many bytes it took.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests;
