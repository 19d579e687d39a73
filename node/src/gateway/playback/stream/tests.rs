use banyan_protocol::coding::{Frame, Packet, TrackFormat, VideoCodec};

use super::*;

fn format(codec: VideoCodec) -> Format {
    let video = TrackFormat { codec, clock_rate: 90_000, fmtp: String::new() };
    Format { video: Some(video), audio: None }
}

fn block(number: u64, group: u64) -> Block {
    let packets = vec![Packet { marker: true, payload: vec![0; 500].into() }; 2];
    let frame = Frame {
        track: Track::Video,
        timestamp: number as u32 * 3000,
        capture_us: number * 33_333,
        packets,
    };
    Block {
        number,
        group,
        previous: [0; 32],
        closed_us: 0,
        format: (number == group).then(|| format(VideoCodec::Vp8)),
        frames: vec![frame],
    }
}

#[test]
fn a_viewer_can_start_at_the_current_group_only() {
    let now = Instant::now();
    let mut stream = Stream::new(now);
    assert_eq!(stream.deliver(now, &block(3, 0)), Delivered { gap: true, ..Delivered::default() });
    assert!(stream.group().is_none() && stream.live_format(now).is_none());
    assert!(stream.deliver(now, &block(5, 5)).new_group);
    stream.deliver(now, &block(6, 5));
    assert_eq!(stream.group().expect("whole").video, 0);
    assert!(stream.deliver(now, &block(7, 7)).new_group);
    assert_eq!(stream.group().expect("whole").video, 4);
    assert!(stream.live_format(now).is_some());
    assert!(stream.live_format(now + LIVE).is_none());
}

#[test]
fn a_lost_block_is_a_gap_and_ends_the_use_of_its_group() {
    let now = Instant::now();
    let mut stream = Stream::new(now);
    stream.deliver(now, &block(0, 0));
    assert!(stream.deliver(now, &block(2, 0)).gap);
    assert!(stream.group().is_none());
    assert!(stream.video.get(2).expect("the gap").payload.is_empty());
    assert!(stream.lost(now, 3));
    assert!(!stream.lost(now, 3));
    assert!(!stream.deliver(now, &block(4, 0)).gap);
    assert_eq!(stream.deliver(now, &block(1, 0)), Delivered::default());
    assert!(stream.deliver(now, &block(5, 5)).new_group);
    assert!(stream.group().is_some());
}

#[test]
fn a_group_longer_than_the_ring_cannot_be_started() {
    let now = Instant::now();
    let mut stream = Stream::new(now);
    stream.deliver(now, &block(0, 0));
    let mut big = block(1, 0);
    big.frames[0].packets = vec![Packet { marker: false, payload: vec![0; 1400].into() }; 4000];
    for number in 1..4 {
        big.number = number;
        stream.deliver(now, &big);
    }
    assert!(stream.group().is_none());
    assert!(stream.video.bytes() <= limits::RING_BYTES_MAX);
}

#[test]
fn a_change_of_codec_is_told() {
    let now = Instant::now();
    let mut stream = Stream::new(now);
    stream.deliver(now, &block(0, 0));
    assert!(!stream.deliver(now, &block(1, 1)).new_format);
    let mut other = block(2, 2);
    other.format = Some(format(VideoCodec::H264));
    assert!(stream.deliver(now, &other).new_format);
}

#[test]
fn the_rate_is_measured() {
    let start = Instant::now();
    let mut stream = Stream::new(start);
    for number in 0..61 {
        let now = start + Duration::from_micros(number * 33_334);
        stream.deliver(now, &block(number, 0));
    }
    // 30 blocks/s of 1000 bytes.
    assert!((230_000..260_000).contains(&stream.bps()), "{}", stream.bps());
}
