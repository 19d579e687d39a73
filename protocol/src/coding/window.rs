//! The run of blocks between the next one to play and the newest one seen: where in it a shard
//! belongs, when a block is given up, and what is remembered of those already played.
//!
//! It is moved by the publisher's word alone: callers open it further only for checked shards.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::limits::{PAST_BLOCKS, WINDOW_BLOCKS};
use crate::time::Timestamp;

/// Where a block is, seen from the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Played already.
    Played,
    /// Lost, skipped, or from before the start.
    Gone,
    /// In the window.
    Inside,
    /// Newer than all seen, and the window can grow to it.
    Ahead,
    /// So much newer that the window has to start again there.
    Beyond,
}

struct Slot<T> {
    /// When this block or a later one was first seen.
    since: Timestamp,
    /// When it is given up. Means nothing until playing has started.
    expires: Timestamp,
    content: Option<T>,
}

struct Past {
    since: Timestamp,
    played: bool,
}

/// A window with a `T` per block that has begun.
pub(super) struct Window<T> {
    /// Number of `slots[0]`.
    base: u64,
    slots: VecDeque<Slot<T>>,
    /// The blocks right before `base`, the last one at the back.
    past: VecDeque<Past>,
    /// Whether `base` is the next block to play, or only where a start is waited for.
    playing: bool,
    /// From where on blocks are lost if playing starts again later.
    resume: Option<u64>,
    /// Deadlines before this are moved to it: blocks from before a join come late by nature.
    grace: Timestamp,
}

impl<T> Window<T> {
    pub(super) const fn new() -> Self {
        Self {
            base: 0,
            slots: VecDeque::new(),
            past: VecDeque::new(),
            playing: false,
            resume: None,
            grace: Timestamp::ZERO,
        }
    }

    pub(super) const fn playing(&self) -> bool {
        self.playing
    }

    /// The window's block numbers.
    pub(super) fn range(&self) -> Range<u64> {
        self.base..self.base + self.slots.len() as u64
    }

    pub(super) fn place(&self, block: u64) -> Place {
        if block < self.resume.unwrap_or(0) {
            return Place::Gone;
        }
        if !self.playing && self.slots.is_empty() {
            return Place::Beyond;
        }
        if let Some(back) = self.base.checked_sub(block).filter(|back| *back > 0) {
            let past = (self.past.len() as u64).checked_sub(back);
            return match past.map(|at| &self.past[at as usize]) {
                Some(Past { played: true, .. }) => Place::Played,
                Some(Past { played: false, .. }) | None => Place::Gone,
            };
        }
        match block - self.base {
            ahead if ahead < self.slots.len() as u64 => Place::Inside,
            ahead if ahead < WINDOW_BLOCKS => Place::Ahead,
            _ => Place::Beyond,
        }
    }

    /// Grows the window up to `block`, which was seen at `now` and is [`Place::Ahead`].
    pub(super) fn grow(&mut self, now: Timestamp, block: u64, deadline: Duration) {
        debug_assert!(block - self.base < WINDOW_BLOCKS, "the window is bounded");
        let expires = (now + deadline).max(self.grace);
        while self.range().end <= block {
            self.slots.push_back(Slot { since: now, expires, content: None });
        }
    }

    /// Starts again at the group of a block that is [`Place::Beyond`], or at the block itself if
    /// its group began too long ago. What the window held is dropped.
    pub(super) fn restart(&mut self, now: Timestamp, block: u64, group: u64, deadline: Duration) {
        if self.playing {
            self.resume = Some(self.base);
            self.playing = false;
        }
        let group = group.max(self.resume.unwrap_or(0));
        self.base = if block - group < WINDOW_BLOCKS { group } else { block };
        self.past.clear();
        self.slots.clear();
        self.grow(now, block, deadline);
    }

    /// Begins to play at `block`, which is in the window. Returns the blocks that a viewer who was
    /// playing before misses, if any, and what the window held of blocks before `block`.
    pub(super) fn start(
        &mut self,
        now: Timestamp,
        block: u64,
        grace: Duration,
    ) -> (Option<Range<u64>>, Vec<T>) {
        debug_assert!(!self.playing && self.range().contains(&block));
        let skipped = self.slots.drain(..(block - self.base) as usize);
        let skipped = skipped.filter_map(|slot| slot.content).collect();
        self.base = block;
        self.playing = true;
        self.grace = now + grace;
        for slot in &mut self.slots {
            slot.expires = slot.expires.max(self.grace);
        }
        (self.resume.take().map(|from| from..block).filter(|lost| !lost.is_empty()), skipped)
    }

    /// What is known of `block`, if it is in the window.
    pub(super) fn at(&mut self, block: u64) -> Option<&mut Option<T>> {
        let at = block.checked_sub(self.base)?;
        self.slots.get_mut(usize::try_from(at).ok()?).map(|slot| &mut slot.content)
    }

    /// What is known of `block`, if it is in the window and anything is.
    pub(super) fn get(&self, block: u64) -> Option<&T> {
        let at = block.checked_sub(self.base)?;
        self.slots.get(usize::try_from(at).ok()?)?.content.as_ref()
    }

    /// The oldest block remembered.
    pub(super) fn oldest(&self) -> u64 {
        self.base - self.past.len() as u64
    }

    /// What is known of the first block.
    pub(super) fn first(&self) -> Option<&T> {
        self.slots.front()?.content.as_ref()
    }

    /// Takes the first block out, as played or lost.
    pub(super) fn pop(&mut self, played: bool) -> Option<(u64, Option<T>)> {
        let slot = self.slots.pop_front()?;
        if self.past.len() == PAST_BLOCKS {
            self.past.pop_front();
        }
        self.past.push_back(Past { since: slot.since, played });
        self.base += 1;
        Some((self.base - 1, slot.content))
    }

    /// When the first block is given up, if it is waited for.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.slots.front().filter(|_| self.playing).map(|slot| slot.expires)
    }

    /// When `block` or a later one was first seen, or the oldest such time known if it is from
    /// before all that is remembered. `None` if neither it nor a later one was seen.
    pub(super) fn since(&self, block: u64) -> Option<Timestamp> {
        if let Some(ahead) = block.checked_sub(self.base) {
            return self.slots.get(usize::try_from(ahead).ok()?).map(|slot| slot.since);
        }
        let back = usize::try_from(self.base - block).unwrap_or(usize::MAX);
        let past = self.past.get(self.past.len().saturating_sub(back)).map(|past| past.since);
        past.or_else(|| self.slots.front().map(|slot| slot.since))
    }

    /// The blocks of the window in order: number, since when, and what is known.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Timestamp, Option<&T>)> {
        (self.base..)
            .zip(&self.slots)
            .map(|(block, slot)| (block, slot.since, slot.content.as_ref()))
    }
}
