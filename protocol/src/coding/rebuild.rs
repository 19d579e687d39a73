//! From shards, in whatever order, from whomever, to blocks in order.
//!
//! Feed [`Rebuilder::push`]; after each push and at [`Rebuilder::next_deadline`] drain
//! [`Rebuilder::poll`] and [`Rebuilder::poll_outcome`].
//!
//! The first shard of a block is checked when it comes, the others together once there are k, and
//! those after that not at all. So nothing is believed of a block, no clock of a deadline starts
//! and the window does not move before a signature said so, and yet checking costs a fraction.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::assembly::Assembly;
use super::stripes::Stripes;
use super::window::{Place, Window};
use super::{Block, Checker, Code, Digest, Shard, StripeLag};
use crate::limits::{OUTCOMES_MAX, WINDOW_BYTES_MAX};
use crate::time::Timestamp;
use crate::wire::DecodeError;

#[cfg(test)]
mod tests;

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
    /// Rendition 0. Deadline: derived, a pull after some 60 ms and a new parent 80 ms later fit
    /// twice.
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

/// A block in the window.
enum Piece<S> {
    Gathering(Assembly<S>),
    Ready {
        block: Arc<Block>,
        digest: Digest,
        bytes: usize,
    },
    /// What the publisher signed is no block.
    Broken,
}

impl<S: Copy> Piece<S> {
    fn bytes(&self) -> usize {
        match self {
            Self::Gathering(assembly) => assembly.bytes(),
            Self::Ready { bytes, .. } => *bytes,
            Self::Broken => 0,
        }
    }
}

/// Rebuilds one rendition from shards that come from sources `S`, such as peers.
pub struct Rebuilder<S> {
    checker: Checker,
    config: RebuilderConfig,
    window: Window<Piece<S>>,
    stripes: Stripes,
    /// The code of the newest block seen.
    code: Option<Code>,
    /// Bytes held in the window.
    bytes: usize,
    /// The last block given out.
    tip: Option<(u64, Digest)>,
    outcomes: Outcomes<S>,
    stats: RebuilderStats,
}

impl<S: Copy> Rebuilder<S> {
    /// A rebuilder that starts at the first group whose first block it can rebuild.
    #[must_use]
    pub fn new(checker: Checker, config: RebuilderConfig) -> Self {
        Self {
            checker,
            config,
            window: Window::new(),
            stripes: Stripes::default(),
            code: None,
            bytes: 0,
            tip: None,
            outcomes: Outcomes { queue: VecDeque::new(), bad: 0 },
            stats: RebuilderStats::default(),
        }
    }

    /// Takes a shard that came from `source`. `checked` says that [`Checker::check`] passed it.
    pub fn push(&mut self, now: Timestamp, source: S, shard: Shard, checked: bool) -> Push {
        if shard.rendition() != self.config.rendition {
            return Push::Inconsistent(Inconsistency::Rendition);
        }
        let (block, stripe) = (shard.block(), shard.stripe());
        let push = match self.window.place(block) {
            Place::Played => Push::Surplus,
            Place::Gone => Push::TooLate,
            Place::Inside => self.add(source, shard, checked),
            Place::Ahead | Place::Beyond => self.open(now, source, shard, checked),
        };
        match push {
            Push::Kept | Push::Duplicate => self.stripes.note(now, stripe, block),
            Push::Surplus => {
                self.stats.shards_surplus += 1;
                self.stripes.note(now, stripe, block);
            }
            Push::TooLate => {
                self.stats.shards_late += 1;
                self.stripes.note(now, stripe, block);
            }
            Push::TooEarly | Push::Bad | Push::Inconsistent(_) => {}
        }
        push
    }

    /// Takes the first shard of a block that the window does not hold yet.
    fn open(&mut self, now: Timestamp, source: S, shard: Shard, checked: bool) -> Push {
        if !checked && self.checker.check(&shard).is_err() {
            self.outcomes.bad(source, &shard);
            return Push::Bad;
        }
        let (block, group) = (shard.block(), shard.group());
        // Whoever waits for a start with a full window is better off with a newer group.
        let full = self.full(&shard) && !self.window.playing() && group > self.window.range().start;
        match self.window.place(block) {
            Place::Ahead if !full => self.window.grow(now, block, self.config.deadline),
            Place::Ahead | Place::Beyond => {
                self.window.restart(now, block, group, self.config.deadline);
                self.bytes = 0;
            }
            Place::Inside | Place::Played | Place::Gone => {}
        }
        self.add(source, shard, true)
    }

