//! One capture clock for both tracks: RTP timestamps → µs since the Unix epoch on the root's clock.
//!
//! Each track's timestamps start at random, so two tracks can only be laid on one timeline by
//! arrival (at first) or by the publisher's sender reports, which give both in the publisher's own
//! time. The publisher's time becomes the root's by the smallest delay seen lately, one figure for
//! both tracks, so that what was captured together stays together. Changing from one to the other,
//! and following drift, is done by slewing: a track's capture times never step back.

use crate::coding::Track;
use crate::time::Timestamp;

/// What a sender's clock may gain or lose per media second while a small error is slewed away.
/// Guess: 5 % heals the usual 100 ms between arrival and sender report in two seconds, unheard.
const SLEW_DIVISOR: i64 = 20;
/// An error above this is slewed at half speed instead. Guess.
const SLEW_FAST_ABOVE_US: i64 = 500_000;
/// Timestamps that disagree with arrival by more than this belong to a restarted publisher. Guess:
/// longer than a stall that a connection survives.
const RESTART_US: i64 = 10_000_000;
/// The smallest delay is taken over one to two of these. Guess: long enough to meet a packet that
/// did not queue, short enough to follow 100 ppm of drift within a millisecond.
const DELAY_WINDOW_US: i64 = 5_000_000;
/// Reports that put the two tracks further apart than this do not share a clock, and are ignored.
/// Guess.
const REPORT_DISAGREEMENT_US: i64 = 2_000_000;

/// A moment on both clocks: what the driver counts, and what the world counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// On the driver's clock.
    pub at: Timestamp,
    /// The same moment in µs since the Unix epoch.
    pub unix_us: u64,
}

impl Anchor {
    /// `now` in µs since the Unix epoch.
    #[must_use]
    pub fn unix_us(self, now: Timestamp) -> u64 {
        let since = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.unix_us.saturating_add(since)
    }
}

/// Smallest value of the last 5 to 10 seconds.
#[derive(Clone, Copy, Debug, Default)]
struct WindowedMinimum {
    current: Option<(i64, i64)>,
    previous: Option<(i64, i64)>,
}

impl WindowedMinimum {
    fn push(&mut self, now_us: i64, value: i64) {
        match &mut self.current {
            Some((start, least)) if now_us - *start < DELAY_WINDOW_US => *least = value.min(*least),
            full => self.previous = full.replace((now_us, value)),
        }
    }

    fn least(&self, now_us: i64) -> Option<i64> {
        [self.current, self.previous]
            .into_iter()
            .flatten()
            .filter(|(start, _)| now_us - start < 2 * DELAY_WINDOW_US)
            .map(|(_, least)| least)
            .min()
    }
}

#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    arrived_us: i64,
    media_us: i64,
    capture_us: i64,
}

/// One track's timestamps: `media_us` counts from its first one, `capture = media + offset`.
#[derive(Clone, Debug)]
struct TrackClock {
    rate: i64,
    /// Ticks since the first timestamp, past the 32-bit wrap.
    ticks: i64,
    last: Option<Last>,
    offset_us: i64,
    /// Arrival less media time.
    arrival: WindowedMinimum,
    /// The publisher's time at an RTP timestamp.
    report: Option<(i64, u32)>,
    /// Arrival less the publisher's time.
    delay: WindowedMinimum,
}

impl TrackClock {
    fn new(rate: u32) -> Self {
        Self {
            rate: i64::from(rate.max(1)),
            ticks: 0,
            last: None,
            offset_us: 0,
            arrival: WindowedMinimum::default(),
            report: None,
            delay: WindowedMinimum::default(),
        }
    }

    /// The publisher's time at `timestamp`, by its last sender report.
    fn publisher_us(&self, timestamp: u32) -> Option<i64> {
        let (ntp_us, rtp) = self.report?;
        Some(ntp_us + micros(i64::from(timestamp.wrapping_sub(rtp) as i32), self.rate))
    }

