use banyan_protocol::coding::{Block, Format, Frame, Packet, TrackFormat, VideoCodec};

use super::*;
use crate::gateway::sdp::{Choice, Payload};

/// A session whose current group has begun `age` ago, and has two packets.
fn stream(now: Instant, age: Duration) -> Stream {
    let started = now.checked_sub(age).expect("a machine that runs for some seconds");
    let mut stream = Stream::new(started);
    let video = TrackFormat { codec: VideoCodec::Vp8, clock_rate: 90_000, fmtp: String::new() };
    let packets = vec![Packet { marker: true, payload: vec![0; 500].into() }; 2];
    let frame = Frame { track: Track::Video, timestamp: 0, capture_us: 0, packets };
    let block = Block {
        number: 0,
        group: 0,
        previous: [0; 32],
        closed_us: 0,
        format: Some(Format { video: Some(video), audio: None }),
        frames: vec![frame],
    };
    stream.deliver(started, &block);
    stream
}

fn viewer(now: Instant) -> Viewer {
    let payload = Payload { number: 96, ..Default::default() };
    Viewer::new(now, Some(Outgoing::new(7, &Choice { media: 0, payload, rtx: None })), None)
}

#[test]
fn a_viewer_of_a_long_group_starts_with_it_and_asks_for_the_next() {
    let now = Instant::now();
    let short = limits::REPLAY_AGE_MAX;
    let rows =
        [(Duration::ZERO, Asks::Nothing), (short, Asks::Nothing), (short * 2, Asks::Keyframe)];
    for (age, asks) in rows {
        let mut viewer = viewer(now);
        assert_eq!(viewer.start(now, &stream(now, age)), asks, "{age:?}");
        assert!(!viewer.waiting && viewer.backlog, "{age:?}");
    }
}

#[test]
fn no_report_goes_out_before_the_picture_has_caught_up() {
    let now = Instant::now();
    let stream = stream(now, Duration::ZERO);
    let mut viewer = viewer(now);
    viewer.start(now, &stream);
    assert!(viewer.poll_reports(now, &stream).is_none());
    let later = now + limits::PACE_INTERVAL;
    let video = viewer.video.as_mut().expect("a picture");
    video.jump(stream.ring(Track::Video).head());
    assert!(viewer.poll_reports(later, &stream).is_some());
}
