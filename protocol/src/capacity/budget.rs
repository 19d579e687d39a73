//! How many slots this node gives: what its uplink can carry, with room left for keyframes, and only
//! as much as it has shown.
//!
//! A newcomer is on probation: a few slots, twice as many after each five clean seconds in which at
//! least half of them were in use, half as many as are in use when the line is full. A limit that the owner vouches
//! for, as the publisher does for its own session, is used at once. A tenth is kept for repair.
//!
//! The number does not flap: it goes up by whole slots, and down only once half a slot is missing.

use crate::time::Timestamp;
use crate::unit::Bitrate;
use std::time::Duration;

/// Least slots of a newcomer. Spec: `forest.md` 5.7, four times the rate of a stripe.
pub const PROBATION_SLOTS: u16 = 4;
/// Clean time in use after which a newcomer gives twice as much. Spec: `forest.md` 5.7.
const DOUBLE_AFTER: Duration = Duration::from_secs(5);
/// After halving, the line has this long to come clean. Derived: children that must go are fed for
/// a second while they find another parent; then the queue drains.
const HALVE_EVERY: Duration = Duration::from_secs(2);

/// Where in the trees a node gives its slots: how much of its uplink it keeps free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The source of every stripe. Its queue is everyone's delay.
    Root,
    /// Anywhere else.
    Below,
}

impl Place {
    /// Share of the uplink that slots may take, thousandths. Spec: `forest.md` 5.7, 3.3.
    const fn share(self) -> u64 {
        match self {
            Self::Root => 700,
            Self::Below => 800,
        }
    }
}

/// What a budget is made from.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// What one slot takes of the line, headers and signatures included.
    pub stripe: Bitrate,
    /// What the owner gives.
    pub limit: Bitrate,
    /// Where.
    pub place: Place,
    /// Whether the owner vouches for `limit`: no probation.
    pub vouched: bool,
    /// Slots of a newcomer, at least [`PROBATION_SLOTS`].
    pub entry: u16,
}

/// How the node's uplink does at the moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Slots in use.
    pub used: u16,
    /// What the line is expected to carry, see [`Egress::uplink`](super::Egress::uplink).
    pub uplink: Bitrate,
    /// Whether the line is full, see [`Egress::is_saturated`](super::Egress::is_saturated).
    pub saturated: bool,
}

/// Slots to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// For children.
    pub children: u16,
    /// Kept for repair: pulls, and children whose parent has died.
    pub repair: u16,
}

impl Slots {
    /// `total` slots, a tenth of them for repair, to the nearest whole one.
    fn of(total: u16) -> Self {
        let repair = total.saturating_add(5) / 10;
        Self { children: total - repair, repair }
    }

    /// All of them.
    #[must_use]
    pub const fn total(self) -> u16 {
        self.children + self.repair
    }
}

/// The slots of one node in one session.
#[derive(Clone, Debug)]
pub struct Budget {
    means: Means,
    /// What it has shown it can give. `None`: the owner vouches.
    allowed: Option<u16>,
    clean_since: Timestamp,
    halved_at: Option<Timestamp>,
    total: u16,
}

impl Budget {
    /// A newcomer's, or what the owner vouches for.
    #[must_use]
    pub fn new(now: Timestamp, means: Means) -> Self {
        let allowed = (!means.vouched).then_some(means.entry.max(PROBATION_SLOTS));
        let mut budget = Self { means, allowed, clean_since: now, halved_at: None, total: 0 };
        budget.settle(means.limit);
        budget
    }

    /// Takes in how the uplink does. To be called about once a second, and when the line becomes
    /// full. True if the number of slots has changed.
    pub fn update(&mut self, now: Timestamp, load: &Load) -> bool {
        let before = self.total;
        if load.saturated {
            self.clean_since = now;
            if self.halved_at.is_none_or(|at| now.since(at) >= HALVE_EVERY) {
                self.halved_at = Some(now);
                // Of what is in use: free slots filled no line.
                let half = (self.total.min(load.used) / 2).max(1);
                self.allowed = self.allowed.map(|_| half);
            }
        } else if u32::from(load.used) * 2 < u32::from(self.slots().children) {
            // An idle line is clean whatever it is.
            self.clean_since = now;
        } else if now.since(self.clean_since) >= DOUBLE_AFTER {
            self.clean_since = now;
            // From what is given: what could not be given for want of uplink was not shown either.
            let doubled = self.total.max(1).saturating_mul(2);
            self.allowed = self.allowed.map(|allowed| allowed.max(doubled));
        }
        self.settle(load.uplink);
        self.total != before
    }

    /// The slots to give.
    #[must_use]
    pub fn slots(&self) -> Slots {
        Slots::of(self.total)
    }

    /// Whether more would be given if the node had shown that it can.
    #[must_use]
    pub fn is_on_probation(&self) -> bool {
        self.allowed.is_some_and(|allowed| allowed <= self.total)
    }

    /// The number nearest to what `uplink` carries that need not change at every breath.
    fn settle(&mut self, uplink: Bitrate) {
        let usable = u128::from(uplink.min(self.means.limit).bps());
        let slots = usable * u128::from(self.means.place.share());
        let milli = slots / u128::from(self.means.stripe.bps().max(1));
        let allowed = self.allowed.map_or(u64::MAX, |allowed| u64::from(allowed) * 1000);
        let milli = u64::try_from(milli).unwrap_or(u64::MAX).min(allowed);
        let whole = u16::try_from(milli / 1000).unwrap_or(u16::MAX);
        if whole > self.total || milli.saturating_add(500) < u64::from(self.total) * 1000 {
            self.total = whole;
        }
    }
}

#[cfg(test)]
mod tests;
