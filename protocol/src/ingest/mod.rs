//! Ingest: the publisher's RTP → blocks. Runs at the root, for WHIP and for files alike.
//!
//! Puts packets in order and asks for what is missing (`reorder`), lays audio and video on one
//! capture clock (`clock`), gathers packets into frames and drops what no decoder can use
//! (`frame`), and cuts blocks and groups (`cut`). Payloads pass verbatim; only [`keyframe`] looks
//! inside. It knows neither SDP nor RTCP syntax: its owner feeds it decrypted packets and decoded
//! sender reports, and carries out what it asks for.
//!
//! ```
//! # use banyan_protocol::ingest::{Anchor, Ingest, Output, RtpIn};
//! # use banyan_protocol::coding::{AudioCodec, Digest, Format, Track, TrackFormat};
//! # use banyan_protocol::time::Timestamp;
//! # let opus = TrackFormat { codec: AudioCodec::Opus, clock_rate: 48_000, fmtp: String::new() };
//! # let format = Format { video: None, audio: Some(opus) };
//! # let packet = |sequence: u16| RtpIn {
//! #     track: Track::Audio, sequence, timestamp: u32::from(sequence) * 960,
//! #     marker: false, payload: bytes::Bytes::from_static(b"opus") };
//! let anchor = Anchor { at: Timestamp::ZERO, unix_us: 1_800_000_000_000_000 };
//! let mut ingest = Ingest::new(format, anchor);
//! let mut blocks = Vec::new();
//! for tick in 0..4 {
//!     ingest.handle_rtp(Timestamp::from_micros(u64::from(tick) * 20_000), packet(tick));
//!     loop {
//!         match ingest.poll_output() {
//!             Output::Block(draft) => blocks.push(draft.into_block(blocks.len() as u64, 0, [0; 32])),
//!             Output::Nack(_track, _sequences) => {}
//!             Output::KeyframeWanted => {}
//!             Output::Wait(_deadline) => break,
//!         }
//!     }
//! }
//! assert_eq!(blocks.len(), 2);
//! assert!(blocks[0].starts_group());
//! ```

mod clock;
mod cut;
mod frame;
pub mod keyframe;
mod reorder;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::coding::{Block, Digest, Format, Frame, Packet, Track};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::time::Timestamp;

pub use clock::Anchor;
use clock::Clock;
use cut::{Cut, Cutter};
use frame::Assembler;
use reorder::{Arrived, Item, Patience, Reorder};

/// Longest wait for a missing video packet. Guess: three round trips of a home uplink; the picture
/// stands still meanwhile, which is better than until the next keyframe.
const VIDEO_WAIT: Duration = Duration::from_millis(200);
/// Longest wait for a missing audio packet. Guess: what a browser's jitter buffer can stretch.
const AUDIO_WAIT: Duration = Duration::from_millis(100);
/// Wait for a packet that cannot be asked for: it can only be late. Guess.
const REORDER_WAIT: Duration = Duration::from_millis(20);
/// Between two asks for a keyframe. Spec: DESIGN, "coalesced to ≤ 1 per 500 ms".
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// One RTP packet of the publisher, without what ingest does not need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpIn {
    /// The track it belongs to.
    pub track: Track,
    /// RTP sequence number; for a retransmission, the original's.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// The payload without padding. Empty for a packet that is padding alone; it still counts.
    pub payload: Bytes,
}

/// One stimulus, for owners that carry them over a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// See [`Ingest::handle_rtp`].
    Rtp(RtpIn),
    /// See [`Ingest::handle_sender_report`].
    SenderReport {
        /// The track it is about.
        track: Track,
        /// NTP time, 32.32 fixed point.
        ntp: u64,
        /// The RTP timestamp captured then.
        rtp: u32,
    },
    /// See [`Ingest::request_keyframe`].
    KeyframeRequest,
}

/// What ingest wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The next block.
    Block(Draft),
    /// Ask the publisher to send these sequence numbers again.
    Nack(Track, Vec<u16>),
    /// Ask the publisher for a keyframe. At most once per 500 ms.
    KeyframeWanted,
    /// Drained. Call [`Ingest::handle_timeout`] then, if nothing comes before.
    Wait(Option<Timestamp>),
}

