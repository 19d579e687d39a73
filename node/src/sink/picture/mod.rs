//! What a container's header says of a video: size and decoder configuration, read from a keyframe.

mod av1;
mod h264;

use banyan_protocol::coding::{Packet, VideoCodec};
use bytes::Bytes;

use crate::payload;

/// A video as a container describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) codec: VideoCodec,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Matroska's CodecPrivate; empty where there is none.
    pub(super) configuration: Vec<u8>,
}

impl Picture {
    /// Reads the keyframe in `packets`; `None` if it is none, or lacks its parameters.
    pub(super) fn of(codec: VideoCodec, packets: &[Packet]) -> Option<Self> {
        let frame = || payload::assemble(codec, packets).ok();
        let (width, height, configuration) = match codec {
            VideoCodec::Vp8 => {
                let (width, height) = vp8_size(&frame()?)?;
                (width, height, Vec::new())
            }
            VideoCodec::Vp9 => {
                let (width, height) = payload::vp9_size(&frame()?)?;
                (width, height, Vec::new())
            }
            VideoCodec::Av1 => av1::describe(&frame()?)?,
            VideoCodec::H264 => h264::describe(&payload::h264_units(packets).ok()?)?,
            // Written as a byte stream, which says nothing.
            VideoCodec::H265 => (1, 1, Vec::new()),
        };
        let valid = width > 0 && height > 0;
        valid.then_some(Self { codec, width, height, configuration })
    }
}

/// RFC 6386, section 9.1: the start code, then 14 bits of width and of height.
fn vp8_size(frame: &[u8]) -> Option<(u32, u32)> {
    match frame {
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 => {
            let size = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            Some((size(*w0, *w1), size(*h0, *h1)))
        }
        _ => None,
    }
}

/// Removes emulation prevention: the 3 of each 0 0 3.
fn unescape(unit: &Bytes) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for byte in unit {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use banyan_protocol::coding::Track;
    use proptest::prelude::*;

    use super::*;
    use crate::source::FileSource;
    use crate::source::tests::{blocks, fixture};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn any_bytes_describe_a_picture_or_none(
            payload in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let packets = [Packet { marker: true, payload: payload.into() }];
            for codec in [
                VideoCodec::Vp8,
                VideoCodec::Vp9,
                VideoCodec::H264,
                VideoCodec::H265,
                VideoCodec::Av1,
            ] {
                let _ = Picture::of(codec, &packets);
            }
        }

        #[test]
        fn keyframes_with_a_flipped_byte_are_survived(at in 0_usize..80, flip in 1_u8..) {
            for name in ["vp8.ivf", "vp9.webm", "h264.mkv", "av1.webm"] {
                let source = FileSource::from_bytes(fixture(name).into(), false).expect("playable");
                let codec = source.format().video.as_ref().expect("video").codec;
                let blocks = blocks(source, Duration::from_millis(100));
                let mut frames = blocks.iter().flat_map(|block| &block.frames);
                let video = frames.find(|frame| frame.track == Track::Video).expect("video");
                let mut packets = video.packets.clone();
                let mut payload = packets[0].payload.to_vec();
                let at = at % payload.len();
                payload[at] ^= flip;
                packets[0].payload = payload.into();
                let _ = Picture::of(codec, &packets);
            }
        }
    }
}
