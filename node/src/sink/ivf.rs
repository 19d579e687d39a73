//! IVF: a header, then frames with their times. Video alone.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use banyan_protocol::coding::VideoCodec;

use super::Sample;
use super::picture::Picture;

/// Where the header counts frames.
const COUNT_AT: u64 = 24;
/// Each temporal unit of AV1 begins with one, which RTP leaves out.
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];

#[derive(Debug)]
pub(super) struct Ivf {
    file: BufWriter<File>,
    prefix: &'static [u8],
    frames: u32,
}

impl Ivf {
    pub(super) fn begin(mut file: BufWriter<File>, picture: &Picture) -> io::Result<Self> {
        let (code, prefix): (_, &[u8]) = match picture.codec {
            VideoCodec::Vp8 => (b"VP80", &[]),
            VideoCodec::Vp9 => (b"VP90", &[]),
            VideoCodec::Av1 => (b"AV01", &TEMPORAL_DELIMITER),
            VideoCodec::H264 => (b"H264", &[]),
            VideoCodec::H265 => (b"H265", &[]),
        };
        file.write_all(b"DKIF\0\0\x20\0")?;
        file.write_all(code)?;
        file.write_all(&(picture.width as u16).to_le_bytes())?;
        file.write_all(&(picture.height as u16).to_le_bytes())?;
        // Times in µs.
        file.write_all(&1_000_000_u32.to_le_bytes())?;
        file.write_all(&1_u32.to_le_bytes())?;
        file.write_all(&[0; 8])?;
        Ok(Self { file, prefix, frames: 0 })
    }

    pub(super) fn write(&mut self, sample: &Sample<'_>) -> io::Result<bool> {
        let length = self.prefix.len() + sample.data.len();
        self.file.write_all(&(length as u32).to_le_bytes())?;
        self.file.write_all(&sample.time_us.to_le_bytes())?;
        self.file.write_all(self.prefix)?;
        self.file.write_all(sample.data)?;
        self.frames += 1;
        Ok(true)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(COUNT_AT))?;
        self.file.write_all(&self.frames.to_le_bytes())?;
        self.file.flush()
    }
}
