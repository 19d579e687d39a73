//! Video frames from ordered packets: what shares a timestamp, closed by the marker.
//!
//! Also decides what a decoder can still use. A frame that lost a packet for good is dropped, and
//! so is every frame after it until a keyframe: browsers cannot decode across a hole that the
//! gateway's contiguous sequence numbers hide, they would show garbage. Sound goes on meanwhile.

use bytes::Bytes;

use crate::coding::{Packet, VideoCodec};
use crate::limits::{FRAME_BYTES_MAX, FRAME_PACKETS_MAX, PARAMETER_SETS_MAX};
use crate::time::Timestamp;

use super::keyframe::{parameter_sets, starts_keyframe};
use super::reorder::Arrived;

/// A whole video frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VideoFrame {
    pub(super) timestamp: u32,
    /// When its first packet came.
    pub(super) arrived: Timestamp,
    pub(super) keyframe: bool,
    pub(super) packets: Vec<Packet>,
}

#[derive(Debug)]
struct Partial {
    frame: VideoFrame,
    bytes: usize,
    /// Its parameter sets, in order.
    sets: Vec<Bytes>,
}

#[derive(Debug)]
pub(super) struct Assembler {
    codec: VideoCodec,
    partial: Option<Partial>,
    /// Whether the frames so far decode: a keyframe and every frame since.
    whole: bool,
    /// Whether a frame was dropped for want of a keyframe.
    wanting: bool,
    /// The last parameter sets seen, for keyframes that come without.
    sets: Vec<Bytes>,
    dropped: u64,
    /// Of the frame dropped last, so that its remains are not counted again.
    dropped_timestamp: Option<u32>,
}

