use std::time::Duration;

use proptest::prelude::*;

use super::*;

const UNIX_US: u64 = 1_800_000_000_000_000;
const VIDEO_RATE: u32 = 90_000;
const AUDIO_RATE: u32 = 48_000;

fn clock() -> Clock {
    Clock::new(Anchor { at: Timestamp::ZERO, unix_us: UNIX_US }, VIDEO_RATE, AUDIO_RATE)
}

fn at(us: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_micros(us)
}

fn ntp(us: u64) -> u64 {
    let us = us + 2_208_988_800_000_000;
    ((us / 1_000_000) << 32) | (((us % 1_000_000) << 32) / 1_000_000)
}

/// A publisher whose video takes longer to come than its audio.
struct Publisher {
    /// Its wall clock less the root's, µs.
    ahead_us: u64,
    video_delay_us: u64,
    audio_delay_us: u64,
    video_base: u32,
    audio_base: u32,
}

impl Publisher {
    fn video(&self, captured_us: u64) -> u32 {
        self.video_base.wrapping_add((captured_us * 9 / 100) as u32)
    }

    fn audio(&self, captured_us: u64) -> u32 {
        self.audio_base.wrapping_add((captured_us * 48 / 1_000) as u32)
    }

    /// Plays from `from_us` for `span_us`; returns what both tracks' last captures were off by.
    fn play(&self, clock: &mut Clock, from_us: u64, span_us: u64) -> (i64, i64) {
        let mut off = (0, 0);
        for now in (from_us..from_us + span_us).step_by(20_000) {
            let arrived = at(now + self.audio_delay_us);
            let capture = clock.capture_us(Track::Audio, self.audio(now), arrived);
            off.1 = (capture - UNIX_US) as i64 - now as i64;
            let arrived = at(now + self.video_delay_us);
            let capture = clock.capture_us(Track::Video, self.video(now), arrived);
            off.0 = (capture - UNIX_US) as i64 - now as i64;
        }
        off
    }

    fn report(&self, clock: &mut Clock, now_us: u64) {
        let ntp = ntp(UNIX_US + now_us + self.ahead_us);
        clock.handle_sender_report(Track::Video, ntp, self.video(now_us));
        clock.handle_sender_report(Track::Audio, ntp, self.audio(now_us));
    }
}

const PUBLISHER: Publisher = Publisher {
    ahead_us: 77_000_000,
    video_delay_us: 90_000,
    audio_delay_us: 15_000,
    // Both wrap within the first second.
    video_base: u32::MAX - 40_000,
    audio_base: u32::MAX - 20_000,
};

#[test]
fn arrival_decides_until_both_tracks_have_reported() {
    let mut clock = clock();
    let (video, audio) = PUBLISHER.play(&mut clock, 0, 2_000_000);
    assert!((video - 90_000).abs() < 50 && (audio - 15_000).abs() < 50, "{video} {audio}");
    clock.handle_sender_report(Track::Video, ntp(UNIX_US), PUBLISHER.video(0));
    let (video, audio) = PUBLISHER.play(&mut clock, 2_000_000, 2_000_000);
    assert!((video - 90_000).abs() < 50 && (audio - 15_000).abs() < 50, "{video} {audio}");
}

#[test]
fn reports_bring_both_tracks_together() {
    let mut clock = clock();
    PUBLISHER.play(&mut clock, 0, 1_000_000);
    PUBLISHER.report(&mut clock, 1_000_000);
    let (video, audio) = PUBLISHER.play(&mut clock, 1_000_000, 4_000_000);
    assert!((video - audio).abs() < 100, "{video} {audio}");
    assert!((audio - 15_000).abs() < 100, "{audio}");
}

#[test]
fn reports_of_two_different_clocks_are_ignored() {
    let mut clock = clock();
    PUBLISHER.play(&mut clock, 0, 1_000_000);
    let now = ntp(UNIX_US + 1_000_000);
    clock.handle_sender_report(Track::Video, now, PUBLISHER.video(1_000_000));
    clock.handle_sender_report(Track::Audio, now + (60 << 32), PUBLISHER.audio(1_000_000));
    let (video, audio) = PUBLISHER.play(&mut clock, 1_000_000, 4_000_000);
    assert!((video - 90_000).abs() < 50 && (audio - 15_000).abs() < 50, "{video} {audio}");
}

#[test]
fn drift_is_followed() {
    let mut clock = clock();
    // 200 ppm slow: after 100 s the publisher's timestamps are 20 ms behind.
    let mut off = 0;
    for now in (0..100_000_000_u64).step_by(20_000) {
        let slow = now - now / 5_000;
        let capture = clock.capture_us(Track::Audio, PUBLISHER.audio(slow), at(now + 15_000));
        off = (capture - UNIX_US) as i64 - now as i64;
    }
    assert!((off - 15_000).abs() < 3_000, "{off}");
}

#[test]
fn a_restarted_publisher_continues_the_timeline() {
    let mut clock = clock();
    PUBLISHER.play(&mut clock, 0, 3_000_000);
    let restarted = Publisher { video_base: 2_000_000_000, audio_base: 1_000_000_000, ..PUBLISHER };
    let (video, audio) = restarted.play(&mut clock, 3_100_000, 2_000_000);
    assert!((video - 90_000).abs() < 50 && (audio - 15_000).abs() < 50, "{video} {audio}");
}

#[derive(Clone, Debug)]
enum Step {
    Frame(bool, u32, u64),
    Report(bool, u64, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<bool>(), prop_oneof![0_u32..10_000, any::<u32>()], 0_u64..100_000)
            .prop_map(|(video, ticks, us)| Step::Frame(video, ticks, us)),
        (any::<bool>(), any::<u64>(), any::<u32>())
            .prop_map(|(video, ntp, rtp)| Step::Report(video, ntp, rtp)),
    ]
}

proptest! {
    #[test]
    fn capture_times_never_step_back(steps in prop::collection::vec(step(), 1..300)) {
        let mut clock = clock();
        let mut now = 0;
        let mut timestamps = [0_u32; 2];
        let mut last = [0_u64; 2];
        for step in steps {
            match step {
                Step::Frame(video, ticks, us) => {
                    now += us;
                    let i = usize::from(video);
                    timestamps[i] = timestamps[i].wrapping_add(ticks);
                    let track = if video { Track::Video } else { Track::Audio };
                    let capture = clock.capture_us(track, timestamps[i], at(now));
                    prop_assert!(capture >= last[i]);
                    last[i] = capture;
                }
                Step::Report(video, ntp, rtp) => {
                    let track = if video { Track::Video } else { Track::Audio };
                    clock.handle_sender_report(track, ntp, rtp);
                }
            }
        }
    }
}
