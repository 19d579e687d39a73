//! Whom this node feeds, and in which order.
//!
//! [`slots`] says how a slot is won, [`need`] who needs one more than another, [`room`] what is known
//! of the room below.

mod need;
mod room;
mod slots;

pub(crate) use room::Place;

use super::member::Reach;
use super::peer::Peer;
use super::stripe::StripeSet;
use super::summed::{Summary, Summed};
use crate::limits::{CHILDREN_MAX, PLACES_MAX};
use crate::time::Timestamp;

/// Time in which a node sends one shard of a keyframe to as many children as it has slots, µs.
/// Derived: slots are four fifths of the uplink, a block comes every 33 ms, a keyframe is twice the
/// mean. Keyframes rule the tail (`forest.md` 3.4).
const ROUND_US: u32 = 53_400;

/// Children that a child of a node has before it, as far as it is told. Guess: half of what a node
/// near the root feeds.
const AHEAD: u32 = 30;

/// One child in one stripe.
#[derive(Clone, Copy, Debug)]
struct Child {
    peer: Peer,
    channel: u32,
    slots: u16,
    /// One way to it, µs.
    way_us: u32,
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

    /// What its place costs those below it: the way to it, and how long they wait there for those
    /// before them, µs.
    fn cost_us(&self) -> u32 {
        cost_us(self.worth(), self.way_us)
    }

    /// Whether nobody is below it: nobody would be adrift if it went.
    fn is_idle(&self) -> bool {
        self.children == Some(0)
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
    /// Whether the room below is another than when [`Children::settle`] was last called.
    room_changed: bool,
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
            room_changed: false,
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

    pub(crate) fn slots(&self) -> u16 {
        self.slots
    }

    /// Whether a node is a child that may stay.
    pub(crate) fn stays(&self, stripe: u8, peer: Peer) -> bool {
        self.find(stripe, peer).is_some_and(|child| child.draining_until.is_none())
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

    /// A child, for a change that does not touch how long it is fed.
    fn find_aside(&mut self, stripe: u8, peer: Peer) -> Option<&mut Child> {
        let mut all = self.all.aside().iter_mut();
        all.find(|child| child.stripe == stripe && child.peer == peer)
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

    /// After changes, so that what every input asks is known. Whether there were any.
    pub(crate) fn settle(&mut self) -> bool {
        self.all.settle() | std::mem::take(&mut self.room_changed)
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

    /// The child of a stripe that feeds most others, of those that a node of that `reach` can meet.
    pub(crate) fn strongest(&self, stripe: u8, reach: Reach) -> Option<Peer> {
        let its = self.staying(stripe).filter(|child| child.worth() > 0);
        let meeting = its.filter(|child| child.reach.meets(reach));
        meeting.max_by_key(|child| child.worth()).map(|child| child.peer)
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

    /// See [`Forest::glance`](super::machine::Forest::glance).
    pub(crate) fn glance(&self) -> u32 {
        self.all.iter().fold(0, |all, child| all ^ child.channel)
    }

    /// How many there are over all stripes, whether they count or not.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

/// What a place costs those below a node with `slots`, `way_us` from its parent, µs.
const fn cost_us(slots: u16, way_us: u32) -> u32 {
    match slots {
        0 => u32::MAX,
        slots => way_us.saturating_add(AHEAD * ROUND_US / slots as u32),
    }
}

/// How long a shard waits behind those for so many children, at a node with `slots`, µs.
fn wait_behind(slots: u16, ahead: usize) -> u32 {
    (ahead as u32 + 1) * ROUND_US / u32::from(slots.max(1))
}

#[cfg(test)]
mod tests;
