//! Whom this node feeds: slots, admission, preemption.

use crate::identity::NodeId;
use crate::limits::CHILDREN_MAX;
use crate::time::Timestamp;
use crate::wire::control::Graft;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a preempted child is still fed: make before break. Spec: `forest.md` 5.4, ≤ 1 s.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a child that another node reports dead does not count against the slots. Derived: the
/// link's idle timeout, after which it is gone or was alive all along.
const SUSPECT: Duration = Duration::from_secs(5);
/// At most one preemption in this time. Guess: lower than `forest.md` 5.4 (2 s), because a helper
/// that comes back should not wait behind another.
const PREEMPT_EVERY: Duration = Duration::from_millis(250);

/// Children fed beyond the slots for a while, of `slots` of them: those being replaced, and those
/// reported dead, which anybody can claim of anybody. Derived: slots are four fifths of the uplink, so
/// an eighth more still fits it; at least two, so that one repair and one preemption can meet.
const fn spare(slots: u16) -> u16 {
    if slots == 0 {
        0
    } else if slots < 16 {
        2
    } else {
        slots / 8
    }
}

/// One child in one stripe.
#[derive(Debug)]
struct Child {
    channel: u32,
    helper: bool,
    slots: u16,
    suspect_until: Timestamp,
    draining_until: Option<Timestamp>,
}

/// The answer to a graft.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is a child now, perhaps in the place of another.
    Admitted(Option<Preempted>),
    /// No slot.
    Full,
}

/// A child that has to look elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Preempted {
    /// The stripe it is fed no more.
    pub stripe: u8,
    pub child: NodeId,
    /// Whom it should turn to.
    pub successor: NodeId,
}

/// All children of a node in one session.
#[derive(Debug)]
pub(crate) struct Children {
    slots: u16,
    /// Most children in one stripe: a root or helper spreads its slots over what it carries.
    per_stripe: u16,
    stripes: Vec<BTreeMap<NodeId, Child>>,
    preempted_at: Option<Timestamp>,
}

impl Children {
    /// For a node with `slots` in a session of `n` stripes.
    pub(crate) fn new(n: u8, slots: u16) -> Self {
        let slots = slots.min(CHILDREN_MAX as u16);
        let stripes = (0..n).map(|_| BTreeMap::new()).collect();
        Self { slots, per_stripe: slots, stripes, preempted_at: None }
    }

    /// Spreads the slots evenly over `stripes`, so that none takes them all.
    pub(crate) fn spread_over(&mut self, stripes: u32) {
        self.per_stripe = self.slots.div_ceil(stripes.max(1) as u16).max(1);
    }

    fn counted(&self, now: Timestamp, stripe: u8) -> u16 {
        let counts = |child: &&Child| child.draining_until.is_none() && child.suspect_until <= now;
        self.stripes[usize::from(stripe)].values().filter(counts).count() as u16
    }

    /// Children it would still admit, over all stripes.
    pub(crate) fn slots_free(&self, now: Timestamp) -> u16 {
        let used: u16 = (0..self.stripes.len() as u8).map(|stripe| self.counted(now, stripe)).sum();
        self.slots.saturating_sub(used)
    }

    /// Children fed, over all stripes, whether they count or not.
    fn fed(&self) -> u16 {
        self.stripes.iter().map(BTreeMap::len).sum::<usize>() as u16
    }

    /// Whether a child for `stripe` would be admitted without preemption.
    pub(crate) fn has_room(&self, now: Timestamp, stripe: u8) -> bool {
        self.slots_free(now) > 0 && self.counted(now, stripe) < self.per_stripe
    }

