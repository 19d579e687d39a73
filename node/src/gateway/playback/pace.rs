//! How fast a viewer's backlog may leave: the burst of a keyframe or of a replayed group must not
//! overflow the queues of a home router.

use std::time::Instant;

use crate::gateway::limits;

/// A bucket of bytes that fills at a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Thousandths of a byte, so that short intervals are not rounded away.
    level: u64,
    filled: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { level: limits::PACE_BURST_BYTES * 1000, filled: now }
    }

    /// Fills up at `now`, for a stream of `stream_bps`.
    pub(crate) fn fill(&mut self, now: Instant, stream_bps: u64) {
        let rate = limits::PACE_BPS_MIN.max(stream_bps.saturating_mul(limits::PACE_FACTOR));
        let micros = now.saturating_duration_since(self.filled).as_micros().min(1_000_000) as u64;
        let more = rate.min(1_000_000_000_000) / 8 * micros / 1000;
        self.level = (self.level + more).min(limits::PACE_BURST_BYTES * 1000);
        self.filled = now;
    }

    /// Takes `bytes` out. False, and nothing is taken, where the bucket is empty. A packet may
    /// overdraw it, so that no packet is too long for it.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        if self.level == 0 {
            return false;
        }
        self.level = self.level.saturating_sub(bytes as u64 * 1000);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_backlog_leaves_at_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut sent = 0;
        for millis in 0..1000 {
            pace.fill(start + Duration::from_millis(millis), 0);
            while pace.take(1200) {
                sent += 1200;
            }
        }
        let expected = limits::PACE_BPS_MIN / 8 + limits::PACE_BURST_BYTES;
        // Each turn may overdraw by less than a packet.
        assert!((expected..expected + 1200 * 1000).contains(&sent), "{sent} {expected}");
    }
}
