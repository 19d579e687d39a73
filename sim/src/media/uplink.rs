//! A node's uplink: a queue without a queue, a clock that says until when it is busy.

use banyan_protocol::capacity::Pulls;
use banyan_protocol::time::Timestamp;
use banyan_protocol::unit::Bitrate;
use std::time::Duration;

/// The clock's unit: 1/1024 µs, so that rounding does not add up over thousands of copies.
const TICKS_PER_US: u64 = 1024;
/// Over this time use is measured. Guess: long enough for a keyframe interval's mean.
const WINDOW_US: u64 = 1_000_000;

/// A copy that would wait longer is not sent. Basis: the core resets streams of shards that are not
/// delivered within about a second.
const SHED_US: u64 = 1_000_000;
/// One node's way up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uplink {
    busy_until: u64,
    upload_bps: u64,
    /// Most that a full modem adds to the delay.
    bloat_us: u32,
    window: u32,
    sent: u32,
    sent_before: u32,
    sent_ever: u64,
    pulls: Pulls,
}

impl Uplink {
    /// An idle uplink of `upload_bps` (0 counts as 1) whose modem adds up to `bloat_us` of delay
    /// to what it has to queue.
    pub(crate) fn new(upload_bps: u64, bloat_us: u32) -> Self {
        let upload_bps = upload_bps.max(1);
        Self {
            busy_until: 0,
            upload_bps,
            bloat_us,
            window: 0,
            sent: 0,
            sent_before: 0,
            sent_ever: 0,
            pulls: Pulls::default(),
        }
    }

    /// From now on the uplink carries this much. What it has already taken keeps its time.
    pub(crate) fn set_upload(&mut self, upload_bps: u64) {
        self.upload_bps = upload_bps.max(1);
    }

    /// Starts a run of equal copies of `bytes` that are ready at `ready_us`.
    #[inline]
    pub(crate) fn run(&self, bytes: u32, ready_us: u64) -> Run {
        let ready = ready_us * TICKS_PER_US;
        let each = u64::from(bytes) * 8 * 1_000_000 * TICKS_PER_US / self.upload_bps;
        Run { clock: self.busy_until.max(ready), ready, each, bloat_us: u64::from(self.bloat_us) }
    }

    /// Takes a run of `copies` into account.
    #[inline]
    pub(crate) fn finish(&mut self, run: Run, bytes: u32, copies: u32, now_us: u64) {
        self.busy_until = run.clock;
        self.roll(now_us);
        self.sent = self.sent.saturating_add(bytes.saturating_mul(copies));
        self.sent_ever += u64::from(bytes) * u64::from(copies);
    }

    /// One copy of `bytes`, ready at `ready_us`: when it is through the modem, µs.
    pub(crate) fn send(&mut self, bytes: u32, ready_us: u64) -> u64 {
        let mut run = self.run(bytes, ready_us);
        let departs = run.next();
        self.finish(run, bytes, 1, ready_us);
        departs
    }

    /// How long a copy that is ready now has to wait, µs.
    pub(crate) fn queue_us(&self, now_us: u64) -> u64 {
        self.busy_until.saturating_sub(now_us * TICKS_PER_US) / TICKS_PER_US
    }

    /// Whether what is ready now would leave so late that the core does not send it any more.
    #[inline]
    pub(crate) fn sheds(&self, now_us: u64) -> bool {
        self.queue_us(now_us) > SHED_US
    }

    /// Takes `bytes` out of what the core spends on requests; false if that is used up, or what
    /// children wait for is held up already.
    pub(crate) fn spend_on_pulls(&mut self, bytes: u32, now_us: u64) -> bool {
        let queue = Duration::from_micros(self.queue_us(now_us));
        let upload = Bitrate::from_bps(self.upload_bps);
        self.pulls.take(Timestamp::from_micros(now_us), bytes, upload, queue)
    }

    /// Bytes ever sent.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_ever
    }

    /// Bit/s over the last second: the last whole window fades out as the present one fills.
    pub(crate) fn use_bps(&mut self, now_us: u64) -> u64 {
        self.roll(now_us);
        let into_us = now_us % WINDOW_US;
        let before = u64::from(self.sent_before) * (WINDOW_US - into_us) / WINDOW_US;
        (before + u64::from(self.sent)) * 8
    }

    #[inline]
    fn roll(&mut self, now_us: u64) {
        let window = (now_us / WINDOW_US) as u32;
        if window != self.window {
            let follows = window == self.window.wrapping_add(1);
            self.sent_before = if follows { self.sent } else { 0 };
            (self.window, self.sent) = (window, 0);
        }
    }
}

/// Equal copies, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    clock: u64,
    ready: u64,
    each: u64,
    bloat_us: u64,
}

impl Run {
    /// When the uplink is done with the copies so far, µs.
    #[inline]
    pub(crate) fn departs_us(&self) -> u64 {
        self.clock / TICKS_PER_US
    }

    /// When the next copy is through the modem, µs. A modem that has to queue doubles the wait,
    /// up to its bloat: the congestion control fills what buffer there is.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        let waited_us = (self.clock - self.ready) / TICKS_PER_US;
        self.clock += self.each;
        self.clock / TICKS_PER_US + waited_us.min(self.bloat_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_leave_one_after_the_other() {
        let mut uplink = Uplink::new(8_000_000, 0); // a byte each µs
        assert_eq!(uplink.send(1000, 5_000), 6_000);
        assert_eq!(uplink.send(1000, 5_000), 7_000);
        assert_eq!(uplink.queue_us(5_500), 1_500);
        assert_eq!(uplink.send(1000, 20_000), 21_000);
        let mut run = uplink.run(500, 20_000);
        assert_eq!([run.next(), run.next(), run.next()], [21_500, 22_000, 22_500]);
        uplink.finish(run, 500, 3, 20_000);
        uplink.set_upload(4_000_000);
        assert_eq!(uplink.send(1000, 20_000), 24_500);
    }

    #[test]
    fn a_bloated_modem_adds_what_a_copy_waits_up_to_its_bloat() {
        let mut uplink = Uplink::new(8_000_000, 1_500);
        assert_eq!(uplink.send(1000, 0), 1_000);
        assert_eq!(uplink.send(1000, 0), 2_000 + 1_000);
        assert_eq!(uplink.send(1000, 0), 3_000 + 1_500);
    }

    #[test]
    fn use_is_that_of_the_last_second() {
        let mut uplink = Uplink::new(100_000_000, 0);
        for i in 0..400 {
            uplink.send(1250, i * 10_000); // 1 Mbit/s for 4 s
        }
        let use_bps = uplink.use_bps(3_995_000);
        assert!(use_bps.abs_diff(1_000_000) <= 20_000, "{use_bps}");
        let use_bps = uplink.use_bps(4_500_000);
        assert!(use_bps.abs_diff(500_000) <= 20_000, "{use_bps}");
        assert_eq!(uplink.use_bps(9_000_000), 0);
    }
}
