use super::*;
use crate::coding::{
    AudioCodec, Block, Coder, Format, Frame, Packet, Shard, Track, TrackFormat, VideoCodec, sample,
};
use crate::limits::{
    BLOCK_BYTES_MAX, BLOCK_FRAMES_MAX, BLOCK_NUMBER_MAX, BLOCK_PACKETS_MAX, FMTP_BYTES_MAX, K_MAX,
    M_MAX, PAYLOAD_BYTES_MAX,
};
use crate::wire::DecodeError;
use bytes::Bytes;
use proptest::prelude::*;

fn track<C: Clone + std::fmt::Debug>(
    codec: impl Strategy<Value = C>,
) -> impl Strategy<Value = Option<TrackFormat<C>>> {
    prop::option::of(
        (codec, 1..u32::MAX, ".{0,40}").prop_map(|(codec, clock_rate, fmtp)| TrackFormat {
            codec,
            clock_rate,
            fmtp,
        }),
    )
}

fn format() -> impl Strategy<Value = Format> {
    let video = prop::sample::select(vec![
        VideoCodec::Vp8,
        VideoCodec::Vp9,
        VideoCodec::H264,
        VideoCodec::H265,
        VideoCodec::Av1,
    ]);
    (track(video), track(Just(AudioCodec::Opus))).prop_map(|(video, audio)| Format { video, audio })
}

fn frame() -> impl Strategy<Value = Frame> {
    let payload = prop::collection::vec(any::<u8>(), 1..300).prop_map(Bytes::from);
    let packet = (any::<bool>(), payload).prop_map(|(marker, payload)| Packet { marker, payload });
    (any::<bool>(), any::<u32>(), any::<u64>(), prop::collection::vec(packet, 1..5)).prop_map(
        |(video, timestamp, capture_us, packets)| {
            let track = if video { Track::Video } else { Track::Audio };
            Frame { track, timestamp, capture_us, packets }
        },
    )
}

prop_compose! {
    fn block()(
        group in 0..BLOCK_NUMBER_MAX / 2,
        ahead in prop_oneof![Just(0_u64), 0..1000_u64],
        previous: [u8; 32],
        closed_us: u64,
        format in format(),
        frames in prop::collection::vec(frame(), 0..6),
    ) -> Block {
        let format = (ahead == 0).then_some(format);
        Block { number: group + ahead, group, previous, closed_us, format, frames }
    }
}

