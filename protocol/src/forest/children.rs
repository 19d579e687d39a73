//! Whom this node feeds: slots, admission, preemption, and in which order.

use super::member::{Member, Reach};
use super::peer::Peer;
use super::stripe::StripeSet;
use super::summed::{Summary, Summed};
use crate::limits::{CHILDREN_MAX, PLACES_MAX};
use crate::rng::Rng;
use crate::room::make_room;
use crate::time::Timestamp;
use crate::wire::control::Graft;
use std::time::Duration;

/// How long a preempted child is still fed: make before break. Spec: `forest.md` 5.4, ≤ 1 s.
const DRAIN: Duration = Duration::from_secs(1);
/// The same for one that feeds others: all below would be adrift. Guess.
const DRAIN_STRONG: Duration = Duration::from_secs(3);
/// How long a child that another node reports dead does not count against the slots. Derived: the
/// link's idle timeout, after which it is gone or was alive all along.
const SUSPECT: Duration = Duration::from_secs(5);
/// At most one preemption in this time. Guess: far lower than `forest.md` 5.4 (2 s): a node with a
/// hundred leaves is to feed a hundred that feed others instead, within seconds.
const PREEMPT_EVERY: Duration = Duration::from_millis(50);
/// The same at a root or a helper. Guess: a helper that comes back should not wait behind another.
const PREEMPT_EVERY_ROOT: Duration = Duration::from_millis(250);
/// After its uplink fell behind a node takes no child for this long. Guess.
const CONGESTED: Duration = Duration::from_secs(2);
/// Of its children it then gives up one in so many, leaves first. Guess: several rounds reach any
/// load, one is no upheaval.
const GIVEN_UP: usize = 16;
/// Time in which a node sends one shard of a keyframe to as many children as it has slots, µs.
/// Derived: slots are four fifths of the uplink, a block comes every 33 ms, a keyframe is twice the
/// mean. Keyframes rule the tail (`forest.md` 3.4).
const ROUND_US: u32 = 53_400;

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

/// Nodes it keeps a place for because it took theirs. Guess: a node wins one place at a time.
const EXPECTED_MAX: usize = 8;
/// Of those it feeds so many beyond what it feeds at most otherwise, for a moment. Guess.
const EXPECTED_MORE: usize = 2;

/// Slots kept for the orphans of others. Derived: DESIGN section 6, a tenth; none where there are few.
const fn kept_for_repair(slots: u16) -> u16 {
    slots / 10
}

/// One child in one stripe.
#[derive(Clone, Copy, Debug)]
struct Child {
    peer: Peer,
    channel: u32,
    slots: u16,
    stripe: u8,
    /// Stripes it is fed.
    fed: u8,
    helper: bool,
    reach: Reach,
    /// Children that it has there, if it said so.
    children: Option<u16>,
    /// Children that it and all below it would take, and some that would.
    room: u16,
    places: [Option<Place>; PLACES_MAX],
    /// Meant to be a leaf here: it stood in for others while the session was small.
    leaf: bool,
    /// The delay it was told, µs.
    told_us: u32,
    suspect_until: Timestamp,
    draining_until: Option<Timestamp>,
    /// It will be the root: it is fed beyond the slots, and gives way to nobody.
    heir: bool,
}

impl Child {
    /// Children it feeds with the stripe, as it is meant to.
    const fn worth(&self) -> u16 {
        if self.leaf { 0 } else { self.slots }
    }

    /// Whether nobody is below it: nobody would be adrift if it went.
    fn is_idle(&self) -> bool {
        self.children == Some(0)
    }

    /// Where below it a node of that `reach` finds a place: there, or else with the child itself.
    fn place_for(&self, reach: Reach, not: Peer) -> Option<Place> {
        let meets = |place: &Place| place.peer != not && place.reach.meets(reach);
        let itself =
            Place { peer: self.peer, slots: self.slots, delay_us: self.told_us, reach: self.reach };
        let mut places = self.places.iter().flatten().copied();
        places.find(meets).or(Some(itself).filter(meets))
    }
}

/// When the first child that is being replaced is fed no more.
#[derive(Clone, Copy, Debug)]
struct Drains(Option<Timestamp>);

impl Summary<Child> for Drains {
    fn of(children: &[Child]) -> Self {
        Self(children.iter().filter_map(|child| child.draining_until).min())
    }
}

