//! What will happen, in order of time: the kernel of a world of millions of pending events.
//!
//! A timing wheel: the next quarter of a second lies in 4096 buckets of 64 µs, what comes later in
//! coarser wheels above it, whose buckets are dealt out when their time comes. A bucket is sorted
//! only when it is opened. Events at the same time come out in the order they were pushed, which
//! no bucket ever changes, so no sequence number is kept.
//!
//! ```
//! let mut wheel = banyan_sim::wheel::Wheel::new();
//! wheel.push(2_000, "second");
//! wheel.push(1_000, "first");
//! wheel.push(2_000, "third");
//! assert_eq!(wheel.pop(1_500), Some((1_000, "first")));
//! assert_eq!(wheel.pop(1_500), None); // nothing more until then
//! assert_eq!(wheel.pop(u64::MAX), Some((2_000, "second")));
//! ```

mod level;
mod pool;

use level::{Level, SLOT_BITS};
use pool::{List, Pool};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A bucket of the finest wheel spans 2^6 = 64 µs. Measured: with 1M events pending it holds a few
/// to a few hundred, sorted in cache.
const BUCKET_BITS: u32 = 6;

/// Wheels. Derived: 5 × 12 bits of buckets cover all 64-bit times.
const LEVELS: usize = 5;

/// A longer opened bucket is sorted by counting its 64 possible times. Measured: below this,
/// comparing is faster.
const COUNTED_MIN: usize = 48;

/// An event and its time in µs.
type Entry<E> = (u64, E);

/// Pending events by time.
pub struct Wheel<E> {
    levels: Vec<Level>,
    pool: Pool<Entry<E>>,
    /// The bucket of the finest wheel that is open: its number counted from time 0.
    open: u64,
    /// What the open bucket held when it was opened, sorted, and what was appended in order since.
    ready: Vec<Entry<E>>,
    /// How much of `ready` has come out.
    taken: usize,
    /// Pushed into the open bucket since, each before the last of `ready`. So of two at the same
    /// time the one in `ready` was there first.
    late: BinaryHeap<Reverse<Late<E>>>,
    late_count: u64,
    sorted: Vec<Entry<E>>,
    now: u64,
    len: usize,
}