    /// Takes a shard of a block that is in the window.
    fn add(&mut self, source: S, shard: Shard, checked: bool) -> Push {
        let full = self.full(&shard);
        let block = shard.block();
        let len = shard.encoded().len();
        let Some(slot) = self.window.at(block) else { return Push::TooLate };
        let assembly = match slot {
            Some(Piece::Ready { .. } | Piece::Broken) => return Push::Surplus,
            Some(Piece::Gathering(_)) | None if full => return Push::TooEarly,
            Some(Piece::Gathering(assembly)) => {
                let before = assembly.bytes();
                let push = assembly.add(&self.checker, source, shard, checked, &mut self.outcomes);
                self.bytes = self.bytes + assembly.bytes() - before;
                if push != Push::Kept {
                    return push;
                }
                assembly
            }
            None => {
                if !checked && self.checker.check(&shard).is_err() {
                    self.outcomes.bad(source, &shard);
                    return Push::Bad;
                }
                self.code = Some(shard.header().code);
                self.bytes += len;
                let assembly = Assembly::open(source, shard);
                let Piece::Gathering(assembly) = slot.insert(Piece::Gathering(assembly)) else {
                    return Push::Kept;
                };
                assembly
            }
        };
        if assembly.needed() == 0 {
            let before = assembly.bytes();
            assembly.check(&self.checker, &mut self.outcomes);
            let after = match assembly.rebuild() {
                Some((encoded, parity)) => {
                    self.stats.parity_used += u64::from(parity);
                    let piece = piece(assembly, encoded.into(), &mut self.outcomes);
                    let bytes = piece.bytes();
                    *slot = Some(piece);
                    bytes
                }
                None => assembly.bytes(),
            };
            self.bytes = self.bytes + after - before;
        }
        Push::Kept
    }

    /// Whether there is no room for `shard`. For the first block there always is, or a full window
    /// could not move on.
    fn full(&self, shard: &Shard) -> bool {
        shard.block() != self.window.range().start
            && self.bytes + shard.encoded().len() > WINDOW_BYTES_MAX
    }

    /// The next block, or the blocks given up by `now`. Call until `None` after each push and at
    /// each deadline.
    pub fn poll(&mut self, now: Timestamp) -> Option<Rebuilt> {
        if !self.window.playing() {
            let start = self.window.iter().find_map(|(number, _, piece)| match piece {
                Some(Piece::Ready { block, .. }) if block.starts_group() => Some(number),
                Some(Piece::Ready { .. } | Piece::Gathering(_) | Piece::Broken) | None => None,
            })?;
            let (lost, skipped) = self.window.start(now, start, self.config.grace);
            self.bytes -= skipped.iter().map(Piece::bytes).sum::<usize>();
            if let Some(blocks) = lost {
                return Some(self.lost(blocks));
            }
        }
        if let Some(Piece::Ready { .. }) = self.window.first() {
            return self.play();
        }
        let start = self.window.range().start;
        while self.given_up(now) {
            if let Some((_, Some(mut piece))) = self.window.pop(false) {
                self.bytes -= piece.bytes();
                // Too few came; if one of them is forged, its source must not stay.
                if let Piece::Gathering(assembly) = &mut piece {
                    assembly.check(&self.checker, &mut self.outcomes);
                }
            }
        }
        let blocks = start..self.window.range().start;
        if blocks.is_empty() { None } else { Some(self.lost(blocks)) }
    }

    /// Whether the first block of the window is lost by `now`.
    fn given_up(&self, now: Timestamp) -> bool {
        match self.window.first() {
            Some(Piece::Ready { .. }) => false,
            Some(Piece::Broken) => true,
            Some(Piece::Gathering(_)) | None => {
                self.window.deadline().is_some_and(|deadline| deadline <= now)
            }
        }
    }

