//! A cursor over received bytes that hands out values or says what is missing, and never copies.

use bytes::{BufMut, Bytes};

use super::DecodeError;

/// Reads `bytes` from front to back. Each read names the field it is for.
pub(crate) struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes not read yet.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let value = self.bytes[self.at..].first_chunk().ok_or(DecodeError::Truncated(field))?;
        self.at += N;
        Ok(*value)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// The next `len` bytes, sharing the memory they came in.
    pub(crate) fn slice(&mut self, len: usize, field: &'static str) -> Result<Bytes, DecodeError> {
        if self.left() < len {
            return Err(DecodeError::Truncated(field));
        }
        self.at += len;
        Ok(self.bytes.slice(self.at - len..self.at))
    }

    /// A varint: seven bits a byte, lowest first, a set high bit says more follow; only the
    /// shortest form of a number below 2³². spec: proto/SPEC.md#conventions
    pub(crate) fn varint(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.u8(field)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(DecodeError::field(field, "a varint longer than needed"));
                }
                return u32::try_from(value)
                    .map_err(|_| DecodeError::field(field, "a varint above 32 bits"));
            }
        }
        Err(DecodeError::field(field, "a varint above 32 bits"))
    }

    /// [`Reader::varint`] as a count of things or bytes, at most `max`.
    pub(crate) fn count(&mut self, max: usize, field: &'static str) -> Result<usize, DecodeError> {
        let count = self.varint(field)? as usize;
        if count > max { Err(DecodeError::field(field, "above its limit")) } else { Ok(count) }
    }

    /// Ends reading: nothing may be left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }
}

/// Appends `value` as [`Reader::varint`] reads it.
pub(crate) fn put_varint(out: &mut impl BufMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_one_form_each() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (16_383, &[0xff, 0x7f]),
            (u32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out, bytes);
            assert_eq!(Reader::new(&out.into()).varint("test"), Ok(value));
        }
        for bad in [
            &[0x80, 0][..],
            &[0xff, 0x80, 0],
            &[0xff, 0xff, 0xff, 0xff, 0x10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x80],
            &[],
        ] {
            assert!(Reader::new(&Bytes::copy_from_slice(bad)).varint("test").is_err(), "{bad:?}");
        }
    }
}