    /// Decides on a graft and carries it out.
    pub(crate) fn admit(&mut self, now: Timestamp, peer: NodeId, graft: &Graft) -> Admission {
        if let Some(dead) = graft.repair_of {
            // Its child says it is silent: its slot may go to that child at once.
            if let Some(child) = self.stripes[usize::from(graft.stripe)].get_mut(&dead) {
                child.suspect_until = now + SUSPECT;
            }
        }
        let child = self.stripes[usize::from(graft.stripe)].get(&peer);
        // One that is being replaced has lost its place: it asks like anybody else.
        let keeps = child.is_some_and(|child| child.draining_until.is_none());
        if child.is_none() && self.fed() >= self.slots.saturating_add(spare(self.slots)) {
            return Admission::Full;
        }
        let preempted = if keeps || self.has_room(now, graft.stripe) {
            None
        } else {
            match self.weaker(now, peer, graft).or_else(|| self.excess(now, graft.stripe)) {
                Some(preempted) => Some(preempted),
                None => return Admission::Full,
            }
        };
        if let Some(Preempted { stripe, child, .. }) = &preempted {
            self.preempted_at = Some(now);
            if let Some(child) = self.stripes[usize::from(*stripe)].get_mut(child) {
                child.draining_until = Some(now + DRAIN);
            }
        }
        let child = Child {
            channel: graft.channel,
            helper: graft.helper,
            slots: graft.slots,
            suspect_until: Timestamp::ZERO,
            draining_until: None,
        };
        self.stripes[usize::from(graft.stripe)].insert(peer, child);
        Admission::Admitted(preempted)
    }

    /// The child that a joiner with at least twice its slots may replace; it turns to the joiner.
    fn weaker(&self, now: Timestamp, joiner: NodeId, graft: &Graft) -> Option<Preempted> {
        if self.preempted_at.is_some_and(|at| now.since(at) < PREEMPT_EVERY) {
            return None;
        }
        let (node, child) = self.staying(graft.stripe).min_by_key(|(_, child)| child.slots)?;
        let stronger = graft.slots > 0 && graft.slots >= child.slots.saturating_mul(2);
        let stripe = graft.stripe;
        stronger.then_some(Preempted { stripe, child: *node, successor: joiner })
    }

    /// A child too many in another stripe, when `stripe` has less than its share of the slots; it
    /// turns to a sibling.
    fn excess(&self, now: Timestamp, stripe: u8) -> Option<Preempted> {
        if self.counted(now, stripe) >= self.per_stripe {
            return None;
        }
        let all = 0..self.stripes.len() as u8;
        let full = all.max_by_key(|other| self.counted(now, *other))?;
        if self.counted(now, full) <= self.per_stripe {
            return None;
        }
        let (child, _) = self.staying(full).min_by_key(|(_, child)| child.slots)?;
        let siblings = self.staying(full).filter(|(node, _)| *node != child);
        let (successor, _) = siblings.max_by_key(|(_, sibling)| sibling.slots)?;
        Some(Preempted { stripe: full, child: *child, successor: *successor })
    }

    fn staying(&self, stripe: u8) -> impl Iterator<Item = (&NodeId, &Child)> {
        let children = self.stripes[usize::from(stripe)].iter();
        children.filter(|(_, child)| child.draining_until.is_none())
    }

    /// Takes a child out of one stripe. True if it was one.
    pub(crate) fn remove(&mut self, stripe: u8, peer: &NodeId) -> bool {
        self.stripes[usize::from(stripe)].remove(peer).is_some()
    }

    /// Takes all children out of one stripe.
    pub(crate) fn take(&mut self, stripe: u8) -> Vec<(NodeId, u32)> {
        let children = std::mem::take(&mut self.stripes[usize::from(stripe)]);
        children.into_iter().map(|(node, child)| (node, child.channel)).collect()
    }

    /// Takes a node out of every stripe and says of which.
    pub(crate) fn remove_everywhere(&mut self, peer: &NodeId) -> Vec<u8> {
        (0..self.stripes.len() as u8).filter(|stripe| self.remove(*stripe, peer)).collect()
    }

