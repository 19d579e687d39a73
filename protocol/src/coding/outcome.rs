//! What a rebuilder is told and what it tells: settings, what became of a shard, who is at fault, what
//! comes next.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{Block, Shard};
use crate::limits::OUTCOMES_MAX;
use crate::wire::DecodeError;

/// How a rebuilder is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuilderConfig {
    /// The rendition to rebuild.
    pub rendition: u8,
    /// How long a block may stay incomplete after it or a later one was first seen.
    pub deadline: Duration,
    /// The same for the time right after a start, when shards from before it are still coming.
    pub grace: Duration,
}

impl Default for RebuilderConfig {
    /// Rendition 0. Deadline: derived, a pull after 80 ms and a new parent after 160 ms fit twice.
    /// Grace: guess, one second of ring at twice the pace.
    fn default() -> Self {
        Self {
            rendition: 0,
            deadline: Duration::from_millis(400),
            grace: Duration::from_millis(1000),
        }
    }
}

/// What became of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It is kept; [`Rebuilder::poll`] may have a block now.
    Kept,
    /// The same shard was here already.
    Duplicate,
    /// Its block was rebuilt without it.
    Surplus,
    /// Its block was given up, skipped, or is from before the start.
    TooLate,
    /// There is no room to wait for its block.
    TooEarly,
    /// Its signature is wrong. [`Outcome::Bad`] says so too.
    Bad,
    /// It contradicts what is known. Not the sender's fault unless [`Outcome::Bad`] says so.
    Inconsistent(Inconsistency),
}

/// What a shard contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconsistency {
    /// The rendition asked for.
    Rendition,
    /// Another shard of the same block, and both are signed.
    Equivocation,
}

/// What is to be known about others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<S> {
    /// `source` sent a shard whose signature is wrong: cut it.
    Bad {
        /// Who sent it.
        source: S,
        /// The block it claims.
        block: u64,
        /// The stripe it claims.
        stripe: u8,
    },
    /// The publisher signed what breaks its own rules.
    Violated {
        /// The block concerned.
        block: u64,
        /// The rule.
        violation: Violation,
    },
}

/// A rule broken by the publisher, who signed the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Two different shards for one place, or shards that disagree about their block.
    Equivocation,
    /// The shards rebuild to bytes that are not a block.
    Malformed(DecodeError),
    /// The block's number or group is not what its shards say.
    Misnumbered,
    /// The block does not name the one before it.
    Chain,
}

/// What comes next in the rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebuilt {
    /// The next block.
    Block(Arc<Block>),
    /// These blocks are not coming any more.
    Lost {
        /// Their numbers, never none.
        blocks: Range<u64>,
    },
}

/// What a rebuilder counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuilderStats {
    /// Blocks given out.
    pub blocks_rebuilt: u64,
    /// Blocks given up after the start.
    pub blocks_lost: u64,
    /// Shards of blocks that were complete without them.
    pub shards_surplus: u64,
    /// Shards that came after their block was given up or from before the start.
    pub shards_late: u64,
    /// Shards with a wrong signature.
    pub shards_bad: u64,
    /// Shards that stood in for others.
    pub parity_used: u64,
}

/// Outcomes waiting for the caller, the oldest first.
pub(super) struct Outcomes<S> {
    queue: VecDeque<Outcome<S>>,
    bad: u64,
}

impl<S> Outcomes<S> {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), bad: 0 }
    }

    pub(super) fn pop(&mut self) -> Option<Outcome<S>> {
        self.queue.pop_front()
    }

    /// How many shards were bad.
    pub(super) const fn bad_total(&self) -> u64 {
        self.bad
    }

    pub(super) fn push(&mut self, outcome: Outcome<S>) {
        // A caller that never asks loses the oldest.
        if self.queue.len() == OUTCOMES_MAX {
            self.queue.pop_front();
        }
        self.queue.push_back(outcome);
    }

    pub(super) fn bad(&mut self, source: S, shard: &Shard) {
        self.bad += 1;
        self.push(Outcome::Bad { source, block: shard.block(), stripe: shard.stripe() });
    }
}
