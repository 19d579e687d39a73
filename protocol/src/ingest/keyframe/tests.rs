use proptest::prelude::*;

use super::*;

const CODECS: [(&str, VideoCodec); 5] = [
    ("vp8", VideoCodec::Vp8),
    ("vp9", VideoCodec::Vp9),
    ("h264", VideoCodec::H264),
    ("h265", VideoCodec::H265),
    ("av1", VideoCodec::Av1),
];

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Codec, whether the frame is a keyframe, its payloads in order.
fn frames() -> Vec<(VideoCodec, bool, Vec<Vec<u8>>)> {
    let mut frames: Vec<(VideoCodec, bool, Vec<Vec<u8>>)> = Vec::new();
    for line in include_str!("ffmpeg.hex").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(' ').collect();
        let codec = CODECS.iter().find(|(name, _)| *name == fields[0]).expect("a codec").1;
        let key = fields[1] == "key";
        match frames.last_mut() {
            Some(last) if last.0 == codec && last.1 == key => last.2.push(unhex(fields[2])),
            _ => frames.push((codec, key, vec![unhex(fields[2])])),
        }
    }
    frames
}

#[test]
fn what_encoders_make_is_told_apart() {
    let frames = frames();
    assert_eq!(frames.len(), 20);
    for (codec, key, payloads) in frames {
        let spotted = payloads.iter().filter(|payload| starts_keyframe(codec, payload)).count();
        assert_eq!(spotted, usize::from(key), "{codec:?}: {payloads:x?}");
    }
}

#[test]
fn parameter_sets_are_found() {
    for (codec, key, payloads) in frames() {
        let found: usize = payloads.iter().map(|p| parameter_sets(codec, p).count()).sum();
        let expected = match codec {
            VideoCodec::H264 if key => 2,
            VideoCodec::H265 if key => 3,
            _ => 0,
        };
        assert_eq!(found, expected, "{codec:?}");
    }
}

#[test]
fn descriptors_in_all_their_forms_are_read() {
    let check = |codec, hex: &str, expected| {
        assert_eq!(starts_keyframe(codec, &unhex(hex)), expected, "{codec:?} {hex}");
    };
    // VP8: all extensions with a long and a short picture id; partition 1; a delta frame.
    check(VideoCodec::Vp8, "90f0800100a0d0", true);
    check(VideoCodec::Vp8, "90f00100a0d0", true);
    check(VideoCodec::Vp8, "90f00100a0d1", false);
    check(VideoCodec::Vp8, "91800100d0", false);
    check(VideoCodec::Vp8, "10d0", true);
    // VP9: layers, structure with sizes and a picture group, spatial layer 1, a P bit.
    check(VideoCodec::Vp9, "aa81230000180140008001040001825983", true);
    check(VideoCodec::Vp9, "a881230200825983", false);
    check(VideoCodec::Vp9, "c88123825983", false);
    check(VideoCodec::Vp9, "888123865983", false);
    // VP9 encrypted: no frame header to read.
    check(VideoCodec::Vp9, "88812345", true);
    // H264: an IDR alone, its second slice, in a STAP-A behind an SPS.
    check(VideoCodec::H264, "658884", true);
    check(VideoCodec::H264, "654284", false);
    check(VideoCodec::H264, "7800026742000365888f", true);
    // AV1: a key frame after a sequence header without the N bit; the same as a continuation.
    check(VideoCodec::Av1, "20030a00003010", true);
    check(VideoCodec::Av1, "200308000030301000", false);
    check(VideoCodec::Av1, "1030108000", false);
    check(VideoCodec::Av1, "8830", false);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        for (_, codec) in CODECS {
            let _ = starts_keyframe(codec, &payload);
            prop_assert!(parameter_sets(codec, &payload).count() <= payload.len());
        }
    }

    #[test]
    fn truncated_keyframes_are_answered(index in 0_usize..20, cut in 0_usize..64) {
        let (codec, _, payloads) = &frames()[index];
        for payload in payloads {
            let _ = starts_keyframe(*codec, &payload[..cut.min(payload.len())]);
        }
    }
}
