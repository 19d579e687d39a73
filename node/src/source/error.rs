//! Why a file cannot be played live, and what to do about it.

use std::time::Duration;

use crate::payload::PayloadError;

/// FFmpeg options that make what a browser can play: no frame needs a later one, keyframes often.
pub(super) const VIDEO_OPTIONS: &str =
    "-c:v libvpx -b:v 2M -deadline good -cpu-used 4 -auto-alt-ref 0 -lag-in-frames 0 -g 60";
/// The same for sound.
pub(super) const AUDIO_OPTIONS: &str = "-c:a libopus -b:a 96k";

/// Why a file cannot be played live.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Its path.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is of another kind.
    #[error("{file} is {what}, not a WebM, Matroska or IVF file. Convert it: {command}")]
    NotMedia {
        /// Its path.
        file: String,
        /// What it looks like.
        what: &'static str,
        /// A command that makes a file that plays.
        command: String,
    },
    /// The file's headers cannot be read.
    #[error("{file} is damaged or cut short: {why}. Try to repair it: {command}")]
    Damaged {
        /// Its path.
        file: String,
        /// What the reader said.
        why: String,
        /// A command that may repair it.
        command: String,
    },
    /// A codec that browsers do not play by WebRTC.
    #[error("{file} holds {codec}, which browsers cannot play live. Convert it: {command}")]
    Codec {
        /// Its path.
        file: String,
        /// The codec.
        codec: String,
        /// A command that makes a file that plays.
        command: String,
    },
    /// The frames are stored compressed or encrypted.
    #[error("{file} stores its frames {how}. Store them plainly: {command}")]
    Encoded {
        /// Its path.
        file: String,
        /// Compressed or encrypted.
        how: &'static str,
        /// A command that makes a file that plays.
        command: String,
    },
    /// Frames are not in the order they are shown.
    #[error(
        "{file} has B-frames (frames that need later ones), which cannot be played live. \
         Convert it: {command}"
    )]
    Reordered {
        /// Its path.
        file: String,
        /// A command that makes a file that plays.
        command: String,
    },
    /// A decoder could not start.
    #[error("{file} has no keyframe in its first {} s, so nobody could start to watch", within.as_secs())]
    NoKeyframe {
        /// Its path.
        file: String,
        /// How much was read.
        within: Duration,
    },
    /// There is nothing to play.
    #[error("{file} holds no {}", if *damaged { "whole frame: it is damaged or cut short" } else { "frame" })]
    Empty {
        /// Its path.
        file: String,
        /// Whether it broke off.
        damaged: bool,
    },
    /// No block could hold a frame.
    #[error("a frame of {bytes} bytes is too long to be sent; encode at a lower bitrate")]
    FrameTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A frame is not what the container says.
    #[error("a frame is malformed ({0}); the file may be damaged")]
    Frame(#[from] PayloadError),
}
