//! Where nodes are, and how long the way between them is.
//!
//! A node lives in a city ([`City`]) behind an access network of its own. The one-way delay
//! between two nodes is the way between their cities, from geography or from a measured matrix
//! ([`Places::read_matrix`]), and what both access networks add.
//!
//! ```
//! use banyan_sim::place::{Continent, Place, Places};
//!
//! let places = Places::new(Continent::Europe);
//! let near = Place { city: places.find("Milan").unwrap(), access_us: 3_000 };
//! let far = Place { city: places.find("Paris").unwrap(), access_us: 3_000 };
//! let one_way_us = places.one_way_us(&near, &far);
//! assert!((11_000..14_000).contains(&one_way_us)); // 640 km and three fixed parts
//! ```

mod city;
mod matrix;

pub use city::City;
pub use matrix::MatrixError;

use crate::population::Distribution;
use banyan_protocol::rng::Rng;

/// What every way has besides its length, in µs. Measured: `one way = 1.5 · km / 200 + 1 ms`
/// between data centres, by the fit that the prototypes used.
const FIXED_US: f64 = 1_000.0;

/// Light in glass runs 200 km in a millisecond, and cables go half as far again as the crow flies.
/// Measured, as above.
const US_PER_KM: f64 = 1.5 * 1_000.0 / 200.0;

/// The median of what an access network adds at each end, in µs. Measured, as above.
pub const ACCESS_US: u32 = 3_000;

/// What access networks add. Measured, as above.
const ACCESS: Distribution = Distribution::LogNormal { median: ACCESS_US as f64, sigma: 0.6 };

/// Which cities the world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Continent {
    /// European cities only.
    Europe,
    /// Cities of all continents.
    World,
}

/// Where one node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which city, as [`Places::cities`] counts them.
    pub city: u16,
    /// What its access network adds to each way, in µs.
    pub access_us: u32,
}

/// The cities of a world and the ways between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    cities: &'static [City],
    /// One way from each city to each, in µs.
    one_way: Vec<u32>,
    /// Weights of the cities, added up.
    weights: Vec<u64>,
}

impl Places {
    /// The cities of `continent`, with ways as long as geography makes them.
    #[must_use]
    pub fn new(continent: Continent) -> Self {
        let cities = match continent {
            Continent::Europe => city::EUROPE,
            Continent::World => city::WORLD,
        };
        let ways = cities.iter().flat_map(|a| cities.iter().map(|b| by_geography(a, b)));
        let weights = cities.iter().scan(0, |sum, city| {
            *sum += u64::from(city.weight);
            Some(*sum)
        });
        Self { cities, one_way: ways.collect(), weights: weights.collect() }
    }

    /// The cities, in the order that [`Place::city`] counts.
    #[must_use]
    pub fn cities(&self) -> &'static [City] {
        self.cities
    }

    /// The city of this name, whatever its case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u16> {
        let found = self.cities.iter().position(|city| city.name.eq_ignore_ascii_case(name));
        found.map(|city| city as u16)
    }

    /// A place for a node: a city by its people, an access network by chance.
    pub fn draw(&self, rng: &mut Rng) -> Place {
        let all = self.weights.last().copied().unwrap_or(1);
        let ticket = rng.below(all);
        let city = self.weights.partition_point(|&sum| sum <= ticket) as u16;
        self.draw_in(city, rng)
    }

    /// A place for a node in `city`.
    #[must_use]
    pub fn draw_in(&self, city: u16, rng: &mut Rng) -> Place {
        Place { city, access_us: u32::try_from(ACCESS.draw(rng)).unwrap_or(u32::MAX) }
    }

    /// From `a` to `b`, in µs: the way between their cities and both access networks.
    #[must_use]
    pub fn one_way_us(&self, a: &Place, b: &Place) -> u32 {
        self.between_us(a.city, b.city).saturating_add(a.access_us).saturating_add(b.access_us)
    }

    /// From city to city, in µs.
    #[must_use]
    pub fn between_us(&self, a: u16, b: u16) -> u32 {
        self.one_way[usize::from(a) * self.cities.len() + usize::from(b)]
    }

    /// The region of a place: the code of its country, such as `DE`.
    #[must_use]
    pub fn country(&self, place: &Place) -> &'static str {
        self.cities[usize::from(place.city)].country
    }
}

/// One way between two cities by their distance, in µs.
fn by_geography(a: &City, b: &City) -> u32 {
    (US_PER_KM * a.kilometres(b) + FIXED_US) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_as_long_as_the_map_says_and_equal_both_ways() {
        for continent in [Continent::Europe, Continent::World] {
            let places = Places::new(continent);
            let count = places.cities().len() as u16;
            assert!(count >= 32, "{count} cities");
            for (a, b) in (0..count).flat_map(|a| (0..count).map(move |b| (a, b))) {
                assert_eq!(places.between_us(a, b), places.between_us(b, a));
                assert!(places.between_us(a, b) >= 1_000);
                assert!(places.between_us(a, b) < 152_000, "half the equator");
                assert!(a == b || places.between_us(a, b) > 1_500, "two names for one city");
            }
        }
        let places = Places::new(Continent::World);
        let city = |name| places.find(name).expect(name);
        // 10 870 km, 16 990 km.
        assert_eq!(places.between_us(city("Frankfurt"), city("Sao Paulo")) / 1_000, 74);
        assert_eq!(places.between_us(city("london"), city("SYDNEY")) / 1_000, 128);
    }

    #[test]
    fn nodes_are_where_people_are_behind_networks_of_three_milliseconds() {
        assert!(size_of::<Place>() <= 8, "a million nodes");
        let places = Places::new(Continent::Europe);
        let mut rng = Rng::new(&[3; 32], "places");
        let mut drawn: Vec<_> = (0..20_000).map(|_| places.draw(&mut rng)).collect();
        let all: u32 = places.cities().iter().map(|city| city.weight).sum();
        for (i, city) in places.cities().iter().enumerate() {
            let here = drawn.iter().filter(|place| usize::from(place.city) == i).count() as f64;
            let expected = 20_000.0 * f64::from(city.weight) / f64::from(all);
            assert!((here - expected).abs() < 5.0 * expected.sqrt(), "{}: {here}", city.name);
        }
        drawn.sort_by_key(|place| place.access_us);
        // Lognormal: median 3 ms, 84 % below 3 ms · e^0.6 = 5.47 ms.
        assert!((2_900..3_100).contains(&drawn[10_000].access_us), "{}", drawn[10_000].access_us);
        assert!((5_250..5_700).contains(&drawn[16_827].access_us), "{}", drawn[16_827].access_us);
    }
}
