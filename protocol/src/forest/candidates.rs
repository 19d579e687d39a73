//! The members of a session that this node knows of, and which of them to ask for a stripe.

use super::member::{Contact, Member, Role};
use crate::identity::NodeId;
use crate::limits::CANDIDATES_MAX;
use crate::links::Links;
use crate::rng::Rng;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a member says of itself is believed this long. Derived: three announcements.
const FRESH: Duration = Duration::from_secs(15);
/// A member not heard of for this long is forgotten. Guess.
const FORGET: Duration = Duration::from_secs(120);
/// After a refusal, ask the same member again no sooner. Guess: slots open when somebody leaves.
const REFUSED: Duration = Duration::from_millis(700);
/// After a failed link, doubled up to eight times: a root that comes back is found in seconds. Guess.
const UNREACHABLE: Duration = Duration::from_secs(1);
/// Weight of one more link from the root. Measured: `forest.md` 3.8, a mean hop is 39 ms.
const HOP_US: u64 = 40_000;
/// Weight of being fed another stripe by the same member already: one death should touch one
/// stripe. Guess, below one hop.
const SHARED_US: u64 = 15_000;
/// Round trip assumed of a member never linked to. Guess: one continent.
const RTT_UNKNOWN: Duration = Duration::from_millis(40);

/// Whose word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The member's own, or that of the invite or discovery.
    ByItself,
    /// Another member's: it may be as false as the teller.
    ByOthers,
}

#[derive(Debug)]
struct Known {
    contact: Contact,
    /// The best word there is for it.
    told: Told,
    /// What it said of itself and when; absent for bootstraps and discovery's finds.
    member: Option<(Member, Timestamp)>,
    heard: Timestamp,
    ask_after: Timestamp,
    failures: u32,
}

/// What a search wants.
pub(crate) struct Wish<'a> {
    pub stripe: u8,
    /// Members that may not be asked: children, banned, the parent to get away from.
    pub not: &'a dyn Fn(&NodeId) -> bool,
    /// How many other stripes a member feeds this node already.
    pub shared: &'a dyn Fn(&NodeId) -> u64,
    /// Nobody feeds the stripe: ask also those that say they are full.
    pub ask_full: bool,
    /// This node offers slots in the stripe: a full parent may well make room for it.
    pub strong: bool,
}

/// Members known, at most [`CANDIDATES_MAX`].
#[derive(Debug)]
pub(crate) struct Candidates {
    me: NodeId,
    known: BTreeMap<NodeId, Known>,
    banned: BTreeMap<NodeId, Timestamp>,
    rng: Rng,
}

impl Candidates {
    pub(crate) fn new(me: NodeId, seed: &[u8; 32]) -> Self {
        Self {
            me,
            known: BTreeMap::new(),
            banned: BTreeMap::new(),
            rng: Rng::new(seed, "candidates"),
        }
    }

    /// A contact from an invite, discovery or another member.
    pub(crate) fn learn_contact(
        &mut self,
        now: Timestamp,
        links: &Links,
        contact: &Contact,
        told: Told,
    ) {
        if contact.node == self.me || self.banned.contains_key(&contact.node) {
            return;
        }
        let is_new = !self.known.contains_key(&contact.node);
        if is_new && self.known.len() >= CANDIDATES_MAX && !self.evict(now, links, told) {
            return;
        }
        let known = self.known.entry(contact.node).or_insert_with(|| Known {
            contact: contact.clone(),
            told,
            member: None,
            heard: now,
            ask_after: Timestamp::ZERO,
            failures: 0,
        });
        known.heard = now;
        let old = std::mem::take(&mut known.contact.addresses);
        let new = contact.addresses.iter().copied();
        // What others say of a member stands behind what it says itself.
        known.contact = match told {
            Told::ByItself => Contact::new(contact.node, new.chain(old)),
            Told::ByOthers => Contact::new(contact.node, old.into_iter().chain(new)),
        };
        if told == Told::ByItself {
            known.told = told;
        }
    }

    /// A member described itself, or another member described it.
    pub(crate) fn learn(&mut self, now: Timestamp, links: &Links, member: Member, told: Told) {
        self.learn_contact(now, links, &member.contact, told);
        if let Some(known) = self.known.get_mut(&member.contact.node) {
            // Who has a link here speaks for itself.
            let speaks = known.member.is_some() && links.is_up(&member.contact.node);
            if told == Told::ByItself || !speaks {
                let contact = known.contact.clone();
                known.member = Some((Member { contact, ..member }, now));
            }
        }
    }

    /// Makes room for one more. False if all that are here are worth more: those with a link, and
    /// for mere hearsay also those who lately spoke for themselves.
    fn evict(&mut self, now: Timestamp, links: &Links, told: Told) -> bool {
        let worth_more = |known: &Known| {
            told == Told::ByOthers && known.told == Told::ByItself && now.since(known.heard) < FRESH
        };
        let least = self
            .known
            .iter()
            .filter(|(node, known)| !links.is_up(node) && !worth_more(known))
            .min_by_key(|(_, known)| (known.told == Told::ByItself, known.heard))
            .map(|(node, _)| *node);
        least.is_some_and(|node| self.known.remove(&node).is_some())
    }

