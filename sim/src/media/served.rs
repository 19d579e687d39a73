//! Whether a node gets whole blocks just now.

use super::Media;
use super::arrivals::UNIT_US;

/// A block that is older says nothing of now, µs. Guess: a deadline and a few blocks.
const LATELY_US: u64 = 500_000;

impl Media {
    /// Whether a block that was made at `since_us` or later, and lately, is complete at `node`.
    #[must_use]
    pub fn is_served(&self, node: u32, since_us: u64) -> bool {
        let stream = &self.settings.stream;
        let interval_us = stream.interval_us();
        let since_us = since_us.max(self.now_us.saturating_sub(LATELY_US + 2 * interval_us));
        let lately = |block: &u32| self.arrivals.has_slot(*block);
        let young = |block: &u32| stream.made_us(*block) >= since_us;
        let mut blocks = (0..self.made()).rev().take_while(lately).take_while(young);
        blocks.any(|block| {
            let made_us = stream.made_us(block);
            let there = |stripe: &u8| {
                let came = self.arrivals.came(node, *stripe, block);
                came.is_some_and(|at| made_us + u64::from(at) * UNIT_US <= self.now_us)
            };
            let stripes = 0..stream.stripes() as u8;
            stripes.filter(there).count() >= usize::from(stream.k)
        })
    }
}