proptest! {
    #[test]
    fn blocks_round_trip(block in block()) {
        let encoded = block.encode().expect("within the limits");
        prop_assert_eq!(Block::decode(&encoded), Ok(block));
    }

    #[test]
    fn a_block_ends_where_it_ends(block in block()) {
        let encoded = block.encode().expect("within the limits");
        for len in 0..encoded.len() {
            prop_assert!(Block::decode(&encoded.slice(..len)).is_err(), "{len}");
        }
        let more = [&encoded[..], &[0]].concat();
        prop_assert_eq!(Block::decode(&more.into()), Err(DecodeError::Trailing(1)));
    }

    #[test]
    fn a_changed_block_has_one_encoding_or_none(
        block in block(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let mut encoded = block.encode().expect("within the limits").to_vec();
        let at = at.index(encoded.len());
        encoded[at] = byte;
        let encoded = Bytes::from(encoded);
        if let Ok(block) = Block::decode(&encoded) {
            prop_assert_eq!(block.encode(), Ok(encoded));
        }
    }

    #[test]
    fn any_bytes_are_answered(
        version in prop_oneof![Just(1_u8), any::<u8>()],
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = Bytes::from([&[version], &rest[..]].concat());
        let _ = Block::decode(&bytes);
        let _ = Shard::decode(bytes);
    }

    #[test]
    fn shards_round_trip(
        k in 1..=K_MAX,
        m in 0..=M_MAX,
        rendition: u8,
        number in 0..=BLOCK_NUMBER_MAX,
        back in 0_u64..100,
        len in 1_usize..600,
    ) {
        let coder = Coder::new(sample::SESSION, rendition, k, m, sample::key()).expect("a code");
        let group = number.saturating_sub(back);
        let shards = coder.encode(number, group, &Bytes::from(vec![9; len]));
        prop_assert_eq!(shards.len(), usize::from(k + m));
        for (stripe, shard) in shards.into_iter().enumerate() {
            let read = Shard::decode(shard.encoded().clone());
            prop_assert_eq!(read.as_ref(), Ok(&shard));
            let encoded = shard.encoded();
            prop_assert_eq!(read.map(|read| read.encoded().as_ptr()), Ok(encoded.as_ptr()));
            prop_assert_eq!((shard.block(), shard.group()), (number, group));
            prop_assert_eq!((shard.k(), shard.m()), (k, m));
            prop_assert_eq!((shard.rendition(), shard.stripe()), (rendition, stripe as u8));
            prop_assert_eq!(shard.block_len() as usize, len);
            prop_assert_eq!(shard.payload().len(), len.div_ceil(usize::from(k)));
        }
    }
}

#[test]
fn a_shard_ends_where_it_ends() {
    let shards = sample::publisher(5).next().expect("endless");
    for shard in shards {
        let encoded = shard.encoded();
        for len in 0..encoded.len() {
            let error = Shard::decode(encoded.slice(..len)).expect_err("too short");
            assert!(matches!(error, DecodeError::Truncated(_)), "{len}: {error}");
        }
        let more = [&encoded[..], &[0, 0]].concat();
        assert_eq!(Shard::decode(more.into()), Err(DecodeError::Trailing(2)));
    }
}

#[test]
fn headers_out_of_bounds_are_refused() {
    let shard = sample::publisher(5).nth(7).expect("endless").remove(1);
    assert_eq!((shard.block(), shard.group()), (7, 5));
    let changed = |at: usize, bytes: &[u8]| {
        let mut encoded = shard.encoded().to_vec();
        encoded[at..at + bytes.len()].copy_from_slice(bytes);
        Shard::decode(encoded.into())
    };
    let (over, len_over) = (BLOCK_NUMBER_MAX + 1, BLOCK_BYTES_MAX as u32 + 1);
    for (at, bytes) in [
        (0, &[2][..]),              // version
        (2, &[6]),                  // stripe
        (3, &[0]),                  // k
        (3, &[K_MAX + 1]),          // k
        (4, &[M_MAX + 1]),          // m
        (5, &4_u64.to_be_bytes()),  // block before its group
        (5, &over.to_be_bytes()),   // block
        (13, &8_u64.to_be_bytes()), // group
        (21, &[0; 4]),              // block_len
        (21, &len_over.to_be_bytes()),
    ] {
        let got = changed(at, bytes);
        assert!(matches!(got, Err(DecodeError::Field { .. })), "{at} {bytes:?}: {got:?}");
    }
    assert_eq!(changed(1, &[9]).map(|shard| shard.rendition()), Ok(9));
}

#[test]
fn what_decode_would_refuse_is_not_encoded() {
    let good = sample::block(5, 5, [0; 32]);
    assert!(good.encode().is_ok());
    let check = |change: &dyn Fn(&mut Block), want: EncodeError| {
        let mut block = good.clone();
        change(&mut block);
        assert_eq!(block.encode(), Err(want));
    };
    check(&|b| b.group = 6, EncodeError::Number { number: 5, group: 6 });
    check(
        &|b| (b.number, b.group) = (BLOCK_NUMBER_MAX + 1, 5),
        EncodeError::Number { number: BLOCK_NUMBER_MAX + 1, group: 5 },
    );
    check(&|b| b.format = None, EncodeError::Format);
    check(&|b| b.group = 4, EncodeError::Format);
    let fmtp = |b: &mut Block, fmtp: String| {
        b.format.as_mut().and_then(|f| f.video.as_mut()).expect("video").fmtp = fmtp;
    };
    check(&|b| fmtp(b, "x".repeat(FMTP_BYTES_MAX + 1)), EncodeError::Track);
    check(&|b| b.frames[0].packets.clear(), EncodeError::Empty);
    check(&|b| b.frames[0].packets[0].payload.clear(), EncodeError::Empty);
    let too_much = |what, is, max| EncodeError::TooMuch { what, is, max };
    check(
        &|b| b.frames[0].packets[0].payload = vec![0; PAYLOAD_BYTES_MAX + 1].into(),
        too_much("payload bytes", PAYLOAD_BYTES_MAX + 1, PAYLOAD_BYTES_MAX),
    );
    check(
        &|b| b.frames = vec![b.frames[0].clone(); BLOCK_FRAMES_MAX + 1],
        too_much("frames", BLOCK_FRAMES_MAX + 1, BLOCK_FRAMES_MAX),
    );
    check(
        &|b| {
            let packet = b.frames[0].packets[0].clone();
            b.frames[0].packets = vec![packet; BLOCK_PACKETS_MAX + 1];
        },
        too_much("packets", BLOCK_PACKETS_MAX + 1, BLOCK_PACKETS_MAX),
    );
}

#[test]
fn a_large_count_reserves_no_memory_it_did_not_pay_for() {
    let block = sample::block(1, 5, [0; 32]);
    let encoded = block.encode().expect("a block");
    // version, number, group, previous, closed_us, frames: 1; then track, timestamp, capture_us.
    let mut head = encoded[..1 + 8 + 8 + 32 + 8 + 1 + 1 + 4 + 8].to_vec();
    head.extend([0x80, 0x20]); // 4096 packets
    assert_eq!(Block::decode(&head.into()), Err(DecodeError::Truncated("payload")));
}

#[test]
fn payloads_share_the_memory_of_the_block() {
    let encoded = sample::block(3, 5, [1; 32]).encode().expect("a block");
    let range = encoded.as_ptr_range();
    let block = Block::decode(&encoded).expect("ours");
    for packet in block.frames.iter().flat_map(|frame| &frame.packets) {
        assert!(range.contains(&packet.payload.as_ptr()));
    }
}
