//! One track on its way to one viewer: whose packet gets which number.

use std::collections::VecDeque;
use std::time::Instant;

use super::ring::{Moment, Ring, Stored};
use crate::gateway::random;
use crate::gateway::sdp::Choice;

/// Past stretches remembered for NACKs. Derived: replays are a second apart, NACKs come within one.
const STRETCHES_MAX: usize = 4;
/// How much faster a replayed group's clock runs. A browser plays by timestamps, so a group sent
/// again at its own pace would leave the viewer behind by the group's age for good. With its
/// timestamps drawn together before the live edge, it is decoded at once and the viewer is live.
const REPLAY_SPEED: u32 = 64;
/// Seconds between the NTP epoch and the Unix epoch. Spec: RFC 5905.
const NTP_TO_UNIX_S: u64 = 2_208_988_800;

/// Consecutive packets of the ring that went out under consecutive sequence numbers.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first_packet: u64,
    first_sequence: u64,
    /// Packets before this one are a replay, drawn together before this timestamp.
    replay: Option<(u64, u32)>,
}

/// One track of one viewer.
#[derive(Debug)]
pub(crate) struct Outgoing {
    ssrc: u32,
    payload_type: u8,
    offset: u32,
    /// The newest last.
    stretches: VecDeque<Stretch>,
    next_packet: u64,
    next_sequence: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// The last sender reports: their NTP time in short, and when they went.
    reported: VecDeque<(u32, Instant)>,
}

/// The header of a packet, ready to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Header {
    /// The packet on the wire, in `buffer`.
    pub(crate) fn write(&self, payload: &[u8], buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend([0x80, u8::from(self.marker) << 7 | self.payload_type]);
        buffer.extend(self.sequence.to_be_bytes());
        buffer.extend(self.timestamp.to_be_bytes());
        buffer.extend(self.ssrc.to_be_bytes());
        buffer.extend_from_slice(payload);
    }
}

