use proptest::prelude::*;

use super::*;
use crate::coding::{AudioCodec, TrackFormat, VideoCodec};
use crate::limits::{BLOCK_FRAMES_MAX, BLOCK_PACKETS_MAX};

const UNIX_US: u64 = 1_800_000_000_000_000;

fn at(ms: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(ms)
}

fn ingest() -> Ingest {
    let video = TrackFormat { codec: VideoCodec::Vp8, clock_rate: 90_000, fmtp: String::new() };
    let audio = TrackFormat { codec: AudioCodec::Opus, clock_rate: 48_000, fmtp: String::new() };
    let format = Format { video: Some(video), audio: Some(audio) };
    Ingest::new(format, Anchor { at: Timestamp::ZERO, unix_us: UNIX_US })
}

/// A VP8 packet: three per frame, 30 ms apart, a keyframe every 30 frames.
fn video(sequence: u16) -> RtpIn {
    let (frame, part) = (sequence / 3, sequence % 3);
    let start = if part == 0 { 0x10 } else { 0 };
    let payload = Bytes::from(vec![start, u8::from(!frame.is_multiple_of(30)), sequence as u8]);
    let timestamp = u32::from(frame) * 2_700;
    RtpIn { track: Track::Video, sequence, timestamp, marker: part == 2, payload }
}

fn audio(sequence: u16) -> RtpIn {
    let payload = Bytes::from(sequence.to_be_bytes().to_vec());
    let timestamp = u32::from(sequence) * 960;
    RtpIn { track: Track::Audio, sequence, timestamp, marker: false, payload }
}

fn drain(ingest: &mut Ingest) -> (Vec<Output>, Option<Timestamp>) {
    let mut outputs = Vec::new();
    loop {
        match ingest.poll_output() {
            Output::Wait(deadline) => return (outputs, deadline),
            output => outputs.push(output),
        }
    }
}

fn drafts(outputs: &[Output]) -> Vec<&Draft> {
    fn draft(output: &Output) -> Option<&Draft> {
        match output {
            Output::Block(draft) => Some(draft),
            Output::Nack(..) | Output::KeyframeWanted | Output::Wait(_) => None,
        }
    }
    outputs.iter().filter_map(draft).collect()
}

#[test]
fn a_block_leaves_with_the_last_packet_of_its_frame() {
    let mut ingest = ingest();
    for sequence in 0..2 {
        ingest.handle_rtp(at(3), video(sequence));
        assert_eq!(drain(&mut ingest), (vec![], None));
    }
    ingest.handle_rtp(at(4), video(2));
    let (outputs, deadline) = drain(&mut ingest);
    let [draft] = drafts(&outputs)[..] else { panic!("one block: {outputs:?}") };
    assert!(draft.starts_group && draft.format.is_some());
    assert_eq!(draft.closed_us, UNIX_US + 4_000);
    assert_eq!(draft.frames[0].capture_us, UNIX_US + 3_000);
    assert_eq!(draft.frames[0].packets.len(), 3);
    assert_eq!(deadline, None);

    ingest.handle_rtp(at(10), audio(0));
    assert_eq!(drain(&mut ingest), (vec![], Some(at(55))));
    for sequence in 3..6 {
        ingest.handle_rtp(at(33), video(sequence));
    }
    let (outputs, _) = drain(&mut ingest);
    let [draft] = drafts(&outputs)[..] else { panic!("one block: {outputs:?}") };
    assert!(!draft.starts_group && draft.format.is_none());
    let tracks: Vec<_> = draft.frames.iter().map(|frame| frame.track).collect();
    assert_eq!(tracks, [Track::Audio, Track::Video]);
    let block = draft.clone().into_block(1, 0, [7; 32]);
    assert_eq!((block.number, block.group, block.previous), (1, 0, [7; 32]));
}

#[test]
fn a_lost_packet_is_asked_for_and_the_block_waits_for_it() {
    let mut ingest = ingest();
    for sequence in [0, 1, 2, 3, 5] {
        ingest.handle_rtp(at(0), video(sequence));
    }
    let (outputs, deadline) = drain(&mut ingest);
    assert_eq!((drafts(&outputs).len(), deadline), (1, Some(at(5))));
    ingest.handle_timeout(at(5));
    let (outputs, _) = drain(&mut ingest);
    assert_eq!(outputs, [Output::Nack(Track::Video, vec![4])]);
    ingest.handle_rtp(at(30), video(4));
    let (outputs, deadline) = drain(&mut ingest);
    assert_eq!((drafts(&outputs).len(), deadline), (1, None));
    assert_eq!(ingest.stats(Track::Video).recovered, 1);
}

#[test]
fn a_packet_lost_for_good_asks_for_a_keyframe_twice_a_second_until_it_comes() {
    let mut ingest = ingest();
    let mut asked = Vec::new();
    let mut groups = Vec::new();
    // 80 frames of 30 ms; packet 10 never comes; keyframes are frames 0, 30 and 60.
    for ms in 0..2_400 {
        ingest.handle_timeout(at(ms));
        if ms % 10 == 0 && ms != 100 {
            ingest.handle_rtp(at(ms), video((ms / 10) as u16));
        }
        let (outputs, _) = drain(&mut ingest);
        asked.extend(outputs.contains(&Output::KeyframeWanted).then_some(ms));
        for draft in drafts(&outputs) {
            groups.extend(draft.starts_group.then_some(ms));
        }
    }
    assert_eq!(asked, [310, 810]);
    assert_eq!(groups, [20, 920, 1_820]);
    assert_eq!(ingest.frames_dropped(), 27);
}

