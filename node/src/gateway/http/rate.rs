//! How often one client may ask: POSTs cost a handshake and a signature check each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::gateway::limits;

/// A rate with bursts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests at once.
    pub burst: u32,
    /// Requests per second after that.
    pub per_second: u32,
}

/// A household behind one address opens a few players at once; nobody opens ten a second for long.
impl Default for RateLimit {
    fn default() -> Self {
        Self { burst: 40, per_second: 10 }
    }
}

/// Remembers clients by address, for as long as they matter.
#[derive(Debug)]
pub(super) struct RateLimiter {
    interval: Duration,
    burst: Duration,
    /// When each client's bucket is full again.
    full_at: BTreeMap<IpAddr, Instant>,
}

impl RateLimiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        let interval = Duration::from_secs(1) / limit.per_second.max(1);
        Self { interval, burst: interval * limit.burst.max(1), full_at: BTreeMap::new() }
    }

    /// Counts a request of `client`. Over the limit, says when to come back.
    pub(super) fn admit(&mut self, now: Instant, client: IpAddr) -> Result<(), Duration> {
        let client = household(client);
        let full_at = self.full_at.get(&client).map_or(now, |at| (*at).max(now)) + self.interval;
        let ahead = full_at - now;
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        if self.full_at.len() >= limits::RATE_CLIENTS_MAX && !self.full_at.contains_key(&client) {
            self.full_at.retain(|_, at| *at > now);
            if self.full_at.len() >= limits::RATE_CLIENTS_MAX {
                // Everybody in the map is busy. One is forgotten, which only helps that one.
                self.full_at.pop_first();
            }
        }
        self.full_at.insert(client, full_at);
        Ok(())
    }
}

/// The addresses one line has: IPv6 customers get a /64 at least.
fn household(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut limiter = RateLimiter::new(RateLimit { burst: 3, per_second: 2 });
        let (start, client) = (Instant::now(), IpAddr::from([192, 0, 2, 1]));
        let passed = |limiter: &mut RateLimiter, at| limiter.admit(start + at, client).is_ok();
        assert_eq!(
            [(); 5].map(|()| passed(&mut limiter, Duration::ZERO)),
            [true, true, true, false, false]
        );
        assert!(limiter.admit(start, IpAddr::from([192, 0, 2, 2])).is_ok());
        assert!(passed(&mut limiter, Duration::from_millis(500)));
        assert!(!passed(&mut limiter, Duration::from_millis(600)));
    }

    #[test]
    fn memory_is_bounded_and_one_ipv6_line_is_one_client() {
        let mut limiter = RateLimiter::new(RateLimit { burst: 1, per_second: 1 });
        let now = Instant::now();
        for n in 0..limits::RATE_CLIENTS_MAX as u32 * 2 {
            assert!(limiter.admit(now, IpAddr::from(n.to_be_bytes())).is_ok());
        }
        assert!(limiter.full_at.len() <= limits::RATE_CLIENTS_MAX);
        assert!(limiter.admit(now, "2001:db8::1".parse().expect("an address")).is_ok());
        assert!(limiter.admit(now, "2001:db8::2".parse().expect("an address")).is_err());
    }
}
