//! The recent packets of one track, once for all viewers.

use std::collections::VecDeque;
use std::time::Instant;

use banyan_protocol::coding::Frame;
use bytes::Bytes;

use crate::gateway::limits;

/// One packet, as every viewer gets it but for SSRC, sequence number and payload type.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// RTP timestamp on the session's time line: the publisher's, shifted where a new publisher
    /// began elsewhere.
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// Empty: a packet that was lost on the way here. Viewers see a gap and know.
    pub(crate) payload: Bytes,
    at: Instant,
}

/// A moment on the capture clock and on the track's RTP clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// µs since the Unix epoch.
    pub(crate) capture_us: u64,
    /// RTP timestamp on the session's time line.
    pub(crate) timestamp: u32,
}

/// The packets of one track, counted from 0.
#[derive(Debug)]
pub(crate) struct Ring {
    clock_rate: u32,
    packets: VecDeque<Stored>,
    /// The number of the oldest kept.
    first: u64,
    bytes: usize,
    /// What is added to the publisher's timestamps.
    shift: u32,
    last: Option<Moment>,
}

impl Ring {
    pub(crate) fn new(clock_rate: u32) -> Self {
        let packets = VecDeque::new();
        Self { clock_rate, packets, first: 0, bytes: 0, shift: 0, last: None }
    }

    /// The number of the oldest packet kept.
    pub(crate) fn tail(&self) -> u64 {
        self.first
    }

    /// The number that the next packet gets.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.packets.len() as u64
    }

    /// Payload bytes kept.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The newest frame's moment.
    pub(crate) fn last(&self) -> Option<Moment> {
        self.last
    }

    /// A packet by its number.
    pub(crate) fn get(&self, number: u64) -> Option<&Stored> {
        self.packets.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Appends a frame's packets. Returns their bytes.
    pub(crate) fn push(&mut self, now: Instant, frame: &Frame) -> usize {
        let timestamp = self.on_time_line(frame);
        self.last = Some(Moment { capture_us: frame.capture_us, timestamp });
        let mut bytes = 0;
        for packet in &frame.packets {
            bytes += packet.payload.len();
            self.packets.push_back(Stored {
                timestamp,
                marker: packet.marker,
                payload: packet.payload.clone(),
                at: now,
            });
        }
        self.bytes += bytes;
        bytes
    }

    /// Appends a gap that viewers shall notice.
    pub(crate) fn push_gap(&mut self, now: Instant) {
        let timestamp = self.last.map_or(0, |last| last.timestamp);
        self.packets.push_back(Stored { timestamp, marker: false, payload: Bytes::new(), at: now });
    }

    /// Drops what is older than NACKs can ask for, but keeps `needed` and what follows unless
    /// that is more than the limits allow.
    pub(crate) fn trim(&mut self, now: Instant, needed: u64) {
        while let Some(oldest) = self.packets.front() {
            let is_old = now.saturating_duration_since(oldest.at) > limits::RING_TIME;
            let is_needed = self.first >= needed;
            let over = self.packets.len() > limits::RING_PACKETS_MAX
                || self.bytes > limits::RING_BYTES_MAX;
            if !over && (!is_old || is_needed) {
                break;
            }
            self.bytes -= oldest.payload.len();
            self.first += 1;
            self.packets.pop_front();
        }
    }

    /// A frame's timestamp on the session's time line. The capture clock goes on when a publisher
    /// comes back, its RTP clock starts anywhere: where the two disagree by seconds, it is shifted.
    fn on_time_line(&mut self, frame: &Frame) -> u32 {
        if let Some(last) = self.last {
            let micros = i128::from(frame.capture_us) - i128::from(last.capture_us);
            let ticks = micros * i128::from(self.clock_rate) / 1_000_000;
            let expected = last.timestamp.wrapping_add(ticks as u32);
            let error = frame.timestamp.wrapping_add(self.shift).wrapping_sub(expected) as i32;
            if error.unsigned_abs() > 2 * self.clock_rate {
                self.shift = expected.wrapping_sub(frame.timestamp);
            }
        }
        frame.timestamp.wrapping_add(self.shift)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use banyan_protocol::coding::{Packet, Track};

    use super::*;

    fn frame(timestamp: u32, capture_us: u64, sizes: &[usize]) -> Frame {
        let packet = |size: &usize| Packet { marker: false, payload: vec![1; *size].into() };
        let packets = sizes.iter().map(packet).collect();
        Frame { track: Track::Video, timestamp, capture_us, packets }
    }

    #[test]
    fn a_new_publisher_continues_the_time_line() {
        let now = Instant::now();
        let mut ring = Ring::new(90_000);
        ring.push(now, &frame(1000, 5_000_000, &[1]));
        ring.push(now, &frame(4000, 5_033_333, &[1]));
        assert_eq!(ring.last().expect("pushed").timestamp, 4000);
        ring.push(now, &frame(u32::MAX / 2, 6_033_333, &[1]));
        assert_eq!(ring.last().expect("pushed").timestamp, 94_000);
        ring.push(now, &frame(u32::MAX / 2 + 3000, 6_066_666, &[1]));
        assert_eq!(ring.last().expect("pushed").timestamp, 97_000);
    }

    #[test]
    fn old_packets_go_unless_a_group_needs_them() {
        let now = Instant::now();
        let mut ring = Ring::new(90_000);
        ring.push(now, &frame(0, 0, &[10, 10, 10]));
        let later = now + limits::RING_TIME * 2;
        ring.push(later, &frame(0, 0, &[10]));
        ring.trim(later, 1);
        assert_eq!((ring.tail(), ring.head(), ring.bytes()), (1, 4, 30));
        assert!(ring.get(0).is_none() && ring.get(1).is_some() && ring.get(4).is_none());
        ring.trim(later + Duration::from_secs(9), 4);
        assert_eq!((ring.tail(), ring.bytes()), (4, 0));
    }

    #[test]
    fn the_ring_is_bounded_even_for_an_endless_group() {
        let now = Instant::now();
        let mut ring = Ring::new(90_000);
        for _ in 0..20 {
            ring.push(now, &frame(0, 0, &[1000; 1000]));
            ring.trim(now, 0);
            assert!(ring.bytes() <= limits::RING_BYTES_MAX);
        }
        for _ in 0..20 {
            ring.push(now, &frame(0, 0, &[1; 1000]));
            ring.trim(now, 0);
            assert!(ring.head() - ring.tail() <= limits::RING_PACKETS_MAX as u64);
        }
    }
}
