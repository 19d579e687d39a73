//! What children say of the room below them, and where who is sent on finds a place.

use super::{Child, Children};
use crate::forest::member::{Member, Reach};
use crate::forest::peer::Peer;
use crate::limits::PLACES_MAX;
use crate::rng::Rng;

/// Room counts so far when one of several is chosen. Guess: as much as a claim of slots: whoever says
/// that there is room for the world below it is asked no more often than who has room enough.
const ROOM_COUNTS: u16 = 100;

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

impl Child {
    /// Where below it a node of that `reach` finds a place: there, or else with the child itself.
    fn place_for(&self, reach: Reach, not: Peer) -> Option<Place> {
        let meets = |place: &Place| place.peer != not && place.reach.meets(reach);
        let itself =
            Place { peer: self.peer, slots: self.slots, delay_us: self.told_us, reach: self.reach };
        let mut places = self.places.iter().flatten().copied();
        places.find(meets).or(Some(itself).filter(meets))
    }
}

impl Children {
    /// A child says how many more it and all below it would take.
    pub(crate) fn set_room(
        &mut self,
        stripe: u8,
        peer: Peer,
        (room, children): (u16, u16),
        places: impl Iterator<Item = Place>,
    ) {
        self.room_changed = true;
        if let Some(child) = self.find_aside(stripe, peer) {
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
            let gateways = self.all.aside().iter_mut().filter(|child| !child.helper);
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
            .filter_map(|child| {
                Some((child.peer, child.room.min(ROOM_COUNTS), child.place_for(reach, not)?))
            })
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
        if let Some(child) = first.and_then(|child| self.find_aside(stripe, child)) {
            child.room -= 1;
            self.room_changed = true;
        }
        found
    }
}