impl Outgoing {
    /// A track that starts with the packet `first` of its ring.
    pub(crate) fn new(ssrc: u32, choice: &Choice) -> Self {
        // spec: RFC 3711 section 3.3.1: a start below 2^15 keeps both sides' rollover counters
        // in step even if the first packets are lost.
        let first_sequence = u64::from(random::u32() & 0x7fff);
        Self {
            ssrc,
            payload_type: choice.payload.number,
            offset: random::u32(),
            stretches: VecDeque::new(),
            next_packet: 0,
            next_sequence: first_sequence,
            packets: 0,
            bytes: 0,
            reported: VecDeque::new(),
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The number of the packet that goes next.
    pub(crate) fn next_packet(&self) -> u64 {
        self.next_packet
    }

    /// Whether what goes next is a replay.
    pub(crate) fn is_replaying(&self) -> bool {
        let replay = self.stretches.back().and_then(|stretch| stretch.replay);
        replay.is_some_and(|(until, _)| self.next_packet < until)
    }

    /// Goes on with packet `number`, under the next sequence number.
    pub(crate) fn jump(&mut self, number: u64) {
        self.begin(number, None);
    }

    /// Goes on with packet `number` of the past, and catches up with the head of `ring`.
    pub(crate) fn replay(&mut self, number: u64, ring: &Ring) {
        let live = ring.last().map(|last| (ring.head(), last.timestamp));
        self.begin(number, live.filter(|(head, _)| number < *head));
    }

    fn begin(&mut self, number: u64, replay: Option<(u64, u32)>) {
        if self.stretches.len() == STRETCHES_MAX {
            self.stretches.pop_front();
        }
        let (first_packet, first_sequence) = (number, self.next_sequence);
        self.stretches.push_back(Stretch { first_packet, first_sequence, replay });
        self.next_packet = number;
    }

    /// The header for the next packet, which is `stored`.
    pub(crate) fn advance(&mut self, stored: &Stored) -> Option<Header> {
        let header =
            self.stretches.back().map(|stretch| self.header(stretch, self.next_packet, stored));
        self.next_packet += 1;
        self.next_sequence += 1;
        if stored.payload.is_empty() {
            return None;
        }
        self.packets += 1;
        self.bytes += stored.payload.len() as u64;
        header
    }

    /// The packet that went out under `sequence`, with its header.
    pub(crate) fn find<'a>(&self, sequence: u16, ring: &'a Ring) -> Option<(Header, &'a Stored)> {
        let behind = (self.next_sequence as u16).wrapping_sub(sequence);
        let full = self.next_sequence.checked_sub(u64::from(behind))?;
        let stretch = self.stretches.iter().rev().find(|s| s.first_sequence <= full)?;
        let number = stretch.first_packet + (full - stretch.first_sequence);
        let stored = ring.get(number).filter(|stored| behind > 0 && !stored.payload.is_empty())?;
        Some((self.header(stretch, number, stored), stored))
    }

    fn header(&self, stretch: &Stretch, number: u64, stored: &Stored) -> Header {
        let timestamp = match stretch.replay {
            Some((until, live)) if number < until => {
                let age = live.wrapping_sub(stored.timestamp) as i32;
                live.wrapping_sub((age / REPLAY_SPEED as i32) as u32)
            }
            _ => stored.timestamp,
        };
        Header {
            marker: stored.marker,
            payload_type: self.payload_type,
            sequence: (stretch.first_sequence + (number - stretch.first_packet)) as u16,
            timestamp: timestamp.wrapping_add(self.offset),
            ssrc: self.ssrc,
        }
    }

    /// NTP and RTP time for a sender report at `moment`.
    pub(crate) fn report(&mut self, now: Instant, moment: Moment) -> (u64, u32) {
        let seconds = moment.capture_us / 1_000_000 + NTP_TO_UNIX_S;
        let fraction = ((moment.capture_us % 1_000_000) << 32) / 1_000_000;
        let ntp = seconds << 32 | fraction;
        if self.reported.len() == 8 {
            self.reported.pop_front();
        }
        self.reported.push_back(((ntp >> 16) as u32, now));
        (ntp, moment.timestamp.wrapping_add(self.offset))
    }

    /// When the sender report went that a receiver names by the middle of its NTP time.
    pub(crate) fn reported_at(&self, ntp_middle: u32) -> Option<Instant> {
        self.reported.iter().rev().find(|(middle, _)| *middle == ntp_middle).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use banyan_protocol::coding::{Frame, Packet, Track};

    use super::*;

    fn ring(frames: u32) -> Ring {
        let mut ring = Ring::new(90_000);
        for n in 0..frames {
            let packets = vec![Packet { marker: true, payload: vec![n as u8].into() }];
            let capture_us = u64::from(n) * 33_333;
            let frame = Frame { track: Track::Video, timestamp: n * 3000, capture_us, packets };
            ring.push(Instant::now(), &frame);
        }
        ring
    }

    fn outgoing() -> Outgoing {
        let payload = crate::gateway::sdp::Payload { number: 96, ..Default::default() };
        Outgoing::new(7, &Choice { media: 0, payload, rtx: None })
    }

    #[test]
    fn sequence_numbers_are_contiguous_over_jumps_and_nacks_find_each() {
        let ring = ring(50);
        let mut track = outgoing();
        let mut sent = Vec::new();
        let mut send = |track: &mut Outgoing, count: usize| {
            for _ in 0..count {
                let stored = ring.get(track.next_packet()).expect("kept");
                sent.push((track.advance(stored).expect("not a gap"), stored.payload.clone()));
            }
        };
        track.jump(10);
        send(&mut track, 5);
        track.replay(2, &ring);
        assert!(track.is_replaying());
        send(&mut track, 3);
        track.jump(40);
        send(&mut track, 10);
        for pair in sent.windows(2) {
            assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
        }
        assert!(sent[0].0.sequence < 1 << 15);
        for (header, payload) in &sent {
            let (again, stored) = track.find(header.sequence, &ring).expect("found");
            assert_eq!((again, &stored.payload), (*header, payload));
        }
        let next = sent.last().expect("sent").0.sequence.wrapping_add(1);
        assert!(track.find(next, &ring).is_none());
        assert!(track.find(sent[0].0.sequence.wrapping_sub(1), &ring).is_none());
    }

    #[test]
    fn a_replay_is_drawn_together_before_the_live_edge() {
        let ring = ring(31);
        let mut track = outgoing();
        track.replay(0, &ring);
        let mut stamps = Vec::new();
        while let Some(stored) = ring.get(track.next_packet()) {
            stamps.push(track.advance(stored).expect("not a gap").timestamp);
        }
        let live = 30 * 3000;
        assert_eq!(stamps.last().copied(), Some(track.offset.wrapping_add(live)));
        assert_eq!(stamps[0], track.offset.wrapping_add(live - live / REPLAY_SPEED));
        assert!(stamps.windows(2).all(|pair| (pair[1].wrapping_sub(pair[0]) as i32) > 0));
        assert!(!track.is_replaying());
    }

    #[test]
    fn audio_and_video_report_one_clock() {
        let (mut audio, mut video) = (outgoing(), outgoing());
        let capture_us = 1_700_000_000_250_000;
        let at = Instant::now();
        let (ntp_a, rtp_a) = audio.report(at, Moment { capture_us, timestamp: 48_000 });
        let (ntp_v, rtp_v) = video.report(at, Moment { capture_us, timestamp: 90_000 });
        assert_eq!(ntp_a, ntp_v);
        assert_eq!(ntp_a >> 32, 1_700_000_000 + NTP_TO_UNIX_S);
        assert_eq!(ntp_a as u32, 1 << 30);
        assert_eq!(rtp_a.wrapping_sub(audio.offset), 48_000);
        assert_eq!(rtp_v.wrapping_sub(video.offset), 90_000);
        assert_eq!(video.reported_at((ntp_v >> 16) as u32), Some(at));
    }
}
