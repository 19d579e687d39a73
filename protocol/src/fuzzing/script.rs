//! Reads bytes as a script: what comes in which order to a part that keeps state.

/// What is left of the input. Numbers past its end are zero.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// A script of all of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    /// The next two bytes, big-endian.
    pub fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }

    /// The next four bytes, big-endian.
    pub fn u32(&mut self) -> u32 {
        self.number(4) as u32
    }

    /// The next eight bytes, big-endian.
    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// Up to `len` bytes.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn number(&mut self, width: usize) -> u64 {
        self.bytes(width).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