#[test]
fn viewers_requests_are_coalesced() {
    let mut ingest = ingest();
    for sequence in 0..3 {
        ingest.handle_rtp(at(0), video(sequence));
    }
    drain(&mut ingest);
    let mut asked = 0;
    for ms in 0..1_200 {
        ingest.request_keyframe(at(ms));
        let (outputs, _) = drain(&mut ingest);
        asked += outputs.iter().filter(|o| **o == Output::KeyframeWanted).count();
    }
    assert_eq!(asked, 3);
}

#[test]
fn a_camera_that_comes_back_starts_with_a_keyframe() {
    let mut ingest = ingest();
    let mut last = Vec::new();
    for ms in 0..8_000_u64 {
        ingest.handle_timeout(at(ms));
        if ms % 20 == 0 {
            ingest.handle_rtp(at(ms), audio((ms / 20) as u16));
        }
        // The camera is off from 1 s to 6 s, and comes back in the middle of a group.
        if ms % 10 == 0 && !(1_000..6_000).contains(&ms) {
            let sequence = if ms < 1_000 { ms / 10 } else { ms / 10 - 500 } as u16;
            let away = if ms < 1_000 { 0 } else { 450_000 };
            let timestamp = u32::from(sequence / 3) * 2_700 + away;
            ingest.handle_rtp(at(ms), RtpIn { timestamp, ..video(sequence) });
        }
        let (outputs, _) = drain(&mut ingest);
        for draft in drafts(&outputs).into_iter().filter(|draft| draft.starts_group) {
            last.push((ms, draft.frames.last().map(|frame| frame.track)));
        }
    }
    let video_groups: Vec<_> =
        last.iter().filter(|(_, track)| *track == Some(Track::Video)).map(|(ms, _)| *ms).collect();
    assert_eq!(video_groups, [20, 900 + 20, 6_800 + 20, 7_700 + 20]);
    assert!(last.iter().any(|(ms, track)| *ms > 3_900 && *track == Some(Track::Audio)));
}

/// What a publisher may do to us.
fn hostile() -> impl Strategy<Value = (u64, RtpIn)> {
    let sequence = prop_oneof![0_u16..40, any::<u16>()];
    let timestamp = prop_oneof![0_u32..40_000, any::<u32>()];
    let payload = prop::collection::vec(any::<u8>(), 0..8);
    (0_u64..60, any::<bool>(), sequence, timestamp, any::<bool>(), payload).prop_map(
        |(step, video, sequence, timestamp, marker, payload)| {
            let track = if video { Track::Video } else { Track::Audio };
            (step, RtpIn { track, sequence, timestamp, marker, payload: payload.into() })
        },
    )
}

proptest! {
    #[test]
    fn whatever_comes_blocks_keep_their_promises(
        packets in prop::collection::vec(hostile(), 1..300),
    ) {
        let mut ingest = ingest();
        let mut now = 0;
        let mut first = true;
        let mut captured = [0; 2];
        for (step, packet) in packets {
            now += step;
            ingest.handle_rtp(at(now), packet);
            let (outputs, deadline) = drain(&mut ingest);
            prop_assert!(deadline.is_none_or(|deadline| deadline > at(now)));
            for draft in drafts(&outputs) {
                prop_assert!(!first || draft.starts_group);
                first = false;
                prop_assert_eq!(draft.starts_group, draft.format.is_some());
                prop_assert!(!draft.frames.is_empty() && draft.frames.len() <= BLOCK_FRAMES_MAX);
                let count: usize = draft.frames.iter().map(|frame| frame.packets.len()).sum();
                prop_assert!(count <= BLOCK_PACKETS_MAX);
                for frame in &draft.frames {
                    let last = &mut captured[usize::from(frame.track == Track::Video)];
                    prop_assert!(frame.capture_us >= *last);
                    *last = frame.capture_us;
                }
            }
        }
    }

    #[test]
    fn loss_and_shuffling_that_retransmission_mends_leave_no_trace(
        lost in prop::collection::btree_set(3_u16..600, 0..60),
        delays in prop::collection::vec(0_u64..4, 600),
    ) {
        let mut ingest = ingest();
        let mut arrivals: Vec<(u64, u16)> = (0..600_u16)
            .filter(|sequence| !lost.contains(sequence))
            .map(|s| (u64::from(s) * 10 + if s == 0 { 0 } else { delays[usize::from(s)] }, s))
            .collect();
        let mut payloads = Vec::new();
        for ms in 0..6_300 {
            ingest.handle_timeout(at(ms));
            let (due, rest): (Vec<_>, Vec<_>) = arrivals.into_iter().partition(|(t, _)| *t <= ms);
            arrivals = rest;
            for (_, sequence) in due {
                ingest.handle_rtp(at(ms), video(sequence));
            }
            let (outputs, _) = drain(&mut ingest);
            for output in &outputs {
                if let Output::Nack(_, sequences) = output {
                    arrivals.extend(sequences.iter().map(|sequence| (ms + 30, *sequence)));
                }
            }
            for draft in drafts(&outputs) {
                let packets = draft.frames.iter().flat_map(|frame| &frame.packets);
                payloads.extend(packets.map(|packet| packet.payload[2]));
            }
        }
        // The last packets may be missing unseen: nothing after them tells.
        let whole = (0..600_u16).filter(|s| s / 3 < 199 || lost.range(597..).count() == 0);
        let expected: Vec<_> = whole.map(|sequence| sequence as u8).collect();
        prop_assert!(payloads.starts_with(&expected));
    }
}
