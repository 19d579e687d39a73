//! How far behind its siblings a stripe usually is, and when it is late.
//!
//! The shards of one block reach a node by different trees, some of them always later than others.
//! So a stripe is late not when it is behind the first shard of a block, but when it is further
//! behind than it usually is. The node keeps one [`Pace`] for each stripe that it takes; so does
//! the simulator, by the million.
//!
//! ```
//! use banyan_protocol::forest::Pace;
//!
//! let mut pace = Pace::default();
//! for _ in 0..10 {
//!     pace.observe(25_000); // this stripe's shard came 25 ms after the block's first
//! }
//! assert_eq!(pace.patience_us(), 65_000); // late when it is 40 ms later than that
//! ```

/// Weight of one sample: 1 of 16. Guess: half a second of a stream of 30 blocks/s, so that a slow
/// drift is followed and one slow block is not.
const WEIGHT: i64 = 16;
/// A stripe is not late before it is behind its usual offset by this. Derived: more than one
/// interval of 30 blocks/s (so that a lost and repeated shard is overtaken by its successor first)
/// and half of the 80 ms in `forest.md` 5.6.
const MARGIN_MIN_US: u32 = 40_000;
/// A stripe is not late before it is behind its usual offset by this many mean deviations. Guess:
/// as TCP's retransmission timer (RFC 6298), the same kind of estimate.
const MARGIN_DEVIATIONS: u32 = 4;
/// Patience with a stripe of which nothing is known yet. Guess: one more hop than its siblings,
/// the serialising of a block and the least margin.
const PATIENCE_UNKNOWN_US: u32 = 100_000;
/// A stripe that is so far behind the first is late, whatever is usual. Derived: three fifths of a
/// viewer's deadline of 400 ms. Without it, shards pulled from a backup teach that late is usual, and
/// a parent that sends nothing is never found late again.
const PATIENCE_MAX_US: u32 = 250_000;
/// Marks a stripe of which nothing came yet.
const UNKNOWN: u32 = u32::MAX;

/// One stripe's usual offset behind the first shard of the same block, and how much it varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    offset_us: u32,
    deviation_us: u32,
}

impl Default for Pace {
    /// A stripe of which nothing came yet.
    fn default() -> Self {
        Self { offset_us: UNKNOWN, deviation_us: MARGIN_MIN_US / MARGIN_DEVIATIONS }
    }
}

impl Pace {
    /// Learns from a shard that came `behind_us` after the first shard of its block.
    ///
    /// A shard later than late counts as just late: it was pulled, or its parent was repaired, and
    /// says little of what is usual; yet a path that became longer is learned.
    #[inline]
    pub fn observe(&mut self, behind_us: u32) {
        let sample = behind_us.min(self.patience_us());
        if self.offset_us == UNKNOWN {
            self.offset_us = sample;
            return;
        }
        let sample = i64::from(sample);
        let error = sample - i64::from(self.offset_us);
        let surprise = error.abs() - i64::from(self.deviation_us);
        // Both stay between their old value and the sample, so neither leaves its range.
        self.offset_us = (i64::from(self.offset_us) + error / WEIGHT) as u32;
        self.deviation_us = (i64::from(self.deviation_us) + surprise / WEIGHT) as u32;
    }

    /// The usual offset in µs, if any shard came.
    #[must_use]
    pub fn offset_us(&self) -> Option<u32> {
        (self.offset_us != UNKNOWN).then_some(self.offset_us)
    }

    /// How long after the first shard of a block the stripe is late, in µs, if by then neither that
    /// block's shard nor a newer one has come.
    #[inline]
    #[must_use]
    pub fn patience_us(&self) -> u32 {
        if self.offset_us == UNKNOWN {
            return PATIENCE_UNKNOWN_US;
        }
        let margin = (self.deviation_us * MARGIN_DEVIATIONS).max(MARGIN_MIN_US);
        (self.offset_us + margin).min(PATIENCE_MAX_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: impl IntoIterator<Item = u32>) -> Pace {
        let mut pace = Pace::default();
        samples.into_iter().for_each(|us| pace.observe(us));
        pace
    }

    #[test]
    fn is_small() {
        assert_eq!(size_of::<Pace>(), 8);
    }

    #[test]
    fn patience_is_the_usual_offset_and_a_margin() {
        let rows: [(&str, Pace, u32); 4] = [
            ("nothing came", after([]), 100_000),
            ("always first", after([0; 50]), 40_000),
            ("always 30 ms behind", after([30_000; 50]), 70_000),
            ("one sample", after([12_000]), 52_000),
        ];
        for (name, pace, patience_us) in rows {
            assert_eq!(pace.patience_us(), patience_us, "{name}");
        }
    }

    #[test]
    fn a_stripe_that_varies_gets_more_time() {
        // Alternately 10 and 50 ms: 30 ± 20, so 4 × 20 ms of margin.
        let pace = after((0..400).map(|i| if i % 2 == 0 { 10_000 } else { 50_000 }));
        assert!((105_000..=115_000).contains(&pace.patience_us()), "{pace:?}");
    }

    #[test]
    fn one_pulled_shard_changes_little_and_a_longer_path_is_learned() {
        let mut pace = after([20_000; 100]);
        pace.observe(900_000);
        assert!(pace.patience_us() <= 60_000 + 40_000 / 16 + 1, "{pace:?}");
        let pace = after([20_000; 100].into_iter().chain([90_000; 100]));
        assert!(pace.offset_us().is_some_and(|us| us > 85_000), "{pace:?}");
    }

    #[test]
    fn a_stripe_that_comes_by_pulls_alone_stays_late() {
        let pulled = 350_000;
        for usual in [0, 1, 100] {
            let pace = after([30_000].repeat(usual).into_iter().chain([pulled; 1_000]));
            assert!(pace.patience_us() < pulled, "{usual} before: {pace:?}");
        }
    }

    #[test]
    fn no_sample_overflows() {
        let pace = after([u32::MAX, 0, u32::MAX, u32::MAX - 1, 0, 1]);
        assert!(pace.patience_us() <= PATIENCE_MAX_US);
    }
}
