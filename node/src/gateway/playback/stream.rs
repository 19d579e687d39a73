//! One session as viewers get it: its rings, and where the current group starts in them.

use std::time::{Duration, Instant};

use banyan_protocol::coding::{Block, Format, Track};

use super::ring::Ring;
use crate::gateway::limits;

/// A session without a new block for this long is not live. Guess: longer than any stall that
/// media comes back from.
const LIVE: Duration = Duration::from_secs(10);

/// Where the current group starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// Its first video packet.
    pub(crate) video: u64,
    started: Instant,
    /// All of it is here so far.
    whole: bool,
}

/// What a block changed for viewers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// A decoder can start at its beginning.
    pub(crate) new_group: bool,
    /// The session's codecs are others than before.
    pub(crate) new_format: bool,
    /// Blocks are missing before it.
    pub(crate) gap: bool,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Stream {
    format: Format,
    video: Ring,
    audio: Ring,
    group: Option<Group>,
    next_block: Option<u64>,
    last_block: Instant,
    rate: Rate,
}

impl Stream {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            format: Format::default(),
            video: Ring::new(90_000),
            audio: Ring::new(48_000),
            group: None,
            next_block: None,
            last_block: now,
            rate: Rate { since: now, bytes: 0, bps: 0 },
        }
    }

    /// The session's codecs, while it is live.
    pub(crate) fn live_format(&self, now: Instant) -> Option<&Format> {
        let live =
            self.next_block.is_some() && now.saturating_duration_since(self.last_block) < LIVE;
        live.then_some(&self.format)
    }

    /// Whether nothing has come for so long that the session need not be remembered.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_block) > LIVE * 6
    }

    pub(crate) fn ring(&self, track: Track) -> &Ring {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }

    /// Recent bitrate of the session, bit/s.
    pub(crate) fn bps(&self) -> u64 {
        self.rate.bps
    }

    /// The current group, if a viewer can start with it: it is whole and still kept.
    pub(crate) fn group(&self) -> Option<Group> {
        self.group.filter(|group| group.whole && group.video >= self.video.tail())
    }

    /// Takes the next block of the session. A jump in its numbers is a gap.
    pub(crate) fn deliver(&mut self, now: Instant, block: &Block) -> Delivered {
        let mut delivered = Delivered::default();
        match self.next_block {
            Some(next) if block.number < next => return delivered,
            Some(next) => delivered.gap = block.number > next,
            // Before the first keyframe there is nothing to show: its group's start is missing.
            None if !block.starts_group() => return Delivered { gap: true, ..delivered },
            None => {}
        }
        if delivered.gap {
            self.lose(now);
        }
        if let (true, Some(format)) = (block.starts_group(), &block.format) {
            delivered.new_format = self.next_block.is_some() && !same_codecs(&self.format, format);
            self.format = format.clone();
        }
        self.next_block = Some(block.number.saturating_add(1));
        self.last_block = now;
        if block.starts_group() {
            delivered.new_group = true;
            self.group = Some(Group { video: self.video.head(), started: now, whole: true });
        }
        for frame in &block.frames {
            let bytes = match frame.track {
                Track::Video => self.video.push(now, frame),
                Track::Audio => self.audio.push(now, frame),
            };
            self.rate.add(now, bytes);
        }
        let needed = self.group.map_or(u64::MAX, |group| group.video);
        self.video.trim(now, needed);
        self.audio.trim(now, u64::MAX);
        delivered
    }

    /// Block `number` is given up. Returns whether viewers have missed something by it.
    pub(crate) fn lost(&mut self, now: Instant, number: u64) -> bool {
        let missed = self.next_block.is_some_and(|next| number >= next);
        if missed {
            self.next_block = Some(number.saturating_add(1));
            self.lose(now);
        }
        missed
    }

    /// Blocks are lost: viewers shall see a gap, and the group cannot be started any more.
    fn lose(&mut self, now: Instant) {
        self.video.push_gap(now);
        self.audio.push_gap(now);
        if let Some(group) = &mut self.group {
            group.whole = false;
        }
    }
}

impl Group {
    /// How long ago it started.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Whether to answer a viewer's wish for a keyframe with it: sooner than from the publisher.
    pub(crate) fn is_short(&self, now: Instant) -> bool {
        self.age(now) <= limits::REPLAY_AGE_MAX
    }
}

/// Whether a viewer that agreed to the one can decode the other.
fn same_codecs(one: &Format, other: &Format) -> bool {
    let video = |format: &Format| format.video.as_ref().map(|video| video.codec);
    let audio = |format: &Format| format.audio.as_ref().map(|audio| audio.codec);
    video(one) == video(other) && audio(one) == audio(other)
}

#[derive(Debug)]
struct Rate {
    since: Instant,
    bytes: u64,
    bps: u64,
}

impl Rate {
    fn add(&mut self, now: Instant, bytes: usize) {
        self.bytes += bytes as u64;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= Duration::from_secs(1) {
            let millis = elapsed.as_millis().min(3_600_000) as u64;
            self.bps = self.bytes.saturating_mul(8000) / millis;
            self.bytes = 0;
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests;
