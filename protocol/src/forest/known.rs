//! What one node knows of another member.

use super::coordinate::Spot;
use super::member::{Member, Reach, Role};
use super::peer::Peer;
use super::rough::Rough;
use super::score::RTT_UNKNOWN;
use super::stripe::StripeSet;
use super::told::Told;
use crate::time::Timestamp;
use std::time::Duration;

/// What a member says of itself is believed this long. Derived: an announcement each 25 s, and half as
/// long again for what others pass on.
pub(super) const FRESH: Duration = Duration::from_secs(40);

/// What a member said of itself: a [`Member`] without who it is and how old the word is. Small, as a
/// node remembers dozens and a world has a million nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) carries: StripeSet,
    pub(crate) delay_us: u32,
    pub(crate) slots: u16,
    pub(crate) slots_free: u16,
    pub(crate) depth: u8,
    pub(crate) role: Role,
    pub(crate) reach: Reach,
    pub(crate) spot: Spot,
}

impl Said {
    /// The word of a member.
    pub(super) const fn by(member: &Member<Peer>) -> Self {
        let Member { role, carries, slots, slots_free, depth, delay_us, reach, spot, .. } = *member;
        Self { carries, delay_us, slots, slots_free, depth, role, reach, spot }
    }
}

/// One member, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// What it said of itself; absent for bootstraps and discovery's finds.
    pub(super) member: Option<Said>,
    /// When it said so.
    pub(super) said: Rough,
    pub(super) heard: Rough,
    pub(super) ask_after: Rough,
    /// Links to it that did not come up, in a row.
    pub(super) failures: u8,
    pub(super) home: u8,
    /// By how much it came later than it had promised when it was a parent, ms.
    pub(super) late_ms: u16,
    /// Who said so, or at least that it is there.
    pub(super) told: Told,
}

impl Known {
    /// A member that nothing is known of but that it is there.
    pub(super) fn new(now: Timestamp, home: u8, told: Told) -> Self {
        Self {
            member: None,
            said: Rough::ZERO,
            heard: Rough::of(now),
            ask_after: Rough::ZERO,
            failures: 0,
            home,
            late_ms: 0,
            told,
        }
    }

    /// Whether it may be asked.
    pub(super) fn may_be_asked(&self, now: Timestamp) -> bool {
        self.ask_after.time() <= now
    }

    /// Whether its word still counts.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.member.is_some() && now.since(self.said.time()) < FRESH
    }

    /// Whether it still counts and came from itself.
    pub(super) fn is_first_hand(&self, now: Timestamp) -> bool {
        self.told == Told::BY_ITSELF && self.is_fresh(now)
    }

    /// Whether its word still counts, or the invite or discovery named it a moment ago.
    pub(super) fn counts(&self, now: Timestamp) -> bool {
        let untried = self.member.is_none() && self.failures == 0 && self.told == Told::BY_ITSELF;
        self.is_fresh(now) || (untried && now.since(self.heard.time()) < FRESH)
    }

    /// What it said of itself, if that still counts.
    pub(super) fn fresh(&self, now: Timestamp) -> Option<&Said> {
        self.member.as_ref().filter(|_| now.since(self.said.time()) < FRESH)
    }

    /// What it said of itself, for others: as the member `peer`.
    pub(super) fn as_member(&self, now: Timestamp, peer: Peer) -> Option<Member<Peer>> {
        let age_s = now.since(self.said.time()).as_secs().min(u16::MAX.into()) as u16;
        let Said { carries, delay_us, slots, slots_free, depth, role, reach, spot } = self.member?;
        let contact = peer;
        Some(Member {
            contact,
            role,
            carries,
            slots,
            slots_free,
            depth,
            delay_us,
            age_s,
            reach,
            spot,
        })
    }

    /// The delay from the root through it to a node that is somewhere, µs.
    pub(super) fn through_us(&self, spot: Spot) -> u64 {
        let Some(member) = &self.member else { return u64::MAX };
        let rtt = spot.round_trip(member.spot).unwrap_or(RTT_UNKNOWN);
        let delay_us = u64::from(member.delay_us) + u64::from(self.late_ms) * 1_000;
        delay_us + rtt.as_micros() as u64 / 2
    }

    /// Whether what it said of itself is `age` old.
    pub(super) fn said_before(&self, now: Timestamp, age: Duration) -> bool {
        now.since(self.said.time()) >= age
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small() {
        assert!(size_of::<Known>() <= 44, "{}", size_of::<Known>());
    }
}
