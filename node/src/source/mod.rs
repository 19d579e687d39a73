//! A file as a live source: encoded frames → RTP, at the pace they were made.
//!
//! Reads WebM and Matroska (VP8, VP9, H264, AV1, Opus) and IVF (VP8, VP9, AV1), transcodes nothing,
//! and refuses what browsers could not play, saying what to do about it. Looping goes on with
//! continuous sequence numbers and timestamps, so nobody downstream can tell.
//!
//! ```no_run
//! # async fn publish() -> anyhow::Result<()> {
//! use banyan_node::source::{self, FileSource};
//! let source = FileSource::open("talk.webm", true)?;
//! let format = source.format().clone(); // for the session, and for `Ingest::new`
//! let (sender, mut inputs) = tokio::sync::mpsc::channel(256);
//! let player = tokio::spawn(source::run(source, sender)); // abort it, or drop `inputs`, to stop
//! while let Some(input) = inputs.recv().await { /* ingest.handle_input(now, input) */ }
//! player.await??;
//! # Ok(()) }
//! ```

mod avc;
mod clip;
mod container;
mod error;
mod ivf;
mod matroska;
mod opus;
mod pace;
mod timeline;

use std::path::Path;
use std::time::Duration;

use banyan_protocol::coding::{Format, Track, VideoCodec};
use banyan_protocol::ingest::RtpIn;
use banyan_protocol::limits::FRAME_BYTES_MAX;
use bytes::Bytes;
use tracing::warn;

use crate::payload::{self, Packetiser};
use container::{Container, Origin, Sample};
use timeline::Timeline;

pub use error::SourceError;
pub use pace::run;

/// How much of a file is checked before it is played. Guess: longer than any sane keyframe interval,
/// short enough not to be felt.
const PROBE: Duration = Duration::from_secs(15);

/// One frame, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When to send it, counted from the beginning of the first pass.
    pub media_time: Duration,
    /// Its packets.
    pub packets: Vec<RtpIn>,
}

/// A file that plays as if it were live.
#[derive(Debug)]
pub struct FileSource {
    origin: Origin,
    looping: bool,
    format: Format,
    container: Container,
    packetiser: Option<Packetiser>,
    timeline: Timeline,
    /// Whether a keyframe was sent: nothing is before.
    started: bool,
    sequences: [u16; 2],
}

impl FileSource {
    /// Opens the file at `path` and checks its beginning.
    ///
    /// # Errors
    /// If it cannot be read, is no media file that can be played live, or needs converting first;
    /// the error then says how.
    pub fn open(path: impl AsRef<Path>, looping: bool) -> Result<Self, SourceError> {
        Self::with_origin(Origin::Path(path.as_ref().to_owned()), looping)
    }

    /// Plays a file that is in memory.
    ///
    /// # Errors
    /// Like [`Self::open`].
    pub fn from_bytes(bytes: Bytes, looping: bool) -> Result<Self, SourceError> {
        Self::with_origin(Origin::Memory(bytes), looping)
    }

    /// The bundled clip, in a loop: ten seconds of VP8 and Opus, 640x360 at 30 frames per second,
    /// a keyframe each second. A white square flashes and a tone sounds on every full second.
    #[must_use]
    pub fn clip() -> Self {
        Self::from_bytes(Bytes::from_static(clip::CLIP), true)
            .expect("a test plays the bundled clip")
    }

    fn with_origin(origin: Origin, looping: bool) -> Result<Self, SourceError> {
        let mut container = Container::open(&origin)?;
        probe(&mut container, &origin)?;
        let container = Container::open(&origin)?;
        let format = container.format().clone();
        let packetiser = format.video.as_ref().map(|track| Packetiser::new(track.codec));
        let timeline = Timeline::new(container.audio_delay());
        let (started, sequences) = (false, [0; 2]);
        Ok(Self { origin, looping, format, container, packetiser, timeline, started, sequences })
    }

    /// The tracks of the file, as a browser would be told of them.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// What an RTCP sender report would say now: `track`'s last RTP timestamp and its NTP time.
    #[must_use]
    pub fn sender_report(&self, track: Track) -> Option<(u64, u32)> {
        self.timeline.sender_report(track)
    }

