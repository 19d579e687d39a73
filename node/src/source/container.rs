//! Which container a file is, and where it is read from.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use banyan_protocol::coding::{Format, Track};
use bytes::Bytes;

use super::error::{AUDIO_OPTIONS, SourceError, VIDEO_OPTIONS};
use super::ivf::{self, Ivf};
use super::matroska::{self, Matroska};
use super::{Complete, complete};

/// An encoded frame of one track.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) track: Track,
    /// As the container says it.
    pub(super) time: Duration,
    pub(super) data: Bytes,
}

/// Where a file is read from, again for every pass.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Path(PathBuf),
    Memory(Bytes),
}

impl Origin {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Memory(_) => "the file in memory".to_owned(),
        }
    }

    pub(super) fn read(&self, error: io::Error) -> SourceError {
        SourceError::Read { file: self.name(), error }
    }

    pub(super) fn damaged(&self, why: impl Into<String>) -> SourceError {
        let command = self.remux_command();
        SourceError::Damaged { file: self.name(), why: why.into(), command }
    }

    pub(super) fn reordered(&self) -> SourceError {
        let command = self.command("-c:v libx264 -bf 0 -g 60 -c:a copy", "mkv");
        SourceError::Reordered { file: self.name(), command }
    }

    /// An error that names a codec and how to replace it.
    pub(super) fn unsupported(&self, codec: String, video: bool, audio: bool) -> SourceError {
        let video = if video { VIDEO_OPTIONS } else { "-c:v copy" };
        let audio = if audio { AUDIO_OPTIONS } else { "-c:a copy" };
        let command = self.command(&format!("{video} {audio}"), "mkv");
        SourceError::Codec { file: self.name(), codec, command }
    }

    /// Writes the same frames anew.
    pub(super) fn remux_command(&self) -> String {
        self.command("-c copy", "mkv")
    }

    fn command(&self, options: &str, extension: &str) -> String {
        let input = match self {
            Self::Path(path) => format!("{:?}", path.display().to_string()),
            Self::Memory(_) => "FILE".to_owned(),
        };
        format!("ffmpeg -i {input} {options} live.{extension}")
    }

    fn not_media(&self, magic: [u8; 12]) -> SourceError {
        let what = match magic {
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => "an MP4 file",
            [b'O', b'g', b'g', b'S', ..] => "an Ogg file",
            [b'F', b'L', b'V', ..] => "an FLV file",
            [b'R', b'I', b'F', b'F', ..] => "a RIFF file (AVI or WAV)",
            [0x47, ..] => "an MPEG transport stream",
            _ => "something else",
        };
        let command = self.command(&format!("{VIDEO_OPTIONS} {AUDIO_OPTIONS}"), "webm");
        SourceError::NotMedia { file: self.name(), what, command }
    }
}

/// Bytes of a file, on disk or in memory.
#[derive(Debug)]
pub(super) enum Media {
    File(BufReader<File>),
    Memory(Cursor<Bytes>),
}

impl Media {
    fn open(origin: &Origin) -> io::Result<Self> {
        Ok(match origin {
            Origin::Path(path) => Self::File(BufReader::with_capacity(1 << 16, File::open(path)?)),
            Origin::Memory(bytes) => Self::Memory(Cursor::new(bytes.clone())),
        })
    }
}

impl Read for Media {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Media {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match self {
            // The demuxer seeks a lot, mostly to where it is: keep what is buffered.
            Self::File(file) => {
                if let SeekFrom::Start(to) = position {
                    let from = file.stream_position()?;
                    if let Ok(step) = i64::try_from(i128::from(to) - i128::from(from)) {
                        file.seek_relative(step)?;
                        return Ok(to);
                    }
                }
                file.seek(position)
            }
            Self::Memory(bytes) => bytes.seek(position),
        }
    }
}

/// An open container.
#[derive(Debug)]
pub(super) enum Container {
    Matroska(Box<Matroska>, Origin),
    Ivf(Ivf, Origin),
}

impl Container {
    pub(super) fn open(origin: &Origin) -> Result<Self, SourceError> {
        let mut media = Media::open(origin).map_err(|error| origin.read(error))?;
        let mut magic = [0; 12];
        let mut filled = 0;
        while filled < magic.len() {
            match media.read(&mut magic[filled..]).map_err(|error| origin.read(error))? {
                0 => break,
                count => filled += count,
            }
        }
        media.rewind().map_err(|error| origin.read(error))?;
        let owner = origin.clone();
        if magic.starts_with(&matroska::MAGIC) {
            Ok(Self::Matroska(Box::new(Matroska::open(media, origin)?), owner))
        } else if magic.starts_with(&ivf::MAGIC) {
            Ok(Self::Ivf(Ivf::open(media, origin)?, owner))
        } else {
            Err(origin.not_media(magic))
        }
    }

    pub(super) fn format(&self) -> &Format {
        match self {
            Self::Matroska(file, _) => file.format(),
            Self::Ivf(file, _) => file.format(),
        }
    }

    /// How much later than captured the container says sound is (Opus' pre-skip).
    pub(super) fn audio_delay(&self) -> Duration {
        match self {
            Self::Matroska(file, _) => file.audio_delay(),
            Self::Ivf(..) => Duration::ZERO,
        }
    }

    /// Whether the file ended where it should not.
    pub(super) fn is_damaged(&self) -> bool {
        match self {
            Self::Matroska(file, _) => file.is_damaged(),
            Self::Ivf(file, _) => file.is_damaged(),
        }
    }

    pub(super) fn next_sample(&mut self) -> Result<Option<Sample>, SourceError> {
        match self {
            Self::Matroska(file, origin) => file.next_sample(origin),
            Self::Ivf(file, origin) => file.next_sample(origin),
        }
    }

    /// The video frame as the packetiser wants it.
    pub(super) fn complete(&self, data: Bytes) -> Result<Option<Complete>, SourceError> {
        match self {
            Self::Matroska(file, _) => file.complete(data),
            Self::Ivf(file, _) => {
                let Some(video) = &file.format().video else { return Ok(None) };
                complete(video.codec, &Bytes::new(), data).map(Some)
            }
        }
    }
}
