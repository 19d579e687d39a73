//! This node's uplink, over all its sessions: what it is expected to carry, whether it is behind,
//! and what is left of it for requests.
//!
//! The driver says several times a second what each link took and how long things wait on it
//! ([`Sent`]). A child's own line, or the way to it, may be slow; only what holds up most of what is
//! sent is this node's uplink.

use super::egress::Egress;
use super::pulls::Pulls;
use crate::time::Timestamp;
use crate::unit::Bitrate;
use std::time::Duration;

/// The time of one frame. Guess: 30 frames/s; others are few, and the queue is measured roughly.
const FRAME: Duration = Duration::from_micros(33_333);
/// An uplink is behind when what is ready now would wait this long. Derived: two frames, so that a
/// keyframe alone is none.
const BEHIND: Duration = Duration::from_millis(70);
/// A measurement counts for this long. Derived: some of the driver's.
const FRESH: Duration = Duration::from_secs(1);

/// Whether an uplink with such a queue is behind: its node is to take no more children, and to give
/// up some ([`Forest::on_congested`](crate::forest::Forest::on_congested)).
#[must_use]
pub fn is_behind(queue: Duration) -> bool {
    queue > BEHIND
}

/// What one link took since the driver looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Bytes acknowledged.
    pub acked: u64,
    /// How long what is sent now waits, in this node and on the way, beyond the way's own time.
    pub queue: Duration,
}

/// The uplink of a node.
#[derive(Clone, Debug, Default)]
pub struct Uplink {
    line: Option<Line>,
    pulls: Pulls,
}

#[derive(Clone, Debug)]
struct Line {
    limit: Bitrate,
    egress: Egress,
    queue: Duration,
    measured_at: Timestamp,
}

impl Uplink {
    /// The owner gives `limit` to others. Before this is said nothing is known of the uplink, and
    /// whatever is asked of it is granted.
    pub fn set_limit(&mut self, now: Timestamp, limit: Bitrate) {
        if self.line.as_ref().is_none_or(|line| line.limit != limit) {
            let egress = Egress::new(now, limit, FRAME);
            let queue = Duration::ZERO;
            self.line = Some(Line { limit, egress, queue, measured_at: now });
        }
    }

    /// What the links took since the last call.
    pub fn on_sent(&mut self, now: Timestamp, links: &[Sent]) {
        let Some(line) = &mut self.line else { return };
        let acked = links.iter().fold(0_u64, |sum, link| sum.saturating_add(link.acked));
        line.queue = common_queue(links);
        line.measured_at = now;
        line.egress.sample(now, acked, line.queue);
    }

    /// What the owner gives, if that was said.
    #[must_use]
    pub fn limit(&self) -> Option<Bitrate> {
        Some(self.line.as_ref()?.limit)
    }

    /// What the line is expected to carry, if anything is known of it.
    #[must_use]
    pub fn expected(&self) -> Option<Bitrate> {
        Some(self.line.as_ref()?.egress.uplink())
    }

    /// Whether the line is full: a queue has stood for a while.
    #[must_use]
    pub fn is_saturated(&self, now: Timestamp) -> bool {
        self.line.as_ref().is_some_and(|line| line.egress.is_saturated(now))
    }

    /// Whether it is so full that children have to go.
    #[must_use]
    pub fn is_behind(&self, now: Timestamp) -> bool {
        self.is_saturated(now) && is_behind(self.queue(now))
    }

    /// Takes `bytes` for the answer to a request; false if there is no room for it.
    pub fn take_pull(&mut self, now: Timestamp, bytes: usize) -> bool {
        let queue = self.queue(now);
        let Some(line) = &self.line else { return true };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.pulls.take(now, bytes, line.egress.uplink(), queue)
    }

    fn queue(&self, now: Timestamp) -> Duration {
        let line = self.line.as_ref().filter(|line| now.since(line.measured_at) <= FRESH);
        line.map_or(Duration::ZERO, |line| line.queue)
    }
}

/// The queue that more than half of all bytes have waited in.
fn common_queue(links: &[Sent]) -> Duration {
    let mut links: Vec<(Duration, u64)> =
        links.iter().filter(|link| link.acked > 0).map(|link| (link.queue, link.acked)).collect();
    links.sort_unstable();
    let sum = |links: &[(Duration, u64)]| links.iter().map(|(_, acked)| u128::from(*acked)).sum();
    let half: u128 = sum(&links);
    let mut upto = 0;
    for (queue, acked) in links {
        upto += u128::from(acked);
        if upto * 2 >= half {
            return queue;
        }
    }
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    fn sent(acked: u64, queue_ms: u64) -> Sent {
        Sent { acked, queue: Duration::from_millis(queue_ms) }
    }

    #[test]
    fn one_slow_child_is_not_a_slow_uplink() {
        let rows: [(&[Sent], u64); 7] = [
            (&[], 0),
            (&[sent(0, 500)], 0),
            (&[sent(10, 500)], 500),
            (&[sent(10, 500), sent(10, 3)], 3),
            (&[sent(10, 500), sent(10, 3), sent(10, 400)], 400),
            (&[sent(10, 500), sent(30, 3), sent(10, 400)], 3),
            (&[sent(u64::MAX, 5), sent(u64::MAX, 9), sent(u64::MAX, 7)], 7),
        ];
        for (links, queue_ms) in rows {
            assert_eq!(common_queue(links), Duration::from_millis(queue_ms), "{links:?}");
        }
    }

    #[test]
    fn of_an_unknown_uplink_everything_is_granted() {
        let mut uplink = Uplink::default();
        uplink.on_sent(at(0), &[sent(1_000, 900)]);
        assert!(uplink.take_pull(at(0), usize::MAX));
        assert!(!uplink.is_behind(at(0)) && uplink.expected().is_none());
    }

    #[test]
    fn a_standing_queue_makes_it_behind_and_its_end_ends_that() {
        let mut uplink = Uplink::default();
        uplink.set_limit(at(0), Bitrate::from_kbps(8_000));
        let mut behind = Vec::new();
        // 4 Mbit/s come through; a keyframe's queue at 1 s, one that stays from 3 s to 5 s.
        for ms in (100..=8_000).step_by(100) {
            let queue_ms = if ms == 1_000 || (3_000..5_000).contains(&ms) { 200 } else { 2 };
            uplink.on_sent(at(ms), &[sent(50_000, queue_ms)]);
            if uplink.is_behind(at(ms)) {
                behind.push(ms);
            }
        }
        assert_eq!((behind.first(), behind.last()), (Some(&3_300), Some(&4_900)));
        let expected = uplink.expected().map(Bitrate::bps);
        // What came through when it was full, and a sixteenth less as that did not clear it.
        assert_eq!(expected, Some(3_750_000));
        assert!(uplink.take_pull(at(8_100), 46_000) && !uplink.take_pull(at(8_100), 1_000));
        uplink.on_sent(at(9_900), &[sent(50_000, 200)]);
        assert!(!uplink.take_pull(at(9_900), 1), "behind a queue");
        assert!(uplink.take_pull(at(11_000), 1), "of which nothing was heard for a second");
    }
}
