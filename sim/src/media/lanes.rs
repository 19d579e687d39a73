//! Many nodes looked at together: without branches, so that the compiler does eight at once.

use super::arrivals::{LANES, NEVER, UNIT_US};

/// Most parity stripes. Derived: the largest that `Stream::check` lets through.
const PARITY_MAX: usize = 7;

/// When each of some nodes has all but `parity` of the shards: with n shards, the largest arrival
/// but `parity`. So it keeps the `parity + 1` largest; without branches, for many nodes at once.
#[inline]
pub(super) fn complete(rows: &[&[u16]], from: usize, parity: usize) -> [u16; LANES] {
    let mut largest = [[0_u16; LANES]; PARITY_MAX + 1];
    let mut incoming = [0_u16; LANES];
    for row in rows {
        incoming.copy_from_slice(&row[from..from + LANES]);
        for kept in &mut largest[..=parity] {
            for (kept, value) in kept.iter_mut().zip(&mut incoming) {
                (*kept, *value) = ((*kept).max(*value), (*kept).min(*value));
            }
        }
    }
    largest[parity]
}

/// The first arrival of any shard of a block at each of some nodes.
#[inline]
pub(super) fn first(rows: &[&[u16]], from: usize) -> [u16; LANES] {
    let mut first = [NEVER; LANES];
    for row in rows {
        for (first, value) in first.iter_mut().zip(&row[from..from + LANES]) {
            *first = (*first).min(*value);
        }
    }
    first
}

/// The lanes that are not 0: few, so eight are passed over at once.
pub(super) fn set(hits: &[u8; LANES]) -> impl Iterator<Item = usize> + use<> {
    let (words, _) = hits.as_chunks::<8>();
    let mut bits = 0_u64;
    for (at, word) in words.iter().enumerate() {
        // Each byte is 0 or 1: the product's top byte gathers them as bits.
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * at);
    }
    std::iter::from_fn(move || {
        let lane = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}

/// The time between two looks, after a block's making.
#[derive(Clone, Copy)]
pub(super) struct Window {
    after: u16,
    /// 0 if nothing is in it.
    span: u16,
}

impl Window {
    pub(super) fn of(after_us: u64, until_us: u64) -> Self {
        let clipped = |us: u64| (us / UNIT_US).min(u64::from(NEVER - 1)) as u16;
        let (after, until) = (clipped(after_us), clipped(until_us));
        Self { after, span: until - after }
    }

    #[inline]
    pub(super) fn holds(self, at: u16) -> bool {
        // after < at <= after + span, in one comparison.
        at.wrapping_sub(self.after).wrapping_sub(1) < self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_are_set_are_found_in_order() {
        let mut hits = [0; LANES];
        assert_eq!(set(&hits).count(), 0);
        let lanes = [0, 1, 7, 8, 31, 32, 62, 63];
        lanes.iter().for_each(|lane| hits[*lane] = 1);
        assert_eq!(set(&hits).collect::<Vec<_>>(), lanes);
        assert_eq!(set(&[1; LANES]).collect::<Vec<_>>(), (0..LANES).collect::<Vec<_>>());
    }

    #[test]
    fn a_window_is_open_below_and_closed_above() {
        let window = Window::of(1_600, 3_200);
        let held: Vec<u16> = (0..=u16::MAX).filter(|at| window.holds(*at)).collect();
        assert_eq!((held.first(), held.last(), held.len()), (Some(&101), Some(&200), 100));
        let nothing = Window::of(5_000_000, 6_000_000);
        assert!((0..=u16::MAX).all(|at| !nothing.holds(at)));
    }
}
