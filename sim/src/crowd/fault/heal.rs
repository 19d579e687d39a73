//! How soon after a fault all are served again.

use super::super::Crowd;
use crate::report::Figure;
use banyan_protocol::forest::Role;

/// So many of a million must be served. Basis: DESIGN section 10's bar, all but what churn takes at
/// any moment.
const SERVED_PPM: u64 = 999_000;
/// And it must stay so for this long, µs. Guess.
const LASTS_US: u64 = 1_000_000;
/// Nodes that came later than this before the fault do not count, µs: they may still be joining.
const JOINED_US: u64 = 2_000_000;

/// One fault, or the end of one, and what came of it.
#[derive(Clone, Copy, Debug)]
struct Heal {
    from_us: u64,
    /// From when on enough were served, without a break.
    served_us: Option<u64>,
    over: bool,
    /// Most nodes that were not served at one look.
    unserved_max: u64,
}

/// All faults so far.
#[derive(Debug, Default)]
pub(in super::super) struct Heals {
    heals: Vec<Heal>,
}

impl Crowd {
    /// From now on all are to be served again.
    pub(super) fn heal(&mut self) {
        let from_us = self.now_us;
        self.heals.heals.push(Heal { from_us, served_us: None, over: false, unserved_max: 0 });
    }

    /// Looks who is served.
    pub(in super::super) fn look_at_heals(&mut self) {
        let mut heals = std::mem::take(&mut self.heals.heals);
        for heal in heals.iter_mut().filter(|heal| !heal.over) {
            let (all, served) = self.served(heal.from_us);
            heal.unserved_max = heal.unserved_max.max(all - served);
            if served * 1_000_000 < all * SERVED_PPM {
                heal.served_us = None;
                continue;
            }
            let since_us = *heal.served_us.get_or_insert(self.now_us);
            heal.over = since_us + LASTS_US <= self.now_us;
        }
        self.heals.heals = heals;
    }

    /// Viewers that were there before `since_us`, and how many of them have, lately and since then,
    /// had a complete block; where no media are sent: have the stripes for one.
    fn served(&self, since_us: u64) -> (u64, u64) {
        let k = u32::from(self.plan.stream.k);
        let counts = |node: &u32| {
            let host = &self.hosts[*node as usize];
            host.joined_us + JOINED_US < since_us && host.forest.setup().role == Role::Gateway
        };
        let (mut all, mut served) = (0, 0);
        for node in self.living.iter().copied().filter(counts) {
            all += 1;
            served += u64::from(match &self.media {
                Some(media) => media.is_served(node, since_us),
                None => self.hosts[node as usize].forest.fed().len() >= k,
            });
        }
        (all, served)
    }

    /// What came of the faults, for the report.
    pub(in super::super) fn heal_figures(&self) -> Vec<Figure> {
        let heals = &self.heals.heals;
        let mut figures = Vec::new();
        // What is not healed by the end has taken that long at least.
        let took = |heal: &Heal| heal.served_us.unwrap_or(self.now_us) - heal.from_us;
        if let Some(longest_us) = heals.iter().map(took).max() {
            figures.push(Figure::lower("healed_ms", longest_us as f64 / 1_000.0));
            let unserved = heals.iter().map(|heal| heal.unserved_max).max().unwrap_or(0);
            figures.push(Figure::count("unserved_max", unserved as f64));
        }
        figures
    }
}
