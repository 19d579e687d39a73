//! Chance on the way: jitter and loss of each copy.
//!
//! A copy's draw is a function of the seed and of what the copy is, not of how many were drawn
//! before. So two runs that differ in one node's decision meet the same network elsewhere, and the
//! jitter of a copy can be found again when its sender dies.

use banyan_protocol::rng::Rng;

/// Different jitters. Derived: 16 KiB, half of a core's first-level cache; its p99.9 has 4 values.
const JITTERS: usize = 4096;
/// σ of the lognormal jitter. Guess: p99 is about 3.5 × the mean, as on wired links.
const SIGMA: f64 = 0.6;

/// The chance of one world.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    seed: u64,
    jitter_us: Vec<u32>,
}

impl Draws {
    /// Lognormal jitter of `mean_us`.
    pub(crate) fn new(seed: u64, mean_us: u32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut rng = Rng::new(&bytes, "jitter");
        // In (0, 1], so that its logarithm is finite.
        let mut unit = || ((rng.next_u64() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        let raw: Vec<f64> = (0..JITTERS)
            .map(|_| {
                // Box and Muller's normal from two uniform numbers.
                let radius = libm::sqrt(-2.0 * libm::log(unit()));
                libm::exp(SIGMA * radius * libm::cos(std::f64::consts::TAU * unit()))
            })
            .collect();
        let scale = f64::from(mean_us) * JITTERS as f64 / raw.iter().sum::<f64>();
        let jitter_us = raw.iter().map(|value| libm::round(value * scale) as u32).collect();
        Self { seed: rng.next_u64(), jitter_us }
    }

    /// The draws of one shard that `from` sends for the `attempt`-th time.
    #[inline]
    pub(crate) fn shard(&self, from: u32, block: u32, stripe: u8, attempt: u8) -> ShardDraws<'_> {
        let what = u64::from(from) << 32 | u64::from(block);
        let salt = u64::from(stripe) << 8 | u64::from(attempt);
        let jitter_us = self.jitter_us.as_slice().try_into().ok();
        ShardDraws { base: mix(self.seed ^ mix(what).wrapping_add(salt)), jitter_us }
    }
}

/// The draws of one shard's copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardDraws<'a> {
    base: u64,
    jitter_us: Option<&'a [u32; JITTERS]>,
}

impl ShardDraws<'_> {
    /// The jitter of the copy to `to` in µs, and a number in `0..65536` to compare its loss with.
    #[inline]
    pub(crate) fn copy(&self, to: u32) -> (u32, u32) {
        let mut draw = (self.base ^ u64::from(to)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        draw = (draw ^ (draw >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let jitter_us = self.jitter_us.map_or(0, |table| table[(draw >> 52) as usize]);
        (jitter_us, (draw >> 32) as u32 & 0xffff)
    }
}

/// A bijection of 64 bits in which each bit of the input changes about half of the output.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_has_its_mean_and_loss_its_share_and_both_repeat() {
        let draws = Draws::new(7, 1000);
        let (mut sum, mut lost, count) = (0_u64, 0_u64, 400_000_u64);
        for i in 0..count as u32 {
            let shard = draws.shard(i / 1000 % 7, i / 7000, (i % 10) as u8, 0);
            let (jitter, chance) = shard.copy(i % 1000);
            sum += u64::from(jitter);
            lost += u64::from(chance < 328); // 0.5 %
        }
        assert!((sum / count).abs_diff(1000) < 20, "mean {}", sum / count);
        assert!((lost * 10_000 / count).abs_diff(50) < 4, "lost {lost} of {count}");
        let copy = |seed| Draws::new(seed, 1000).shard(1, 2, 3, 0).copy(4);
        assert_eq!(copy(7), copy(7));
        assert_ne!(copy(7), copy(8));
    }

    #[test]
    fn no_jitter_is_none() {
        let draws = Draws::new(1, 0);
        assert!((0..100).all(|to| draws.shard(0, 0, 0, 0).copy(to).0 == 0));
    }
}