    pub(crate) fn ban(&mut self, now: Timestamp, node: NodeId) {
        self.known.remove(&node);
        if self.banned.len() >= CANDIDATES_MAX {
            let oldest = self.banned.iter().min_by_key(|(_, at)| **at).map(|(node, _)| *node);
            oldest.and_then(|node| self.banned.remove(&node));
        }
        self.banned.insert(node, now);
    }

    pub(crate) fn is_banned(&self, node: &NodeId) -> bool {
        self.banned.contains_key(node)
    }

    pub(crate) fn contact(&self, node: &NodeId) -> Option<&Contact> {
        self.known.get(node).map(|known| &known.contact)
    }

    /// The root, if it is known and may be asked now.
    pub(crate) fn root(&self, now: Timestamp) -> Option<&Contact> {
        let root = self.known.values().find(|known| {
            known.member.as_ref().is_some_and(|(member, _)| member.role == Role::Root)
        })?;
        (root.ask_after <= now).then_some(&root.contact)
    }

    pub(crate) fn refused(&mut self, now: Timestamp, node: &NodeId) {
        if let Some(known) = self.known.get_mut(node) {
            known.ask_after = now + REFUSED;
        }
    }

    pub(crate) fn unreachable(&mut self, now: Timestamp, node: &NodeId) {
        if let Some(known) = self.known.get_mut(node) {
            known.ask_after = now + UNREACHABLE * (1 << known.failures.min(3));
            known.failures += 1;
            known.member = None;
        }
    }

    pub(crate) fn reached(&mut self, node: &NodeId) {
        if let Some(known) = self.known.get_mut(node) {
            known.failures = 0;
            known.ask_after = Timestamp::ZERO;
        }
    }

    pub(crate) fn forget_old(&mut self, now: Timestamp, links: &Links) {
        self.known.retain(|node, known| links.is_up(node) || now.since(known.heard) < FORGET);
    }

    /// The best member to ask for a stripe, or when one may be asked again.
    pub(crate) fn best(
        &mut self,
        now: Timestamp,
        links: &Links,
        wish: &Wish<'_>,
    ) -> Result<Contact, Option<Timestamp>> {
        let mut best: Option<(u64, &Contact)> = None;
        let mut next: Option<Timestamp> = None;
        for (node, known) in &self.known {
            if (wish.not)(node) {
                continue;
            }
            let Some(score) = score(now, links, known, wish) else { continue };
            if known.ask_after > now {
                next = Some(next.map_or(known.ask_after, |at| at.min(known.ask_after)));
                continue;
            }
            // Spread those that are alike.
            let score = score + self.rng.below(4_000);
            if best.is_none_or(|(lowest, _)| score < lowest) {
                best = Some((score, &known.contact));
            }
        }
        best.map(|(_, contact)| contact.clone()).ok_or(next)
    }

    /// Members other than `not` that carry `stripe`, those with free slots first.
    pub(crate) fn with_stripe(
        &self,
        now: Timestamp,
        stripe: u8,
        keep: usize,
        not: impl Fn(&NodeId) -> bool,
    ) -> Vec<Member> {
        let mut found: Vec<&Member> = self
            .known
            .iter()
            .filter(|(node, _)| !not(node))
            .filter_map(|(_, known)| known.member.as_ref())
            .filter(|(member, at)| member.carries.contains(stripe) && now.since(*at) < FRESH)
            .map(|(member, _)| member)
            .collect();
        found.sort_by_key(|member| (member.slots_free == 0, member.depth));
        found.into_iter().take(keep).cloned().collect()
    }

    /// Random fresh members other than `not`.
    pub(crate) fn sample(&mut self, now: Timestamp, keep: usize, not: &NodeId) -> Vec<Member> {
        let mut fresh: Vec<Member> = self
            .known
            .iter()
            .filter(|(node, _)| *node != not)
            .filter_map(|(_, known)| known.member.as_ref())
            .filter(|(_, at)| now.since(*at) < FRESH)
            .map(|(member, _)| member.clone())
            .collect();
        self.rng.sample(&mut fresh, keep);
        fresh
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Delay in µs expected through a member, or `None` if it cannot help.
fn score(now: Timestamp, links: &Links, known: &Known, wish: &Wish<'_>) -> Option<u64> {
    let rtt = links.rtt(&known.contact.node).unwrap_or(RTT_UNKNOWN).as_micros() as u64;
    let Some((member, at)) = &known.member else {
        // Not heard from yet: ask it after everyone who is known to have the stripe.
        return Some(rtt + 10 * HOP_US);
    };
    let fresh = now.since(*at) < FRESH;
    let carries = member.carries.contains(wish.stripe);
    if fresh && (!carries || (member.slots_free == 0 && !wish.ask_full)) {
        return None;
    }
    let full = match (member.slots_free, wish.strong) {
        (0, true) => HOP_US / 4,
        (0, false) => 2 * HOP_US,
        _ => 0,
    };
    let stale = if fresh { 0 } else { HOP_US };
    let leaf = if member.role == Role::Gateway { HOP_US / 4 } else { 0 };
    Some(
        u64::from(member.depth) * HOP_US
            + rtt / 2
            + (wish.shared)(&known.contact.node) * SHARED_US
            + full
            + stale
            + leaf,
    )
}
