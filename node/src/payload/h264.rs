//! H264 (RFC 6184), packetization mode 1: small NAL units together in a STAP-A, large ones in FU-As.

use banyan_protocol::coding::VideoCodec;
use bytes::{BufMut, Bytes, BytesMut};

use super::{PAYLOAD_BYTES, PayloadError};

const IDR: u8 = 5;
const SPS: u8 = 7;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const FILLER: u8 = 12;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

const fn malformed(what: &'static str) -> PayloadError {
    PayloadError::new(VideoCodec::H264, what)
}

/// The NAL units of a frame in which each follows four bytes of length.
pub(super) fn split(frame: &Bytes) -> Result<Vec<Bytes>, PayloadError> {
    let mut units = Vec::new();
    let mut rest = frame.clone();
    while !rest.is_empty() {
        let (length, _) = rest.split_first_chunk::<4>().ok_or(malformed("a truncated length"))?;
        let end = 4 + u32::from_be_bytes(*length) as usize;
        if end > rest.len() {
            return Err(malformed("a NAL unit longer than its frame"));
        }
        let unit = rest.split_to(end).slice(4..);
        if !unit.is_empty() {
            units.push(unit);
        }
    }
    Ok(units)
}

/// Whether the frame is an IDR picture, and whether it has its SPS with it.
pub(super) fn inspect(frame: &Bytes) -> Result<(bool, bool), PayloadError> {
    let units = split(frame)?;
    let has = |kind| units.iter().any(|unit| unit[0] & 0x1f == kind);
    Ok((has(IDR), has(SPS)))
}

pub(super) fn packetise(frame: &Bytes) -> Result<Vec<Bytes>, PayloadError> {
    let mut payloads = Vec::new();
    // Small units on their way into one STAP-A.
    let mut small: Vec<Bytes> = Vec::new();
    let mut small_bytes = 1;
    for unit in split(frame)? {
        // The first two mean nothing on RTP, where the marker ends the access unit. The others are
        // no NAL units of H264, and 24 to 29 would be taken for packets of many or of parts.
        if matches!(unit[0] & 0x1f, ACCESS_UNIT_DELIMITER | FILLER | 0 | 24..=31) {
            continue;
        }
        if small_bytes + 2 + unit.len() > PAYLOAD_BYTES {
            payloads.extend(aggregate(std::mem::take(&mut small)));
            small_bytes = 1;
        }
        if unit.len() > PAYLOAD_BYTES {
            fragment(&unit, &mut payloads);
        } else {
            small_bytes += 2 + unit.len();
            small.push(unit);
        }
    }
    payloads.extend(aggregate(small));
    if payloads.is_empty() {
        return Err(malformed("a frame without a picture"));
    }
    Ok(payloads)
}

/// A single unit as it is, several as a STAP-A (section 5.7.1).
fn aggregate(mut units: Vec<Bytes>) -> Option<Bytes> {
    if units.len() < 2 {
        return units.pop();
    }
    let importance = units.iter().map(|unit| unit[0] & 0x60).max().unwrap_or(0);
    let mut payload = BytesMut::new();
    payload.put_u8(importance | STAP_A);
    for unit in units {
        payload.put_u16(unit.len() as u16);
        payload.put_slice(&unit);
    }
    Some(payload.freeze())
}

/// One unit as FU-As (section 5.8).
fn fragment(unit: &Bytes, payloads: &mut Vec<Bytes>) {
    let header = unit[0];
    let pieces = unit[1..].chunks(PAYLOAD_BYTES - 2);
    let last = pieces.len() - 1;
    for (index, piece) in pieces.enumerate() {
        let mut payload = BytesMut::with_capacity(2 + piece.len());
        payload.put_u8(header & 0x60 | FU_A);
        let start = if index == 0 { 0x80 } else { 0 };
        let end = if index == last { 0x40 } else { 0 };
        payload.put_u8(start | end | header & 0x1f);
        payload.put_slice(piece);
        payloads.push(payload.freeze());
    }
}

/// The NAL units that `payloads` carry.
pub(super) fn units<'a>(
    payloads: impl Iterator<Item = &'a Bytes>,
) -> Result<Vec<Bytes>, PayloadError> {
    let mut units = Vec::new();
    let mut partial: Option<BytesMut> = None;
    for payload in payloads {
        let header = *payload.first().ok_or(malformed("an empty payload"))?;
        match header & 0x1f {
            STAP_A => {
                let mut rest = payload.slice(1..);
                while let Some((length, _)) = rest.split_first_chunk::<2>() {
                    let end = 2 + usize::from(u16::from_be_bytes(*length));
                    if end > rest.len() || end == 2 {
                        return Err(malformed("a malformed aggregate"));
                    }
                    units.push(rest.split_to(end).slice(2..));
                }
            }
            FU_A => {
                let fragment = *payload.get(1).ok_or(malformed("a truncated fragment"))?;
                if fragment & 0x80 != 0 {
                    partial = Some(BytesMut::from(&[header & 0xe0 | fragment & 0x1f][..]));
                }
                let unit = partial.as_mut().ok_or(malformed("a fragment without a beginning"))?;
                unit.put_slice(&payload[2..]);
                if fragment & 0x40 != 0 {
                    units.extend(partial.take().map(BytesMut::freeze));
                }
            }
            1..=23 => units.push(payload.clone()),
            _ => return Err(malformed("a payload type that WebRTC does not use")),
        }
    }
    if partial.is_some() { Err(malformed("a fragment without an end")) } else { Ok(units) }
}

/// NAL units behind start codes.
#[must_use]
pub fn annex_b(units: &[Bytes]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(units.iter().map(|unit| unit.len() + 4).sum());
    for unit in units {
        stream.extend_from_slice(&[0, 0, 0, 1]);
        stream.extend_from_slice(unit);
    }
    stream
}
