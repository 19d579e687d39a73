//! A publisher that sends anything: payloads for the keyframe sniffer, packets for ingest.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::{Script, Target};
use crate::coding::{AudioCodec, Format, Track, TrackFormat, VideoCodec};
use crate::ingest::keyframe::starts_keyframe;
use crate::ingest::{Anchor, Draft, Ingest, Output, RtpIn};
use crate::limits::{BLOCK_FRAMES_MAX, BLOCK_PACKETS_MAX};
use crate::time::Timestamp;

const CODECS: [VideoCodec; 5] =
    [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1];

/// A payload of each codec.
pub(super) const KEYFRAME: Target = Target {
    name: "keyframe",
    rounds: 3_000,
    run: |bytes| {
        for codec in CODECS {
            let _ = starts_keyframe(codec, bytes);
        }
    },
    seeds: || PAYLOADS.map(<[u8]>::to_vec).to_vec(),
};

/// The beginnings of keyframes, in the order of [`CODECS`], and aggregates of several units.
const PAYLOADS: [&[u8]; 8] = [
    &[0x90, 0x80, 0x81, 0x23, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a],
    &[0x8a, 0x80, 0x01, 0x18, 0x01, 0x40, 0x00, 0xb4, 0x82, 0x49, 0x83, 0x42],
    &[0x7c, 0x85, 0x88, 0x84, 0x00],
    &[0x62, 0x01, 0x93, 0xaf, 0x00],
    &[0x18, 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x24, 0x32, 0x10],
    &[0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce, 0, 3, 0x65, 0x88, 0x84],
    &[0x60, 0x01, 0, 3, 0x40, 0x01, 0x0c, 0, 3, 0x42, 0x01, 0x01, 0, 3, 0x26, 0x01, 0xaf],
    &[0x2a, 0x01, 0x02, 0x03],
];

/// A script of packets, sender reports, requests and time.
pub(super) const INGEST: Target = Target {
    name: "ingest",
    rounds: 1_000,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let mut run = Run::new(script.u8());
        while !script.is_over() {
            run.step(&mut script);
        }
    },
    seeds: || (0..CODECS.len() as u8).map(orderly).collect(),
};

const AT: Timestamp = Timestamp::from_micros(1_000_000);

struct Run {
    ingest: Ingest,
    now: Timestamp,
    video: bool,
    drafts: u64,
    captured: BTreeMap<Track, u64>,
    keyframe_asked: Option<Timestamp>,
}

impl Run {
    fn new(kind: u8) -> Self {
        let video = |codec| TrackFormat { codec, clock_rate: 90_000, fmtp: String::new() };
        let audio =
            TrackFormat { codec: AudioCodec::Opus, clock_rate: 48_000, fmtp: String::new() };
        let format = Format {
            video: CODECS.get(usize::from(kind & 0x07)).copied().map(video),
            audio: (kind & 0x08 == 0).then_some(audio),
        };
        let has_video = format.video.is_some();
        let mut ingest = Ingest::new(format, Anchor { at: AT, unix_us: 1_800_000_000_000_000 });
        if kind & 0x10 != 0 {
            ingest = ingest.without_nack(Track::Video);
        }
        let captured = BTreeMap::new();
        Self { ingest, now: AT, video: has_video, drafts: 0, captured, keyframe_asked: None }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let what = script.u8();
        let track = if what & 0x80 == 0 { Track::Video } else { Track::Audio };
        self.now = self.now + Duration::from_millis(u64::from(what & 0x30) / 2);
        match what & 0x07 {
            0..=3 => {
                let packet = RtpIn {
                    track,
                    sequence: script.u16(),
                    timestamp: script.u32(),
                    marker: what & 0x08 != 0,
                    payload: {
                        let len = usize::from(script.u8()) * 6;
                        Bytes::copy_from_slice(script.bytes(len))
                    },
                };
                self.ingest.handle_rtp(self.now, packet);
            }
            4 => {
                let (ntp, rtp) = (script.u64(), script.u32());
                self.ingest.handle_sender_report(self.now, track, ntp, rtp);
            }
            5 => self.ingest.request_keyframe(self.now),
            6 => self.ingest.handle_timeout(self.now),
            _ => {
                self.now = self.now + Duration::from_millis(script.u16().into());
                self.ingest.handle_timeout(self.now);
            }
        }
        self.drain();
    }

    /// Does what a driver does: takes all outputs, and wakes ingest when it asked to be.
    fn drain(&mut self) {
        if self.outputs().is_some_and(|at| at <= self.now) {
            self.ingest.handle_timeout(self.now);
            let deadline = self.outputs();
            assert!(deadline.is_none_or(|at| at > self.now), "would wake for ever: {deadline:?}");
        }
    }

    fn outputs(&mut self) -> Option<Timestamp> {
        // One input cannot cause more than everything it waited for to come out.
        for _ in 0..10_000 {
            match self.ingest.poll_output() {
                Output::Block(draft) => self.check(draft),
                Output::Nack(_, sequences) => assert!(!sequences.is_empty()),
                Output::KeyframeWanted => {
                    let last = self.keyframe_asked.replace(self.now);
                    let gap = Duration::from_millis(500);
                    assert!(last.is_none_or(|last| self.now.since(last) >= gap), "asks too often");
                }
                Output::Wait(deadline) => return deadline,
            }
        }
        panic!("the outbox never ends");
    }

    fn check(&mut self, draft: Draft) {
        assert_eq!(draft.starts_group, draft.format.is_some());
        assert!(self.drafts > 0 || draft.starts_group, "begins inside a group");
        assert!(draft.frames.len() <= BLOCK_FRAMES_MAX, "{} frames", draft.frames.len());
        let packets: usize = draft.frames.iter().map(|frame| frame.packets.len()).sum();
        assert!((1..=BLOCK_PACKETS_MAX).contains(&packets), "{packets} packets");
        for frame in &draft.frames {
            let last = self.captured.insert(frame.track, frame.capture_us);
            assert!(last.is_none_or(|last| last <= frame.capture_us), "captured before the last");
            assert!(self.video || frame.track == Track::Audio);
        }
        self.drafts += 1;
    }
}

/// Half a second of what an orderly publisher sends, with one report per track.
fn orderly(codec: u8) -> Vec<u8> {
    let mut script = vec![codec];
    for frame in 0..16u16 {
        let payload = PAYLOADS[usize::from(codec)];
        let packet = |script: &mut Vec<u8>, what: u8, timestamp: u32| {
            script.push(what);
            script.extend_from_slice(&frame.wrapping_sub(6).to_be_bytes());
            script.extend_from_slice(&timestamp.to_be_bytes());
            script.push(payload.len().div_ceil(6) as u8);
            script.extend_from_slice(payload);
            script.resize(script.len() + payload.len().next_multiple_of(6) - payload.len(), 0);
        };
        packet(&mut script, 0x28, u32::from(frame) * 2_700);
        packet(&mut script, 0x90, u32::from(frame) * 960);
        if frame == 8 {
            for track in [0x04, 0x84] {
                script.push(track);
                script.extend_from_slice(&(0xe900_0000_0000_0000u64).to_be_bytes());
                script.extend_from_slice(&0u32.to_be_bytes());
            }
        }
    }
    script.extend_from_slice(&[0x05, 0x06, 0x07, 0x01, 0x00]);
    script
}