/// A block without its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whether a decoder can start here.
    pub starts_group: bool,
    /// When it was closed: µs since the Unix epoch by the root's clock.
    pub closed_us: u64,
    /// The tracks; present exactly when it starts a group.
    pub format: Option<Format>,
    /// Frames in the order they were ingested.
    pub frames: Vec<Frame>,
}

impl Draft {
    /// The block with `number`, after the block whose digest is `previous`, in `group` unless it
    /// starts its own.
    #[must_use]
    pub fn into_block(self, number: u64, group: u64, previous: Digest) -> Block {
        Block {
            number,
            group: if self.starts_group { number } else { group },
            previous,
            closed_us: self.closed_us,
            format: self.format,
            frames: self.frames,
        }
    }
}

/// What happened to a track's packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackStats {
    /// Packets received.
    pub packets: u64,
    /// Asks for a missing packet, repeated ones counted each.
    pub asked: u64,
    /// Packets that came after they were asked for, in time.
    pub recovered: u64,
    /// Packets given up.
    pub lost: u64,
    /// Packets dropped: duplicates, late ones, strays.
    pub unused: u64,
}

/// The publisher's RTP → blocks.
#[derive(Debug)]
pub struct Ingest {
    format: Format,
    now: Timestamp,
    video: Reorder,
    audio: Reorder,
    clock: Clock,
    assembler: Option<Assembler>,
    cutter: Cutter,
    /// Somebody asked for a keyframe that has not come yet.
    keyframe_requested: bool,
    keyframe_asked_at: Option<Timestamp>,
    outbox: VecDeque<Output>,
}

impl Ingest {
    /// Ingest for the tracks of `format`, with capture times counted from `anchor`.
    #[must_use]
    pub fn new(format: Format, anchor: Anchor) -> Self {
        let video_rate = format.video.as_ref().map_or(90_000, |track| track.clock_rate);
        let audio_rate = format.audio.as_ref().map_or(48_000, |track| track.clock_rate);
        Self {
            now: anchor.at,
            video: Reorder::new(Patience { wait: VIDEO_WAIT, ask: true }),
            audio: Reorder::new(Patience { wait: AUDIO_WAIT, ask: true }),
            clock: Clock::new(anchor, video_rate, audio_rate),
            assembler: format.video.as_ref().map(|track| Assembler::new(track.codec)),
            cutter: Cutter::new(format.video.is_some()),
            keyframe_requested: false,
            keyframe_asked_at: None,
            outbox: VecDeque::new(),
            format,
        }
    }

    /// `track` cannot be asked for missing packets (no `nack` in its SDP): wait for late ones only.
    #[must_use]
    pub fn without_nack(mut self, track: Track) -> Self {
        *self.reorder(track).patience_mut() = Patience { wait: REORDER_WAIT, ask: false };
        self
    }

