//! How a slot is won: counting, admission, preemption, and who makes way when there are too many.

use super::{Admission, Child, Children, Preempted};
use crate::forest::peer::Peer;
use crate::limits::PLACES_MAX;
use crate::room::make_room;
use crate::time::Timestamp;
use crate::wire::control::Graft;
use std::time::Duration;

/// How long a preempted child is still fed: make before break. Spec: `forest.md` 5.4, ≤ 1 s.
pub(super) const DRAIN: Duration = Duration::from_secs(1);
/// The same for one that feeds others: all below would be adrift. Guess.
pub(super) const DRAIN_STRONG: Duration = Duration::from_secs(3);
/// How long a child that another node reports dead does not count against the slots. Derived: the
/// link's idle timeout, after which it is gone or was alive all along.
const SUSPECT: Duration = Duration::from_secs(5);
/// At most one preemption in this time. Guess: far lower than `forest.md` 5.4 (2 s): a node with a
/// hundred leaves is to feed a hundred that feed others instead, within seconds.
const PREEMPT_EVERY: Duration = Duration::from_millis(50);
/// The same at a root or a helper. Guess: a helper that comes back should not wait behind another.
const PREEMPT_EVERY_ROOT: Duration = Duration::from_millis(250);
/// Among children of at least so many slots those below one that is a little better gain already.
/// Guess: half of what a node near the root feeds.
const STRONG: u16 = 30;
/// A node takes the place of another if those below it gain so much, µs, and a quarter. Guess: those
/// below all move.
const GAIN_US_MIN: u32 = 8_000;
/// After its uplink fell behind a node takes no child for this long. Guess.
const CONGESTED: Duration = Duration::from_secs(2);
/// Of its children it then gives up one in so many, leaves first. Guess: several rounds reach any
/// load, one is no upheaval.
const GIVEN_UP: usize = 16;
/// Children fed beyond the slots for a while, of `slots` of them: those being replaced, and those
/// reported dead, which anybody can claim of anybody. Derived: slots are four fifths of the uplink, so
/// an eighth more still fits it. Of few slots one more does nearly; two more would put a queue before
/// all that hangs there, which is what ruins a session of scarce uplinks.
const fn spare(slots: u16) -> u16 {
    match slots {
        0 => 0,
        1..8 => 1,
        8..16 => 2,
        _ => slots / 8,
    }
}

/// A claim counts for so many slots at most. Derived: half the slots of 100 Mbit/s with stripes of half a
/// megabit, which is what a strong gateway offers: whoever claims more goes before none of those.
const CLAIM_MAX: u16 = 72;

/// Nodes it keeps a place for because it took theirs. Guess: a node wins one place at a time.
const EXPECTED_MAX: usize = 8;
/// Of those it feeds so many beyond what it feeds at most otherwise, for a moment. Guess.
const EXPECTED_MORE: usize = 2;
/// Slots kept for the orphans of others. Derived: DESIGN section 6, a tenth; none where there are few.
const fn kept_for_repair(slots: u16) -> u16 {
    slots / 10
}

impl Children {
    /// Slots that a stripe is sure of.
    fn share(&self, stripe: u8) -> u16 {
        if self.spread.contains(stripe) { self.slots / self.spread.len() as u16 } else { 0 }
    }

    /// Slots that other stripes are sure of and do not use yet.
    fn kept_for_others(&self, now: Timestamp, stripe: u8) -> u16 {
        let others = self.spread.iter().filter(|other| *other != stripe);
        others.map(|other| self.share(other).saturating_sub(self.counted(now, other))).sum()
    }

    /// Most children it ever feeds at once.
    pub(crate) fn max(&self) -> usize {
        let heir = if self.heir.is_some() { self.spread.len() } else { 0 };
        self.most() + (self.spread.len() + heir) as usize + EXPECTED_MORE
    }

    /// Most children it feeds at once unless a stripe has none.
    fn most(&self) -> usize {
        self.slots.saturating_add(spare(self.slots)).into()
    }

