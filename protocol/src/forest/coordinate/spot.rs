//! [`Spot`]: a node's place as it tells it to others.

use super::{Coordinate, ERROR_MAX, PLACE_US_MAX};
use std::time::Duration;

/// One step of a spot, µs of round trip. Derived: a tenth of the least difference between two
/// parents that makes a node move.
const STEP_US: i32 = 100;
/// One step of its error, thousandths.
const ERROR_STEP: i32 = 10;
/// Whose error is larger has no idea where it is. Guess: nodes that measured ten round trips are far
/// below it.
const LOST: u8 = 60;

/// A [`Coordinate`] to a tenth of a millisecond, small enough to be told with all that a member says
/// of itself, and remembered of dozens: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    x: i16,
    y: i16,
    height: u16,
    /// Per cent.
    error: u8,
}

impl Default for Spot {
    /// It could be anywhere.
    fn default() -> Self {
        Self::from(&Coordinate::default())
    }
}

impl From<&Coordinate> for Spot {
    fn from(at: &Coordinate) -> Self {
        let [x, y, height, error] = at.to_wire();
        // A coordinate is within bounds, and these are far below what the integers hold.
        Self {
            x: (x / STEP_US) as i16,
            y: (y / STEP_US) as i16,
            height: (height / STEP_US) as u16,
            error: (error / ERROR_STEP).max(1) as u8,
        }
    }
}

impl From<Spot> for Coordinate {
    fn from(Spot { x, y, height, error }: Spot) -> Self {
        Self {
            x_us: i32::from(x) * STEP_US,
            y_us: i32::from(y) * STEP_US,
            height_us: i32::from(height) * STEP_US,
            error: i32::from(error) * ERROR_STEP,
        }
    }
}

impl Spot {
    /// The round trip to be expected between two nodes; `None` if one of them does not know where it
    /// is.
    #[must_use]
    pub fn round_trip(self, other: Self) -> Option<Duration> {
        let known = self.error <= LOST && other.error <= LOST;
        let us = Coordinate::from(self).round_trip_us(&other.into());
        known.then(|| Duration::from_micros(us.unsigned_abs()))
    }

    /// As four small integers: place in the plane and height in tenths of a millisecond of round
    /// trip, error in per cent.
    #[must_use]
    pub fn to_wire(self) -> [i32; 4] {
        [self.x.into(), self.y.into(), self.height.into(), self.error.into()]
    }

    /// Reads what [`Self::to_wire`] wrote. `None` if no node could be there.
    #[must_use]
    pub fn from_wire([x, y, height, error]: [i32; 4]) -> Option<Self> {
        let fine = |steps: i32| steps.checked_mul(STEP_US).unwrap_or(i32::MAX);
        let error = error.checked_mul(ERROR_STEP).unwrap_or(i32::MAX);
        let at = Coordinate::from_wire([fine(x), fine(y), fine(height), error])?;
        Some(Self::from(&at))
    }
}

const _: () = assert!(PLACE_US_MAX / STEP_US <= i16::MAX as i32, "a coordinate fits");
const _: () = assert!(ERROR_MAX as i32 / ERROR_STEP <= u8::MAX as i32, "an error fits");

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(wire: [i32; 4]) -> Spot {
        Spot::from_wire(wire).expect("within bounds")
    }

    #[test]
    fn is_small_and_keeps_a_place_to_a_tenth_of_a_millisecond() {
        assert_eq!(size_of::<Spot>(), 8);
        let exact = Coordinate::from_wire([-12_345, 999_999, 4_321, 117]).expect("within bounds");
        let spot = Spot::from(&exact);
        assert_eq!(spot.to_wire(), [-123, 9_999, 43, 11]);
        assert_eq!(Spot::from_wire(spot.to_wire()), Some(spot));
        assert_eq!(Spot::from(&Coordinate::from(spot)), spot);
    }

    #[test]
    fn what_is_nowhere_on_earth_is_refused() {
        for wire in
            [[10_001, 0, 0, 1], [0, i32::MIN, 0, 1], [0, 0, -1, 1], [0, 0, 0, 0], [0, 0, 0, 101]]
        {
            assert_eq!(Spot::from_wire(wire), None, "{wire:?}");
        }
        assert!(Spot::from_wire([10_000, -10_000, 10_000, 100]).is_some());
    }

    #[test]
    fn two_that_know_where_they_are_know_how_far_that_is() {
        let (here, there) = (spot([0, 0, 20, 5]), spot([300, -400, 30, 5]));
        assert_eq!(here.round_trip(there), Some(Duration::from_millis(55)));
        assert_eq!(here.round_trip(Spot::default()), None);
    }
}