    /// Takes whatever came.
    pub fn handle_input(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Rtp(packet) => self.handle_rtp(now, packet),
            Input::SenderReport { track, ntp, rtp } => {
                self.handle_sender_report(now, track, ntp, rtp);
            }
            Input::KeyframeRequest => self.request_keyframe(now),
        }
    }

    /// Takes one packet. Packets of a track that the format lacks, and payloads longer than
    /// [`PAYLOAD_BYTES_MAX`], are dropped.
    pub fn handle_rtp(&mut self, now: Timestamp, packet: RtpIn) {
        let track = packet.track;
        let carried = match track {
            Track::Video => self.format.video.is_some(),
            Track::Audio => self.format.audio.is_some(),
        };
        if !carried || packet.payload.len() > PAYLOAD_BYTES_MAX {
            return;
        }
        self.advance(now);
        let now = self.now;
        self.reorder(track).push(now, packet);
        self.work(now);
    }

    /// Takes a sender report: `rtp` was captured at `ntp` by the publisher's clock.
    pub fn handle_sender_report(&mut self, now: Timestamp, track: Track, ntp: u64, rtp: u32) {
        self.advance(now);
        self.clock.handle_sender_report(track, ntp, rtp);
    }

    /// Asks for a keyframe on behalf of viewers. Many requests make one ask.
    pub fn request_keyframe(&mut self, now: Timestamp) {
        self.advance(now);
        self.keyframe_requested = self.format.video.is_some();
        self.work(self.now);
    }

    /// Does what is due. Harmless when nothing is.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.advance(now);
        self.work(self.now);
    }

    /// The next output; [`Output::Wait`] when there is none.
    #[must_use]
    pub fn poll_output(&mut self) -> Output {
        self.outbox.pop_front().unwrap_or_else(|| Output::Wait(self.deadline()))
    }

    /// What happened to a track's packets so far.
    #[must_use]
    pub fn stats(&self, track: Track) -> TrackStats {
        match track {
            Track::Video => self.video.stats(),
            Track::Audio => self.audio.stats(),
        }
    }

    /// Video frames dropped so far because they, or one they need, lost a packet.
    #[must_use]
    pub fn frames_dropped(&self) -> u64 {
        self.assembler.as_ref().map_or(0, Assembler::dropped)
    }

    /// Time never goes back: a driver's late wake-up is taken as now.
    fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    fn work(&mut self, now: Timestamp) {
        while let Some(item) = self.audio.pop(now) {
            match item {
                Item::Packet(arrived) => self.take_audio(now, arrived),
                Item::Lost => {}
            }
        }
        while let Some(item) = self.video.pop(now) {
            match item {
                Item::Packet(arrived) => self.take_video(now, arrived),
                Item::Lost => {
                    if let Some(assembler) = &mut self.assembler {
                        assembler.lost();
                    }
                }
            }
        }
        if let Some(cut) = self.cutter.handle_timeout(now) {
            self.close_block(now, cut);
        }
        for track in [Track::Video, Track::Audio] {
            let sequences = self.reorder(track).asks(now);
            if !sequences.is_empty() {
                self.outbox.push_back(Output::Nack(track, sequences));
            }
        }
        if self.keyframe_due().is_some_and(|due| due <= now) {
            self.keyframe_asked_at = Some(now);
            self.outbox.push_back(Output::KeyframeWanted);
        }
    }

    fn take_audio(&mut self, now: Timestamp, arrived: Arrived) {
        let Arrived { at, packet } = arrived;
        if packet.payload.is_empty() {
            return;
        }
        let frame = Frame {
            track: Track::Audio,
            timestamp: packet.timestamp,
            capture_us: self.clock.capture_us(Track::Audio, packet.timestamp, at),
            packets: vec![Packet { marker: packet.marker, payload: packet.payload }],
        };
        if let Some(cut) = self.cutter.audio(now, frame) {
            self.close_block(now, cut);
        }
    }

    fn take_video(&mut self, now: Timestamp, arrived: Arrived) {
        let Some(assembler) = &mut self.assembler else { return };
        self.cutter.note_video(now);
        if arrived.packet.payload.is_empty() {
            return;
        }
        let mut complete = Vec::new();
        assembler.push(arrived, &mut complete);
        for video in complete {
            let frame = Frame {
                track: Track::Video,
                timestamp: video.timestamp,
                capture_us: self.clock.capture_us(Track::Video, video.timestamp, video.arrived),
                packets: video.packets,
            };
            self.keyframe_requested &= !video.keyframe;
            let cut = self.cutter.video(video.keyframe, frame);
            self.close_block(now, cut);
        }
    }

    fn close_block(&mut self, now: Timestamp, cut: Cut) {
        if let Some(assembler) = &mut self.assembler
            && cut.starts_group
            && cut.frames.iter().all(|frame| frame.track == Track::Audio)
        {
            // A group of sound alone: a viewer that joins here has no picture to build on.
            assembler.lost();
        }
        self.outbox.push_back(Output::Block(Draft {
            starts_group: cut.starts_group,
            closed_us: self.clock.unix_us(now),
            format: cut.starts_group.then(|| self.format.clone()),
            frames: cut.frames,
        }));
    }

    /// When to ask for a keyframe next, if one is needed.
    fn keyframe_due(&self) -> Option<Timestamp> {
        let wanted = self.assembler.as_ref().is_some_and(Assembler::wants_keyframe);
        let wanted = (wanted && !self.cutter.sound_alone(self.now)) || self.keyframe_requested;
        let due = |asked_at| asked_at + KEYFRAME_INTERVAL;
        wanted.then(|| self.keyframe_asked_at.map_or(self.now, due))
    }

    fn deadline(&self) -> Option<Timestamp> {
        [self.video.deadline(), self.audio.deadline(), self.cutter.deadline(), self.keyframe_due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn reorder(&mut self, track: Track) -> &mut Reorder {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

#[cfg(test)]
mod tests;
