//! Who takes part: nodes drawn by chance, when they come, what their links lose.
//!
//! [`Model`] says of what kind nodes are, [`Population`] draws them, [`Arrivals`] says when they
//! come, [`Loss`] and [`Jitter`] are what a link does to packets. Each property has a generator of
//! its own, so that a world with longer lives has the same uplinks in the same places.
//!
//! ```
//! use banyan_sim::place::{Continent, Places};
//! use banyan_sim::population::{Model, Population};
//!
//! let places = Places::new(Continent::Europe);
//! let mut population = Population::new(Model::default(), &[7; 32]);
//! let node = population.draw(&places);
//! assert!((2_000_000..=100_000_000).contains(&node.upload_bps));
//! ```

mod arrival;
mod distribution;
mod loss;
mod nat;

pub use arrival::{Arrivals, Coming, Replace};
pub use distribution::Distribution;
pub use loss::{Jitter, Loss};
pub use nat::{Meeting, Nat, NatShares};

use crate::place::{Place, Places};
use banyan_protocol::rng::Rng;

/// A share of one, in millionths.
pub const WHOLE_PPM: u32 = 1_000_000;

/// What a node does in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Shows the stream, and passes stripes on as far as its uplink goes.
    Gateway,
    /// Passes its home stripe on and shows nothing.
    Helper,
}

/// One node as the world made it. What of this the node itself knows is the protocol's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it is.
    pub place: Place,
    /// From its joining to its end, in µs; none: it outlives the run.
    pub life_us: Option<u64>,
    /// What its uplink carries.
    pub upload_bps: u32,
    /// What its downlink carries.
    pub download_bps: u32,
    /// How much time the buffer before its uplink holds when full, in µs: a packet on a busy
    /// uplink waits up to this long, and is lost beyond. 0: a short queue that does not bloat.
    pub bloat_us: u32,
    /// Packets lost on its access link, in millionths.
    pub loss_ppm: u32,
    /// How far its clock is off, in µs.
    pub skew_us: i32,
    /// How it is reached.
    pub nat: Nat,
    /// What it does.
    pub role: Role,
}

/// Of what kind nodes are. The default is the reference world.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Uplinks, in bit/s.
    pub upload_bps: Distribution,
    /// Downlinks, in bit/s.
    pub download_bps: Distribution,
    /// How nodes are reached.
    pub nat: NatShares,
    /// Nodes with a bloated buffer, in millionths.
    pub bloat_share_ppm: u32,
    /// The length of such a buffer, in µs.
    pub bloat_us: Distribution,
    /// Packets lost on an access link, in millionths.
    pub loss_ppm: Distribution,
    /// The most by which a clock is off, either way, in µs.
    pub skew_us_max: u32,
    /// Lives, in µs; none: nobody leaves.
    pub life_us: Option<Distribution>,
    /// Nodes that are helpers, in millionths.
    pub helper_ppm: u32,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            // Spec: DESIGN section 10.
            upload_bps: Distribution::LogUniform { from: 2e6, to: 100e6 },
            // Guess: the common home product; a stream takes a twentieth of it.
            download_bps: Distribution::Constant(100e6),
            nat: NatShares::default(),
            // Measured by others: 30 % of homes hold 50–300 ms.
            bloat_share_ppm: 300_000,
            bloat_us: Distribution::Uniform { from: 50e3, to: 300e3 },
            // Spec: DESIGN section 10, 0.5 %, and a mean life of 10 minutes.
            loss_ppm: Distribution::Constant(5_000.0),
            skew_us_max: 50_000,
            life_us: Some(Distribution::Exponential { mean: 600e6 }),
            helper_ppm: 0,
        }
    }
}

/// Draws nodes of a [`Model`], the same for the same seed.
pub struct Population {
    model: Model,
    place: Rng,
    link: Rng,
    quality: Rng,
    life: Rng,
}

impl Population {
    /// A population of `model` in the world of `seed`.
    #[must_use]
    pub fn new(model: Model, seed: &[u8; 32]) -> Self {
        let rng = |property| Rng::new(seed, property);
        Self {
            model,
            place: rng("population place"),
            link: rng("population link"),
            quality: rng("population quality"),
            life: rng("population life"),
        }
    }

    /// The next node.
    pub fn draw(&mut self, places: &Places) -> Node {
        let model = &self.model;
        let place = places.draw(&mut self.place);
        let bloated = chance(&mut self.quality, model.bloat_share_ppm);
        let bloat_us = model.bloat_us.draw(&mut self.quality);
        let skew_max = i64::from(model.skew_us_max);
        let skew = self.quality.below(2 * u64::from(model.skew_us_max) + 1) as i64 - skew_max;
        Node {
            place,
            life_us: model.life_us.as_ref().map(|life| life.draw(&mut self.life)),
            upload_bps: narrow(model.upload_bps.draw(&mut self.link)),
            download_bps: narrow(model.download_bps.draw(&mut self.link)),
            bloat_us: if bloated { narrow(bloat_us) } else { 0 },
            loss_ppm: narrow(model.loss_ppm.draw(&mut self.quality)).min(WHOLE_PPM),
            skew_us: i32::try_from(skew).unwrap_or(0),
            nat: model.nat.draw(&mut self.link),
            role: if chance(&mut self.quality, model.helper_ppm) {
                Role::Helper
            } else {
                Role::Gateway
            },
        }
    }
}

/// True `ppm` times in a million.
pub fn chance(rng: &mut Rng, ppm: u32) -> bool {
    rng.below(u64::from(WHOLE_PPM)) < u64::from(ppm)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Continent;

    fn draw(model: Model, count: usize) -> Vec<Node> {
        let places = Places::new(Continent::Europe);
        let mut population = Population::new(model, &[5; 32]);
        (0..count).map(|_| population.draw(&places)).collect()
    }

    #[test]
    fn the_reference_world_has_six_times_the_uplink_it_needs() {
        assert!(size_of::<Node>() <= 48, "a million nodes: {}", size_of::<Node>());
        let nodes = draw(Model::default(), 20_000);
        let upload: u64 = nodes.iter().map(|node| u64::from(node.upload_bps)).sum();
        let ratio = upload as f64 / (nodes.len() as f64 * 4e6);
        assert!((6.1..6.4).contains(&ratio), "{ratio}");
        let share = |holds: fn(&Node) -> bool| {
            nodes.iter().filter(|node| holds(node)).count() as f64 / nodes.len() as f64
        };
        assert!((0.28..0.32).contains(&share(|node| node.bloat_us > 0)));
        assert!((0.48..0.52).contains(&share(|node| node.skew_us > 0)));
        assert!(nodes.iter().all(|node| node.skew_us.abs() <= 50_000));
        assert!(nodes.iter().all(|node| node.role == Role::Gateway && node.loss_ppm == 5_000));
    }

    #[test]
    fn one_property_changed_leaves_the_others_as_they_were() {
        let reference = draw(Model::default(), 500);
        assert_eq!(reference, draw(Model::default(), 500));
        let immortal = draw(Model { life_us: None, ..Model::default() }, 500);
        for (a, b) in reference.iter().zip(&immortal) {
            assert_eq!(Node { life_us: None, ..*a }, *b);
        }
    }
}