    /// Children it feeds, the heir left out.
    fn others(&self) -> usize {
        self.all.iter().filter(|child| !child.heir).count()
    }

    fn counted(&self, now: Timestamp, stripe: u8) -> u16 {
        let counts = |child: &&Child| child.stripe == stripe && counts(child, now);
        self.all.iter().filter(counts).count() as u16
    }

    /// Children it would still admit, over all stripes.
    pub(crate) fn slots_free(&self, now: Timestamp) -> u16 {
        if now < self.congested_until {
            return 0;
        }
        let used = self.all.iter().filter(|child| counts(child, now)).count();
        let kept = self.expected.iter().filter(|(.., until)| now < *until).count();
        self.slots.saturating_sub((used + kept) as u16)
    }

    /// A node that lost its place to this one will ask for one here, and is sure of it.
    pub(crate) fn expect(&mut self, now: Timestamp, stripe: u8, peer: Peer) {
        self.expected.retain(|(.., until)| now < *until);
        if self.expected.len() < EXPECTED_MAX && !self.contains(stripe, peer) {
            self.expected.push((stripe, peer, now + DRAIN_STRONG));
        }
    }

    /// Whether it was expected; it is no more.
    fn arrives(&mut self, now: Timestamp, stripe: u8, peer: Peer) -> bool {
        let at = self
            .expected
            .iter()
            .position(|(s, p, until)| (*s, *p) == (stripe, peer) && now < *until);
        at.map(|at| self.expected.swap_remove(at)).is_some()
    }

    /// Children it would still admit though nobody died.
    pub(crate) fn slots_offered(&self, now: Timestamp) -> u16 {
        self.slots_free(now).saturating_sub(kept_for_repair(self.slots))
    }

    /// Whether a child for `stripe` would be admitted without preemption.
    fn has_room(&self, now: Timestamp, stripe: u8, repair: bool) -> bool {
        if self.counted(now, stripe) < self.share(stripe) {
            return self.slots_free(now) > 0;
        }
        let free = if repair { self.slots_free(now) } else { self.slots_offered(now) };
        free > self.kept_for_others(now, stripe)
    }

    /// Decides on the graft of a node that is `way_us` away, and carries it out.
    pub(crate) fn admit(
        &mut self,
        now: Timestamp,
        (peer, way_us): (Peer, u32),
        graft: &Graft<Peer>,
    ) -> Admission {
        let stripe = graft.stripe;
        let graft = &Graft { slots: graft.slots.min(CLAIM_MAX), ..*graft };
        if let Some(dead) = graft.repair_of {
            // Its child says it is silent: its slot may go to that child at once.
            if let Some(child) = self.find_mut(stripe, dead) {
                child.suspect_until = now + SUSPECT;
            }
        }
        let expected = self.arrives(now, stripe, peer);
        let child = self.find(stripe, peer);
        // One that is being replaced has lost its place: it asks like anybody else.
        let keeps = child.is_some_and(|child| child.draining_until.is_none());
        // A stripe without its share goes before all that are still fed beyond the slots.
        let lacks = self.counted(now, stripe) < self.share(stripe);
        let heir = self.heir == Some(peer);
        let over = child.is_none()
            && !lacks
            && !heir
            && (self.others() >= self.most() + if expected { EXPECTED_MORE } else { 0 }
                || (now < self.congested_until && !expected));
        let ousted = if over { self.oust(now, peer, graft) } else { None };
        if over && ousted.is_none() {
            return Admission::Full;
        }
        let preempted = if ousted.is_some() {
            ousted
        } else if keeps || heir || self.has_room(now, stripe, graft.repair_of.is_some()) {
            None
        } else {
            let weaker = if expected { self.makes_way(peer, graft) } else { None };
            let weaker = weaker.or_else(|| self.weaker(now, (peer, way_us), graft));
            let weaker = weaker.or_else(|| self.excess(now, stripe));
            match weaker.or_else(|| self.better_off(graft)) {
                Some(preempted) => Some(preempted),
                None => return Admission::Full,
            }
        };
        if let Some(preempted) = preempted.as_ref().filter(|_| !over) {
            self.preempted_at = Some(now);
            self.drain(now, preempted);
        }
        self.remove(stripe, peer);
        let Graft { channel, slots, helper, reach, .. } = *graft;
        let fed = graft.fed.saturating_add(1); // with this one
        let suspect_until = Timestamp::ZERO;
        let child = Child {
            peer,
            channel,
            slots,
            way_us,
            stripe,
            fed,
            helper,
            reach,
            children: None,
            room: slots,
            places: [None; PLACES_MAX],
            leaf: false,
            told_us: 0,
            suspect_until,
            draining_until: None,
            heir,
        };
        let at = self.all.partition_point(|other| {
            (other.stripe, std::cmp::Reverse(other.slots)) <= (stripe, std::cmp::Reverse(slots))
        });
        make_room(&mut self.all);
        self.all.insert(at, child);
        Admission::Admitted(preempted)
    }