    /// Moves to `timestamp` and returns its media time.
    fn observe(&mut self, timestamp: u32, arrived_us: i64) -> i64 {
        let step = self.last.map_or(0, |last| timestamp.wrapping_sub(last.timestamp) as i32);
        let mut ticks = self.ticks + i64::from(step);
        if let Some(last) = self.last {
            let apart = (micros(ticks, self.rate) - last.media_us) - (arrived_us - last.arrived_us);
            if apart.abs() > RESTART_US {
                ticks = 0;
                // Take over where the old timestamps ended: arrival decides, never backwards.
                self.offset_us = arrived_us.max(last.capture_us);
                self.arrival = WindowedMinimum::default();
                self.report = None;
                self.delay = WindowedMinimum::default();
                self.last = Some(Last { media_us: 0, ..last });
            }
        }
        self.ticks = ticks;
        let media_us = micros(ticks, self.rate);
        self.arrival.push(arrived_us, arrived_us - media_us);
        if let Some(publisher_us) = self.publisher_us(timestamp) {
            self.delay.push(arrived_us, arrived_us - publisher_us);
        }
        media_us
    }
}

/// Saturating, because a publisher may lie about its timestamps for ever.
fn micros(ticks: i64, rate: i64) -> i64 {
    ticks.saturating_mul(1_000_000) / rate
}

/// The capture clock of a session.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    anchor: Anchor,
    video: TrackClock,
    audio: TrackClock,
}

impl Clock {
    pub(super) fn new(anchor: Anchor, video_rate: u32, audio_rate: u32) -> Self {
        Self { anchor, video: TrackClock::new(video_rate), audio: TrackClock::new(audio_rate) }
    }

    pub(super) fn unix_us(&self, now: Timestamp) -> u64 {
        self.anchor.unix_us(now)
    }

    /// The publisher says that `rtp` was captured at `ntp` (RFC 3550, section 6.4.1).
    pub(super) fn handle_sender_report(&mut self, track: Track, ntp: u64, rtp: u32) {
        // A publisher without a clock sends 0.
        if ntp == 0 {
            return;
        }
        let fraction = ((ntp & 0xffff_ffff) * 1_000_000) >> 32;
        let ntp_us = (ntp >> 32) * 1_000_000 + fraction;
        self.track_mut(track).report = Some((ntp_us as i64, rtp));
    }

    /// When the frame with `timestamp` was captured, given when its first packet came. To be asked
    /// once per frame, in order; never less than before for the same track.
    pub(super) fn capture_us(&mut self, track: Track, timestamp: u32, arrived: Timestamp) -> u64 {
        let arrived_us = i64::try_from(self.anchor.unix_us(arrived)).unwrap_or(i64::MAX / 4);
        let media_us = self.track_mut(track).observe(timestamp, arrived_us);
        let delay_us = self.shared_delay_us(arrived_us);
        let clock = self.track_mut(track);
        let by_report = delay_us
            .zip(clock.publisher_us(timestamp))
            .map(|(delay_us, publisher_us)| publisher_us + delay_us - media_us);
        let by_arrival = clock.arrival.least(arrived_us).unwrap_or(arrived_us - media_us);
        let target_us = by_report.unwrap_or(by_arrival);
        let capture_us = match clock.last {
            None => {
                clock.offset_us = target_us;
                media_us + target_us
            }
            Some(last) => {
                let error = target_us - clock.offset_us;
                let divisor = if error.abs() > SLEW_FAST_ABOVE_US { 2 } else { SLEW_DIVISOR };
                let most = (media_us - last.media_us).max(0) / divisor;
                clock.offset_us += error.clamp(-most, most);
                (media_us + clock.offset_us).max(last.capture_us)
            }
        };
        clock.last = Some(Last { timestamp, arrived_us, media_us, capture_us });
        u64::try_from(capture_us).unwrap_or(0)
    }

    /// The publisher's time → the root's: the smallest delay over both tracks, once each track
    /// that sends has reported and the reports agree.
    fn shared_delay_us(&self, now_us: i64) -> Option<i64> {
        let mut least = i64::MAX;
        let mut most = i64::MIN;
        for clock in [&self.video, &self.audio].into_iter().filter(|clock| clock.last.is_some()) {
            clock.report?;
            let Some(delay) = clock.delay.least(now_us) else { continue };
            least = least.min(delay);
            most = most.max(delay);
        }
        let known = least != i64::MAX && most - least <= REPORT_DISAGREEMENT_US;
        known.then_some(least)
    }

    fn track_mut(&mut self, track: Track) -> &mut TrackClock {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

#[cfg(test)]
mod tests;