    /// The next frame; `None` at the end of a file that does not loop. A file that ends in the
    /// middle of a frame ends there.
    ///
    /// # Errors
    /// If the file cannot be played on.
    pub fn next_frame(&mut self) -> Result<Option<Timed>, SourceError> {
        loop {
            let Some(sample) = self.container.next_sample()? else {
                if self.container.is_damaged() {
                    warn!(played = ?self.timeline.end(), "the file is damaged or cut short here");
                }
                if !self.looping || !self.started {
                    return Ok(None);
                }
                self.container = Container::open(&self.origin)?;
                self.timeline.rewind();
                continue;
            };
            if let Some(timed) = self.pack(sample)? {
                return Ok(Some(timed));
            }
        }
    }

    fn pack(&mut self, sample: Sample) -> Result<Option<Timed>, SourceError> {
        match sample.track {
            Track::Audio => {
                if !self.started && self.format.video.is_some() {
                    return Ok(None);
                }
                self.started = true;
                let samples = opus::samples(&sample.data).unwrap_or(0);
                let (timestamp, media_time) = self.timeline.audio(sample.time, samples);
                let payloads = vec![sample.data];
                Ok(Some(self.send(Track::Audio, timestamp, media_time, payloads, false)))
            }
            Track::Video => {
                let Some(packetiser) = &mut self.packetiser else { return Ok(None) };
                let Some(frame) = self.container.complete(sample.data)? else { return Ok(None) };
                self.started |= frame.keyframe;
                if !self.started {
                    return Ok(None);
                }
                let payloads = packetiser.packetise(&frame.data)?;
                let (timestamp, media_time) =
                    self.timeline.video(sample.time).ok_or_else(|| self.origin.reordered())?;
                Ok(Some(self.send(Track::Video, timestamp, media_time, payloads, true)))
            }
        }
    }

    fn send(
        &mut self,
        track: Track,
        timestamp: u32,
        media_time: Duration,
        payloads: Vec<Bytes>,
        mark_last: bool,
    ) -> Timed {
        let count = payloads.len();
        let next = &mut self.sequences[usize::from(track == Track::Video)];
        let packets = payloads.into_iter().enumerate().map(|(index, payload)| {
            let sequence = *next;
            *next = sequence.wrapping_add(1);
            let marker = mark_last && index + 1 == count;
            RtpIn { track, sequence, timestamp, marker, payload }
        });
        Timed { media_time, packets: packets.collect() }
    }
}

/// Reads the first seconds: a problem is better told before the session exists.
fn probe(container: &mut Container, origin: &Origin) -> Result<(), SourceError> {
    let has_video = container.format().video.is_some();
    let (mut frames, mut keyframes) = (0, 0);
    let mut last = None;
    while let Some(sample) = container.next_sample()? {
        if sample.time > PROBE {
            break;
        }
        frames += 1;
        if sample.track == Track::Audio {
            continue;
        }
        if last.is_some_and(|last| sample.time < last) {
            return Err(origin.reordered());
        }
        last = Some(sample.time);
        let frame = container.complete(sample.data)?;
        keyframes += u32::from(frame.is_some_and(|frame| frame.keyframe));
    }
    if frames == 0 {
        return Err(SourceError::Empty { file: origin.name(), damaged: container.is_damaged() });
    }
    if has_video && keyframes == 0 {
        return Err(SourceError::NoKeyframe { file: origin.name(), within: PROBE });
    }
    Ok(())
}

/// Refuses a frame that no block could hold.
fn check_size(data: &[u8]) -> Result<(), SourceError> {
    if data.len() > FRAME_BYTES_MAX {
        return Err(SourceError::FrameTooLong { bytes: data.len() });
    }
    Ok(())
}

/// A frame with everything a decoder needs.
#[derive(Debug)]
struct Complete {
    keyframe: bool,
    data: Bytes,
}

/// Puts `parameters` in front of a keyframe that came without them.
fn complete(codec: VideoCodec, parameters: &Bytes, data: Bytes) -> Result<Complete, SourceError> {
    let info = payload::inspect(codec, &data)?;
    if !info.keyframe || info.self_contained || parameters.is_empty() {
        return Ok(Complete { keyframe: info.keyframe, data });
    }
    Ok(Complete { keyframe: true, data: [&parameters[..], &data[..]].concat().into() })
}

#[cfg(test)]
pub(crate) mod tests;
