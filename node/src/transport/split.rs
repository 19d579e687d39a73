//! Whose datagram is it? Told by the first byte, RFC 7983 as extended by RFC 9443.
//!
//! QUIC keeps the fixed bit (0x40) in every packet sent to us as long as we do not offer
//! `grease_quic_bit`; nothing else on this port has it.

/// What a datagram is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// QUIC, long or short header.
    Quic,
    /// STUN: connectivity checks of browsers, binding requests of anybody.
    Stun,
    /// DTLS: handshakes and data channels of browsers.
    Dtls,
    /// SRTP or SRTCP.
    Rtp,
    /// Nothing spoken here.
    Unknown,
}

impl Kind {
    /// The kind of a datagram that starts with `first`.
    // spec: RFC 9443 section 3, figure 1
    #[must_use]
    pub const fn of(first: u8) -> Self {
        match first {
            64..=127 | 192..=255 => Self::Quic,
            0..=3 => Self::Stun,
            20..=63 => Self::Dtls,
            128..=191 => Self::Rtp,
            4..=19 => Self::Unknown,
        }
    }
}

/// Takes everything that is not QUIC out of a receive buffer.
///
/// With GRO one buffer holds several datagrams of one sender, each `stride` bytes but the last,
/// which may be shorter. What is not QUIC goes to `foreign`, in order; the QUIC datagrams move
/// together at the front. Returns how many bytes they fill: again whole strides but the last.
pub fn split(
    buffer: &mut [u8],
    length: usize,
    stride: usize,
    mut foreign: impl FnMut(Kind, &[u8]),
) -> usize {
    let length = length.min(buffer.len());
    // A stride of 0 would never advance; the kernel reports the length for a lone datagram.
    let stride = if stride == 0 { length.max(1) } else { stride };
    let mut kept = 0;
    for start in (0..length).step_by(stride) {
        let end = length.min(start + stride);
        match Kind::of(buffer[start]) {
            Kind::Quic => {
                if kept != start {
                    buffer.copy_within(start..end, kept);
                }
                kept += end - start;
            }
            kind => foreign(kind, &buffer[start..end]),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_bytes_are_told_apart() {
        for (first, kind) in [
            (0x00, Kind::Stun),
            (0x01, Kind::Stun),
            (0x16, Kind::Dtls),
            (0x17, Kind::Dtls),
            (0x80, Kind::Rtp),
            (0xb0, Kind::Rtp),
            (0x40, Kind::Quic),
            (0x7f, Kind::Quic),
            (0xc0, Kind::Quic),
            (0xff, Kind::Quic),
            (0x05, Kind::Unknown),
        ] {
            assert_eq!(Kind::of(first), kind, "{first:#x}");
        }
        for first in 0..=255u8 {
            assert_eq!(Kind::of(first) == Kind::Quic, first & 0x40 != 0, "{first:#x}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_mixed(
            firsts in prop::collection::vec(any::<u8>(), 0..20),
            stride in 1usize..40,
            last in 1usize..40,
        ) {
            // Datagrams as GRO hands them over: equal lengths, only the last may be shorter.
            let last = last.min(stride);
            let count = firsts.len();
            let datagrams: Vec<Vec<u8>> = firsts.iter().enumerate().map(|(i, &first)| {
                let mut datagram = vec![i as u8; if i + 1 == count { last } else { stride }];
                datagram[0] = first;
                datagram
            }).collect();
            let mut buffer = datagrams.concat();
            let length = buffer.len();
            let mut others = Vec::new();
            let kept = split(&mut buffer, length, stride, |kind, data| {
                assert_eq!(kind, Kind::of(data[0]));
                others.push(data.to_vec());
            });
            let is_quic = |d: &&Vec<u8>| d[0] & 0x40 != 0;
            let quic: Vec<Vec<u8>> = datagrams.iter().filter(is_quic).cloned().collect();
            prop_assert_eq!(&buffer[..kept], &quic.concat()[..]);
            let foreign: Vec<Vec<u8>> =
                datagrams.iter().filter(|d| !is_quic(d)).cloned().collect();
            prop_assert_eq!(others, foreign);
        }

        #[test]
        fn any_metadata_is_survived(
            mut buffer in prop::collection::vec(any::<u8>(), 0..200),
            length in 0usize..400,
            stride in 0usize..400,
        ) {
            let whole = buffer.len();
            let mut other = 0;
            let kept = split(&mut buffer, length, stride, |_, data| other += data.len());
            prop_assert_eq!(kept + other, length.min(whole));
        }
    }
}
