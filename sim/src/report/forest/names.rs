//! Names that nodes share, places or roles, and which of them get a mark of their own.

use std::collections::BTreeMap;

/// The names that get a colour or a mark of their own, the most common first.
pub(super) struct Names {
    /// Each with how many nodes bear it.
    pub(super) named: Vec<(String, usize)>,
    /// How many nodes bear another name.
    pub(super) others: usize,
    room: usize,
}

impl Names {
    /// Counts `names` and keeps the `room` most common; if there are more, one less.
    pub(super) fn most_common<'a>(names: impl Iterator<Item = &'a str>, room: usize) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        let mut named: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let kept = if named.len() > room { room - 1 } else { room };
        let others = named.iter().skip(kept).map(|(_, n)| n).sum();
        named.truncate(kept);
        Self { named, others, room }
    }

    /// The same with `first` before all others, so that they look alike in every picture.
    pub(super) fn with_first(mut self, first: &[&str]) -> Self {
        let rank = |name: &str| first.iter().position(|known| *known == name);
        self.named.sort_by_key(|(name, _)| rank(name).unwrap_or(first.len()));
        self
    }

    /// The number of `name`, the last one for all without one of their own.
    pub(super) fn index(&self, name: &str) -> usize {
        self.named.iter().position(|(known, _)| known == name).unwrap_or(self.room - 1)
    }
}
