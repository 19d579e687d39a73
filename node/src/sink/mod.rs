//! What a native viewer receives, written to a file.
//!
//! The file's name says how: `.webm` and `.mkv` take sound and picture, `.ivf`, `.h264` and `.h265`
//! the picture alone. Nothing is transcoded. Writing begins with the first group that has a picture
//! (or the first one at all, in a session of sound alone); after a missing block the picture goes on
//! with the next group, as a decoder would have it.

mod annex_b;
mod ebml;
mod error;
mod ivf;
mod matroska;
mod picture;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use banyan_protocol::coding::{Block, Format, Frame, Packet, Track, VideoCodec};
use bytes::Bytes;
use tokio::sync::mpsc;
use tracing::warn;

use crate::payload::{self, PayloadError};
use annex_b::AnnexB;
use ivf::Ivf;
use matroska::Matroska;
use picture::Picture;

pub use error::SinkError;

/// Whether `packets` are a keyframe that says all a container must know. For fuzzing.
pub(crate) fn describes(codec: VideoCodec, packets: &[Packet]) -> bool {
    Picture::of(codec, packets).is_some()
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Video frames written.
    pub video_frames: u64,
    /// Audio frames written.
    pub audio_frames: u64,
    /// Frames left out: malformed, of a track the file does not take, or after a missing block.
    pub skipped: u64,
}

/// A way to write frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Matroska,
    Ivf,
    AnnexB(VideoCodec),
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "webm" | "mkv" => Some(Self::Matroska),
            "ivf" => Some(Self::Ivf),
            "h264" | "264" => Some(Self::AnnexB(VideoCodec::H264)),
            "h265" | "265" | "hevc" => Some(Self::AnnexB(VideoCodec::H265)),
            _ => None,
        }
    }

    fn takes(self, format: &Format) -> bool {
        let video = format.video.as_ref().map(|track| track.codec);
        match self {
            // H265 needs a configuration record that nobody here could check.
            Self::Matroska => video != Some(VideoCodec::H265),
            Self::Ivf => {
                matches!(video, Some(VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::Av1))
            }
            Self::AnnexB(codec) => video == Some(codec),
        }
    }
}

#[derive(Debug)]
enum Writer {
    Matroska(Box<Matroska>),
    Ivf(Ivf),
    AnnexB(AnnexB),
}

/// A frame as containers want it.
#[derive(Debug)]
struct Sample<'a> {
    track: Track,
    keyframe: bool,
    /// µs since the first frame of the file.
    time_us: u64,
    data: &'a [u8],
}

/// A file that takes blocks.
#[derive(Debug)]
pub struct FileSink {
    kind: Kind,
    /// Until the first picture says what the header must.
    file: Option<BufWriter<File>>,
    writer: Option<Writer>,
    format: Format,
    /// Capture time of the first frame.
    start_us: u64,
    /// Number of the block to come.
    next: Option<u64>,
    /// Whether the video so far decodes.
    whole: bool,
    summary: Summary,
}