/// A node that would take a child in a stripe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub peer: Peer,
    /// Children it would take.
    pub slots: u16,
    /// From the root to its next child, without the link to it, µs.
    pub delay_us: u32,
    pub reach: Reach,
}

impl Place {
    /// The place that a member offers.
    pub(crate) fn of(member: &Member<Peer>) -> Self {
        let &Member { contact: peer, slots_free: slots, delay_us, reach, .. } = member;
        Self { peer, slots, delay_us, reach }
    }
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
    pub child: Peer,
    /// Whom it should turn to, if that helps.
    pub successor: Option<Peer>,
}

/// All children of a node in one session, in the order in which they are served: by stripe, those
/// that feed many first, so that what many wait for is sent first.
#[derive(Debug)]
pub(crate) struct Children {
    slots: u16,
    /// Stripes over which a root or helper spreads its slots, so that none takes them all.
    spread: StripeSet,
    /// Stripes that a block needs.
    k: u8,
    all: Summed<Child, Drains>,
    /// Who will be the root after this one.
    heir: Option<Peer>,
    preempted_at: Option<Timestamp>,
    congested_until: Timestamp,
    /// Nodes that lost their place to this one and will ask it for one, until when.
    expected: Vec<(u8, Peer, Timestamp)>,
}

impl Children {
    /// For a node with `slots` in a session whose blocks need `k` stripes.
    pub(crate) fn new(k: u8, slots: u16) -> Self {
        let slots = slots.min(CHILDREN_MAX as u16);
        Self {
            slots,
            spread: StripeSet::EMPTY,
            k,
            all: Summed::new(Vec::new()),
            heir: None,
            preempted_at: None,
            congested_until: Timestamp::ZERO,
            expected: Vec::new(),
        }
    }

    /// Spreads the slots over `stripes`: each has its share, and none takes that of another.
    pub(crate) fn spread_over(&mut self, stripes: StripeSet) {
        self.spread = stripes;
    }

    /// Admits `heir` in every stripe beyond the slots.
    pub(crate) fn set_heir(&mut self, heir: Peer) {
        self.heir = Some(heir);
    }

    /// Who is admitted beyond the slots.
    pub(crate) fn heir(&self) -> Option<Peer> {
        self.heir
    }

    /// Changes how many children it feeds. Those it has too many are kept until they go.
    pub(crate) fn set_slots(&mut self, slots: u16) {
        self.slots = slots.min(CHILDREN_MAX as u16);
    }

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

