//! Time as the core sees it: microseconds since an origin that the driver chooses.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds since the driver's origin. Never a wall clock. Kept as one more than they are, so
/// that "no time" needs no memory of its own: nodes remember many times that may not be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

impl Timestamp {
    /// The origin.
    pub const ZERO: Self = Self(NonZeroU64::MIN);

    /// A timestamp `micros` after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// Time since `earlier`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.as_micros() / 1_000_000, self.as_micros() % 1_000_000)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(micros(rhs)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self::from_micros(self.as_micros().saturating_sub(micros(rhs)))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Seconds since the Unix epoch: what tickets, descriptors and delegations expire by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_takes_no_memory_and_times_keep_their_order() {
        assert_eq!(size_of::<Option<Timestamp>>(), size_of::<Timestamp>());
        let [first, later] = [0, 7].map(Timestamp::from_micros);
        assert_eq!((first, later.as_micros()), (Timestamp::ZERO, 7));
        assert_eq!(first + Duration::from_micros(7), later);
        assert_eq!((later - Duration::from_micros(9), first < later), (first, true));
        assert_eq!((later.since(first).as_micros(), first.since(later).as_micros()), (7, 0));
        assert!(Timestamp::from_micros(u64::MAX) + Duration::MAX > later);
    }
}
