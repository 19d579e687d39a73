//! Why a session cannot be written to a file.

use std::io;

/// Why a session cannot be written to a file.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The name says nothing.
    #[error(
        "{file} does not say how to write it: name it .webm or .mkv (picture and sound), .ivf (VP8, \
         VP9, AV1), .h264 or .h265 (picture alone)"
    )]
    Extension {
        /// Its path.
        file: String,
    },
    /// The file cannot be made.
    #[error("cannot make {file}: {error}")]
    Create {
        /// Its path.
        file: String,
        /// What the system said.
        error: io::Error,
    },
    /// The session's codecs do not fit the file.
    #[error("this kind of file does not take the session's codecs: use .mkv, or .h265 for H.265")]
    Codec,
    /// The publisher changed codecs.
    #[error("the session changed its codecs, which one file cannot hold: record again")]
    FormatChanged,
    /// The disk fails.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}
