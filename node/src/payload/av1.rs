//! AV1 (AOM "RTP Payload Format For AV1"): OBUs without sizes, in packets that count them.

use banyan_protocol::coding::VideoCodec;
use bytes::{BufMut, Bytes, BytesMut};

use super::{PAYLOAD_BYTES, PayloadError};

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

/// Most OBU elements that the aggregation header can count.
const COUNTED_MAX: usize = 3;

const fn malformed(what: &'static str) -> PayloadError {
    PayloadError::new(VideoCodec::Av1, what)
}

const fn kind(header: u8) -> u8 {
    header >> 3 & 0x0f
}

/// An OBU without its size field.
struct Obu {
    /// One or two bytes, size bit cleared.
    header: Bytes,
    data: Bytes,
}

impl Obu {
    fn kind(&self) -> u8 {
        kind(self.header[0])
    }
}

/// The OBUs of a temporal unit; the last may lack its size.
fn split(unit: &Bytes) -> Result<Vec<Obu>, PayloadError> {
    let mut obus = Vec::new();
    let mut rest = unit.clone();
    while let Some(&first) = rest.first() {
        let header_bytes = if first & HAS_EXTENSION != 0 { 2 } else { 1 };
        if rest.len() < header_bytes {
            return Err(malformed("a truncated OBU header"));
        }
        let mut header = BytesMut::from(&rest.split_to(header_bytes)[..]);
        header[0] &= !HAS_SIZE;
        let mut length = rest.len();
        if first & HAS_SIZE != 0 {
            let (value, used) = leb128(&rest).ok_or(malformed("a malformed OBU size"))?;
            let _ = rest.split_to(used);
            length = value;
        }
        if length > rest.len() {
            return Err(malformed("an OBU longer than its frame"));
        }
        obus.push(Obu { header: header.freeze(), data: rest.split_to(length) });
    }
    Ok(obus)
}

pub(super) fn is_keyframe(unit: &Bytes) -> Result<bool, PayloadError> {
    let obus = split(unit)?;
    let first = obus.iter().find(|obu| matches!(obu.kind(), FRAME | FRAME_HEADER));
    let header = first.and_then(|obu| obu.data.first());
    let header = header.ok_or(malformed("a temporal unit without a frame"))?;
    // show_existing_frame 0, frame_type KEY_FRAME.
    Ok(header & 0xe0 == 0)
}

/// Whether `unit` brings its own sequence header.
pub(super) fn has_sequence_header(unit: &Bytes) -> bool {
    split(unit).is_ok_and(|obus| obus.iter().any(|obu| obu.kind() == SEQUENCE_HEADER))
}

/// Each packet holds one to three OBU elements, the last of which may go on in the next packet.
pub(super) fn packetise(unit: &Bytes) -> Result<Vec<Bytes>, PayloadError> {
    let new_sequence = is_keyframe(unit)? && has_sequence_header(unit);
    let obus = split(unit)?;
    // Section 5: these are not sent.
    let ignored = [TEMPORAL_DELIMITER, TILE_LIST, PADDING];
    let elements = obus.iter().filter(|obu| !ignored.contains(&obu.kind())).map(|obu| {
        let mut element = BytesMut::from(&obu.header[..]);
        element.put_slice(&obu.data);
        element.freeze()
    });

    let mut packets: Vec<Packing> = vec![Packing::default()];
    for mut element in elements {
        let mut continued = false;
        loop {
            let packet = packets.last_mut().expect("one is there from the beginning");
            let room = packet.room();
            if packet.elements.len() == COUNTED_MAX || room < 2 {
                packets.push(Packing { continued, ..Packing::default() });
                continue;
            }
            let piece = element.split_to(room.min(element.len()));
            packet.elements.push(piece);
            if element.is_empty() {
                break;
            }
            packet.continues = true;
            continued = true;
            packets.push(Packing { continued, ..Packing::default() });
        }
    }
    if packets[0].elements.is_empty() {
        return Err(malformed("a temporal unit without a frame"));
    }
    let payloads = packets.iter().enumerate();
    Ok(payloads.map(|(index, packet)| packet.write(new_sequence && index == 0)).collect())
}

/// A packet being filled.
#[derive(Default)]
struct Packing {
    continued: bool,
    continues: bool,
    elements: Vec<Bytes>,
}

impl Packing {
    /// Bytes left for one more element, all before it with a length of two bytes at most.
    fn room(&self) -> usize {
        let used: usize = self.elements.iter().map(|element| element.len() + 2).sum();
        PAYLOAD_BYTES.saturating_sub(1 + used)
    }

    fn write(&self, new_sequence: bool) -> Bytes {
        let mut payload = BytesMut::with_capacity(PAYLOAD_BYTES);
        let flag = |on: bool, mask: u8| if on { mask } else { 0 };
        let count = (self.elements.len() as u8) << 4;
        let flags = flag(self.continued, 0x80) | flag(self.continues, 0x40);
        payload.put_u8(flags | count | flag(new_sequence, 0x08));
        let last = self.elements.len() - 1;
        for (index, element) in self.elements.iter().enumerate() {
            if index != last {
                put_leb128(&mut payload, element.len());
            }
            payload.put_slice(element);
        }
        payload.freeze()
    }
}

/// A temporal unit with sizes, without the temporal delimiter: what Matroska holds.
pub(super) fn assemble<'a>(
    payloads: impl Iterator<Item = &'a Bytes>,
) -> Result<Vec<u8>, PayloadError> {
    let mut unit = Vec::new();
    let mut partial: Option<BytesMut> = None;
    for payload in payloads {
        let (&aggregation, rest) = payload.split_first().ok_or(malformed("an empty payload"))?;
        let count = usize::from(aggregation >> 4 & 0x03);
        let (mut rest, mut index) = (rest, 0);
        if (aggregation & 0x80 != 0) != partial.is_some() {
            return Err(malformed("a fragment without its other half"));
        }
        while !rest.is_empty() {
            index += 1;
            let element = if index == count {
                std::mem::take(&mut rest)
            } else {
                let (length, used) = leb128(rest).ok_or(malformed("a malformed element size"))?;
                let after = &rest[used..];
                if length > after.len() {
                    return Err(malformed("an element longer than its packet"));
                }
                rest = &after[length..];
                &after[..length]
            };
            let mut obu = partial.take().unwrap_or_default();
            obu.put_slice(element);
            if rest.is_empty() && aggregation & 0x40 != 0 {
                partial = Some(obu);
            } else {
                put_with_size(&mut unit, &obu)?;
            }
        }
    }
    if partial.is_some() { Err(malformed("a fragment without an end")) } else { Ok(unit) }
}

fn put_with_size(unit: &mut Vec<u8>, obu: &[u8]) -> Result<(), PayloadError> {
    let Some(&first) = obu.first() else { return Ok(()) };
    if kind(first) == TEMPORAL_DELIMITER {
        return Ok(());
    }
    if first & HAS_SIZE != 0 {
        unit.extend_from_slice(obu);
        return Ok(());
    }
    let header_bytes = if first & HAS_EXTENSION != 0 { 2 } else { 1 };
    let (header, data) =
        obu.split_at_checked(header_bytes).ok_or(malformed("a truncated OBU header"))?;
    unit.push(first | HAS_SIZE);
    unit.extend_from_slice(&header[1..]);
    put_leb128(unit, data.len());
    unit.extend_from_slice(data);
    Ok(())
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

fn put_leb128(to: &mut impl BufMut, mut value: usize) {
    while value >= 0x80 {
        to.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    to.put_u8(value as u8);
}
