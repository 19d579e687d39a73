//! When to send the next capacity advert, so that a topic carries about one message per second
//! however many members it has.
//!
//! RTCP's idea (RFC 3550 section 6.3): everybody hears everybody, so everybody can tell how many
//! there are and waits in proportion, with a random share so that nobody keeps step. Instead of a
//! list of all members this keeps the last adverts heard. Each says the interval its sender keeps:
//! an advert heard in a window stands for as many members as the interval has windows.
//!
//! Reconsideration, forward and back: the deadline follows the population until the moment the
//! advert is sent, so a crowd that arrives at once falls silent after its first few adverts, and
//! those left behind by a crowd speak again. A node that learns that there are many more than it
//! thought draws its turn anew from the whole interval, or all would be silent and then speak
//! together.
//!
//! A liar's interval counts for no more than twice the median, and only as often as the interval allows.

use crate::identity::NodeId;
use crate::rng::Rng;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Least time between adverts of one node. Derived: half the life of an advert.
const INTERVAL_MIN: Duration = Duration::from_secs(10);
/// Longest interval, said or believed. Derived: 16 bits of seconds; 78 000 members.
const INTERVAL_MAX: Duration = Duration::from_secs(65_535);
/// Adverts per second of a topic, thousandths. Derived: `forest.md` 5.2 allows 1.4, at which gossip
/// takes 15 kbit/s of each member; the estimate of the population may be a seventh too low.
const TOPIC_MILLIHERTZ: u64 = 1_200;
/// How long an advert heard counts. Guess: 36 adverts, enough to count by.
const WINDOW: Duration = Duration::from_secs(30);
/// Least time that a rate is taken over. Derived: a third of the shortest time to the first advert.
const SPAN_MIN: Duration = Duration::from_millis(50);
/// Most adverts remembered. Derived: twice what a window should bring; when more come they are
/// those of a shorter time, and the rate is known at once.
const HEARD_MAX: usize = 64;
/// Least time in which the estimate follows what is heard; in general a quarter of the interval.
/// Derived: four windows, in which chance evens out to a tenth. Measured: with an eighth of the
/// interval, changes come before they can be heard, and the rate swings.
const FOLLOW_MIN: Duration = Duration::from_secs(120);
/// Longest time without looking. Derived: half of `FOLLOW_MIN`.
const LOOK: Duration = Duration::from_secs(60);
/// What is heard is believed at once if it is this many times more or less. Derived: beyond chance,
/// which halves or doubles a count of 36 less than once in a thousand windows.
const JUMP: u64 = 2;

/// Tells when this node's next advert is due. One for each topic.
#[derive(Clone, Debug)]
pub struct AdvertInterval {
    rng: Rng,
    heard: VecDeque<Heard>,
    since: Timestamp,
    at: Timestamp,
    /// Members, thousandths.
    population: u64,
    /// When the estimate last changed at once.
    jumped_at: Timestamp,
    last: Timestamp,
    /// Share of the interval to wait from `last`, thousandths.
    wait: u64,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    from: NodeId,
    at: Timestamp,
    interval: Duration,
}

impl AdvertInterval {
    /// For a topic joined at `now`; nobody else is known to be there.
    #[must_use]
    pub fn new(now: Timestamp, mut rng: Rng) -> Self {
        let wait = 500 + rng.below(1000);
        let heard = VecDeque::with_capacity(HEARD_MAX);
        Self { rng, heard, since: now, at: now, population: 1000, jumped_at: now, last: now, wait }
    }

    /// An advert of another member came, whose sender says that it keeps `interval`; zero if it
    /// does not say.
    pub fn heard(&mut self, now: Timestamp, from: NodeId, interval: Duration) {
        self.forget(now);
        let interval = interval.clamp(INTERVAL_MIN, INTERVAL_MAX);
        let again = |heard: &Heard| heard.from == from && now.since(heard.at) < interval / 2;
        if self.heard.iter().any(again) {
            return;
        }
        if self.heard.len() == HEARD_MAX {
            self.heard.pop_front();
        }
        self.heard.push_back(Heard { from, at: now, interval });
        self.follow(now);
    }

    /// Whether this node's advert is due. If so the caller sends it now, with [`Self::interval`] in
    /// it, and the next is due one interval later. A caller with nothing new to say may let its turn
    /// pass: who does not speak is not counted, and the others speak more often.
    pub fn poll(&mut self, now: Timestamp) -> bool {
        self.forget(now);
        self.follow(now);
        let due = self.due() <= now;
        if due {
            self.last = now;
            self.wait = 500 + self.rng.below(1000);
        }
        due
    }

    /// When to call [`Self::poll`] next: the advert's deadline, or earlier to see whether others
    /// have left. An advert heard may move it.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.due().min(self.at + LOOK)
    }

    /// How long members of this topic wait between adverts, on average; whole seconds.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.population / TOPIC_MILLIHERTZ).clamp(INTERVAL_MIN, INTERVAL_MAX)
    }

    /// Members that send adverts on this topic, estimated, this node among them.
    #[must_use]
    pub const fn population(&self) -> u64 {
        self.population.div_ceil(1000)
    }

    fn due(&self) -> Timestamp {
        self.last + self.interval() * self.wait as u32 / 1000
    }

    fn forget(&mut self, now: Timestamp) {
        while self.heard.front().is_some_and(|heard| now.since(heard.at) > WINDOW) {
            self.heard.pop_front();
        }
    }

    /// Members by what was heard lately, thousandths.
    fn count(&self, now: Timestamp) -> u64 {
        let mut said = [0; HEARD_MAX];
        let said = &mut said[..self.heard.len()];
        for (slot, heard) in said.iter_mut().zip(&self.heard) {
            *slot = heard.interval.as_secs();
        }
        if said.is_empty() {
            return 1000;
        }
        let (_, median, _) = said.select_nth_unstable(said.len() / 2);
        let most = *median * 2;
        let believed: u64 = said.iter().map(|seconds| *seconds.min(&most)).sum();
        let full = self.heard.len() == HEARD_MAX;
        let oldest = self.heard.front().filter(|_| full).map_or(self.since, |heard| heard.at);
        // At the start little time has passed: an advert or two then are not a crowd.
        let least = if full { SPAN_MIN } else { INTERVAL_MIN };
        let span = now.since(oldest).clamp(least, WINDOW);
        1000 + believed * 1_000_000 / span.as_millis() as u64
    }

    /// Moves the estimate to what was heard: at once if it is far off, else by and by.
    fn follow(&mut self, now: Timestamp) {
        let count = self.count(now);
        let before = self.population;
        if count > before * JUMP && self.heard.len() > 1 {
            self.jump(now, count);
        } else if count < before / JUMP && now.since(self.jumped_at) >= WINDOW {
            // Not further than by the factor at a time: silence may have other causes.
            self.jump(now, before / JUMP);
        } else {
            let pace = (self.interval() / 4).max(FOLLOW_MIN);
            let elapsed = now.since(self.at).min(pace).as_micros();
            let moved = |by: u64| (u128::from(by) * elapsed / pace.as_micros()) as u64;
            self.population = if count > before {
                before + moved(count - before)
            } else {
                before - moved(before - count)
            };
        }
        self.at = now;
    }

    /// Believes that there are `population`, as everybody does who heard the same; so that they do
    /// not all speak at once, or fall silent, each draws its turn from the interval that begins now.
    fn jump(&mut self, now: Timestamp, population: u64) {
        self.population = population;
        self.jumped_at = now;
        self.last = now;
        self.wait = self.rng.below(1000);
    }
}

#[cfg(test)]
mod tests;
