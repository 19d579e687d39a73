//! Blocks from frames: where one ends, and which starts a group.
//!
//! A block ends the instant a video frame is whole; the audio that came meanwhile goes with it.
//! Sound never waits for a picture longer than [`AUDIO_HOLD`], and while there is no picture at all
//! (a session of sound alone, a camera that went silent) blocks are cut and groups are started by
//! sound, so that viewers can still join.

use std::time::Duration;

use crate::coding::Frame;
use crate::limits::BLOCK_FRAMES_MAX;
use crate::time::Timestamp;

/// Longest that audio waits for the next video frame. Derived: a frame interval at 24 frames per
/// second, so that slow video does not double the number of blocks, and little more than that.
const AUDIO_HOLD: Duration = Duration::from_millis(45);
/// In sound alone, a block closes with the audio frame that comes this long after its first. Derived:
/// two Opus frames of 20 ms to a block, with room for jitter.
const AUDIO_BLOCK: Duration = Duration::from_millis(15);
/// In sound alone, the longest that a first audio frame waits for a second one. Derived: an Opus
/// frame of 20 ms and its jitter.
const AUDIO_BLOCK_HOLD: Duration = Duration::from_millis(30);
/// Between two groups of sound alone. Derived: the group length asked of video publishers.
const AUDIO_GROUP: Duration = Duration::from_secs(1);
/// Without video packets for this long, the camera is off. Guess: screens that do not change still
/// send a frame each second.
const VIDEO_SILENT: Duration = Duration::from_secs(3);

/// What goes into one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) starts_group: bool,
    pub(super) frames: Vec<Frame>,
}

#[derive(Debug)]
pub(super) struct Cutter {
    has_video: bool,
    pending: Vec<Frame>,
    /// When the first pending frame was ingested.
    pending_since: Option<Timestamp>,
    /// Whether a group has begun: nothing leaves before.
    started: bool,
    /// When the last group of sound alone began.
    audio_group_at: Option<Timestamp>,
    /// When video was last heard of, counted from the first packet of any kind.
    video_at: Option<Timestamp>,
}

impl Cutter {
    pub(super) fn new(has_video: bool) -> Self {
        Self {
            has_video,
            pending: Vec::new(),
            pending_since: None,
            started: false,
            audio_group_at: None,
            video_at: None,
        }
    }

    /// A video packet came, whatever becomes of it.
    pub(super) fn note_video(&mut self, now: Timestamp) {
        self.video_at = Some(now);
    }

    /// Whether sound is all there is, now.
    pub(super) fn sound_alone(&self, now: Timestamp) -> bool {
        let silent = |at| now >= at + VIDEO_SILENT;
        !self.has_video || self.video_at.is_some_and(silent)
    }

    /// A whole video frame: the block is complete.
    pub(super) fn video(&mut self, keyframe: bool, frame: Frame) -> Cut {
        self.started = true;
        self.audio_group_at = None;
        self.pending.push(frame);
        self.take(keyframe)
    }

    /// An audio frame; a block when it is the time for one.
    pub(super) fn audio(&mut self, now: Timestamp, frame: Frame) -> Option<Cut> {
        self.video_at.get_or_insert(now);
        let alone = self.sound_alone(now);
        if !self.started && !alone {
            // Nobody can join before the first picture, so nobody could hear this.
            return None;
        }
        self.pending.push(frame);
        let since = *self.pending_since.get_or_insert(now);
        let due = alone && now >= since + AUDIO_BLOCK;
        // One place stays free for the video frame.
        let full = self.pending.len() + 1 >= BLOCK_FRAMES_MAX;
        if due || full { Some(self.flush(now)) } else { self.handle_timeout(now) }
    }

    /// A block of audio that has waited long enough, if any.
    pub(super) fn handle_timeout(&mut self, now: Timestamp) -> Option<Cut> {
        (self.deadline()? <= now).then(|| self.flush(now))
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let since = self.pending_since?;
        let hold = if self.sound_alone(since) { AUDIO_BLOCK_HOLD } else { AUDIO_HOLD };
        Some(since + hold)
    }

    /// Closes a block of audio.
    fn flush(&mut self, now: Timestamp) -> Cut {
        let alone = self.sound_alone(now);
        let due = self.audio_group_at.is_none_or(|at| now >= at + AUDIO_GROUP);
        // Sound that was alone when it came may be so no more; nothing can come before a group.
        let starts_group = !self.started || alone && due;
        if starts_group {
            self.started = true;
            self.audio_group_at = Some(now);
        }
        self.take(starts_group)
    }

