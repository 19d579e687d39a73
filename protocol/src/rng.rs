//! A small seeded generator, forked per node and purpose. Not for keys: for spreading choices.

/// SplitMix64 (Steele, Lea, Flood 2014). Same seed, same sequence.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator for one `purpose` of the owner of `seed`.
    #[must_use]
    pub fn new(seed: &[u8; 32], purpose: &str) -> Self {
        let digest = blake3::keyed_hash(seed, purpose.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`. `bound` must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no member");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Keeps `keep` random items of `items`, in random order.
    pub fn sample<T>(&mut self, items: &mut Vec<T>, keep: usize) {
        let keep = keep.min(items.len());
        for i in 0..keep {
            let j = i + self.below((items.len() - i) as u64) as usize;
            items.swap(i, j);
        }
        items.truncate(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_give_different_sequences_and_seeds_repeat() {
        let seed = [7; 32];
        let draw = |purpose| Rng::new(&seed, purpose).next_u64();
        assert_eq!(draw("parents"), draw("parents"));
        assert_ne!(draw("parents"), draw("members"));
        let mut rng = Rng::new(&seed, "range");
        assert!((0..1000).all(|_| rng.below(3) < 3));
        let mut items: Vec<_> = (0..10).collect();
        rng.sample(&mut items, 4);
        assert_eq!(items.len(), 4);
    }
}
