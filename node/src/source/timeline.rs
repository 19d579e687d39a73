//! Container times → RTP timestamps and a media time that goes on over loops.
//!
//! Containers round times (Matroska to milliseconds), so audio is counted by its samples and only
//! set again when the container disagrees by more than rounding: a jitter buffer would hear it.

use std::time::Duration;

use banyan_protocol::coding::Track;

/// Audio timestamps follow the container's again when they are this far behind. Derived: above
/// rounding, an Opus frame and the few milliseconds that encoders cut, below what is seen on lips.
const AUDIO_SLACK: Duration = Duration::from_millis(40);
/// Taken for the length of the only frame of a file.
const FRAME_DEFAULT: Duration = Duration::from_millis(33);
/// Media time 0 in NTP seconds: some time after 2020. Reports only ever compare tracks.
const NTP_START_SECONDS: u64 = 3_800_000_000;

/// RTP clock of Opus.
const AUDIO_RATE: u64 = 48_000;
/// RTP clock of video.
const VIDEO_RATE: u64 = 90_000;

#[derive(Debug)]
pub(super) struct Timeline {
    /// How much later the container says sound is than it was captured.
    audio_delay: Duration,
    /// Media time at which this pass began.
    pass_start: Duration,
    video: Option<Pass>,
    /// Samples up to the end of the audio so far.
    audio_end: Option<u64>,
    /// The last audio packet's first sample.
    audio_last: Option<u64>,
}

/// The video of this pass, media time.
#[derive(Clone, Copy, Debug)]
struct Pass {
    first: Duration,
    last: Duration,
    frames: u32,
}

impl Timeline {
    pub(super) fn new(audio_delay: Duration) -> Self {
        let pass_start = Duration::ZERO;
        Self { audio_delay, pass_start, video: None, audio_end: None, audio_last: None }
    }

    /// RTP timestamp and media time of a video frame; `None` if it comes before the last one.
    pub(super) fn video(&mut self, time: Duration) -> Option<(u32, Duration)> {
        // Sound is late by its delay, so the picture waits for it.
        let media_time = self.pass_start + time + self.audio_delay;
        match &mut self.video {
            Some(pass) if media_time < pass.last => return None,
            Some(pass) => {
                pass.last = media_time;
                pass.frames += 1;
            }
            None => self.video = Some(Pass { first: media_time, last: media_time, frames: 1 }),
        }
        Some((video_ticks(media_time), media_time))
    }

    /// RTP timestamp and media time of an audio packet of `samples`.
    pub(super) fn audio(&mut self, time: Duration, samples: u32) -> (u32, Duration) {
        let slack = audio_ticks(AUDIO_SLACK);
        let claimed = audio_ticks(self.pass_start + time);
        let first = match self.audio_end {
            // Never back: what was sent cannot be taken back.
            Some(end) if claimed <= end + slack => end,
            _ => claimed,
        };
        self.audio_end = Some(first + u64::from(samples));
        self.audio_last = Some(first);
        (first as u32, Duration::from_micros(first * 1_000_000 / AUDIO_RATE))
    }

    /// Where the next pass begins: when the longer track has ended.
    pub(super) fn end(&self) -> Duration {
        let video = self.video.map_or(Duration::ZERO, |pass| {
            let interval = match pass.frames {
                0 | 1 => FRAME_DEFAULT,
                frames => (pass.last - pass.first) / (frames - 1),
            };
            (pass.last + interval).saturating_sub(self.audio_delay)
        });
        let audio = self.audio_end.unwrap_or(0);
        video.max(Duration::from_micros(audio * 1_000_000 / AUDIO_RATE))
    }

    pub(super) fn rewind(&mut self) {
        self.pass_start = self.end();
        self.video = None;
    }

    pub(super) fn sender_report(&self, track: Track) -> Option<(u64, u32)> {
        match track {
            Track::Video => self.video.map(|pass| (ntp(pass.last), video_ticks(pass.last))),
            Track::Audio => self.audio_last.map(|samples| {
                let media_time = Duration::from_micros(samples * 1_000_000 / AUDIO_RATE);
                (ntp(media_time), samples as u32)
            }),
        }
    }
}

fn audio_ticks(time: Duration) -> u64 {
    time.as_micros() as u64 * AUDIO_RATE / 1_000_000
}

fn video_ticks(time: Duration) -> u32 {
    (time.as_micros() as u64 * VIDEO_RATE / 1_000_000) as u32
}

fn ntp(time: Duration) -> u64 {
    let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    (NTP_START_SECONDS + time.as_secs()) << 32 | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn audio_counts_samples_through_rounding_and_resumes_after_gaps() {
        let mut timeline = Timeline::new(Duration::ZERO);
        let times = [(0, 0), (21, 960), (40, 1_920), (61, 2_880), (500, 24_000), (519, 24_960)];
        for (time, expected) in times {
            assert_eq!(timeline.audio(ms(time), 960).0, expected, "{time} ms");
        }
    }

    #[test]
    fn loops_continue_where_the_longer_track_ended() {
        let mut timeline = Timeline::new(ms(7));
        for pass in 0..3_u64 {
            let start = pass * 100;
            for frame in 0..4 {
                let (ticks, time) = timeline.video(ms(frame * 25)).expect("in order");
                assert_eq!(
                    (ticks, time),
                    (((start + frame * 25 + 7) * 90) as u32, ms(start + frame * 25 + 7))
                );
            }
            for packet in 0..5 {
                let (samples, time) = timeline.audio(ms(packet * 20), 960);
                assert_eq!(
                    (samples, time),
                    (((start + packet * 20) * 48) as u32, ms(start + packet * 20))
                );
            }
            assert_eq!(timeline.end(), ms(start + 100));
            timeline.rewind();
        }
    }

    #[test]
    fn frames_out_of_order_are_refused() {
        let mut timeline = Timeline::new(Duration::ZERO);
        assert!(timeline.video(ms(40)).is_some());
        assert!(timeline.video(ms(20)).is_none());
    }

    #[test]
    fn sender_reports_agree_on_media_time() {
        let mut timeline = Timeline::new(Duration::ZERO);
        timeline.audio(ms(1_500), 960);
        timeline.video(ms(1_500));
        let (audio_ntp, samples) = timeline.sender_report(Track::Audio).expect("sent");
        let (video_ntp, ticks) = timeline.sender_report(Track::Video).expect("sent");
        assert_eq!((audio_ntp, samples, ticks), (video_ntp, 72_000, 135_000));
        assert_eq!(audio_ntp & 0xffff_ffff, 1 << 31);
    }
}
