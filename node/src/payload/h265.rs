//! H265 (RFC 7798), taken apart only: publishers that send it can be recorded.

use banyan_protocol::coding::VideoCodec;
use bytes::{BufMut, Bytes, BytesMut};

use super::PayloadError;

const AGGREGATION: u8 = 48;
const FRAGMENT: u8 = 49;

const fn malformed(what: &'static str) -> PayloadError {
    PayloadError::new(VideoCodec::H265, what)
}

/// The NAL units that `payloads` carry, without decoding order numbers.
pub(super) fn units<'a>(
    payloads: impl Iterator<Item = &'a Bytes>,
) -> Result<Vec<Bytes>, PayloadError> {
    let mut units = Vec::new();
    let mut partial: Option<BytesMut> = None;
    for payload in payloads {
        let [first, second, ..] = payload[..] else {
            return Err(malformed("a truncated header"));
        };
        match first >> 1 & 0x3f {
            AGGREGATION => {
                let mut rest = payload.slice(2..);
                while let Some((length, _)) = rest.split_first_chunk::<2>() {
                    let end = 2 + usize::from(u16::from_be_bytes(*length));
                    if end > rest.len() || end == 2 {
                        return Err(malformed("a malformed aggregate"));
                    }
                    units.push(rest.split_to(end).slice(2..));
                }
            }
            FRAGMENT => {
                let fragment = *payload.get(2).ok_or(malformed("a truncated fragment"))?;
                if fragment & 0x80 != 0 {
                    let header = [first & 0x81 | (fragment & 0x3f) << 1, second];
                    partial = Some(BytesMut::from(&header[..]));
                }
                let unit = partial.as_mut().ok_or(malformed("a fragment without a beginning"))?;
                unit.put_slice(&payload[3..]);
                if fragment & 0x40 != 0 {
                    units.extend(partial.take().map(BytesMut::freeze));
                }
            }
            0..AGGREGATION => units.push(payload.clone()),
            _ => return Err(malformed("a payload type that WebRTC does not use")),
        }
    }
    if partial.is_some() { Err(malformed("a fragment without an end")) } else { Ok(units) }
}
