//! Stripes: sets of them, and the one a node calls home.

use crate::identity::NodeId;
use crate::limits::STRIPES_MAX;

/// A set of stripes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StripeSet(u32);

impl StripeSet {
    /// No stripe.
    pub const EMPTY: Self = Self(0);

    /// Stripes `0..n`.
    #[must_use]
    pub fn all(n: u8) -> Self {
        assert!(n <= STRIPES_MAX, "a rendition has at most {STRIPES_MAX} stripes");
        Self((1 << n) - 1)
    }

    /// From bits; bits beyond the last possible stripe are dropped.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << STRIPES_MAX) - 1))
    }

    /// As bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether `stripe` is in the set.
    #[must_use]
    pub const fn contains(self, stripe: u8) -> bool {
        stripe < STRIPES_MAX && self.0 & (1 << stripe) != 0
    }

    /// Adds `stripe`.
    pub fn insert(&mut self, stripe: u8) {
        assert!(stripe < STRIPES_MAX, "stripe {stripe} is out of range");
        self.0 |= 1 << stripe;
    }

    /// Takes `stripe` out.
    pub fn remove(&mut self, stripe: u8) {
        self.0 &= !1u32.checked_shl(u32::from(stripe)).unwrap_or(0);
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its stripes in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..STRIPES_MAX).filter(move |&stripe| self.contains(stripe))
    }
}

/// The stripe in which `node` is meant to have children.
///
/// A node cannot aim at a stripe with an identity it had before the seed was drawn.
#[must_use]
pub fn home(node: &NodeId, epoch_seed: &[u8; 32], stripes: u8) -> u8 {
    assert!(stripes > 0, "a rendition has at least one stripe");
    let digest = blake3::keyed_hash(epoch_seed, node.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    (u64::from_be_bytes(first) % u64::from(stripes)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = StripeSet::all(6);
        set.remove(2);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
        set.insert(2);
        assert_eq!(set, StripeSet::all(6));
        assert!(!StripeSet::from_bits(u32::MAX).contains(31));
        assert!(!set.contains(200));
    }

    #[test]
    fn homes_spread_evenly_and_move_with_the_seed() {
        let mut count = [0; 10];
        let mut moved = 0;
        for i in 0..1000u32 {
            let node = NodeId::from_bytes(*blake3::hash(&i.to_be_bytes()).as_bytes());
            count[usize::from(home(&node, &[1; 32], 10))] += 1;
            moved += u32::from(home(&node, &[1; 32], 10) != home(&node, &[2; 32], 10));
        }
        assert!(count.iter().all(|&c| (60..150).contains(&c)), "{count:?}");
        assert!(moved > 800, "{moved}");
    }
}