    /// The child whose place is worth clearly more to those below a joiner; it turns to the joiner.
    fn weaker(
        &self,
        now: Timestamp,
        (joiner, way_us): (Peer, u32),
        graft: &Graft<Peer>,
    ) -> Option<Preempted> {
        // Where all below would move, less often.
        let every = if self.spread.is_empty() { PREEMPT_EVERY } else { PREEMPT_EVERY_ROOT };
        if self.preempted_at.is_some_and(|at| now.since(at) < every) {
            return None;
        }
        // It must be able to turn to the joiner, or all below it would be adrift.
        let meets = |child: &Child| child.reach.meets(graft.reach);
        let may_go = self.staying(graft.stripe).filter(|child| meets(child) || child.is_idle());
        let child = may_go.max_by_key(|child| child.cost_us())?;
        let (old_us, new_us) = (child.cost_us(), super::cost_us(graft.slots, way_us));
        let stronger = if child.worth() < STRONG {
            graft.slots > 0 && graft.slots >= child.worth().saturating_mul(2)
        } else {
            old_us >= new_us.saturating_add(GAIN_US_MIN.max(old_us / 4))
        };
        let successor = Some(joiner).filter(|_| meets(child));
        let (stripe, child) = (graft.stripe, child.peer);
        stronger.then_some(Preempted { stripe, child, successor })
    }

    /// The child that goes at once for one that multiplies the stripe, where as many are fed beyond
    /// the slots as may be: one with nobody below, or that is meant to have nobody.
    fn oust(&mut self, now: Timestamp, joiner: Peer, graft: &Graft<Peer>) -> Option<Preempted> {
        let stripe = graft.stripe;
        let its = self.all.iter().filter(|child| child.stripe == stripe && !child.heir);
        let idle = its.filter(|child| child.is_idle() || child.worth() == 0);
        let child = idle.min_by_key(|child| child.worth())?;
        if graft.slots == 0 || graft.slots < child.worth().saturating_mul(2) {
            return None;
        }
        let successor = Some(joiner).filter(|_| child.reach.meets(graft.reach));
        let child = child.peer;
        self.find_mut(stripe, child)?.draining_until = Some(now);
        Some(Preempted { stripe, child, successor })
    }

    /// The child that makes way for one that is sure of its place.
    fn makes_way(&self, expected: Peer, graft: &Graft<Peer>) -> Option<Preempted> {
        let meeting = self.staying(graft.stripe).filter(|child| child.reach.meets(graft.reach));
        let child = meeting.min_by_key(|child| child.worth())?;
        let (stripe, child) = (graft.stripe, child.peer);
        Some(Preempted { stripe, child, successor: Some(expected) })
    }

