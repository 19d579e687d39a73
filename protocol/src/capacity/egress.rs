//! What this node's uplink can really give, by what was sent and acknowledged.
//!
//! Two answers. [`Egress::measured`] is what the uplink is known to carry: a low percentile of the
//! goodput of the last minute, while there was enough to send and no queue. [`Egress::uplink`] is
//! what it is expected to carry at most: the owner's limit, until a standing queue shows that the
//! line is full; then it is what came through meanwhile. It rises again while the line is busy and
//! clean, ever more cautiously if it meets the same ceiling again and again.
//!
//! A queue that comes and goes is a keyframe, not a full line: only one that stays counts.

use crate::time::Timestamp;
use crate::unit::Bitrate;
use std::collections::VecDeque;
use std::time::Duration;

/// A queue above one frame time for this long means that the line is full. Derived: at four fifths
/// of the line a frame of twice the mean drains within two frame times, 70 ms; one of thrice within
/// 240.
const STANDING: Duration = Duration::from_millis(250);
/// Goodput is taken over this long. Derived: whole groups of frames, some round trips.
const WINDOW: Duration = Duration::from_secs(1);
/// Least time from which a rate is taken. Derived: seven frames.
const WINDOW_MIN: Duration = Duration::from_millis(250);
/// How long a measurement counts. Spec: `forest.md` 5.7.
const REMEMBER: Duration = Duration::from_secs(60);
/// Most windows remembered. Derived: a minute of whole ones and some cut short.
const WINDOWS_MAX: usize = 90;
/// Waits this long after a full line before it tries for more, doubled each time. Guess.
const HOLD_MIN: Duration = Duration::from_secs(10);
/// Longest such wait. Guess: one short queue in ten minutes is what finding out may cost.
const HOLD_MAX: Duration = Duration::from_secs(640);
/// What a busy, clean second adds. Derived: the fifth that is kept free is used up after 15 s.
const RAISE_DIVISOR: u64 = 64;

/// Measures this node's uplink, over all its sessions.
#[derive(Clone, Debug)]
pub struct Egress {
    limit: Bitrate,
    frame: Duration,
    uplink_bps: u64,
    ceiling_bps: u64,
    hold: Duration,
    held_until: Timestamp,
    /// Since when the queue has been longer than a frame.
    queued_since: Option<Timestamp>,
    full: bool,
    sampled_at: Timestamp,
    since: Timestamp,
    bytes: u64,
    clean: VecDeque<(Timestamp, u64)>,
}

impl Egress {
    /// For an uplink of which the owner gives `limit`, that carries frames of `frame` time.
    #[must_use]
    pub fn new(now: Timestamp, limit: Bitrate, frame: Duration) -> Self {
        Self {
            limit,
            frame,
            uplink_bps: limit.bps(),
            ceiling_bps: limit.bps(),
            hold: HOLD_MIN / 2,
            held_until: now,
            queued_since: None,
            full: false,
            sampled_at: now,
            since: now,
            bytes: 0,
            clean: VecDeque::new(),
        }
    }

    /// `acked` bytes were acknowledged since the last call, and what is sent now waits `queue`
    /// before it leaves. To be called several times a second while anything is sent.
    pub fn sample(&mut self, now: Timestamp, acked: u64, queue: Duration) {
        if now.since(self.sampled_at) > WINDOW {
            // Nothing was sent meanwhile, so nothing was measured.
            (self.since, self.bytes) = (now, 0);
            (self.full, self.queued_since) = (false, None);
        }
        self.sampled_at = now;
        self.bytes = self.bytes.saturating_add(acked);
        if queue > self.frame {
            let since = *self.queued_since.get_or_insert(now);
            let full = now.since(since) >= STANDING;
            if full && !self.full {
                // What came before belongs to a line that was not full.
                self.close(now);
                self.full = true;
            }
        } else {
            self.queued_since = None;
            if self.full {
                self.close(now);
                self.full = false;
            }
        }
        if now.since(self.since) >= WINDOW {
            self.close(now);
        }
    }

    /// Whether the line is full: the queue has stood above a frame time, and was seen to not a second
    /// ago.
    #[must_use]
    pub fn is_saturated(&self, now: Timestamp) -> bool {
        self.full && now.since(self.sampled_at) < WINDOW
    }

    /// What the line is expected to carry at most, never more than the owner's limit.
    #[must_use]
    pub const fn uplink(&self) -> Bitrate {
        Bitrate::from_bps(self.uplink_bps)
    }

    /// What the line has carried without a queue in the last minute: the tenth percentile of the
    /// seconds with at least half the load of the busiest. `None` if there were none. Never more
    /// than the owner's limit.
    #[must_use]
    pub fn measured(&self, now: Timestamp) -> Option<Bitrate> {
        let mut rates: Vec<u64> = self
            .clean
            .iter()
            .filter(|(at, bps)| now.since(*at) <= REMEMBER && *bps > 0)
            .map(|(_, bps)| *bps)
            .collect();
        rates.sort_unstable();
        let busiest = *rates.last()?;
        let busy = &rates[rates.partition_point(|bps| *bps < busiest / 2)..];
        Some(Bitrate::from_bps(busy[busy.len() / 10].min(self.limit.bps())))
    }

    /// Ends a window and learns from it.
    fn close(&mut self, now: Timestamp) {
        let elapsed = now.since(self.since);
        if elapsed >= WINDOW_MIN {
            let bps = u128::from(self.bytes) * 8_000_000 / elapsed.as_micros();
            let bps = u64::try_from(bps).unwrap_or(u64::MAX);
            if self.full { self.lower(now, bps) } else { self.raise(now, bps) }
        }
        (self.since, self.bytes) = (now, 0);
    }

    fn lower(&mut self, now: Timestamp, bps: u64) {
        // A queue that does not go although no more comes through than was expected: somebody else
        // takes a part. Less by a sixteenth each time.
        let less = self.uplink_bps - self.uplink_bps / 16;
        self.uplink_bps = if bps < self.uplink_bps { bps.max(self.uplink_bps / 2) } else { less };
        self.ceiling_bps = self.uplink_bps;
        if now >= self.held_until {
            self.hold = (self.hold * 2).min(HOLD_MAX);
        }
        self.held_until = now + self.hold;
    }

    fn raise(&mut self, now: Timestamp, bps: u64) {
        while self.clean.front().is_some_and(|(at, _)| now.since(*at) > REMEMBER)
            || self.clean.len() >= WINDOWS_MAX
        {
            self.clean.pop_front();
        }
        self.clean.push_back((now, bps));
        if now >= self.held_until && bps >= self.uplink_bps / 2 {
            let raised = self.uplink_bps + self.uplink_bps / RAISE_DIVISOR;
            self.uplink_bps = raised.max(bps).min(self.limit.bps());
        }
        if self.uplink_bps > self.ceiling_bps / 2 * 3 {
            // The ceiling is gone: somebody else's upload has ended.
            (self.ceiling_bps, self.hold) = (self.uplink_bps, HOLD_MIN / 2);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