impl Assembler {
    pub(super) fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            partial: None,
            whole: false,
            wanting: false,
            sets: Vec::new(),
            dropped: 0,
            dropped_timestamp: None,
        }
    }

    /// Frames dropped because they, or one they need, lost a packet.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether the publisher should be asked for a keyframe: frames are being dropped, and none is
    /// coming in.
    pub(super) fn wants_keyframe(&self) -> bool {
        self.wanting && !self.partial.as_ref().is_some_and(|partial| partial.frame.keyframe)
    }

    /// Takes the next packet in order; hands over the frames it completes, two at most.
    pub(super) fn push(&mut self, arrived: Arrived, complete: &mut Vec<VideoFrame>) {
        let Arrived { at, packet } = arrived;
        if self.partial.as_ref().is_some_and(|p| p.frame.timestamp != packet.timestamp) {
            // A publisher that sets no marker: the next timestamp closes the frame.
            self.close(complete);
        }
        let timestamp = packet.timestamp;
        let partial = self.partial.get_or_insert_with(|| Partial {
            frame: VideoFrame { timestamp, arrived: at, keyframe: false, packets: Vec::new() },
            bytes: 0,
            sets: Vec::new(),
        });
        partial.frame.keyframe |= starts_keyframe(self.codec, &packet.payload);
        for set in parameter_sets(self.codec, &packet.payload).take(PARAMETER_SETS_MAX) {
            if partial.sets.len() < PARAMETER_SETS_MAX {
                partial.sets.push(packet.payload.slice_ref(set));
            }
        }
        partial.bytes += packet.payload.len();
        partial.frame.packets.push(Packet { marker: packet.marker, payload: packet.payload });
        if partial.bytes > FRAME_BYTES_MAX || partial.frame.packets.len() > FRAME_PACKETS_MAX {
            self.lost();
        } else if packet.marker {
            self.close(complete);
        }
    }

    /// A packet is lost for good here: the frame it was in is, too.
    pub(super) fn lost(&mut self) {
        if let Some(partial) = self.partial.take() {
            self.note_dropped(partial.frame.timestamp);
        }
        self.whole = false;
        self.wanting = true;
    }

    fn close(&mut self, complete: &mut Vec<VideoFrame>) {
        let Some(Partial { mut frame, sets, .. }) = self.partial.take() else { return };
        if frame.keyframe {
            self.whole = true;
            self.wanting = false;
            if sets.is_empty() {
                let sets = self.sets.iter().cloned();
                let sets = sets.map(|payload| Packet { marker: false, payload });
                frame.packets.splice(..0, sets);
            }
        }
        if !sets.is_empty() {
            self.sets = sets;
        }
        if self.whole {
            complete.push(frame);
        } else {
            self.wanting = true;
            self.note_dropped(frame.timestamp);
        }
    }

    fn note_dropped(&mut self, timestamp: u32) {
        if self.dropped_timestamp.replace(timestamp) != Some(timestamp) {
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::Track;
    use crate::ingest::RtpIn;

    fn packet(timestamp: u32, marker: bool, payload: &'static [u8]) -> Arrived {
        let payload = Bytes::from_static(payload);
        let packet = RtpIn { track: Track::Video, sequence: 0, timestamp, marker, payload };
        Arrived { at: Timestamp::ZERO, packet }
    }

    const KEY: &[u8] = &[0x10, 0x00];
    const DELTA: &[u8] = &[0x10, 0x01];
    const REST: &[u8] = &[0x00, 0x55];

    /// Timestamps of the frames that come out; `None` is a loss.
    fn run(packets: &[Option<(u32, bool, &'static [u8])>]) -> (Vec<u32>, bool) {
        let mut assembler = Assembler::new(VideoCodec::Vp8);
        let mut complete = Vec::new();
        for item in packets {
            match item {
                Some((ts, marker, payload)) => {
                    assembler.push(packet(*ts, *marker, payload), &mut complete);
                }
                None => assembler.lost(),
            }
        }
        let timestamps = complete.iter().map(|frame| frame.timestamp).collect();
        (timestamps, assembler.wants_keyframe())
    }

    #[test]
    fn nothing_passes_before_a_keyframe() {
        let (out, wants) = run(&[Some((1, true, DELTA)), Some((2, true, DELTA))]);
        assert_eq!((out, wants), (vec![], true));
        let (out, wants) = run(&[Some((1, true, DELTA)), Some((2, false, KEY))]);
        assert_eq!((out, wants), (vec![], false));
        let (out, wants) =
            run(&[Some((2, false, KEY)), Some((2, true, REST)), Some((3, true, DELTA))]);
        assert_eq!((out, wants), (vec![2, 3], false));
    }

    #[test]
    fn a_frame_without_a_marker_ends_where_the_next_begins() {
        let (out, _) =
            run(&[Some((1, false, KEY)), Some((2, false, DELTA)), Some((3, true, DELTA))]);
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn a_hole_drops_frames_until_the_next_keyframe() {
        let (out, wants) = run(&[
            Some((1, true, KEY)),
            Some((2, false, DELTA)),
            None,
            Some((2, true, REST)),
            Some((3, true, DELTA)),
        ]);
        assert_eq!((out, wants), (vec![1], true));
        let (out, wants) = run(&[
            Some((1, true, KEY)),
            None,
            Some((3, true, DELTA)),
            Some((4, false, KEY)),
            None,
            Some((4, true, REST)),
            Some((5, true, KEY)),
            Some((6, true, DELTA)),
        ]);
        assert_eq!((out, wants), (vec![1, 5, 6], false));
    }

    #[test]
    fn h264_keyframes_without_parameter_sets_get_the_last_ones() {
        let mut assembler = Assembler::new(VideoCodec::H264);
        let mut complete = Vec::new();
        for (timestamp, marker, payload) in [
            (1, false, &[0x67, 0x42][..]),
            (1, false, &[0x68, 0xce]),
            (1, true, &[0x65, 0x88]),
            (2, true, &[0x65, 0x99]),
        ] {
            assembler.push(packet(timestamp, marker, payload), &mut complete);
        }
        let payloads: Vec<_> = complete[1].packets.iter().map(|p| p.payload[0]).collect();
        assert_eq!(payloads, [0x67, 0x68, 0x65]);
        assert_eq!(complete[0].packets.len(), 3);
        assert!(complete[1].packets[2].marker && !complete[1].packets[0].marker);
    }

    #[test]
    fn an_endless_frame_is_dropped() {
        let mut assembler = Assembler::new(VideoCodec::Vp8);
        let mut complete = Vec::new();
        for _ in 0..2 * FRAME_PACKETS_MAX {
            assembler.push(packet(1, false, KEY), &mut complete);
        }
        assert!(complete.is_empty() && assembler.dropped() >= 1);
    }
}
