//! One wheel: 4096 slots, each a list of events, and which of them hold something.

use super::pool::List;

/// Slots per wheel: 2^12. Spec: the prototype's 4096; two bitmaps of 64 words find the next.
pub(super) const SLOT_BITS: u32 = 12;

const SLOTS: usize = 1 << SLOT_BITS;

/// The slot of `bucket` in the wheel `level`.
pub(super) fn slot(bucket: u64, level: u32) -> usize {
    (bucket >> (SLOT_BITS * level)) as usize & (SLOTS - 1)
}

/// The first bucket of `slot` in the wheel `level`, in the turn that wheel makes around `open`.
pub(super) fn begin(open: u64, level: u32, slot: usize) -> u64 {
    let above = SLOT_BITS * (level + 1);
    ((open >> above) << above) | ((slot as u64) << (SLOT_BITS * level))
}

/// The slots of one wheel.
pub(super) struct Level {
    lists: Vec<List>,
    /// A bit per slot that holds something.
    full: [u64; SLOTS / 64],
    /// A bit per word of `full` that is not zero.
    words: u64,
}

impl Level {
    /// Bytes that a wheel takes, empty.
    pub(super) const MEMORY: usize = size_of::<Self>() + SLOTS * size_of::<List>();

    /// A wheel with nothing in it.
    pub(super) fn new() -> Self {
        Self { lists: vec![List::default(); SLOTS], full: [0; SLOTS / 64], words: 0 }
    }

    /// The list of `slot`, to put something into it.
    pub(super) fn at(&mut self, slot: usize) -> &mut List {
        self.full[slot / 64] |= 1 << (slot % 64);
        self.words |= 1 << (slot / 64);
        &mut self.lists[slot]
    }

    /// Takes the list of `slot` away.
    pub(super) fn take(&mut self, slot: usize) -> List {
        self.full[slot / 64] &= !(1 << (slot % 64));
        if self.full[slot / 64] == 0 {
            self.words &= !(1 << (slot / 64));
        }
        std::mem::take(&mut self.lists[slot])
    }

    /// The first slot after `slot` that holds something.
    pub(super) fn next_after(&self, slot: usize) -> Option<usize> {
        let first = |bits: u64| bits.trailing_zeros() as usize;
        let word = slot / 64;
        let rest = self.full[word] & after(slot % 64);
        if rest != 0 {
            return Some(word * 64 + first(rest));
        }
        let words = self.words & after(word);
        (words != 0).then(|| first(words) * 64 + first(self.full[first(words)]))
    }
}

/// The bits above `bit`.
fn after(bit: usize) -> u64 {
    (u64::MAX << bit) << 1
}
