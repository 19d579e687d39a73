//! What the media plane does by the clock: blocks are made, looked after and judged.

use super::arrivals::UNIT_US;
use super::hop::Kind;
use super::late::{Look, Suspect, TICK_MAX_US};
use super::viewers::Verdict;
use super::{Media, Net, Notice, Settings, arrivals::NEVER};
use banyan_protocol::forest::silence;
use std::time::Duration;

/// Age at which a block's arrivals are first learned from, µs. Guess: most are there. What comes
/// later is learned at the deadline.
pub(super) const LEARN_US: u64 = 133_000;

/// When what is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    tick_us: u64,
    next_tick_us: u64,
    next_block_us: u64,
    /// Blocks before this were learned from.
    learned: u32,
    /// Blocks before this were judged.
    judged: u32,
    /// A copy that comes so long after its block was made is an event even at a leaf: the slot may
    /// be gone.
    pub(super) slot_us: u64,
}

/// Slots that blocks need from their making until they are judged.
pub(super) fn slots(settings: &Settings) -> u32 {
    let span_us = settings.deadline_us + 2 * TICK_MAX_US;
    (span_us / settings.stream.interval_us().max(1) + 2) as u32
}

/// Added to the patience with a stripe of a probe, µs. Guess: a round trip and a half and what the
/// repeating of a lost copy takes; in the stream that is probed its successor would have come.
const PROBE_SLACK_US: u64 = 150_000;

/// What is added to the patience with a stripe.
pub(super) fn slack_us(settings: &Settings) -> u64 {
    if is_sparse(settings) { PROBE_SLACK_US } else { 0 }
}

/// Whether blocks are so far apart that slots do not reach back over the usual silence.
fn is_sparse(settings: &Settings) -> bool {
    usual_silence_us(settings) >= u64::from(NEVER - 1) * UNIT_US
}

/// Silence of all stripes after which a node wonders. In a probe that is when a block is due and
/// nothing of it has come.
pub(super) fn silent_us(settings: &Settings) -> u64 {
    if is_sparse(settings) { settings.stream.interval_us() } else { usual_silence_us(settings) }
}

fn usual_silence_us(settings: &Settings) -> u64 {
    silence(Duration::from_micros(settings.stream.interval_us())).as_micros() as u64
}

impl Clock {
    pub(super) fn new(settings: &Settings, slots: u32) -> Self {
        let interval_us = settings.stream.interval_us();
        let slot_us = (u64::from(slots) * interval_us).min(u64::from(NEVER - 1) * UNIT_US);
        Self {
            tick_us: interval_us.clamp(1, TICK_MAX_US),
            next_tick_us: 0,
            next_block_us: 0,
            learned: 0,
            judged: 0,
            slot_us,
        }
    }

    pub(super) fn look(&self, now_us: u64, settings: &Settings) -> Look {
        let silent_us = Some(silent_us(settings)).filter(|_| !is_sparse(settings));
        let deadline_us = settings.deadline_us;
        Look { now_us, until_us: self.next_tick_us, deadline_us, silent_us }
    }
}

impl Media {
    /// Lets time pass until `until_us`, or until a node notices something, and returns the time
    /// then. Empty `notices`, act on them, and call it again until it returns with none.
    pub fn run(&mut self, until_us: u64, net: &impl Net, notices: &mut Vec<Notice>) -> u64 {
        loop {
            let step_us = until_us.min(self.clock.next_tick_us).min(self.clock.next_block_us);
            while let Some((at_us, hop)) = self.hops.pop(step_us) {
                self.now_us = at_us;
                self.arrive(hop, net, notices);
                if !notices.is_empty() {
                    return at_us;
                }
            }
            self.now_us = self.now_us.max(step_us);
            if step_us == self.clock.next_tick_us {
                self.clock.next_tick_us += self.clock.tick_us;
                self.tick();
            }
            if step_us == self.clock.next_block_us {
                self.make_block();
            }
            if step_us == until_us {
                return self.now_us;
            }
        }
    }

    fn make_block(&mut self) {
        let block = self.arrivals.make();
        self.clock.next_block_us = self.settings.stream.made_us(block + 1);
        if self.root != super::NOBODY && self.nodes[self.root as usize].alive {
            self.send_block(block);
        }
    }

    fn tick(&mut self) {
        let stream = self.settings.stream;
        let deadline_us = self.settings.deadline_us;
        let learn_us = LEARN_US.min(deadline_us);
        let old = |block: u32, age_us: u64| stream.made_us(block) + age_us <= self.now_us;
        while self.clock.learned < self.arrivals.made() && old(self.clock.learned, learn_us) {
            self.watch.learn(&self.arrivals, self.clock.learned, 0, learn_us);
            self.clock.learned += 1;
        }
        while self.clock.judged < self.arrivals.made() && old(self.clock.judged, deadline_us) {
            let block = self.clock.judged;
            self.watch.learn(&self.arrivals, block, learn_us, deadline_us);
            let verdict = Verdict {
                block,
                made_us: stream.made_us(block),
                stripes: stream.stripes(),
                parity: usize::from(stream.m),
                deadline_us,
                interval_us: stream.interval_us(),
                settle: self.settings.settle_us.div_ceil(stream.interval_us().max(1)) as u32,
            };
            let seen = self.viewers.judge(&self.arrivals, verdict, &mut self.figures);
            self.trace = super::draw::mix(self.trace ^ seen);
            if is_sparse(&self.settings) {
                let when = (block, self.now_us);
                self.watch.look_empty(&self.arrivals, &self.trees, when, &mut self.suspects);
            }
            self.clock.judged += 1;
        }
        let made_us = |block| stream.made_us(block);
        self.gaps.close(&self.arrivals, self.now_us, made_us, &mut self.figures.repair);
        let mut suspects = std::mem::take(&mut self.suspects);
        self.watch.look(&self.arrivals, &self.trees, self.look(), made_us, &mut suspects);
        self.suspects = suspects;
        self.look_again();
    }

    /// Plans to look at the suspects when it is time.
    pub(super) fn look_again(&mut self) {
        let mut suspects = std::mem::take(&mut self.suspects);
        for Suspect { node, stripe, at_us } in suspects.drain(..) {
            let kind = if stripe.is_some() { Kind::Late } else { Kind::Silent };
            let hop = self.hop(kind, (node, node, stripe.unwrap_or(0)), 0, 0);
            self.hops.push(at_us.max(self.now_us), hop);
        }
        self.suspects = suspects;
    }
}
