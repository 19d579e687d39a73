//! Puts one track's packets in order, asks for what is missing, and gives up in time.
//!
//! Owns sequence numbers: nothing after it sees them. It refuses to wait longer than the track's
//! [`Patience`], to hold more than [`REORDER_PACKETS_MAX`] packets, and to believe a single packet
//! whose number is far off: a publisher that restarts is recognised by its second packet.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::limits::{NACK_ASKS_MAX, REORDER_PACKETS_MAX};
use crate::time::Timestamp;

use super::{RtpIn, TrackStats};

/// A gap younger than this is taken for reordering, not for loss. Guess: Wi-Fi and bonded uplinks
/// swap neighbours within a few milliseconds.
const REORDER_TOLERANCE: Duration = Duration::from_millis(5);
/// Between two asks for the same packet. Guess: the round trip of a home uplink, doubled.
const NACK_INTERVAL: Duration = Duration::from_millis(40);
/// Where extended sequence numbers start: room below for packets older than the first one seen.
const EXTENDED_START: u64 = 1 << 32;

/// How long a track waits for a missing packet, and whether it asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) wait: Duration,
    pub(super) ask: bool,
}

/// A packet and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) at: Timestamp,
    pub(super) packet: RtpIn,
}

/// What comes out, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Packet(Arrived),
    /// One or more packets will never come, between the one before and the one after.
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    since: Timestamp,
    ask_at: Timestamp,
    asked: u32,
}

#[derive(Debug)]
pub(super) struct Reorder {
    patience: Patience,
    /// Extended number of the packet to release next.
    next: Option<u64>,
    /// Highest extended number received.
    newest: u64,
    held: BTreeMap<u64, Arrived>,
    missing: BTreeMap<u64, Missing>,
    /// A packet far from the rest: an outlier, or the first of a restarted publisher.
    stray: Option<Arrived>,
    released: VecDeque<Item>,
    stats: TrackStats,
}

