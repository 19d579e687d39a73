//! A list together with what every input asks of it, so that not every input goes through the list.

use std::ops::{Deref, DerefMut};

/// What is asked of a list again and again.
pub(super) trait Summary<T>: Copy {
    /// Goes through the list.
    fn of(list: &[T]) -> Self;
}

/// A list and its summary, which is void from the moment somebody takes hold of the list to change
/// it until [`Summed::settle`].
#[derive(Debug)]
pub(crate) struct Summed<T, S> {
    list: Vec<T>,
    summary: Option<S>,
}

impl<T, S: Summary<T>> Summed<T, S> {
    pub(super) const fn new(list: Vec<T>) -> Self {
        Self { list, summary: None }
    }

    /// The summary: kept since the last [`Summed::settle`], or made anew.
    pub(super) fn summary(&self) -> S {
        self.summary.unwrap_or_else(|| S::of(&self.list))
    }

    /// The list, for a change that the summary does not tell.
    pub(super) fn aside(&mut self) -> &mut [T] {
        &mut self.list
    }

    /// The summary is void.
    pub(super) fn unsettle(&mut self) {
        self.summary = None;
    }

    /// Makes the summary, unless it holds still. Whether it did not.
    pub(super) fn settle(&mut self) -> bool {
        let is_void = self.summary.is_none();
        if is_void {
            self.summary = Some(S::of(&self.list));
        }
        is_void
    }
}

impl<T, S> Deref for Summed<T, S> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.list
    }
}

impl<T, S> DerefMut for Summed<T, S> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        self.summary = None;
        &mut self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Least(Option<u8>);

    impl Summary<u8> for Least {
        fn of(list: &[u8]) -> Self {
            Self(list.iter().copied().min())
        }
    }

    #[test]
    fn a_change_makes_the_summary_anew() {
        let mut summed: Summed<u8, Least> = Summed::new(vec![3, 5]);
        summed.settle();
        assert_eq!(summed.summary(), Least(Some(3)));
        summed.push(2);
        assert_eq!(summed.summary(), Least(Some(2)), "not settled");
        summed.settle();
        summed.retain(|one| *one > 3);
        assert_eq!(summed.summary(), Least(Some(5)), "changed since it was settled");
        summed.clear();
        assert_eq!(summed.summary(), Least(None));
    }
}
