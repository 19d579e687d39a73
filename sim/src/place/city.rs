//! Cities: where they are and how many live in and around them.
//!
//! Coordinates to a twentieth of a degree; weights are the people of the urban area in units of
//! 100 000, rounded. Basis: common knowledge; only proportions matter.

/// A city in which nodes live.
#[derive(Clone, Debug, PartialEq)]
pub struct City {
    /// English name, in ASCII.
    pub name: &'static str,
    /// ISO 3166 code of its country: the region of its nodes.
    pub country: &'static str,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How likely a node lives here, against the other cities.
    pub weight: u32,
}

/// Mean radius of the earth in kilometres.
const EARTH_KM: f64 = 6_371.0;

impl City {
    const fn new(
        name: &'static str,
        country: &'static str,
        latitude: f64,
        longitude: f64,
        weight: u32,
    ) -> Self {
        Self { name, country, latitude, longitude, weight }
    }

    /// As the crow flies (the haversine formula).
    #[must_use]
    pub fn kilometres(&self, other: &Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let north = libm::sin((to - from) / 2.0);
        let east = libm::sin((other.longitude - self.longitude).to_radians() / 2.0);
        // Both products are the same whichever city asks: equal ways there and back.
        let chord = north * north + libm::cos(from) * libm::cos(to) * (east * east);
        2.0 * EARTH_KM * libm::asin(libm::sqrt(chord.min(1.0)))
    }
}

/// Cities of one continent.
pub(super) const EUROPE: &[City] = &[
    City::new("London", "GB", 51.5, -0.1, 110),
    City::new("Paris", "FR", 48.85, 2.35, 110),
    City::new("Madrid", "ES", 40.4, -3.7, 65),
    City::new("Barcelona", "ES", 41.4, 2.15, 48),
    City::new("Berlin", "DE", 52.5, 13.4, 45),
    City::new("Milan", "IT", 45.45, 9.2, 50),
    City::new("Rome", "IT", 41.9, 12.5, 40),
    City::new("Naples", "IT", 40.85, 14.25, 35),
    City::new("Athens", "GR", 38.0, 23.75, 33),
    City::new("Lisbon", "PT", 38.7, -9.15, 28),
    City::new("Porto", "PT", 41.15, -8.6, 15),
    City::new("Manchester", "GB", 53.5, -2.25, 28),
    City::new("Birmingham", "GB", 52.5, -1.9, 26),
    City::new("Glasgow", "GB", 55.85, -4.25, 12),
    City::new("Dublin", "IE", 53.35, -6.25, 14),
    City::new("Amsterdam", "NL", 52.35, 4.9, 25),
    City::new("Brussels", "BE", 50.85, 4.35, 21),
    City::new("Cologne", "DE", 50.95, 6.95, 60),
    City::new("Frankfurt", "DE", 50.1, 8.7, 26),
    City::new("Hamburg", "DE", 53.55, 10.0, 25),
    City::new("Munich", "DE", 48.15, 11.6, 26),
    City::new("Zurich", "CH", 47.35, 8.55, 14),
    City::new("Lyon", "FR", 45.75, 4.85, 20),
    City::new("Marseille", "FR", 43.3, 5.35, 16),
    City::new("Vienna", "AT", 48.2, 16.35, 22),
    City::new("Prague", "CZ", 50.1, 14.45, 20),
    City::new("Warsaw", "PL", 52.25, 21.0, 25),
    City::new("Krakow", "PL", 50.05, 19.95, 12),
    City::new("Budapest", "HU", 47.5, 19.05, 25),
    City::new("Bucharest", "RO", 44.45, 26.1, 22),
    City::new("Sofia", "BG", 42.7, 23.3, 14),
    City::new("Belgrade", "RS", 44.8, 20.45, 16),
    City::new("Zagreb", "HR", 45.8, 16.0, 10),
    City::new("Copenhagen", "DK", 55.7, 12.55, 16),
    City::new("Stockholm", "SE", 59.35, 18.05, 19),
    City::new("Oslo", "NO", 59.9, 10.75, 13),
    City::new("Helsinki", "FI", 60.15, 24.95, 15),
    City::new("Riga", "LV", 56.95, 24.1, 7),
];

/// Cities of all continents. Weights are of people who would watch a live event in the evening of
/// its publisher: a guess that a third of them is in Europe, a third in the Americas.
pub(super) const WORLD: &[City] = &[
    City::new("London", "GB", 51.5, -0.1, 110),
    City::new("Paris", "FR", 48.85, 2.35, 110),
    City::new("Madrid", "ES", 40.4, -3.7, 65),
    City::new("Milan", "IT", 45.45, 9.2, 50),
    City::new("Berlin", "DE", 52.5, 13.4, 45),
    City::new("Frankfurt", "DE", 50.1, 8.7, 60),
    City::new("Amsterdam", "NL", 52.35, 4.9, 45),
    City::new("Warsaw", "PL", 52.25, 21.0, 40),
    City::new("Stockholm", "SE", 59.35, 18.05, 30),
    City::new("Istanbul", "TR", 41.0, 28.95, 90),
    City::new("New York", "US", 40.7, -74.0, 150),
    City::new("Washington", "US", 38.9, -77.05, 60),
    City::new("Atlanta", "US", 33.75, -84.4, 50),
    City::new("Chicago", "US", 41.9, -87.65, 80),
    City::new("Dallas", "US", 32.8, -96.8, 65),
    City::new("Los Angeles", "US", 34.05, -118.25, 110),
    City::new("San Francisco", "US", 37.75, -122.4, 55),
    City::new("Seattle", "US", 47.6, -122.35, 35),
    City::new("Toronto", "CA", 43.65, -79.4, 55),
    City::new("Mexico City", "MX", 19.45, -99.15, 90),
    City::new("Bogota", "CO", 4.7, -74.05, 45),
    City::new("Sao Paulo", "BR", -23.55, -46.65, 100),
    City::new("Buenos Aires", "AR", -34.6, -58.4, 65),
    City::new("Santiago", "CL", -33.45, -70.65, 30),
    City::new("Lagos", "NG", 6.45, 3.4, 40),
    City::new("Nairobi", "KE", -1.3, 36.8, 15),
    City::new("Johannesburg", "ZA", -26.2, 28.05, 35),
    City::new("Cairo", "EG", 30.05, 31.25, 55),
    City::new("Dubai", "AE", 25.2, 55.25, 25),
    City::new("Mumbai", "IN", 19.1, 72.9, 90),
    City::new("Bangalore", "IN", 12.95, 77.6, 50),
    City::new("Singapore", "SG", 1.3, 103.85, 40),
    City::new("Jakarta", "ID", -6.2, 106.85, 70),
    City::new("Hong Kong", "HK", 22.3, 114.15, 45),
    City::new("Seoul", "KR", 37.55, 127.0, 70),
    City::new("Tokyo", "JP", 35.7, 139.7, 110),
    City::new("Sydney", "AU", -33.85, 151.2, 35),
    City::new("Auckland", "NZ", -36.85, 174.75, 12),
];
