//! Times that are remembered by the dozen, in four bytes.

use crate::time::Timestamp;

/// Steps of 2^14 µs, 16 ms. Derived: 32 bits of them are two years, and what is so remembered counts
/// for seconds.
const STEP_BITS: u32 = 14;

/// A time, rounded down to 16 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rough(u32);

impl Rough {
    /// The origin.
    pub(super) const ZERO: Self = Self(0);

    pub(super) fn of(time: Timestamp) -> Self {
        Self(u32::try_from(time.as_micros() >> STEP_BITS).unwrap_or(u32::MAX))
    }

    pub(super) const fn time(self) -> Timestamp {
        Timestamp::from_micros((self.0 as u64) << STEP_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_at_most_one_step_early() {
        for micros in [0, 1, 16_383, 16_384, 20_000_000_001, u64::from(u32::MAX) << STEP_BITS] {
            let time = Rough::of(Timestamp::from_micros(micros)).time().as_micros();
            assert!(time <= micros && micros - time < 1 << STEP_BITS, "{micros} {time}");
        }
        assert_eq!(Rough::of(Timestamp::from_micros(u64::MAX)), Rough(u32::MAX));
    }
}
