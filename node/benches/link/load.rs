//! The media everything is measured with: 4 Mbit/s, 30 blocks/s, 8+2, a keyframe of twice the mean
//! each second.

use std::time::{Duration, SystemTime};

use banyan_protocol::coding::{
    Block, Coder, Format, Frame, Packet, Shard, Track, TrackFormat, VideoCodec,
};
use banyan_protocol::identity::{MediaKey, PublisherKey, SessionId};
use banyan_protocol::ingest::Draft;
use banyan_protocol::session::Outline;
use banyan_protocol::unit::Bitrate;
use bytes::Bytes;

/// Blocks in a second and in a group.
pub(crate) const BLOCKS: u64 = 30;
/// Time between two blocks.
pub(crate) const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / BLOCKS);
pub(crate) const K: u8 = 8;
pub(crate) const M: u8 = 2;
const BITRATE_BPS: u64 = 4_000_000;
const PAYLOAD: usize = 1_170;

pub(crate) fn media_key() -> MediaKey {
    MediaKey::from_seed(&[2; 32])
}

pub(crate) fn outline() -> Outline {
    Outline {
        session: SessionId::from_bytes([7; 32]),
        k: K,
        m: M,
        bitrate: Bitrate::from_bps(BITRATE_BPS),
        media_key: media_key().verifying_key(),
        publisher: PublisherKey::from_seed(&[3; 32]).id(),
        epoch_seed: [4; 32],
    }
}

/// Block `number` without its place in the chain.
pub(crate) fn draft(number: u64) -> Draft {
    let mean = (BITRATE_BPS / 8 / BLOCKS) as usize;
    let starts_group = number.is_multiple_of(BLOCKS);
    let len =
        if starts_group { 2 * mean } else { mean * (BLOCKS as usize - 2) / (BLOCKS as usize - 1) };
    let video = TrackFormat { codec: VideoCodec::Vp8, clock_rate: 90_000, fmtp: String::new() };
    let noise: Bytes = noise(number, len).into();
    let packets = (0..len).step_by(PAYLOAD).map(|at| Packet {
        marker: at + PAYLOAD >= len,
        payload: noise.slice(at..len.min(at + PAYLOAD)),
    });
    let closed_us = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_micros() as u64;
    Draft {
        starts_group,
        closed_us,
        format: starts_group.then_some(Format { video: Some(video), audio: None }),
        frames: vec![Frame {
            track: Track::Video,
            timestamp: number as u32 * 3_000,
            capture_us: closed_us,
            packets: packets.collect(),
        }],
    }
}

/// The shards of `count` blocks.
pub(crate) fn shards(count: u64) -> Vec<Vec<Shard>> {
    let coder = Coder::new(outline().session, 0, K, M, media_key()).expect("a code");
    let (mut previous, mut group) = ([0; 32], 0);
    let shards = (0..count).map(|number| {
        let block = draft(number).into_block(number, group, previous);
        group = block.group;
        let encoded = block.encode().expect("within bounds");
        previous = Block::digest(&encoded);
        coder.encode(number, group, &encoded)
    });
    shards.collect()
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| ((i + seed * 77).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

/// Ticks at the pace of blocks.
pub(crate) fn pace() -> tokio::time::Interval {
    let mut pace = tokio::time::interval(INTERVAL);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    pace
}