    pub(crate) fn slots(&self) -> u16 {
        self.slots
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

    /// Decides on a graft and carries it out.
    pub(crate) fn admit(&mut self, now: Timestamp, peer: Peer, graft: &Graft<Peer>) -> Admission {
        let stripe = graft.stripe;
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
            let weaker = weaker.or_else(|| self.weaker(now, peer, graft));
            let weaker = weaker.or_else(|| self.excess(now, stripe));
            match weaker.or_else(|| self.sated(graft)) {
                Some(preempted) => Some(preempted),
                None => return Admission::Full,
            }
        };
        if let Some(preempted) = preempted.as_ref().filter(|_| !over) {
            self.preempted_at = Some(now);
            self.drain(now, preempted);
        }
        self.remove(stripe, peer);
        let Graft { channel, slots, fed, helper, reach, .. } = *graft;
        let suspect_until = Timestamp::ZERO;
        let child = Child {
            peer,
            channel,
            slots,
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

    /// The child that a joiner with at least twice its slots may replace; it turns to the joiner.
    fn weaker(&self, now: Timestamp, joiner: Peer, graft: &Graft<Peer>) -> Option<Preempted> {
        // Where all below would move, less often.
        let every = if self.spread.is_empty() { PREEMPT_EVERY } else { PREEMPT_EVERY_ROOT };
        if self.preempted_at.is_some_and(|at| now.since(at) < every) {
            return None;
        }
        // It must be able to turn to the joiner, or all below it would be adrift.
        let meets = |child: &Child| child.reach.meets(graft.reach);
        let may_go = self.staying(graft.stripe).filter(|child| meets(child) || child.is_idle());
        let child = may_go.min_by_key(|child| child.worth())?;
        let stronger = graft.slots > 0 && graft.slots >= child.worth().saturating_mul(2);
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

    /// Whether a node is a child that may stay.
    pub(crate) fn stays(&self, stripe: u8, peer: Peer) -> bool {
        self.find(stripe, peer).is_some_and(|child| child.draining_until.is_none())
    }

    /// A child has to look elsewhere, wherever.
    pub(crate) fn dismiss(&mut self, now: Timestamp, stripe: u8, peer: Peer) -> Option<Preempted> {
        let child = self.find(stripe, peer)?.peer;
        let dismissed = Preempted { stripe, child, successor: None };
        self.drain(now, &dismissed);
        Some(dismissed)
    }

    /// Parity goes before viewers: a leaf that has more stripes than a block needs makes room for a
    /// node that has fewer.
    fn sated(&self, graft: &Graft<Peer>) -> Option<Preempted> {
        if graft.fed >= self.k {
            return None;
        }
        let leaves = self.staying(graft.stripe).filter(|child| child.worth() == 0);
        let sated = leaves.max_by_key(|child| child.fed).filter(|child| child.fed > self.k)?;
        Some(Preempted { stripe: graft.stripe, child: sated.peer, successor: None })
    }

    fn staying(&self, stripe: u8) -> impl Iterator<Item = &Child> {
        self.all
            .iter()
            .filter(move |child| child.stripe == stripe && child.draining_until.is_none())
            .filter(|child| !child.heir)
    }

    fn find(&self, stripe: u8, peer: Peer) -> Option<&Child> {
        self.all.iter().find(|child| child.stripe == stripe && child.peer == peer)
    }

    fn find_mut(&mut self, stripe: u8, peer: Peer) -> Option<&mut Child> {
        self.all.iter_mut().find(|child| child.stripe == stripe && child.peer == peer)
    }

    /// A child says how many more it and all below it would take.
    pub(crate) fn set_room(
        &mut self,
        stripe: u8,
        peer: Peer,
        (room, children): (u16, u16),
        places: impl Iterator<Item = Place>,
    ) {
        if let Some(child) = self.find_mut(stripe, peer) {
            child.room = room;
            child.children = Some(children);
            child.places = [None; PLACES_MAX];
            child.places.iter_mut().zip(places).for_each(|(at, place)| *at = Some(place));
        }
    }

    /// Those that `is_leaf` are worth no more than leaves.
    pub(crate) fn mark_leaves(&mut self, is_leaf: impl Fn(Peer, u8) -> bool) {
        if self
            .all
            .iter()
            .any(|child| !child.helper && !child.leaf && is_leaf(child.peer, child.stripe))
        {
            let gateways = self.all.iter_mut().filter(|child| !child.helper);
            gateways.for_each(|child| child.leaf = is_leaf(child.peer, child.stripe));
        }
    }

    /// Children that all below would still take in a stripe.
    pub(crate) fn room_below(&self, stripe: u8) -> u16 {
        self.staying(stripe).fold(0, |room, child| room.saturating_add(child.room))
    }

    /// At most `keep` places below that a node of that `reach` can meet: at random, more often where
    /// there is more room. One that is named first counts as taken.
    pub(crate) fn with_room(
        &mut self,
        stripe: u8,
        not: Peer,
        reach: Reach,
        keep: usize,
        rng: &mut Rng,
    ) -> Vec<Place> {
        let mut found = Vec::with_capacity(keep);
        let mut some: Vec<(Peer, u16, Place)> = self
            .staying(stripe)
            .filter(|child| child.room > 0 && child.peer != not)
            .filter_map(|child| Some((child.peer, child.room, child.place_for(reach, not)?)))
            .collect();
        let mut first = None;
        while found.len() < keep && !some.is_empty() {
            let all: u64 = some.iter().map(|(_, room, _)| u64::from(*room)).sum();
            let mut pick = rng.below(all);
            let at = some.iter().position(|(_, room, _)| {
                let left = pick.checked_sub(u64::from(*room));
                pick = left.unwrap_or(0);
                left.is_none()
            });
            let (child, _, place) = some.swap_remove(at.unwrap_or(0));
            first = first.or(Some(child));
            found.push(place);
        }
        if let Some(child) = first.and_then(|child| self.find_mut(stripe, child)) {
            child.room -= 1;
        }
        found
    }

    /// A child says how many stripes it is fed.
    pub(crate) fn set_fed(&mut self, peer: Peer, fed: u8) {
        let its = self.all.aside().iter_mut().filter(|child| child.peer == peer);
        its.for_each(|child| child.fed = fed);
    }

    /// Takes a child out of one stripe. True if it was one.
    pub(crate) fn remove(&mut self, stripe: u8, peer: Peer) -> bool {
        let before = self.all.len();
        self.all.retain(|child| (child.stripe, child.peer) != (stripe, peer));
        self.all.len() < before
    }

    /// Takes all children out of one stripe.
    pub(crate) fn take(&mut self, stripe: u8) -> Vec<Peer> {
        let children = self.of(stripe).map(|(peer, _)| peer).collect();
        self.all.retain(|child| child.stripe != stripe);
        children
    }

    /// Takes a node out of every stripe and says of which.
    pub(crate) fn remove_everywhere(&mut self, peer: Peer) -> Vec<u8> {
        let its = self.all.iter().filter(|child| child.peer == peer);
        let stripes = its.map(|child| child.stripe).collect();
        self.all.retain(|child| child.peer != peer);
        stripes
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

    /// Ends the feeding of preempted children whose time is up.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<(u8, Peer)> {
        let over = |child: &Child| child.draining_until.is_some_and(|until| until <= now);
        let expired: Vec<_> =
            self.all.iter().filter(|c| over(c)).map(|c| (c.stripe, c.peer)).collect();
        if !expired.is_empty() {
            self.all.retain(|child| !over(child));
        }
        expired
    }

    /// When [`Children::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.all.summary().0
    }

    /// After changes, so that what every input asks is known.
    pub(crate) fn settle(&mut self) {
        self.all.settle();
    }

    pub(crate) fn contains(&self, stripe: u8, peer: Peer) -> bool {
        self.find(stripe, peer).is_some()
    }

    /// The children of a stripe and their channels, in the order in which they are served.
    pub(crate) fn of(&self, stripe: u8) -> impl Iterator<Item = (Peer, u32)> + '_ {
        let its = self.all.iter().filter(move |child| child.stripe == stripe);
        its.map(|child| (child.peer, child.channel))
    }

    /// How long a shard waits here before it is sent to a child, µs.
    pub(crate) fn wait_us(&self, stripe: u8, peer: Peer) -> u32 {
        let mut its = self.all.iter().filter(|child| child.stripe == stripe);
        let ahead = its.position(|child| child.peer == peer).unwrap_or(0);
        wait_behind(self.slots, ahead)
    }

    /// The same for the next child without children.
    pub(crate) fn wait_next_us(&self, stripe: u8) -> u32 {
        wait_behind(self.slots, self.all.iter().filter(|child| child.stripe == stripe).count())
    }

    /// The children of a stripe whose delay differs by at least `by` µs from what they were told,
    /// with that delay, `own_us` being this node's; notes that they are told.
    pub(crate) fn news(&mut self, stripe: u8, own_us: u32, by: u32) -> Vec<(Peer, u32)> {
        let slots = self.slots;
        let its = self.all.aside().iter_mut().filter(|child| child.stripe == stripe);
        its.enumerate()
            .filter_map(|(ahead, child)| {
                let delay_us = own_us.saturating_add(wait_behind(slots, ahead));
                (child.told_us.abs_diff(delay_us) >= by).then(|| {
                    child.told_us = delay_us;
                    (child.peer, delay_us)
                })
            })
            .collect()
    }

    /// Notes the delay a child is told.
    pub(crate) fn told(&mut self, stripe: u8, peer: Peer, delay_us: u32) {
        if let Some(child) = self.find_mut(stripe, peer) {
            child.told_us = delay_us;
        }
    }

    pub(crate) fn has_any(&self, stripe: u8) -> bool {
        self.all.iter().any(|child| child.stripe == stripe)
    }

    pub(crate) fn has_helper(&self, stripe: u8) -> bool {
        self.all.iter().any(|child| child.stripe == stripe && child.helper)
    }

    /// Stripes in which it has children, ascending.
    pub(crate) fn stripes(&self) -> impl Iterator<Item = u8> + '_ {
        let mut last = None;
        self.all.iter().map(|child| child.stripe).filter(move |stripe| {
            let is_new = last != Some(*stripe);
            last = Some(*stripe);
            is_new
        })
    }

