//! Where a node is in the network, so that delays to members it never spoke to can be estimated.
//!
//! Vivaldi (Dabek, Cox, Kaashoek, Morris, SIGCOMM 2004): a point in a plane and a height above it,
//! which stands for the access link. The round trip between two nodes is about the distance in the
//! plane plus both heights; each measurement pulls a node a little to where that would be true.
//!
//! What the others say is not believed far. One measurement moves a node by a bounded step that
//! shrinks as it settles, an outlier counts for no more than the step, nobody's claim to be exact
//! is believed beyond [`ERROR_BELIEVED_MIN`], and a place or a round trip that no path on Earth has
//! is ignored. Integers only: the same measurements give the same place everywhere.

mod spot;

pub use spot::Spot;

use std::time::Duration;

/// Furthest coordinate and largest height, µs of round trip. Derived: half the way round the Earth
/// in fibre is 200 ms of round trip, detours double it; the rest is room for drift.
const PLACE_US_MAX: i32 = 1_000_000;
/// Longest round trip taken for a measurement. Guess: a geostationary link and a full queue.
const RTT_MAX: Duration = Duration::from_secs(2);
/// An error of 100 %: nothing is known.
const ERROR_MAX: i64 = 1000;
/// Least error believed of another, thousandths. Guess: real round trips jitter by that much.
const ERROR_BELIEVED_MIN: i64 = 50;
/// Share of a measurement's gap that a node moves when it trusts the other wholly, thousandths. The
/// paper's c_c is 250. Measured: with that the error after 60 measurements is larger by a half.
const GAIN: i64 = 1000;
/// Heights move this much more slowly than the plane. Measured: at 1, heights take up the distances
/// before the plane has unfolded, and 30 measurements leave an error of 14 % instead of 12 %.
const HEIGHT_SLOWER: i64 = 3;
/// Weight of a measurement in the error, thousandths. Spec: the paper's c_e, 0.25.
const ERROR_GAIN: i64 = 250;
/// Longest step of a node that knows nothing, µs. Measured: 40 ms let a tenth of liars do a
/// fifth more harm, 15 ms slow everyone down.
const STEP_US_MAX: i64 = 20_000;
/// Longest step of a node that has settled, µs. Guess: a change of route is followed within
/// seconds, and a liar among ten moves a node by less than paths jitter.
const STEP_US_MIN: i64 = 1_500;
/// Height of a node that measured nothing, µs. Guess: an access link's share of a round trip.
const HEIGHT_US_FIRST: i32 = 7_000;

/// A node's place by measured round trips, all in µs of round trip; 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coordinate {
    x_us: i32,
    y_us: i32,
    height_us: i32,
    /// Thousandths: how wrong an estimate from here is expected to be.
    error: i32,
}

impl Default for Coordinate {
    /// Nowhere in particular, with an error of 100 %.
    fn default() -> Self {
        Self { x_us: 0, y_us: 0, height_us: HEIGHT_US_FIRST, error: ERROR_MAX as i32 }
    }
}

impl Coordinate {
    /// Takes in a round trip measured to a node that says it is at `remote`. What is out of all
    /// bounds changes nothing.
    pub fn update(&mut self, remote: &Self, rtt: Duration) {
        if rtt.is_zero() || rtt > RTT_MAX {
            return;
        }
        let rtt_us = rtt.as_micros() as i64;
        let away = self.away(remote, rtt_us);
        let gap = rtt_us - self.round_trip_us(remote);
        let (own, others) =
            (i64::from(self.error), i64::from(remote.error).max(ERROR_BELIEVED_MIN));
        // How much the other is to be trusted rather than this node.
        let weight = own * 1000 / (own + others).max(1);

        let step_max = (STEP_US_MAX * own / ERROR_MAX).max(STEP_US_MIN);
        let step = (gap * GAIN / 1000 * weight / 1000).clamp(-step_max, step_max);
        self.x_us = moved(self.x_us, step * away.x / away.length, -PLACE_US_MAX);
        self.y_us = moved(self.y_us, step * away.y / away.length, -PLACE_US_MAX);
        self.height_us =
            moved(self.height_us, step * away.heights / away.length / HEIGHT_SLOWER, 0);

        // An outlier says no more than that twice the error is possible: otherwise a few lies would
        // make a settled node give up its place.
        let sample = (gap.abs() * 1000 / rtt_us).min(2 * own + ERROR_BELIEVED_MIN).min(ERROR_MAX);
        let weight = ERROR_GAIN * weight / 1000;
        self.error = ((own * (1000 - weight) + sample * weight) / 1000).max(1) as i32;
    }

