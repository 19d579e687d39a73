//! RTP payloads that a viewer takes apart, and frames of a file that a publisher packs.

use banyan_protocol::coding::{Packet, VideoCodec};
use banyan_protocol::fuzzing::{Script, Target};
use bytes::Bytes;

use crate::payload::{PAYLOAD_BYTES, Packetiser, assemble, inspect};
use crate::sink::describes;

const CODECS: [VideoCodec; 5] =
    [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1];

/// The packets of one frame, each behind two bytes of length, for every codec.
pub(super) const PAYLOAD: Target = Target {
    name: "payload",
    rounds: 5_000,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let mut packets = Vec::new();
        while !script.is_over() {
            let length = script.u16().into();
            let payload = Bytes::copy_from_slice(script.bytes(length));
            packets.push(Packet { marker: script.is_over(), payload });
        }
        for codec in CODECS {
            if let Ok(frame) = assemble(codec, &packets) {
                // Start codes and sizes are added to what came; nothing is made up.
                assert!(frame.len() <= 8 * bytes.len() + 8, "{codec:?} {}", frame.len());
            }
            let _ = describes(codec, &packets);
        }
    },
    seeds: || {
        let packed = |(codec, frame): (VideoCodec, &[u8])| {
            let frame = Bytes::copy_from_slice(frame);
            let payloads = Packetiser::new(codec).packetise(&frame).expect("a frame");
            let framed = |payload: &Bytes| {
                [&(payload.len() as u16).to_be_bytes()[..], &payload[..]].concat()
            };
            payloads.iter().flat_map(framed).collect()
        };
        FRAMES.iter().copied().map(packed).collect()
    },
};

/// One byte for the codec, then a frame as a container holds it.
pub(super) const FRAME: Target = Target {
    name: "frame",
    rounds: 5_000,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let codec = CODECS[usize::from(script.u8()) % CODECS.len()];
        let frame = Bytes::copy_from_slice(script.bytes(usize::MAX));
        let _ = inspect(codec, &frame);
        let Ok(payloads) = Packetiser::new(codec).packetise(&frame) else { return };
        let fits = |payload: &Bytes| (1..=PAYLOAD_BYTES).contains(&payload.len());
        assert!(payloads.iter().all(fits), "{codec:?}");
        let packets: Vec<Packet> =
            payloads.into_iter().map(|payload| Packet { marker: false, payload }).collect();
        let again = assemble(codec, &packets);
        match codec {
            VideoCodec::Vp8 | VideoCodec::Vp9 => assert_eq!(again.as_deref(), Ok(&frame[..])),
            VideoCodec::H264 | VideoCodec::H265 | VideoCodec::Av1 => {
                assert!(packets.is_empty() || again.is_ok(), "{codec:?} {again:?}");
            }
        }
    },
    seeds: || {
        let seed = |(codec, frame): (VideoCodec, &[u8])| {
            let number = CODECS.iter().position(|c| *c == codec).unwrap_or(0) as u8;
            [&[number], frame].concat()
        };
        FRAMES.iter().copied().map(seed).collect()
    },
};

/// Small keyframes.
const FRAMES: [(VideoCodec, &[u8]); 4] = [
    (VideoCodec::Vp8, &[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00, 0x00]),
    (VideoCodec::Vp9, &[0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x00, 0x38]),
    (
        VideoCodec::H264,
        &[
            0, 0, 0, 10, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0, 0, 0, 4,
            0x68, 0xce, 0x0f, 0xc8, 0, 0, 0, 4, 0x65, 0x88, 0x84, 0x00,
        ],
    ),
    (
        VideoCodec::Av1,
        &[
            0x0a, 0x0b, 0x00, 0x00, 0x00, 0x24, 0xc4, 0xff, 0xdf, 0x3f, 0xfe, 0x40, 0x10, 0x32,
            0x04, 0x10, 0x00, 0x01, 0x02,
        ],
    ),
];
