//! H264 and H265 as a byte stream: NAL units behind start codes, no times.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::Sample;

#[derive(Debug)]
pub(super) struct AnnexB {
    file: BufWriter<File>,
}

impl AnnexB {
    pub(super) fn begin(file: BufWriter<File>) -> Self {
        Self { file }
    }

    pub(super) fn write(&mut self, sample: &Sample<'_>) -> io::Result<bool> {
        self.file.write_all(sample.data)?;
        Ok(true)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }
}
