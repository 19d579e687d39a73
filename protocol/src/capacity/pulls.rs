//! What requests for shards may take of an uplink, all of them together.
//!
//! A child is fed what comes, and that is bounded by the slots. Requests come on top. One peer's are
//! bounded by what a repair can need; but when a great node dies hundreds ask at once, and without a
//! bound on all of them the answers would hold up what the children wait for.

use crate::time::Timestamp;
use crate::unit::Bitrate;
use std::time::Duration;

/// One part in so many of the uplink may go to requests. Spec: DESIGN section 6, a tenth for repair.
const PART: u64 = 10;
/// So much of that share may be spent at once, µs. Guess.
const BURST_US: u64 = 1_000_000;
/// With a longer queue no request is answered. Guess: a request answered later than a viewer's
/// deadline was for nothing, and it makes others late.
const QUEUE_MAX: Duration = Duration::from_millis(100);

/// What requests have taken. The simulator has one for each node, as the node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulls {
    /// Until when the share for requests is spent, µs.
    spent_until_us: u64,
}

impl Pulls {
    /// Takes `bytes` for the answer to a request; false, and it is not to be answered, if the share
    /// of `uplink` is used up, or what is sent now waits `queue` already.
    pub fn take(&mut self, now: Timestamp, bytes: u32, uplink: Bitrate, queue: Duration) -> bool {
        let now_us = now.as_micros();
        let takes_us = u64::from(bytes) * 8 * 1_000_000 * PART / uplink.bps().max(1);
        let until_us = self.spent_until_us.max(now_us) + takes_us;
        let may = until_us <= now_us + BURST_US && queue <= QUEUE_MAX;
        if may {
            self.spent_until_us = until_us;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const UPLINK: Bitrate = Bitrate::from_kbps(8_000); // a byte each µs

    #[test]
    fn requests_get_a_tenth_a_second_of_it_at_once_and_nothing_behind_a_queue() {
        let at = |ms: u64| Timestamp::from_micros(ms * 1000);
        let mut pulls = Pulls::default();
        let none = Duration::ZERO;
        assert!(!pulls.take(at(0), 100_001, UPLINK, none), "more than a second's share");
        assert!(pulls.take(at(0), 60_000, UPLINK, none) && pulls.take(at(0), 40_000, UPLINK, none));
        assert!(!pulls.take(at(9), 1_000, UPLINK, none));
        assert!(pulls.take(at(10), 1_000, UPLINK, none));
        let mut rested = pulls;
        assert!(!rested.take(at(5_000), 1, UPLINK, Duration::from_millis(101)));
        assert!(rested.take(at(5_000), 100_000, UPLINK, Duration::from_millis(100)));
        assert!(!pulls.take(at(10), 1_000, Bitrate::from_bps(0), none), "no uplink, no pulls");
    }

    #[test]
    fn however_requests_come_they_get_no_more_than_their_share_and_a_burst() {
        for seed in 0..50 {
            let mut rng = Rng::new(&[seed; 32], "pulls");
            let (mut pulls, mut now_us, mut taken) = (Pulls::default(), 0, 0);
            for _ in 0..2_000 {
                now_us += rng.below(4_000);
                let bytes = 200 + rng.below(20_000) as u32;
                let queue = Duration::from_millis(rng.below(120));
                if pulls.take(Timestamp::from_micros(now_us), bytes, UPLINK, queue) {
                    taken += u64::from(bytes);
                }
            }
            assert!(taken <= (now_us + BURST_US) / PART, "seed {seed}: {taken} in {now_us} µs");
            assert!(taken >= now_us / PART / 2, "seed {seed}: {taken} in {now_us} µs");
        }
    }
}
