//! Reads headers bit by bit.

/// Bits of `bytes`, most significant first. Every read may find the end.
#[derive(Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes` from the first.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits as a number, 32 at most.
    pub fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// The next bit.
    pub fn flag(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }

    /// Leaves out `count` bits.
    pub fn skip(&mut self, count: u32) -> Option<()> {
        self.at = self.at.checked_add(count as usize)?;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// The next number in unsigned Exp-Golomb code: `ue(v)` of H264, `uvlc()` of AV1.
    pub fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_codes_are_read_to_the_end() {
        // 101, then ue(v) 0, 1, 2, 7.
        let mut bits = Bits::new(&[0b1011_0100, 0b1100_0100, 0b0000_0000]);
        assert_eq!(bits.read(3), Some(0b101));
        assert_eq!((bits.exp_golomb(), bits.exp_golomb()), (Some(0), Some(1)));
        assert_eq!((bits.exp_golomb(), bits.exp_golomb()), (Some(2), Some(7)));
        assert_eq!((bits.exp_golomb(), bits.read(1), bits.skip(1)), (None, None, None));
    }
}