    /// A child too many in another stripe, when `stripe` has less than its share of the slots; it
    /// turns to a sibling.
    fn excess(&self, now: Timestamp, stripe: u8) -> Option<Preempted> {
        if self.counted(now, stripe) >= self.share(stripe).max(1) || self.spread.is_empty() {
            return None;
        }
        let full = self.stripes().max_by_key(|other| self.counted(now, *other))?;
        if self.counted(now, full) <= self.share(full).max(1) {
            return None;
        }
        self.weakest(full).filter(|preempted| preempted.successor.is_some())
    }

    /// The weakest child of a stripe; it turns to the strongest sibling that it can meet.
    fn weakest(&self, stripe: u8) -> Option<Preempted> {
        let weakest = self.staying(stripe).min_by_key(|child| child.worth())?;
        let child = weakest.peer;
        let meets = |other: &&Child| other.peer != child && other.reach.meets(weakest.reach);
        let successor = self.staying(stripe).filter(meets).max_by_key(|sibling| sibling.worth());
        Some(Preempted { stripe, child, successor: successor.map(|sibling| sibling.peer) })
    }

    /// Feeds a child that has to look elsewhere for a while yet.
    fn drain(&mut self, now: Timestamp, preempted: &Preempted) {
        if let Some(child) = self.find_mut(preempted.stripe, preempted.child) {
            let drain = if child.slots > 0 { DRAIN_STRONG } else { DRAIN };
            child.draining_until = Some(now + drain);
        }
    }

    /// A child has to look elsewhere, wherever.
    pub(crate) fn dismiss(&mut self, now: Timestamp, stripe: u8, peer: Peer) -> Option<Preempted> {
        let child = self.find(stripe, peer)?.peer;
        let dismissed = Preempted { stripe, child, successor: None };
        self.drain(now, &dismissed);
        Some(dismissed)
    }

    /// Some children of a stripe, a quarter at a time, are to look elsewhere. Says which.
    pub(crate) fn give_back(&mut self, now: Timestamp, stripe: u8) -> Vec<Peer> {
        let here = self.all.iter().filter(|child| child.stripe == stripe).count();
        let staying = |child: &&mut Child| child.stripe == stripe && child.draining_until.is_none();
        let some = self.all.iter_mut().filter(staying).take(here.div_ceil(4));
        some.map(|child| {
            child.draining_until = Some(now + DRAIN_STRONG);
            child.peer
        })
        .collect()
    }

    /// A child beyond the slots that has to look elsewhere: those taken in the place of one that
    /// seemed dead, or before there were fewer slots. It turns to a sibling.
    pub(crate) fn one_too_many(&mut self, now: Timestamp) -> Option<Preempted> {
        let used = self.all.iter().filter(|child| counts(child, now)).count();
        if used <= usize::from(self.slots) {
            return None;
        }
        let full = self.stripes().max_by_key(|stripe| {
            self.counted(now, *stripe).saturating_sub(self.share(*stripe).max(1))
        })?;
        let preempted = self.weakest(full)?;
        self.drain(now, &preempted);
        Some(preempted)
    }

    /// The uplink is behind: no more children for a while, and some of those that feed nobody have to
    /// look elsewhere. Says which.
    pub(crate) fn relieve(&mut self, now: Timestamp) -> Vec<(u8, Peer)> {
        if now < self.congested_until || self.all.is_empty() {
            return Vec::new();
        }
        self.congested_until = now + CONGESTED;
        let mut staying: Vec<usize> =
            (0..self.all.len()).filter(|at| self.all[*at].draining_until.is_none()).collect();
        // Of leaves those that have the most stripes can best do without.
        staying.sort_by_key(|at| (self.all[*at].slots, u8::MAX - self.all[*at].fed));
        staying.truncate(self.all.len().div_ceil(GIVEN_UP));
        let given_up =
            staying.iter().map(|at| (self.all[*at].stripe, self.all[*at].peer)).collect();
        for at in staying {
            self.all[at].draining_until = Some(now + DRAIN);
        }
        given_up
    }
}

fn counts(child: &Child, now: Timestamp) -> bool {
    child.draining_until.is_none() && child.suspect_until <= now && !child.heir
}
