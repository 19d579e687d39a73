//! A bucket of tokens: how much of something a peer may have, now and in the long run.

use crate::time::Timestamp;

/// Starts full; fills up again at a steady pace.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    capacity: u64,
    per_second: u64,
    left: u64,
    at: Timestamp,
}

impl Bucket {
    /// A full one. It never holds more than `capacity`.
    pub(crate) const fn full(now: Timestamp, capacity: u64, per_second: u64) -> Self {
        Self { capacity, per_second, left: capacity, at: now }
    }

    /// Takes `tokens` out, all or none. False if there are too few.
    pub(crate) fn take(&mut self, now: Timestamp, tokens: u64) -> bool {
        self.fill(now);
        let enough = self.left >= tokens;
        if enough {
            self.left -= tokens;
        }
        enough
    }

    /// Whether nothing that was ever taken is still missing.
    pub(crate) fn is_full(&mut self, now: Timestamp) -> bool {
        self.fill(now);
        self.left == self.capacity
    }

    fn fill(&mut self, now: Timestamp) {
        let elapsed_us = now.since(self.at).as_micros();
        let more = elapsed_us * u128::from(self.per_second) / 1_000_000;
        // Less than one token: the time is kept until it is worth one.
        if more > 0 {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            self.left = self.left.saturating_add(more).min(self.capacity);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_its_capacity_at_once_and_its_pace_for_ever() {
        let at = |ms: u64| Timestamp::from_micros(ms * 1000);
        let mut bucket = Bucket::full(at(0), 100, 10);
        assert!(bucket.take(at(0), 60) && bucket.take(at(0), 40));
        assert!(!bucket.take(at(0), 1), "empty");
        let taken = (0..60_000).filter(|ms| bucket.take(at(*ms), 1)).count();
        assert!((595..=600).contains(&taken), "{taken} in a minute at 10 per second");
        assert!(!bucket.is_full(at(60_000)) && bucket.is_full(at(80_000)));
        assert!(!bucket.take(at(1_000_000), 101), "never more than it holds");
        assert!(bucket.take(at(1_000_000), 100));
    }
}
