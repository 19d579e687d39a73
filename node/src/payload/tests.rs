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

/// `rtc-rtp`'s depacketisers, written by others from the same documents, read the same frames.
#[test]
fn another_implementation_reads_what_we_pack() {
    use rtc::rtp::codec::{av1::Av1Depacketizer, h264::H264Packet, vp8::Vp8Packet, vp9::Vp9Packet};
    use rtc::rtp::packetizer::Depacketizer;

    for name in ["vp8.ivf", "vp9.webm", "h264.mkv", "av1.webm"] {
        let file = crate::source::tests::fixture(name);
        let mut source = crate::source::FileSource::from_bytes(file.into(), false).expect(name);
        let codec = source.format().video.as_ref().expect("video").codec;
        let fresh = || -> Box<dyn Depacketizer> {
            match codec {
                VideoCodec::Vp8 => Box::new(Vp8Packet::default()),
                VideoCodec::Vp9 => Box::new(Vp9Packet::default()),
                VideoCodec::H264 => Box::new(H264Packet::default()),
                VideoCodec::Av1 => Box::new(Av1Depacketizer::new()),
                VideoCodec::H265 => unreachable!("no source has it"),
            }
        };
        let mut other = fresh();
        let mut frames = 0;
        while let Some(timed) = source.next_frame().expect("playable") {
            if timed.packets[0].track != banyan_protocol::coding::Track::Video {
                continue;
            }
            let payloads: Vec<_> = timed.packets.into_iter().map(|packet| packet.payload).collect();
            let mut theirs = Vec::new();
            for (index, payload) in payloads.iter().enumerate() {
                assert!(
                    codec == VideoCodec::H264 || other.is_partition_head(payload) == (index == 0)
                );
                theirs.extend_from_slice(&other.depacketize(payload).expect("readable"));
                if codec == VideoCodec::Vp9 {
                    // Theirs gathers references over packets, until there are too many.
                    other = fresh();
                }
            }
            assert_eq!(assemble(codec, &packets(payloads)), Ok(theirs), "{name}, frame {frames}");
            frames += 1;
        }
        assert_eq!(frames, 10, "{name}");
    }
}

#[test]
fn vp9_descriptors_say_what_refers_to_what() {
    use rtc::rtp::codec::vp9::Vp9Packet;
    use rtc::rtp::packetizer::Depacketizer;

    let file = crate::source::tests::fixture("vp9.webm");
    let mut source = crate::source::FileSource::from_bytes(file.into(), false).expect("playable");
    let mut pictures = 0;
    while let Some(timed) = source.next_frame().expect("playable") {
        if timed.packets[0].track != banyan_protocol::coding::Track::Video {
            continue;
        }
        let last = timed.packets.len() - 1;
        for (index, packet) in timed.packets.iter().enumerate() {
            let mut header = Vp9Packet::default();
            header.depacketize(&packet.payload).expect("readable");
            let keyframe = pictures % 5 == 0;
            assert_eq!((header.b, header.e), (index == 0, index == last));
            assert_eq!((header.picture_id, header.p), (pictures, !keyframe));
            assert_eq!(header.pdiff, if keyframe { vec![] } else { vec![1] });
            assert_eq!(header.v, keyframe && index == 0);
            if header.v {
                assert_eq!((&header.width[..], &header.height[..]), (&[192][..], &[108][..]));
            }
        }
        pictures += 1;
    }
}
