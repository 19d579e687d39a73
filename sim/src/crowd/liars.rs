//! Who lies by the plan, what a liar does, and what it comes to.
//!
//! A liar's forest machine is the one that ships: it lies in what it is set up with, in the messages
//! it sends (`falsify`) and in what it does with shards (the media plane's
//! [`Conduct`](crate::media::Conduct)). Nothing of an honest node is touched. Who lies is drawn from
//! a generator of its own, so a plan's world is the same with liars and without.

mod falsify;
mod observe;

use super::Crowd;
use crate::media::Conduct;
use crate::plan::{Lie, Plan};
use crate::population::chance;
use banyan_protocol::rng::Rng;
use observe::Observed;
use std::collections::BTreeSet;

/// Slots that a capacity liar claims for each that its uplink can feed.
const CLAIMED: u16 = 10;
/// The one network of all Sybils. Any number: those of others are drawn from four billion.
const SYBIL_NETWORK: u32 = 0x5b11;

/// The liars of a world.
pub(super) struct Liars {
    share_ppm: u32,
    kinds: Vec<Lie>,
    rng: Rng,
    /// By number: the lie of its present or last life.
    lies: Vec<Option<Lie>>,
    /// Numbers that an eclipse liar had at some time.
    friends: BTreeSet<u32>,
    observed: Observed,
}

impl Liars {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            share_ppm: plan.liars.share_ppm,
            kinds: plan.liars.kinds.clone(),
            rng: Rng::new(&plan.seed(), "liars"),
            lies: Vec::new(),
            friends: BTreeSet::new(),
            observed: Observed::default(),
        }
    }

    /// Draws whether the node that gets a number lies. The publisher's never does.
    pub(super) fn draw(&mut self, number: u32) -> Option<Lie> {
        let lies = number != super::ROOT
            && !self.kinds.is_empty()
            && chance(&mut self.rng, self.share_ppm);
        let lie = lies.then(|| self.kinds[self.rng.below(self.kinds.len() as u64) as usize]);
        let at = number as usize;
        self.lies.resize(self.lies.len().max(at + 1), None);
        self.lies[at] = lie;
        if lie == Some(Lie::Eclipse) {
            self.friends.insert(number);
        }
        lie
    }

    /// The lie of a node, if it lies.
    pub(super) fn lie(&self, node: u32) -> Option<Lie> {
        self.lies.get(node as usize).copied().flatten()
    }

    /// The slots a node is set up with that can feed `slots`.
    pub(super) fn slots(&self, node: u32, slots: u16) -> u16 {
        match self.lie(node) {
            Some(Lie::Capacity) => slots.saturating_mul(CLAIMED),
            _ => slots,
        }
    }

    /// The network a node is in that would be in `network`.
    pub(super) fn network(&self, node: u32, network: u32) -> u32 {
        match self.lie(node) {
            Some(Lie::Sybil) => SYBIL_NETWORK,
            _ => network,
        }
    }

    /// What it does with shards.
    pub(super) fn conduct(&self, node: u32) -> Conduct {
        match self.lie(node) {
            Some(Lie::Polluter) => Conduct::Spoils,
            Some(Lie::BlackHole | Lie::Sybil) => Conduct::Withholds(u32::MAX),
            _ => Conduct::Honest,
        }
    }
}

impl Crowd {
    /// Whether a node tells those below another path than its own.
    pub(super) fn hides_its_path(&self, node: u32) -> bool {
        matches!(self.liars.lie(node), Some(Lie::Depth | Lie::Sybil))
    }

    /// Whether a node keeps what it should pass on.
    pub(super) fn withholds(&self, node: u32, _stripe: u8) -> bool {
        matches!(self.liars.conduct(node), Conduct::Withholds(_))
    }
}

#[cfg(test)]
mod tests;