    /// Every node that is a child in some stripe.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.all.iter().map(|child| child.peer)
    }

    /// Every node that is named here.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = Peer> + '_ {
        let places = self.all.iter().flat_map(|child| child.places.iter().flatten());
        let expected = self.expected.iter().map(|(_, peer, _)| *peer);
        self.peers().chain(places.map(|place| place.peer)).chain(expected)
    }

    /// How many there are over all stripes, whether they count or not.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// How long a shard waits behind those for so many children, at a node with `slots`, µs.
fn wait_behind(slots: u16, ahead: usize) -> u32 {
    (ahead as u32 + 1) * ROUND_US / u32::from(slots.max(1))
}

fn counts(child: &Child, now: Timestamp) -> bool {
    child.draining_until.is_none() && child.suspect_until <= now && !child.heir
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(i: u8) -> Peer {
        Peer(i.into())
    }

    fn graft(stripe: u8, slots: u16, repair_of: Option<Peer>) -> Graft<Peer> {
        let (channel, helper) = (9, slots > 0);
        let (request, resume, fed, insist, reach) = (1, 0, 4, false, Reach::Public);
        Graft { stripe, request, channel, slots, resume, repair_of, helper, fed, insist, reach }
    }

    #[test]
    fn a_root_spreads_its_slots_and_helpers_preempt_leaves() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(4, 2);
        children.spread_over(StripeSet::all(2));
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
            Admission::Admitted(Some(Preempted {
                stripe: 0,
                child: node(1),
                successor: Some(node(3))
            }))
        );
        assert_eq!(children.of(0).count(), 2, "the victim is fed until it has another parent");
        assert_eq!(children.expire(now + DRAIN), [(0, node(1))]);
        assert_eq!(children.of(0).collect::<Vec<_>>(), [(node(3), 9)]);
        assert_eq!(children.slots_free(now), 1);
    }

    #[test]
    fn a_stripe_without_its_share_gets_a_slot_of_one_with_too_many() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(4, 2);
        children.admit(now, node(1), &graft(0, 0, None));
        children.admit(now, node(2), &graft(0, 6, None));
        children.spread_over(StripeSet::all(2));
        assert_eq!(
            children.admit(now, node(3), &graft(1, 0, None)),
            Admission::Admitted(Some(Preempted {
                stripe: 0,
                child: node(1),
                successor: Some(node(2))
            }))
        );
        assert_eq!(children.admit(now, node(4), &graft(1, 0, None)), Admission::Full);
    }

    #[test]
    fn the_orphan_of_a_dead_child_takes_its_place_at_once() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(4, 1);
        children.admit(now, node(1), &graft(0, 1, None));
        assert_eq!(children.admit(now, node(2), &graft(0, 0, None)), Admission::Full);
        assert_eq!(
            children.admit(now, node(2), &graft(0, 0, Some(node(1)))),
            Admission::Admitted(None)
        );
        assert_eq!(children.slots_free(now), 0);
    }

    #[test]
    fn an_heir_is_fed_beyond_the_slots_and_gives_way_to_nobody() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(4, 2);
        children.spread_over(StripeSet::all(2));
        let admitted = Admission::Admitted(None);
        for stripe in 0..2 {
            assert_eq!(children.admit(now, node(1 + stripe), &graft(stripe, 9, None)), admitted);
        }
        assert_eq!(children.admit(now, node(7), &graft(0, 0, None)), Admission::Full);
        children.set_heir(node(7));
        for stripe in 0..2 {
            assert_eq!(children.admit(now, node(7), &graft(stripe, 0, None)), admitted);
        }
        assert_eq!((children.len(), children.one_too_many(now)), (4, None));
        assert!(matches!(
            children.admit(now, node(3), &graft(0, 20, None)),
            Admission::Admitted(Some(Preempted { child, .. })) if child == node(1)
        ));
        assert!(children.len() <= children.max());
    }

    #[test]
    fn false_reports_of_death_make_no_more_than_the_spare_slots() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(4, 4);
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
        let mut children = Children::new(4, 1);
        children.admit(now, node(1), &graft(0, 1, None));
        let preempted = Preempted { stripe: 0, child: node(1), successor: Some(node(2)) };
        let admitted = Admission::Admitted(Some(preempted));
        assert_eq!(children.admit(now, node(2), &graft(0, 2, None)), admitted);
        assert_eq!(children.admit(now, node(1), &graft(0, 1, None)), Admission::Full);
        assert_eq!(children.expire(now + DRAIN_STRONG), [(0, node(1))]);
    }
}
