//! Media for tests and fuzz targets: an endless stream of small blocks, coded 4+2.

use bytes::Bytes;

use super::{
    Block, Checker, Coder, Digest, Format, Frame, Packet, Shard, Track, TrackFormat, VideoCodec,
};
use crate::identity::{MediaKey, SessionId};

pub(crate) const SESSION: SessionId = SessionId::from_bytes([7; 32]);

pub(crate) fn key() -> MediaKey {
    MediaKey::from_seed(&[2; 32])
}

pub(crate) fn checker() -> Checker {
    Checker::new(SESSION, key().verifying_key())
}

pub(crate) fn coder() -> Coder {
    Coder::new(SESSION, 0, 4, 2, key()).expect("a code")
}

/// Block `number` of a stream with groups of `group_len` blocks.
pub(crate) fn block(number: u64, group_len: u64, previous: Digest) -> Block {
    let group = number - number % group_len;
    let format = (number == group).then(|| Format {
        video: Some(TrackFormat {
            codec: VideoCodec::Vp8,
            clock_rate: 90_000,
            fmtp: String::new(),
        }),
        audio: None,
    });
    let packets = (0..1 + number % 3)
        .map(|i| Packet {
            marker: i == number % 3,
            payload: Bytes::from(vec![number as u8; 20 + i as usize]),
        })
        .collect();
    let frame = Frame {
        track: Track::Video,
        timestamp: number as u32 * 3000,
        capture_us: number * 33_333,
        packets,
    };
    Block { number, group, previous, closed_us: number * 33_333, format, frames: vec![frame] }
}

/// The shards of blocks 0, 1, 2 and so on.
pub(crate) fn publisher(group_len: u64) -> impl Iterator<Item = Vec<Shard>> {
    let coder = coder();
    let mut previous = [0; 32];
    (0..).map(move |number| {
        let block = block(number, group_len, previous);
        let encoded = block.encode().expect("a block");
        previous = Block::digest(&encoded);
        coder.encode(number, block.group, &encoded)
    })
}
