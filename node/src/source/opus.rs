//! How long an Opus packet is (RFC 6716, section 3.1).

/// Samples at 48 kHz in one packet; `None` for a packet that is no Opus packet.
pub(super) fn samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame = match config {
        // SILK: 10, 20, 40, 60 ms.
        0..12 => [480, 960, 1_920, 2_880][usize::from(config & 3)],
        // Hybrid: 10, 20 ms.
        12..16 => [480, 960][usize::from(config & 1)],
        // CELT: 2.5, 5, 10, 20 ms.
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    let samples = frame * count;
    // Section 3.2.5: at least one frame, 120 ms at most.
    (1..=5_760).contains(&samples).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_tell_their_length() {
        for (packet, expected) in [
            (&[0xfc, 0][..], Some(960)),
            (&[0xec, 0], Some(240)),
            (&[0x18, 0], Some(2_880)),
            (&[0xfd, 0], Some(1_920)),
            (&[0xff, 0x03], Some(2_880)),
            (&[0xff, 0x00], None),
            (&[0xff, 0x3f], None),
            (&[], None),
        ] {
            assert_eq!(samples(packet), expected, "{packet:x?}");
        }
    }
}