    /// Gives out the first block, which is ready.
    fn play(&mut self) -> Option<Rebuilt> {
        let (number, Some(Piece::Ready { block, digest, bytes })) = self.window.pop(true)? else {
            return None;
        };
        self.bytes -= bytes;
        let broken = match self.tip {
            Some((tip, digest)) => tip + 1 == number && block.previous != digest,
            None => number == 0 && block.previous != [0; 32],
        };
        if broken {
            self.outcomes.push(Outcome::Violated { block: number, violation: Violation::Chain });
        }
        self.tip = Some((number, digest));
        self.stats.blocks_rebuilt += 1;
        Some(Rebuilt::Block(block))
    }

    fn lost(&mut self, blocks: Range<u64>) -> Rebuilt {
        self.stats.blocks_lost += blocks.end - blocks.start;
        Rebuilt::Lost { blocks }
    }

    /// What is to be known about others, the oldest first.
    pub fn poll_outcome(&mut self) -> Option<Outcome<S>> {
        self.outcomes.queue.pop_front()
    }

    /// Whether blocks are complete that cannot be played, as the start of their group is missing:
    /// only a keyframe helps.
    #[must_use]
    pub fn lacks_start(&self) -> bool {
        let ready = |piece: Option<&Piece<S>>| matches!(piece, Some(Piece::Ready { .. }));
        !self.window.playing() && self.window.iter().any(|(_, _, piece)| ready(piece))
    }

    /// When [`Rebuilder::poll`] will give up a block.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.window.deadline()
    }

    /// Block and stripe of each shard that has not come, of blocks that are known of for longer
    /// than `lag` and are not complete, the oldest first. [`Rebuilder::needed`] says how many of a
    /// block's would do.
    pub fn missing(&self, now: Timestamp, lag: Duration) -> impl Iterator<Item = (u64, u8)> {
        let code = self.code;
        self.window
            .iter()
            .take_while(move |(_, since, _)| *since + lag <= now)
            .filter_map(move |(block, _, piece)| match piece {
                Some(Piece::Gathering(assembly)) => {
                    Some((block, assembly.header().code, Some(assembly)))
                }
                Some(Piece::Ready { .. } | Piece::Broken) => None,
                None => code.map(|code| (block, code, None)),
            })
            .flat_map(|(block, code, assembly)| {
                (0..code.n())
                    .filter(move |stripe| assembly.is_none_or(|assembly| !assembly.has(*stripe)))
                    .map(move |stripe| (block, stripe))
            })
    }

    /// How many more shards `block` needs, zero if it is complete or not in the window.
    #[must_use]
    pub fn needed(&self, block: u64) -> u8 {
        if !self.window.range().contains(&block) {
            return 0;
        }
        match self.window.get(block) {
            Some(Piece::Gathering(assembly)) => assembly.needed(),
            Some(Piece::Ready { .. } | Piece::Broken) => 0,
            None => self.code.map_or(0, Code::k),
        }
    }

    /// How far each stripe is behind the others, in order of the stripes; nothing before the first
    /// shard.
    pub fn stripe_lag(&self, now: Timestamp) -> impl Iterator<Item = StripeLag> {
        let end = self.window.range().end;
        (0..self.code.map_or(0, Code::n)).map(move |stripe| {
            let last = self.stripes.last(stripe);
            let next = last.map_or(0, |(block, _)| block + 1);
            let since = if next < end { self.window.since(next) } else { None };
            StripeLag {
                stripe,
                last,
                blocks: end.saturating_sub(next.max(self.window.oldest())),
                lag: since.map_or(Duration::ZERO, |since| now.since(since)),
            }
        })
    }

    /// What was counted so far.
    #[must_use]
    pub const fn stats(&self) -> RebuilderStats {
        RebuilderStats { shards_bad: self.outcomes.bad, ..self.stats }
    }
}

/// What the bytes rebuilt from an assembly are.
fn piece<S: Copy>(assembly: &Assembly<S>, encoded: Bytes, outcomes: &mut Outcomes<S>) -> Piece<S> {
    let header = assembly.header();
    let violation = match Block::decode(&encoded) {
        Ok(block) if (block.number, block.group) == (header.block, header.group) => {
            let digest = Block::digest(&encoded);
            return Piece::Ready { block: Arc::new(block), digest, bytes: encoded.len() };
        }
        Ok(_) => Violation::Misnumbered,
        Err(error) => Violation::Malformed(error),
    };
    outcomes.push(Outcome::Violated { block: header.block, violation });
    Piece::Broken
}