impl<E: Copy> Wheel<E> {
    /// An empty wheel at time 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            levels: (0..LEVELS).map(|_| Level::new()).collect(),
            pool: Pool::new(),
            open: 0,
            ready: Vec::new(),
            taken: 0,
            late: BinaryHeap::new(),
            late_count: 0,
            sorted: Vec::new(),
            now: 0,
            len: 0,
        }
    }

    /// Events pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Time of the event that came out last, in µs; 0 before the first.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Bytes of memory held for pending events, used or kept for reuse.
    #[must_use]
    pub fn memory(&self) -> usize {
        let entry = size_of::<Entry<E>>();
        self.pool.memory()
            + (self.ready.capacity() + self.sorted.capacity()) * entry
            + self.late.capacity() * size_of::<Late<E>>()
            + self.levels.len() * Level::MEMORY
    }

    /// Lets `event` happen at `at_us`.
    ///
    /// # Panics
    /// If that is before [`now`](Self::now): a world never changes its past.
    pub fn push(&mut self, at_us: u64, event: E) {
        assert!(at_us >= self.now, "an event at {at_us} µs, before now: {} µs", self.now);
        self.len += 1;
        if at_us >> BUCKET_BITS > self.open {
            self.file((at_us, event));
        } else if self.ready.last().is_none_or(|last| last.0 <= at_us) {
            self.ready.push((at_us, event));
        } else {
            self.late_count += 1;
            self.late.push(Reverse(Late { at: at_us, order: self.late_count, event }));
        }
    }

    /// Time of the next event not later than `until_us`.
    pub fn peek(&mut self, until_us: u64) -> Option<u64> {
        if self.taken == self.ready.len() && self.late.is_empty() && !self.open_next(until_us) {
            return None;
        }
        let ready = self.ready.get(self.taken).map(|entry| entry.0);
        let late = self.late.peek().map(|late| late.0.at);
        ready.into_iter().chain(late).min().filter(|at| *at <= until_us)
    }

    /// The next events of the open bucket, at most `count` of them, those left out that were pushed
    /// into it since it was opened. For who wants to have at hand what they are about.
    pub fn coming(&self, count: usize) -> impl Iterator<Item = E> + Clone + '_ {
        self.ready[self.taken..].iter().take(count).map(|entry| entry.1)
    }

    /// Takes out the next event not later than `until_us`, with its time.
    pub fn pop(&mut self, until_us: u64) -> Option<(u64, E)> {
        if self.taken == self.ready.len() && self.late.is_empty() && !self.open_next(until_us) {
            return None;
        }
        let ready = self.ready.get(self.taken).copied();
        let late = self.late.peek().map(|late| late.0.at);
        let next = match (ready, late) {
            (Some(ready), late) if late.is_none_or(|late| ready.0 <= late) => {
                if ready.0 > until_us {
                    return None;
                }
                self.taken += 1;
                ready
            }
            (_, Some(late)) if late <= until_us => {
                let Reverse(late) = self.late.pop()?;
                (late.at, late.event)
            }
            _ => return None,
        };
        self.now = next.0;
        self.len -= 1;
        Some(next)
    }

    /// Puts an event of a later bucket than the open one where it waits.
    ///
    /// Its wheel is the coarsest in which its slot differs from the open one's. So an event for
    /// the same time that is pushed later never waits in a coarser wheel, and order holds.
    fn file(&mut self, entry: Entry<E>) {
        let bucket = entry.0 >> BUCKET_BITS;
        let level = (bucket ^ self.open).ilog2() / SLOT_BITS;
        let slot = level::slot(bucket, level);
        self.pool.push(self.levels[level as usize].at(slot), entry);
    }

    /// Opens the next bucket that holds something, if it begins not later than `until_us`.
    fn open_next(&mut self, until_us: u64) -> bool {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let open = self.open;
            let found = (0..LEVELS as u32).find_map(|level| {
                let slot = self.levels[level as usize].next_after(level::slot(open, level))?;
                Some((level, slot))
            });
            let Some((level, slot)) = found else { return false };
            let begins = level::begin(open, level, slot);
            if begins << BUCKET_BITS > until_us {
                return false;
            }
            self.open = begins;
            let list = self.levels[level as usize].take(slot);
            self.deal(level, list);
        }
        self.sort();
        true
    }

    /// Moves what waited in a slot of `level` into the finer wheels, or what is due into `ready`.
    fn deal(&mut self, level: u32, mut list: List) {
        if level == 0 {
            self.pool.drain(&mut list, &mut self.ready);
            return;
        }
        // One chunk at a time, through a buffer: its memory is free again before it is filed.
        let mut buffer = std::mem::take(&mut self.sorted);
        while self.pool.drain_chunk(&mut list, &mut buffer) {
            for &entry in &buffer {
                if entry.0 >> BUCKET_BITS == self.open {
                    self.ready.push(entry);
                } else {
                    self.file(entry);
                }
            }
            buffer.clear();
        }
        self.sorted = buffer;
    }

    /// Sorts `ready` by time; those of the same time keep their order.
    fn sort(&mut self) {
        if self.ready.len() < COUNTED_MIN {
            self.ready.sort_by_key(|entry| entry.0);
            return;
        }
        let place = |entry: &Entry<E>| (entry.0 & ((1 << BUCKET_BITS) - 1)) as usize;
        let mut next = [0_usize; 1 << BUCKET_BITS];
        for entry in &self.ready {
            next[place(entry)] += 1;
        }
        let mut sum = 0;
        for count in &mut next {
            sum += std::mem::replace(count, sum);
        }
        self.sorted.clear();
        self.sorted.resize(self.ready.len(), self.ready[0]);
        for entry in &self.ready {
            let at = &mut next[place(entry)];
            self.sorted[*at] = *entry;
            *at += 1;
        }
        std::mem::swap(&mut self.sorted, &mut self.ready);
        // A crowd in one bucket must not hold its memory for ever.
        let keep = 4 * self.ready.len().max(1024);
        self.ready.shrink_to(keep);
        self.sorted.clear();
        self.sorted.shrink_to(keep);
    }
}

impl<E: Copy> Default for Wheel<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// An event that was pushed into the open bucket.
struct Late<E> {
    at: u64,
    order: u64,
    event: E,
}

impl<E> PartialEq for Late<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl<E> Eq for Late<E> {}
impl<E> PartialOrd for Late<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Late<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests;
