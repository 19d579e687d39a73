//! How often we answer strangers: token buckets that a flood of forged addresses cannot grow.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::{STUN_ANSWERS_PER_SECOND, STUN_BUCKETS};

/// A fixed set of token buckets; sources share them by a keyed hash.
#[derive(Debug)]
pub(super) struct RateLimit {
    hasher: RandomState,
    buckets: Mutex<[Bucket; STUN_BUCKETS]>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u32,
    since: Instant,
}

impl RateLimit {
    pub(super) fn new(now: Instant) -> Self {
        let full = Bucket { tokens: STUN_ANSWERS_PER_SECOND, since: now };
        Self { hasher: RandomState::new(), buckets: Mutex::new([full; STUN_BUCKETS]) }
    }

    /// Whether `source` may have one more answer.
    pub(super) fn take(&self, source: IpAddr, now: Instant) -> bool {
        let index = self.hasher.hash_one(source) as usize % STUN_BUCKETS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets[index].take(now)
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self { tokens: STUN_ANSWERS_PER_SECOND, since: now };
        }
        let granted = self.tokens > 0;
        self.tokens -= u32::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_bounded_per_second() {
        let start = Instant::now();
        let limit = RateLimit::new(start);
        let source = IpAddr::from([192, 0, 2, 1]);
        let granted = |at| (0..1000).filter(|_| limit.take(source, at)).count();
        assert_eq!(granted(start), STUN_ANSWERS_PER_SECOND as usize);
        assert_eq!(granted(start + Duration::from_millis(999)), 0);
        assert_eq!(granted(start + Duration::from_secs(1)), STUN_ANSWERS_PER_SECOND as usize);
    }

    #[test]
    fn forged_sources_are_bounded_together() {
        let start = Instant::now();
        let limit = RateLimit::new(start);
        let granted = (0..100_000u32).filter(|i| limit.take(IpAddr::from(i.to_be_bytes()), start));
        assert!(granted.count() <= STUN_BUCKETS * STUN_ANSWERS_PER_SECOND as usize);
    }
}