    fn take(&mut self, starts_group: bool) -> Cut {
        self.pending_since = None;
        Cut { starts_group, frames: std::mem::take(&mut self.pending) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::Track;

    fn at(ms: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(ms)
    }

    fn frame(track: Track) -> Frame {
        Frame { track, timestamp: 0, capture_us: 0, packets: Vec::new() }
    }

    /// Plays `span_ms` of audio every 20 ms and video by `interval_ms`; returns the cuts.
    fn play(
        cutter: &mut Cutter,
        from_ms: u64,
        span_ms: u64,
        interval_ms: Option<u64>,
    ) -> Vec<(u64, Cut)> {
        let mut cuts = Vec::new();
        for ms in from_ms..from_ms + span_ms {
            cuts.extend(cutter.handle_timeout(at(ms)).map(|cut| (ms, cut)));
            if ms % 20 == 1 {
                cuts.extend(cutter.audio(at(ms), frame(Track::Audio)).map(|cut| (ms, cut)));
            }
            if interval_ms.is_some_and(|interval| ms % interval == 0) {
                cutter.note_video(at(ms));
                cuts.push((ms, cutter.video(ms == from_ms, frame(Track::Video))));
            }
        }
        cuts
    }

    #[test]
    fn one_block_per_video_frame_and_audio_goes_with_it() {
        for (interval, blocks) in [(33, 31), (40, 25), (16, 63)] {
            let mut cutter = Cutter::new(true);
            let cuts = play(&mut cutter, 0, 1_000, Some(interval));
            assert_eq!(cuts.len(), blocks, "{interval} ms");
            assert!(cuts.iter().all(|(_, cut)| cut.starts_group == cut.frames.len().eq(&1)
                || cut.frames.last().is_some_and(|frame| frame.track == Track::Video)));
            let starts: Vec<_> = cuts.iter().filter(|(_, cut)| cut.starts_group).collect();
            assert_eq!((starts.len(), starts[0].0), (1, 0));
            let audio = cuts.iter().flat_map(|(_, cut)| &cut.frames);
            assert!(audio.filter(|frame| frame.track == Track::Audio).count() >= 48);
        }
    }

    #[test]
    fn audio_before_the_first_picture_is_dropped() {
        let mut cutter = Cutter::new(true);
        assert_eq!(play(&mut cutter, 0, 900, None), []);
        let cut = cutter.video(true, frame(Track::Video));
        assert_eq!((cut.starts_group, cut.frames.len()), (true, 1));
    }

    #[test]
    fn a_frozen_camera_holds_audio_45_ms_at_most() {
        let mut cutter = Cutter::new(true);
        play(&mut cutter, 0, 100, Some(50));
        let cuts = play(&mut cutter, 100, 1_000, None);
        assert!(!cuts.iter().any(|(_, cut)| cut.starts_group));
        assert!(cuts.iter().all(|(_, cut)| (2..=3).contains(&cut.frames.len())), "{cuts:?}");
    }

    #[test]
    fn sound_alone_cuts_two_frames_and_starts_a_group_each_second() {
        let mut cutter = Cutter::new(false);
        let cuts = play(&mut cutter, 0, 5_000, None);
        assert_eq!(cuts.len(), 125);
        assert!(cuts[0].1.starts_group);
        assert_eq!(cuts.iter().filter(|(_, cut)| cut.starts_group).count(), 5);
    }

    #[test]
    fn sound_that_waits_while_the_camera_comes_on_still_starts_a_group() {
        let mut cutter = Cutter::new(true);
        assert_eq!(play(&mut cutter, 0, 3_000, None), []);
        assert_eq!(cutter.audio(at(3_001), frame(Track::Audio)), None);
        cutter.note_video(at(3_002));
        let cut = cutter.handle_timeout(at(3_100)).expect("held long enough");
        assert!(cut.starts_group);
    }

    #[test]
    fn a_camera_that_goes_off_leaves_groups_of_sound() {
        let mut cutter = Cutter::new(true);
        play(&mut cutter, 0, 1_000, Some(33));
        let cuts = play(&mut cutter, 1_000, 6_000, None);
        let groups: Vec<_> =
            cuts.iter().filter(|(_, cut)| cut.starts_group).map(|(ms, _)| *ms).collect();
        assert!((3..=4).contains(&groups.len()), "{groups:?}");
        assert!(cutter.sound_alone(at(7_000)));
        cutter.note_video(at(7_000));
        assert!(!cutter.sound_alone(at(7_000)));
    }
}