    /// Ends the feeding of preempted children whose time is up.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<(u8, NodeId)> {
        let mut expired = Vec::new();
        for (stripe, children) in self.stripes.iter_mut().enumerate() {
            children.retain(|node, child| {
                let over = child.draining_until.is_some_and(|until| until <= now);
                if over {
                    expired.push((stripe as u8, *node));
                }
                !over
            });
        }
        expired
    }

    /// When [`Children::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.stripes.iter().flat_map(|c| c.values()).filter_map(|c| c.draining_until).min()
    }

    pub(crate) fn contains(&self, stripe: u8, peer: &NodeId) -> bool {
        self.stripes[usize::from(stripe)].contains_key(peer)
    }

    /// The children of a stripe and their channels.
    pub(crate) fn of(&self, stripe: u8) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        self.stripes[usize::from(stripe)].iter().map(|(node, child)| (*node, child.channel))
    }

    pub(crate) fn has_any(&self, stripe: u8) -> bool {
        !self.stripes[usize::from(stripe)].is_empty()
    }

    pub(crate) fn has_helper(&self, stripe: u8) -> bool {
        self.stripes[usize::from(stripe)].values().any(|child| child.helper)
    }

    /// Every node that is a child in some stripe.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.stripes.iter().flat_map(|children| children.keys().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(i: u8) -> NodeId {
        NodeId::from_bytes([i; 32])
    }

    fn graft(stripe: u8, slots: u16, repair_of: Option<NodeId>) -> Graft {
        Graft { stripe, request: 1, channel: 9, slots, resume: 0, repair_of, helper: slots > 0 }
    }

    #[test]
    fn a_root_spreads_its_slots_and_helpers_preempt_leaves() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(2, 2);
        children.spread_over(2);
        let admitted = Admission::Admitted(None);
        assert_eq!(children.admit(now, node(1), &graft(0, 0, None)), admitted);
        assert_eq!(children.admit(now, node(2), &graft(0, 0, None)), Admission::Full);
        assert_eq!(
            children.admit(now, node(1), &graft(0, 0, None)),
            admitted,
            "again is no new one"
        );
        assert_eq!(
            children.admit(now, node(3), &graft(0, 1, None)),
            Admission::Admitted(Some(Preempted { stripe: 0, child: node(1), successor: node(3) }))
        );
        assert_eq!(children.of(0).count(), 2, "the victim is fed until it has another parent");
        assert_eq!(children.expire(now + DRAIN), [(0, node(1))]);
        assert_eq!(children.of(0).collect::<Vec<_>>(), [(node(3), 9)]);
        assert_eq!(children.slots_free(now), 1);
    }

    #[test]
    fn a_stripe_without_its_share_gets_a_slot_of_one_with_too_many() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(2, 2);
        children.admit(now, node(1), &graft(0, 0, None));
        children.admit(now, node(2), &graft(0, 6, None));
        children.spread_over(2);
        assert_eq!(
            children.admit(now, node(3), &graft(1, 0, None)),
            Admission::Admitted(Some(Preempted { stripe: 0, child: node(1), successor: node(2) }))
        );
        assert_eq!(children.admit(now, node(4), &graft(1, 0, None)), Admission::Full);
    }

    #[test]
    fn the_orphan_of_a_dead_child_takes_its_place_at_once() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(1, 1);
        children.admit(now, node(1), &graft(0, 1, None));
        assert_eq!(children.admit(now, node(2), &graft(0, 0, None)), Admission::Full);
        assert_eq!(
            children.admit(now, node(2), &graft(0, 0, Some(node(1)))),
            Admission::Admitted(None)
        );
        assert_eq!(children.slots_free(now), 0);
    }

    #[test]
    fn false_reports_of_death_make_no_more_than_the_spare_slots() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(1, 4);
        let admitted = |children: &mut Children, i| {
            let liar = graft(0, 0, Some(node(i - 1)));
            children.admit(now, node(i), &liar) != Admission::Full
        };
        let fed = (1..100).filter(|i| admitted(&mut children, *i)).count();
        assert_eq!((fed, children.of(0).count()), (6, 6));
    }

    #[test]
    fn a_replaced_child_does_not_come_back_by_asking_again() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(1, 1);
        children.admit(now, node(1), &graft(0, 1, None));
        let preempted = Preempted { stripe: 0, child: node(1), successor: node(2) };
        let admitted = Admission::Admitted(Some(preempted));
        assert_eq!(children.admit(now, node(2), &graft(0, 2, None)), admitted);
        assert_eq!(children.admit(now, node(1), &graft(0, 1, None)), Admission::Full);
        assert_eq!(children.expire(now + DRAIN), [(0, node(1))]);
    }
}
