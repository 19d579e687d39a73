//! A session's part of the node's uplink, and the slots that follow from it.

use super::Live;
use crate::capacity::{Budget, Demand, Load, Means, PROBATION_SLOTS, Place};
use crate::context::Context;
use crate::forest::Role;
use crate::session::Outline;
use crate::time::Timestamp;
use crate::unit::Bitrate;

/// The slots of one session where the uplink is measured.
pub(crate) struct Share {
    budget: Budget,
    /// Never more slots than this: what the owner gives, and the most children.
    most: u16,
    /// Never fewer: the publisher's node feeds one copy of its session, or there is none.
    least: u16,
}

impl Share {
    /// For a session just entered: the owner gives `limit`, of which it has `part` now, and `most`
    /// slots.
    pub(crate) fn new(
        now: Timestamp,
        outline: &Outline,
        role: Role,
        (limit, part): (Bitrate, Bitrate),
        most: u16,
    ) -> Self {
        let own = role == Role::Root;
        let means = Means {
            stripe: outline.stripe_bitrate(),
            limit,
            // As slots are promised to owners, and as the simulator has them: the root's uplink is
            // kept no freer than others'.
            place: Place::Below,
            vouched: own,
            entry: entry(outline, role),
        };
        let mut budget = Budget::new(now, means);
        budget.update(now, &Load { used: 0, uplink: part, saturated: false });
        let least = if own { outline.stripes().into() } else { 0 };
        Self { budget, most, least }
    }

    /// The node is the root from now on: it feeds one copy of the session at least, and `most`.
    pub(crate) fn lead(&mut self, outline: &Outline, most: u16) {
        (self.least, self.most) = (outline.stripes().into(), most);
    }

    /// The slots to give.
    pub(crate) fn slots(&self) -> u16 {
        self.budget.slots().total().max(self.least).min(self.most)
    }

    /// What a session with `used` slots in use asks of the uplink.
    pub(crate) fn demand_of(outline: &Outline, role: Role, used: u16) -> Demand {
        // A fifth is kept free.
        let slot = Bitrate::from_bps(outline.stripe_bitrate().bps() * 5 / 4);
        let own = role == Role::Root;
        Demand { used, least: entry(outline, role).max(PROBATION_SLOTS), slot, own }
    }
}

/// Slots of a newcomer. Derived: as many as it takes stripes, so that a crowd of nothing but
/// newcomers can feed itself.
fn entry(outline: &Outline, role: Role) -> u16 {
    match role {
        Role::Root | Role::Gateway => outline.stripes().into(),
        Role::Helper => 0,
    }
}

impl Live {
    /// What this session asks of the uplink.
    pub(crate) fn demand(&self) -> Demand {
        let used = u16::try_from(self.forest.children_len()).unwrap_or(u16::MAX);
        Share::demand_of(&self.outline, self.role, used)
    }

    /// The session has `part` of the uplink. `saturated`: the uplink is full.
    pub(crate) fn on_share(&mut self, cx: &mut Context<'_>, part: Bitrate, saturated: bool) {
        let used = u16::try_from(self.forest.children_len()).unwrap_or(u16::MAX);
        let Some(share) = &mut self.share else { return };
        share.budget.update(cx.now, &Load { used, uplink: part, saturated });
        let slots = share.slots();
        if slots != self.forest.setup().slots {
            self.forest.set_slots(cx.now, slots);
        }
    }

    /// The uplink is behind: fewer children.
    pub(crate) fn on_congested(&mut self, cx: &mut Context<'_>) {
        self.with_forest(cx, |forest, cx| forest.on_congested(cx));
    }
}
