//! H264 as Matroska stores it: parameter sets in `avcC`, NAL units behind lengths of one, two or
//! four bytes (ISO/IEC 14496-15, section 5.3.3.1).

use bytes::{BufMut, Bytes, BytesMut};

/// What `avcC` says.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    /// Bytes of each NAL unit's length.
    length_bytes: usize,
    /// Profile, constraints, level: SDP's `profile-level-id`.
    pub(super) profile_level: [u8; 3],
    /// SPS and PPS, each behind four bytes of length.
    pub(super) parameters: Bytes,
}

impl Configuration {
    pub(super) fn parse(private: &[u8]) -> Option<Self> {
        let [1, profile, constraints, level, lengths, sets, rest @ ..] = private else {
            return None;
        };
        let mut parameters = BytesMut::new();
        let rest = take_units(rest, sets & 0x1f, &mut parameters)?;
        let (sets, rest) = rest.split_first()?;
        take_units(rest, *sets, &mut parameters)?;
        Some(Self {
            length_bytes: usize::from(lengths & 3) + 1,
            profile_level: [*profile, *constraints, *level],
            parameters: parameters.freeze(),
        })
    }

    /// `frame` with lengths of four bytes. What does not add up is left for the packetiser to refuse.
    pub(super) fn widen(&self, frame: Bytes) -> Bytes {
        if self.length_bytes == 4 {
            return frame;
        }
        let mut wide = BytesMut::with_capacity(frame.len() + 64);
        let mut rest = &frame[..];
        while let Some((length, after)) = rest.split_at_checked(self.length_bytes) {
            let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            wide.put_u32(length as u32);
            let (unit, after) = after.split_at(length.min(after.len()));
            wide.put_slice(unit);
            if after.is_empty() {
                break;
            }
            rest = after;
        }
        wide.freeze()
    }
}

/// Moves `count` parameter sets, each behind two bytes of length.
fn take_units<'a>(mut rest: &'a [u8], count: u8, to: &mut BytesMut) -> Option<&'a [u8]> {
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = u16::from_be_bytes(*length);
        let (unit, after) = after.split_at_checked(usize::from(length))?;
        to.put_u32(u32::from(length));
        to.put_slice(unit);
        rest = after;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_and_short_lengths_widened() {
        let private = [1, 0x42, 0xe0, 0x1f, 0xfd, 0xe1, 0, 2, 0x67, 0x42, 1, 0, 1, 0x68];
        let configuration = Configuration::parse(&private).expect("an avcC");
        assert_eq!(configuration.profile_level, [0x42, 0xe0, 0x1f]);
        assert_eq!(configuration.parameters[..], [0, 0, 0, 2, 0x67, 0x42, 0, 0, 0, 1, 0x68]);
        let wide = configuration.widen(Bytes::from_static(&[0, 2, 0x65, 1, 0, 1, 0x65]));
        assert_eq!(wide[..], [0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x65]);
        for cut in 0..private.len() {
            assert!(Configuration::parse(&private[..cut]).is_none());
        }
    }
}