    /// One-way delay to a node at `other`, estimated, in µs.
    #[must_use]
    pub fn one_way_us(&self, other: &Self) -> u32 {
        (self.round_trip_us(other) / 2) as u32
    }

    /// How wrong an estimate from here is expected to be, thousandths; 1000 is not knowing.
    #[must_use]
    pub const fn error(&self) -> u16 {
        self.error as u16
    }

    /// As four small integers: place in the plane, height (µs of round trip), error (thousandths).
    #[must_use]
    pub const fn to_wire(self) -> [i32; 4] {
        [self.x_us, self.y_us, self.height_us, self.error]
    }

    /// Reads what [`Self::to_wire`] wrote. `None` if no node could be there.
    #[must_use]
    pub fn from_wire([x_us, y_us, height_us, error]: [i32; 4]) -> Option<Self> {
        let plane = -PLACE_US_MAX..=PLACE_US_MAX;
        let known = plane.contains(&x_us)
            && plane.contains(&y_us)
            && (0..=PLACE_US_MAX).contains(&height_us)
            && (1..=ERROR_MAX as i32).contains(&error);
        known.then_some(Self { x_us, y_us, height_us, error })
    }

    fn round_trip_us(&self, other: &Self) -> i64 {
        let (x, y) = self.offset(other);
        length(x, y) + i64::from(self.height_us) + i64::from(other.height_us)
    }

    /// From `other` to here, in the plane.
    fn offset(&self, other: &Self) -> (i64, i64) {
        (i64::from(self.x_us) - i64::from(other.x_us), i64::from(self.y_us) - i64::from(other.y_us))
    }

    /// Which way leads away from `remote`. On the same spot any will do, so one is drawn from the
    /// measurement: nodes that start together take different ways.
    fn away(&self, remote: &Self, rtt_us: i64) -> Away {
        let heights = (i64::from(self.height_us) + i64::from(remote.height_us)).max(1);
        let (mut x, mut y) = self.offset(remote);
        if length(x, y) < SAME_SPOT_US {
            let draw = (rtt_us as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61;
            (x, y) = DIRECTIONS[draw as usize];
            (x, y) = (x * rtt_us / 1000, y * rtt_us / 1000);
        }
        Away { x, y, heights, length: length(x, y) + heights }
    }
}

/// Closer than this in the plane is the same spot, µs. Guess: below any measurement's jitter.
const SAME_SPOT_US: i64 = 100;
/// Eight ways to leave a spot, of length 1000.
const DIRECTIONS: [(i64, i64); 8] = [
    (1000, 0),
    (707, 707),
    (0, 1000),
    (-707, 707),
    (-1000, 0),
    (-707, -707),
    (0, -1000),
    (707, -707),
];

/// A vector away from another node; `length` is never 0.
struct Away {
    x: i64,
    y: i64,
    heights: i64,
    length: i64,
}

fn length(x: i64, y: i64) -> i64 {
    ((x * x + y * y) as u64).isqrt() as i64
}

fn moved(from_us: i32, by_us: i64, least: i32) -> i32 {
    (i64::from(from_us) + by_us).clamp(least.into(), PLACE_US_MAX.into()) as i32
}

#[cfg(test)]
mod tests;
