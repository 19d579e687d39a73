//! Distributions of bit rates, times and shares, the same on every platform.

use banyan_protocol::rng::Rng;

/// How a property is spread over nodes. Values are in the unit of what they describe.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// The same for all.
    Constant(f64),
    /// All values between these are equally likely.
    Uniform {
        /// The smallest.
        from: f64,
        /// The largest.
        to: f64,
    },
    /// All orders of magnitude between these are equally likely.
    LogUniform {
        /// The smallest, above 0.
        from: f64,
        /// The largest.
        to: f64,
    },
    /// What does not age: the next moment is as likely the last as any other.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// A product of many causes.
    LogNormal {
        /// Half are below.
        median: f64,
        /// Spread of the natural logarithm.
        sigma: f64,
    },
    /// Few very long, most short.
    Pareto {
        /// The smallest.
        min: f64,
        /// The tail's exponent, above 1; the smaller, the heavier.
        alpha: f64,
    },
    /// Some are of another kind, such as 20 % very short lives.
    Mix {
        /// How many are of the first kind, in millionths.
        first_ppm: u32,
        /// These.
        first: Box<Distribution>,
        /// The rest.
        rest: Box<Distribution>,
    },
}

impl Distribution {
    /// A value, rounded to a whole number, not negative.
    pub fn draw(&self, rng: &mut Rng) -> u64 {
        // Saturates, which no value of a checked plan reaches.
        self.draw_real(rng).max(0.0) as u64
    }

    fn draw_real(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { from, to } => from + (to - from) * unit(rng),
            Self::LogUniform { from, to } => from * libm::exp(libm::log(to / from) * unit(rng)),
            Self::Exponential { mean } => -mean * libm::log(1.0 - unit(rng)),
            Self::LogNormal { median, sigma } => median * libm::exp(sigma * normal(rng)),
            Self::Pareto { min, alpha } => min * libm::pow(1.0 - unit(rng), -1.0 / alpha),
            Self::Mix { first_ppm, first, rest } => {
                if super::chance(rng, *first_ppm) {
                    first.draw_real(rng)
                } else {
                    rest.draw_real(rng)
                }
            }
        }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { from, to } => f64::midpoint(*from, *to),
            Self::LogUniform { from, to } if from == to => *from,
            Self::LogUniform { from, to } => (to - from) / libm::log(to / from),
            Self::Exponential { mean } => *mean,
            Self::LogNormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Self::Pareto { min, alpha } => min * alpha / (alpha - 1.0),
            Self::Mix { first_ppm, first, rest } => {
                let share = f64::from(*first_ppm) / f64::from(super::WHOLE_PPM);
                share * first.mean() + (1.0 - share) * rest.mean()
            }
        }
    }
}

/// A number from 0, inclusive, to 1, exclusive.
fn unit(rng: &mut Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number of the standard normal distribution (Box and Muller 1958; the second is not kept, so
/// that each draw takes as many random bits).
fn normal(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - unit(rng)));
    radius * libm::cos(std::f64::consts::TAU * unit(rng))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Distribution::{Constant, Exponential, LogNormal, LogUniform, Mix, Pareto, Uniform};

    #[test]
    fn drawn_means_and_medians_are_those_of_the_formulas() {
        let short = Box::new(Constant(1e4));
        let rest = Box::new(Uniform { from: 1e6, to: 3e6 });
        for (distribution, mean, median) in [
            (Constant(7e6), 7e6, 7e6),
            (Uniform { from: 1e6, to: 3e6 }, 2e6, 2e6),
            (LogUniform { from: 2e6, to: 100e6 }, 25.05e6, 14.14e6),
            (LogUniform { from: 5e6, to: 5e6 }, 5e6, 5e6),
            (Exponential { mean: 6e8 }, 6e8, 4.159e8),
            (LogNormal { median: 3e3, sigma: 0.6 }, 3_592.0, 3e3),
            (Pareto { min: 1e6, alpha: 3.0 }, 1.5e6, 1.26e6),
            (Mix { first_ppm: 200_000, first: short, rest }, 1.602e6, 1.75e6),
        ] {
            let mut rng = Rng::new(&[9; 32], "distribution");
            let mut drawn: Vec<_> = (0..40_000).map(|_| distribution.draw(&mut rng)).collect();
            drawn.sort_unstable();
            let drawn_mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64;
            let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.03;
            assert!(near(distribution.mean(), mean), "{distribution:?}: {}", distribution.mean());
            assert!(near(drawn_mean, mean), "{distribution:?}: {drawn_mean}");
            assert!(near(drawn[20_000] as f64, median), "{distribution:?}: {}", drawn[20_000]);
        }
    }
}
