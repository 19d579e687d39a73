use proptest::prelude::*;

use super::*;

const CODECS: [VideoCodec; 5] =
    [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1];

fn packets(payloads: Vec<Bytes>) -> Vec<Packet> {
    let count = payloads.len();
    let packet = |(index, payload)| Packet { marker: index + 1 == count, payload };
    payloads.into_iter().enumerate().map(packet).collect()
}

/// NAL units of the given lengths behind lengths of four bytes, the first an IDR slice.
fn h264(lengths: &[usize]) -> Bytes {
    let mut frame = Vec::new();
    for (index, length) in lengths.iter().enumerate() {
        frame.extend_from_slice(&(*length as u32).to_be_bytes());
        frame.push(if index == 0 { 0x65 } else { 0x41 });
        frame.extend((1..*length).map(|i| i as u8));
    }
    frame.into()
}

/// OBUs with sizes: a sequence header, then frames of the given lengths, the first a key frame.
fn av1(lengths: &[usize]) -> Bytes {
    let mut unit = vec![0x0a, 1, 0];
    for length in lengths {
        unit.push(0x32);
        let mut rest = *length;
        while rest >= 0x80 {
            unit.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        unit.push(rest as u8);
        unit.push(0x10);
        unit.extend((1..*length).map(|i| i as u8));
    }
    unit.into()
}

#[test]
fn small_h264_units_share_a_packet_and_large_ones_are_split() {
    let mut packetiser = Packetiser::new(VideoCodec::H264);
    let kinds = |lengths: &[usize], packetiser: &mut Packetiser| -> Vec<u8> {
        let payloads = packetiser.packetise(&h264(lengths)).expect("a frame");
        assert!(payloads.iter().all(|payload| payload.len() <= PAYLOAD_BYTES));
        payloads.iter().map(|payload| payload[0] & 0x1f).collect()
    };
    assert_eq!(kinds(&[20], &mut packetiser), [5]);
    assert_eq!(kinds(&[20, 30], &mut packetiser), [24]);
    assert_eq!(kinds(&[20, 30, 1_150], &mut packetiser), [24, 1]);
    assert_eq!(kinds(&[20, 30, 3_000], &mut packetiser), [24, 28, 28, 28]);
    assert_eq!(kinds(&[PAYLOAD_BYTES, PAYLOAD_BYTES + 1], &mut packetiser), [5, 28, 28]);
}

#[test]
fn truncated_frames_are_refused() {
    for frame in [h264(&[30]), h264(&[30, 40])] {
        for cut in 1..frame.len() {
            let frame = frame.slice(..cut);
            // A cut between two units leaves a shorter frame.
            let whole = cut == 34;
            assert_eq!(Packetiser::new(VideoCodec::H264).packetise(&frame).is_ok(), whole, "{cut}");
        }
    }
    let unit = av1(&[200]);
    for cut in 4..unit.len() {
        assert!(Packetiser::new(VideoCodec::Av1).packetise(&unit.slice(..cut)).is_err(), "{cut}");
    }
    for codec in CODECS {
        assert!(Packetiser::new(codec).packetise(&Bytes::new()).is_err());
    }
}

proptest! {
    #[test]
    fn h264_frames_come_back(lengths in prop::collection::vec(1_usize..4_000, 1..12)) {
        let frame = h264(&lengths);
        let payloads = Packetiser::new(VideoCodec::H264).packetise(&frame).expect("a frame");
        prop_assert!(payloads.iter().all(|payload| payload.len() <= PAYLOAD_BYTES));
        let units = h264_units(&packets(payloads)).expect("payloads");
        let mut back = Vec::new();
        for unit in units {
            back.extend_from_slice(&(unit.len() as u32).to_be_bytes());
            back.extend_from_slice(&unit);
        }
        prop_assert_eq!(back, frame);
    }

    #[test]
    fn av1_units_come_back(lengths in prop::collection::vec(1_usize..4_000, 1..12)) {
        let unit = av1(&lengths);
        let payloads = Packetiser::new(VideoCodec::Av1).packetise(&unit).expect("a unit");
        prop_assert!(payloads.iter().all(|payload| payload.len() <= PAYLOAD_BYTES));
        // N on the first packet of a new sequence alone.
        prop_assert_eq!(payloads.iter().filter(|payload| payload[0] & 0x08 != 0).count(), 1);
        prop_assert_eq!(assemble(VideoCodec::Av1, &packets(payloads)), Ok(unit.to_vec()));
    }

    #[test]
    fn vp8_frames_come_back(length in 3_usize..10_000) {
        let frame: Bytes = (0..length).map(|i| i as u8).collect();
        let payloads = Packetiser::new(VideoCodec::Vp8).packetise(&frame).expect("a frame");
        prop_assert!(payloads.iter().all(|payload| payload.len() <= PAYLOAD_BYTES));
        prop_assert_eq!(assemble(VideoCodec::Vp8, &packets(payloads)), Ok(frame.to_vec()));
    }

    #[test]
    fn any_payloads_give_a_frame_or_an_error(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
    ) {
        let payloads: Vec<Bytes> = payloads.into_iter().map(Bytes::from).collect();
        let bytes: usize = payloads.iter().map(Bytes::len).sum();
        let packets = packets(payloads);
        for codec in CODECS {
            if let Ok(frame) = assemble(codec, &packets) {
                prop_assert!(frame.len() <= 5 * bytes);
            }
        }
    }

    #[test]
    fn any_frame_is_packed_or_refused(frame in prop::collection::vec(any::<u8>(), 0..80)) {
        let frame = Bytes::from(frame);
        for codec in CODECS {
            let _ = inspect(codec, &frame);
            if let Ok(payloads) = Packetiser::new(codec).packetise(&frame) {
                prop_assert!(!payloads.is_empty());
            }
        }
    }
}
