//! Things that may be wrong for a while.

use super::LOOKS_MIN;
use std::collections::BTreeMap;

/// What is wrong now, since when, and in how many looks.
pub(super) struct Grace<K> {
    since: BTreeMap<K, (u64, u32)>,
}

impl<K> Default for Grace<K> {
    fn default() -> Self {
        Self { since: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Grace<K> {
    /// Takes in all that is wrong at `now_us`; gives the first that has been since `patience_us`
    /// without a break, as far as [`LOOKS_MIN`] looks can tell.
    pub(super) fn look(&mut self, now_us: u64, patience_us: u64, wrong: Vec<K>) -> Option<K> {
        let before = std::mem::take(&mut self.since);
        let since = |what: K| {
            let (since_us, looks) = before.get(&what).copied().unwrap_or((now_us, 0));
            (what, (since_us, looks + 1))
        };
        self.since = wrong.into_iter().map(since).collect();
        let lasting = |(_, (since_us, looks)): &(&K, &(u64, u32))| {
            *since_us + patience_us <= now_us && *looks >= LOOKS_MIN
        };
        self.since.iter().find(lasting).map(|(what, _)| *what)
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
        assert_eq!(grace.look(150, 100, vec![1]), None, "since 99");
        assert_eq!(grace.look(199, 100, vec![1]), Some(1));
        assert_eq!(grace.look(200, 100, vec![]), None);
    }

    #[test]
    fn looks_far_apart_do_not_tell_what_lasts_from_what_comes_back() {
        let mut grace = Grace::default();
        for look in 0..2 {
            assert_eq!(grace.look(100 * look, 100, vec![1]), None, "look {look}");
        }
        assert_eq!(grace.look(200, 100, vec![1]), Some(1));
    }
}