impl FileSink {
    /// Makes the file at `path`, or empties it.
    ///
    /// # Errors
    /// If its name says no format that can be written, or the system refuses.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let path = path.as_ref();
        let kind = Kind::of(path)
            .ok_or_else(|| SinkError::Extension { file: path.display().to_string() })?;
        let file = File::create(path)
            .map_err(|error| SinkError::Create { file: path.display().to_string(), error })?;
        Ok(Self {
            kind,
            file: Some(BufWriter::new(file)),
            writer: None,
            format: Format::default(),
            start_us: 0,
            next: None,
            whole: false,
            summary: Summary::default(),
        })
    }

    /// What was written so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Writes a block. Blocks come in order; one that was written already is left out.
    ///
    /// # Errors
    /// If the file cannot take the session's codecs, or the disk fails.
    pub fn write(&mut self, block: &Block) -> Result<(), SinkError> {
        if self.next.is_some_and(|next| block.number < next) {
            return Ok(());
        }
        self.whole &= self.next == Some(block.number);
        self.next = Some(block.number + 1);
        if self.writer.is_none() && !self.begin(block)? {
            self.summary.skipped += block.frames.len() as u64;
            return Ok(());
        }
        if block.format.as_ref().is_some_and(|format| codecs(format) != codecs(&self.format)) {
            return Err(SinkError::FormatChanged);
        }
        for frame in &block.frames {
            let written = self.write_frame(block, frame)?;
            self.summary.skipped += u64::from(!written);
        }
        Ok(())
    }

    /// Completes the file: lengths, duration, index.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(mut self) -> Result<Summary, SinkError> {
        match self.writer.take() {
            Some(Writer::Matroska(writer)) => writer.finish()?,
            Some(Writer::Ivf(writer)) => writer.finish()?,
            Some(Writer::AnnexB(writer)) => writer.finish()?,
            None => {}
        }
        Ok(self.summary)
    }

    /// Writes the header, if `block` starts a group that says all it needs.
    fn begin(&mut self, block: &Block) -> Result<bool, SinkError> {
        let Some(format) = &block.format else { return Ok(false) };
        if !self.kind.takes(format) {
            return Err(SinkError::Codec);
        }
        let video = block.frames.iter().find(|frame| frame.track == Track::Video);
        let picture = match (&format.video, video) {
            (None, _) => None,
            (Some(_), None) => return Ok(false),
            (Some(track), Some(frame)) => match Picture::of(track.codec, &frame.packets) {
                Some(picture) => Some(picture),
                None => return Ok(false),
            },
        };
        let Some(file) = self.file.take() else { return Ok(false) };
        self.format = format.clone();
        self.start_us = block.frames.iter().map(|frame| frame.capture_us).min().unwrap_or(0);
        self.writer = Some(match (self.kind, picture) {
            (Kind::Matroska, picture) => {
                Writer::Matroska(Box::new(Matroska::begin(file, format, picture)?))
            }
            (Kind::Ivf, Some(picture)) => Writer::Ivf(Ivf::begin(file, &picture)?),
            (Kind::AnnexB(_), Some(_)) => Writer::AnnexB(AnnexB::begin(file)),
            (Kind::Ivf | Kind::AnnexB(_), None) => return Err(SinkError::Codec),
        });
        Ok(true)
    }

    /// A video frame as the file wants it.
    fn assemble(&self, codec: VideoCodec, packets: &[Packet]) -> Result<Vec<u8>, PayloadError> {
        match (self.kind, codec) {
            (Kind::Matroska, VideoCodec::H264) => {
                payload::h264_units(packets).map(|units| with_lengths(&units))
            }
            _ => payload::assemble(codec, packets),
        }
    }

    /// False for a frame that is left out.
    fn write_frame(&mut self, block: &Block, frame: &Frame) -> Result<bool, SinkError> {
        let keyframe = block.starts_group() && frame.track == Track::Video;
        self.whole |= keyframe;
        let data = match (frame.track, &self.format.video) {
            (Track::Video, Some(track)) if self.whole => {
                match self.assemble(track.codec, &frame.packets) {
                    Ok(data) => Bytes::from(data),
                    Err(error) => {
                        warn!(block = block.number, %error, "a video frame is malformed");
                        self.whole = false;
                        return Ok(false);
                    }
                }
            }
            (Track::Audio, _) if self.format.audio.is_some() => match &frame.packets[..] {
                [packet] if !packet.payload.is_empty() => packet.payload.clone(),
                _ => return Ok(false),
            },
            _ => return Ok(false),
        };
        let time_us = frame.capture_us.saturating_sub(self.start_us);
        let sample = Sample { track: frame.track, keyframe, time_us, data: &data };
        let written = match (&mut self.writer, frame.track) {
            (Some(Writer::Matroska(writer)), _) => writer.write(&sample)?,
            (Some(Writer::Ivf(writer)), Track::Video) => writer.write(&sample)?,
            (Some(Writer::AnnexB(writer)), Track::Video) => writer.write(&sample)?,
            _ => false,
        };
        match (written, frame.track) {
            (true, Track::Video) => self.summary.video_frames += 1,
            (true, Track::Audio) => self.summary.audio_frames += 1,
            (false, _) => {}
        }
        Ok(written)
    }
}

/// NAL units behind four bytes of length each, as Matroska wants them.
fn with_lengths(units: &[Bytes]) -> Vec<u8> {
    let mut frame = Vec::new();
    for unit in units {
        frame.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        frame.extend_from_slice(unit);
    }
    frame
}

fn codecs(format: &Format) -> (Option<VideoCodec>, bool) {
    (format.video.as_ref().map(|track| track.codec), format.audio.is_some())
}

/// Writes what comes until the sender is gone, then completes the file. The disk is waited for on a
/// thread of its own.
///
/// # Errors
/// Like [`FileSink::write`]; what was written until then is completed as far as that goes.
pub async fn run(
    mut sink: FileSink,
    mut blocks: mpsc::Receiver<Arc<Block>>,
) -> Result<Summary, SinkError> {
    let writing = tokio::task::spawn_blocking(move || {
        let mut failed = None;
        while let Some(block) = blocks.blocking_recv() {
            if let Err(error) = sink.write(&block) {
                failed = Some(error);
                break;
            }
        }
        let summary = sink.finish()?;
        failed.map_or(Ok(summary), Err)
    });
    writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests;
