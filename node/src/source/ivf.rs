//! IVF: a header, then frames with their times. Video alone.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use banyan_protocol::coding::{Format, Track, TrackFormat, VideoCodec};
use bytes::Bytes;

use super::check_size;
use super::container::{Media, Origin, Sample};
use super::error::SourceError;

/// The first bytes of the file.
pub(super) const MAGIC: [u8; 4] = *b"DKIF";

const HEADER_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct Ivf {
    media: Media,
    format: Format,
    /// Units per second of frame times, as a fraction.
    rate: u64,
    scale: u64,
    damaged: bool,
}

impl Ivf {
    pub(super) fn open(mut media: Media, origin: &Origin) -> Result<Self, SourceError> {
        let mut header = [0; HEADER_BYTES];
        media.read_exact(&mut header).map_err(|_| origin.damaged("the header is not whole"))?;
        let word = |at: usize| {
            let bytes: [u8; 4] = std::array::from_fn(|i| header[at + i]);
            u64::from(u32::from_le_bytes(bytes))
        };
        let codec = match &header[8..12] {
            b"VP80" => VideoCodec::Vp8,
            b"VP90" => VideoCodec::Vp9,
            b"AV01" => VideoCodec::Av1,
            other => {
                let name = String::from_utf8_lossy(other).into_owned();
                return Err(origin.unsupported(name, true, false));
            }
        };
        let length = u16::from_le_bytes([header[6], header[7]]);
        let extra = usize::from(length).saturating_sub(HEADER_BYTES);
        let skipped = std::io::copy(&mut (&mut media).take(extra as u64), &mut std::io::sink());
        skipped.map_err(|error| origin.read(error))?;
        let (rate, scale) = (word(16), word(20));
        if rate == 0 || scale == 0 {
            return Err(origin.damaged("the time base is zero"));
        }
        let video = TrackFormat { codec, clock_rate: 90_000, fmtp: String::new() };
        let format = Format { video: Some(video), audio: None };
        Ok(Self { media, format, rate, scale, damaged: false })
    }

    pub(super) fn format(&self) -> &Format {
        &self.format
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged
    }

    pub(super) fn next_sample(&mut self, origin: &Origin) -> Result<Option<Sample>, SourceError> {
        let mut header = [0; 12];
        if !self.fill(&mut header, origin)? {
            return Ok(None);
        }
        let (size, time) = header.split_at(4);
        let size = size.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let time = time.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mut data = Vec::new();
        // Not more than the file has, whatever it claims.
        let read = (&mut self.media).take(size as u64).read_to_end(&mut data);
        read.map_err(|error| origin.read(error))?;
        if data.len() < size {
            self.damaged = true;
            return Ok(None);
        }
        check_size(&data)?;
        let micros = u128::from(time) * 1_000_000 * u128::from(self.scale) / u128::from(self.rate);
        let time = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        Ok(Some(Sample { track: Track::Video, time, data: Bytes::from(data) }))
    }

    /// Reads a whole `buffer`; false at the end of the file.
    fn fill(&mut self, buffer: &mut [u8], origin: &Origin) -> Result<bool, SourceError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.media.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.damaged |= filled > 0;
                    return Ok(false);
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(origin.read(error)),
            }
        }
        Ok(true)
    }
}
