//! Things that may be wrong for a while.

use std::collections::BTreeMap;

/// What is wrong now, and since when.
pub(super) struct Grace<K> {
    since_us: BTreeMap<K, u64>,
}

impl<K> Default for Grace<K> {
    fn default() -> Self {
        Self { since_us: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Grace<K> {
    /// Takes in all that is wrong at `now_us`; gives the first that has been since `patience_us`
    /// without a break.
    pub(super) fn look(&mut self, now_us: u64, patience_us: u64, wrong: Vec<K>) -> Option<K> {
        let before = std::mem::take(&mut self.since_us);
        let since = |what: K| (what, before.get(&what).copied().unwrap_or(now_us));
        self.since_us = wrong.into_iter().map(since).collect();
        let lasting = |(_, since_us): &(&K, &u64)| *since_us + patience_us <= now_us;
        self.since_us.iter().find(lasting).map(|(what, _)| *what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lasts_without_a_break_counts() {
        let mut grace = Grace::default();
        assert_eq!(grace.look(0, 100, vec![1, 2]), None);
        assert_eq!(grace.look(50, 100, vec![2]), None);
        assert_eq!(grace.look(99, 100, vec![1, 2]), None);
        assert_eq!(grace.look(100, 100, vec![1, 2]), Some(2));
        assert_eq!(grace.look(199, 100, vec![1]), Some(1));
        assert_eq!(grace.look(200, 100, vec![]), None);
    }
}