impl Reorder {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            next: None,
            newest: 0,
            held: BTreeMap::new(),
            missing: BTreeMap::new(),
            stray: None,
            released: VecDeque::new(),
            stats: TrackStats::default(),
        }
    }

    pub(super) fn patience_mut(&mut self) -> &mut Patience {
        &mut self.patience
    }

    pub(super) fn stats(&self) -> TrackStats {
        self.stats
    }

    /// Takes a packet as it came.
    pub(super) fn push(&mut self, now: Timestamp, packet: RtpIn) {
        self.stats.packets += 1;
        let arrived = Arrived { at: now, packet };
        let Some(next) = self.next else {
            self.restart(arrived);
            return;
        };
        let number = self.extend(arrived.packet.sequence);
        let reach = REORDER_PACKETS_MAX as u64;
        if number >= next + reach || number + reach < next {
            self.push_stray(arrived);
            return;
        }
        self.stray = None;
        if number < next || self.held.contains_key(&number) {
            self.stats.unused += 1;
            return;
        }
        if self.missing.remove(&number).is_some_and(|missing| missing.asked > 0) {
            self.stats.recovered += 1;
        }
        for absent in self.newest + 1..number {
            let ask_at = now + REORDER_TOLERANCE;
            self.missing.insert(absent, Missing { since: now, ask_at, asked: 0 });
        }
        self.newest = self.newest.max(number);
        self.held.insert(number, arrived);
    }

    /// The next item that can go on, if any.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Item> {
        if let Some(item) = self.released.pop_front() {
            return Some(item);
        }
        let next = self.next?;
        let first = *self.held.keys().next()?;
        if first > next {
            let since = self.missing.get(&next).map_or(now, |missing| missing.since);
            if now < since + self.patience.wait {
                return None;
            }
            self.give_up(next, first);
            return Some(Item::Lost);
        }
        self.next = Some(first + 1);
        self.held.remove(&first).map(Item::Packet)
    }

    /// Numbers to ask the publisher for, now.
    pub(super) fn asks(&mut self, now: Timestamp) -> Vec<u16> {
        if !self.patience.ask {
            return Vec::new();
        }
        let mut numbers = Vec::new();
        for (number, missing) in &mut self.missing {
            if missing.asked < NACK_ASKS_MAX && missing.ask_at <= now {
                missing.asked += 1;
                missing.ask_at = now + NACK_INTERVAL;
                numbers.push(*number as u16);
            }
        }
        self.stats.asked += numbers.len() as u64;
        numbers
    }

    /// When to call [`Self::pop`] and [`Self::asks`] again.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let patience = self.patience;
        self.missing
            .values()
            .flat_map(|missing| {
                let ask = patience.ask && missing.asked < NACK_ASKS_MAX;
                [Some(missing.since + patience.wait), ask.then_some(missing.ask_at)]
            })
            .flatten()
            .min()
    }

    /// The extended number nearest to the newest.
    fn extend(&self, sequence: u16) -> u64 {
        let step = sequence.wrapping_sub(self.newest as u16) as i16;
        self.newest.wrapping_add_signed(i64::from(step))
    }

    fn give_up(&mut self, from: u64, to: u64) {
        self.stats.lost += to - from;
        self.missing = self.missing.split_off(&to);
        self.next = Some(to);
    }

    /// A number out of reach. Two in sequence are a publisher that restarted (or a gap longer than
    /// the buffer, which is treated alike); a lone one is dropped.
    fn push_stray(&mut self, arrived: Arrived) {
        let follows =
            |stray: &Arrived| stray.packet.sequence.wrapping_add(1) == arrived.packet.sequence;
        if !self.stray.as_ref().is_some_and(follows) {
            self.stats.unused += u64::from(self.stray.is_some());
            self.stray = Some(arrived);
            return;
        }
        while let Some((number, held)) = self.held.pop_first() {
            if self.next != Some(number) {
                self.released.push_back(Item::Lost);
            }
            self.next = Some(number + 1);
            self.released.push_back(Item::Packet(held));
        }
        self.released.push_back(Item::Lost);
        self.stats.lost += 1;
        if let Some(first) = self.stray.take() {
            self.restart(first);
        }
        self.newest += 1;
        self.held.insert(self.newest, arrived);
    }

    fn restart(&mut self, first: Arrived) {
        let number = EXTENDED_START + u64::from(first.packet.sequence);
        self.missing.clear();
        self.next = Some(number);
        self.newest = number;
        self.held.insert(number, first);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::coding::Track;

    const MS: u64 = 1_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * MS)
    }

    fn packet(sequence: u16) -> RtpIn {
        let payload = Bytes::from_static(b"x");
        RtpIn { track: Track::Video, sequence, timestamp: 0, marker: false, payload }
    }

    fn reorder() -> Reorder {
        Reorder::new(Patience { wait: Duration::from_millis(200), ask: true })
    }

    /// Sequence numbers out, a loss as `None`.
    fn drain(reorder: &mut Reorder, now: Timestamp) -> Vec<Option<u16>> {
        std::iter::from_fn(|| reorder.pop(now))
            .map(|item| match item {
                Item::Packet(arrived) => Some(arrived.packet.sequence),
                Item::Lost => None,
            })
            .collect()
    }

    #[test]
    fn neighbours_are_swapped_back_without_an_ask() {
        let mut reorder = reorder();
        for sequence in [65_534, 0, 65_535, 1] {
            reorder.push(at(0), packet(sequence));
        }
        assert_eq!(drain(&mut reorder, at(0)), [Some(65_534), Some(65_535), Some(0), Some(1)]);
        assert!(reorder.asks(at(100)).is_empty());
        assert_eq!(reorder.deadline(), None);
    }

    #[test]
    fn a_missing_packet_is_asked_for_until_it_comes() {
        let mut reorder = reorder();
        reorder.push(at(0), packet(7));
        reorder.push(at(0), packet(9));
        assert_eq!(drain(&mut reorder, at(0)), [Some(7)]);
        assert!(reorder.asks(at(4)).is_empty());
        assert_eq!(reorder.deadline(), Some(at(5)));
        assert_eq!(reorder.asks(at(5)), [8]);
        assert!(reorder.asks(at(6)).is_empty());
        assert_eq!(reorder.deadline(), Some(at(45)));
        assert_eq!(reorder.asks(at(45)), [8]);
        reorder.push(at(60), packet(8));
        assert_eq!(drain(&mut reorder, at(60)), [Some(8), Some(9)]);
        assert_eq!(reorder.stats().recovered, 1);
    }

    #[test]
    fn a_gap_is_given_up_after_the_wait_and_late_packets_are_dropped() {
        let mut reorder = reorder();
        reorder.push(at(0), packet(1));
        reorder.push(at(10), packet(4));
        assert_eq!(drain(&mut reorder, at(209)), [Some(1)]);
        assert_eq!(drain(&mut reorder, at(210)), [None, Some(4)]);
        reorder.push(at(220), packet(2));
        reorder.push(at(220), packet(4));
        assert_eq!(drain(&mut reorder, at(220)), []);
        let stats = reorder.stats();
        assert_eq!((stats.lost, stats.unused), (2, 2));
    }

    #[test]
    fn a_restart_is_believed_at_its_second_packet_and_loses_none() {
        let mut reorder = reorder();
        reorder.push(at(0), packet(100));
        reorder.push(at(0), packet(102));
        reorder.push(at(0), packet(40_000));
        assert_eq!(drain(&mut reorder, at(0)), [Some(100)]);
        reorder.push(at(0), packet(40_001));
        let run = [None, Some(102), None, Some(40_000), Some(40_001)];
        assert_eq!(drain(&mut reorder, at(0)), run);
        reorder.push(at(0), packet(40_002));
        assert_eq!(drain(&mut reorder, at(0)), [Some(40_002)]);
    }

    #[test]
    fn a_lone_stray_changes_nothing() {
        let mut reorder = reorder();
        for sequence in [1, 30_000, 2, 50_000, 3] {
            reorder.push(at(0), packet(sequence));
        }
        assert_eq!(drain(&mut reorder, at(0)), [Some(1), Some(2), Some(3)]);
    }

    proptest! {
        #[test]
        fn whatever_comes_memory_is_bounded_and_time_frees_it(
            sequences in prop::collection::vec((any::<u16>(), 0_u64..30), 0..400),
        ) {
            let mut reorder = reorder();
            let mut now = 0;
            for (sequence, step) in sequences {
                now += step;
                reorder.push(at(now), packet(sequence));
                drain(&mut reorder, at(now));
                let asked = reorder.asks(at(now));
                prop_assert!(asked.len() <= REORDER_PACKETS_MAX);
                prop_assert!(reorder.held.len() + reorder.missing.len() <= REORDER_PACKETS_MAX);
            }
            drain(&mut reorder, at(now + 200));
            prop_assert!(reorder.held.is_empty() && reorder.missing.is_empty());
            prop_assert_eq!(reorder.deadline(), None);
        }

        #[test]
        fn shuffled_within_reach_comes_out_in_order(
            start in any::<u16>(),
            swaps in prop::collection::vec(0_usize..60, 1..60),
        ) {
            let mut order: Vec<u16> = (0..64).map(|i| start.wrapping_add(i)).collect();
            for (i, j) in swaps.into_iter().enumerate() {
                // The first packet stays first: what precedes it cannot be known.
                order.swap(1 + i % 60, 1 + j);
            }
            let mut reorder = reorder();
            let mut out = Vec::new();
            for sequence in order {
                reorder.push(at(0), packet(sequence));
                out.extend(drain(&mut reorder, at(0)));
            }
            let want: Vec<_> = (0..64).map(|i| Some(start.wrapping_add(i))).collect();
            prop_assert_eq!(out, want);
        }
    }
}
