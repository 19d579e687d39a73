//! When nodes come.

use super::Distribution;
use banyan_protocol::rng::Rng;

/// How the first nodes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// All within this time, one in each equal part of it: a crowd that pours in steadily.
    Within {
        /// When the first may come, in µs.
        from_us: u64,
        /// For how long they come, in µs. 0: all at once.
        for_us: u64,
        /// So many are there at time 0 already.
        seeds: u32,
    },
    /// Each by itself, at a constant mean rate.
    Poisson {
        /// The mean time between two, in µs.
        gap_us: u64,
    },
}

/// What happens when a node leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// A new one comes in its place, within a second.
    Each,
    /// Nothing; but after the first nodes have come, more keep coming at this mean distance in µs,
    /// which keeps the population constant on average if it is mean life / nodes.
    Rate {
        /// The mean time between two, in µs.
        gap_us: u64,
    },
    /// Nothing: the session shrinks.
    None,
}

/// A place that became free is taken within this time, in µs. Guess: not in the same instant, so
/// that a newcomer cannot find what its predecessor left.
const REPLACED_WITHIN_US: u64 = 1_000_000;

/// When nodes come: the first ones, and those that take the place of others.
pub struct Arrivals {
    coming: Coming,
    replace: Replace,
    nodes: u32,
    come: u32,
    last_us: u64,
    rng: Rng,
}

impl Arrivals {
    /// `nodes` come as `coming` says, then as `replace` says, in the world of `seed`.
    #[must_use]
    pub fn new(nodes: u32, coming: Coming, replace: Replace, seed: &[u8; 32]) -> Self {
        let rng = Rng::new(seed, "arrivals");
        Self { coming, replace, nodes, come: 0, last_us: 0, rng }
    }

    /// When the next node comes that comes of itself, in µs, never before the one before it; none
    /// when nobody comes any more. With [`Replace::Rate`] there is always a next one.
    pub fn next_us(&mut self) -> Option<u64> {
        let at = if self.come < self.nodes {
            match self.coming {
                Coming::Within { seeds, .. } if self.come < seeds => 0,
                Coming::Within { from_us, for_us, seeds } => {
                    let (part, parts) = (self.come - seeds, self.nodes - seeds);
                    let edge = |part| u128::from(for_us) * u128::from(part) / u128::from(parts);
                    let (begin, end) = (edge(part) as u64, edge(part + 1) as u64);
                    from_us + begin + self.rng.below((end - begin).max(1))
                }
                Coming::Poisson { gap_us } => self.after(gap_us),
            }
        } else if let Replace::Rate { gap_us } = self.replace {
            self.after(gap_us)
        } else {
            return None;
        };
        self.come = self.come.saturating_add(1);
        self.last_us = at;
        Some(at)
    }

    /// When a node comes in the place of one that left at `now_us`, in µs.
    pub fn replaced_us(&mut self, now_us: u64) -> Option<u64> {
        let replaced = self.replace == Replace::Each;
        replaced.then(|| now_us + 1 + self.rng.below(REPLACED_WITHIN_US))
    }

    fn after(&mut self, gap_us: u64) -> u64 {
        self.last_us + Distribution::Exponential { mean: gap_us as f64 }.draw(&mut self.rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn first(mut arrivals: Arrivals, count: usize) -> Vec<u64> {
        let times: Vec<_> = std::iter::from_fn(|| arrivals.next_us()).take(count).collect();
        assert!(times.is_sorted());
        times
    }

    #[test]
    fn a_crowd_is_there_when_its_time_is_over() {
        let coming = Coming::Within { from_us: 5 * SECOND, for_us: 10 * SECOND, seeds: 20 };
        let times = first(Arrivals::new(10_000, coming, Replace::Each, &[1; 32]), usize::MAX);
        assert_eq!(times.len(), 10_000);
        assert!(times[..20].iter().all(|&at| at == 0) && times[20] >= 5 * SECOND);
        assert!(times[5_010].abs_diff(10 * SECOND) < 2_000, "half of them at half time");
        assert!(times[9_999] < 15 * SECOND);
        let at_once = Coming::Within { from_us: 3, for_us: 0, seeds: 0 };
        assert_eq!(first(Arrivals::new(3, at_once, Replace::None, &[1; 32]), 9), [3, 3, 3]);
    }

    #[test]
    fn a_rate_keeps_nodes_coming_and_each_replaces_one() {
        let gap_us = SECOND / 100;
        let coming = Coming::Poisson { gap_us };
        let times = first(Arrivals::new(10, coming, Replace::Rate { gap_us }, &[1; 32]), 10_000);
        assert!(times[9_999].abs_diff(100 * SECOND) < 3 * SECOND, "{}", times[9_999]);
        let mut each = Arrivals::new(10, coming, Replace::Each, &[1; 32]);
        let at = each.replaced_us(7 * SECOND).expect("replaced");
        assert!((7 * SECOND + 1..=8 * SECOND).contains(&at));
        let mut none = Arrivals::new(10, coming, Replace::None, &[1; 32]);
        assert_eq!(none.replaced_us(7 * SECOND), None);
    }
}
