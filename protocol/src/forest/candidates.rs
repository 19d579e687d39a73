//! The members of a session that this node knows of: a small view of it, kept fresh and balanced.

mod choosing;

use super::coordinate::Spot;
use super::known::{FRESH, Known, Said};
use super::member::{Member, Reach, Role};
use super::peer::{Directory, Peer};
use super::rough::Rough;
use super::shunned::Shunned;
use super::told::Told;
use super::view::View;
use crate::limits::CANDIDATES_MAX;
use crate::links::Links;
use crate::rng::Rng;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::time::Duration;

/// A member not heard of for this long is forgotten. Guess.
const FORGET: Duration = Duration::from_secs(120);
/// After a refusal, ask the same member again no sooner. Guess: slots open when somebody leaves.
const REFUSED: Duration = Duration::from_millis(700);
/// After a failed link, doubled up to eight times: a root that comes back is found in seconds. Guess.
const UNREACHABLE: Duration = Duration::from_secs(1);

/// With each word of its own so much less of a member's lateness is remembered: one in so many parts.
/// Guess: half of it is left after two minutes.
const LATE_FADES: u16 = 8;
/// Most members that one other member vouches for in a full view. Guess: whoever names only its
/// friends is then one voice among dozens.
const PER_TELLER: usize = 2;
/// Most members of one network in a full view. Spec: `forest.md` 5.2; two of one household are no
/// Sybils.
const PER_NETWORK: usize = 2;

/// Members known.
#[derive(Debug)]
pub(crate) struct Candidates {
    me: Peer,
    /// How this node is reached.
    reach: Reach,
    /// Most members remembered.
    max: usize,
    /// Most of one home stripe when there is no room: a view of one stripe feeds no other.
    per_home: usize,
    stripes: u8,
    known: View,
    /// Decides the ranks.
    key: u64,
    banned: Vec<Peer>,
    shunned: Shunned,
    /// Before that nobody is forgotten.
    forget_at: Timestamp,
    /// Where this node is.
    spot: Spot,
    rng: Rng,
}

impl Candidates {
    pub(crate) fn new(
        (me, reach): (Peer, Reach),
        seed: &[u8; 32],
        max: usize,
        stripes: u8,
    ) -> Self {
        let max = max.min(CANDIDATES_MAX);
        let per_home = max / usize::from(stripes.max(1)) + 1;
        let rng = Rng::new(seed, "candidates");
        Self {
            me,
            reach,
            max,
            per_home,
            stripes,
            known: View::default(),
            key: Rng::new(seed, "ranks").next_u64(),
            banned: Vec::new(),
            shunned: Shunned::default(),
            forget_at: Timestamp::ZERO,
            spot: Spot::default(),
            rng,
        }
    }

    /// Where this node is, as far as it knows.
    pub(crate) fn spot(&self) -> Spot {
        self.spot
    }

    /// This node has learned where it is.
    pub(crate) fn set_spot(&mut self, spot: Spot) {
        self.spot = spot;
    }

    /// A contact from an invite, discovery or another member.
    pub(crate) fn learn_contact(
        &mut self,
        now: Timestamp,
        links: &Links,
        directory: &dyn Directory,
        peer: Peer,
        told: Told,
    ) {
        let Some(known) = self.known.get_mut(peer) else {
            self.add(now, links, directory, peer, told);
            return;
        };
        known.heard = Rough::of(now);
        if told == Told::BY_ITSELF && known.failures > 0 {
            known.ask_after = known.ask_after.min(Rough::of(now)); // somebody reaches it
        }
    }

    /// A member described itself, or another member described it.
    pub(crate) fn learn(
        &mut self,
        now: Timestamp,
        links: &Links,
        directory: &dyn Directory,
        member: Member<Peer>,
        told: Told,
    ) {
        let by_itself = told == Told::BY_ITSELF;
        let age_s = if by_itself { 0 } else { member.age_s.into() };
        let said = now - Duration::from_secs(age_s);
        if !by_itself && now.since(said) >= FRESH {
            return;
        }
        let peer = member.contact;
        let at = self.known.position(peer);
        if at.is_none() && self.known.len() >= self.max && !self.reach.meets(member.reach) {
            return; // in the place of one that may be a parent
        }
        let at = at.or_else(|| self.add(now, links, directory, peer, told));
        let Some(known) = at.map(|at| self.known.at_mut(at)) else { return };
        if by_itself {
            known.heard = Rough::of(now);
            known.late_ms -= known.late_ms / LATE_FADES;
        }
        // Who has a link here, or had one a moment ago, speaks for itself; and an old word does not
        // replace a younger one.
        let speaks = || known.is_first_hand(now) || (known.member.is_some() && links.is_up(peer));
        if by_itself || (said > known.said.time() && !speaks()) {
            known.heard = known.heard.max(Rough::of(said));
            known.member = Some(Said::by(&member));
            (known.said, known.told) = (Rough::of(said), told);
        }
    }

    /// Adds one that is not known, if there is room for it: its position.
    fn add(
        &mut self,
        now: Timestamp,
        links: &Links,
        directory: &dyn Directory,
        peer: Peer,
        told: Told,
    ) -> Option<usize> {
        let praised = told != Told::BY_ITSELF && self.is_shunned(now, peer);
        if peer == self.me || self.is_banned(peer) || praised {
            return None;
        }
        let home = directory.home(peer);
        if self.known.len() >= self.max {
            self.known.look_at(links);
            let network = directory.network(peer);
            let near = |other: Peer| directory.network(other) == network;
            self.evict(now, (peer, home, told), near)?;
        }
        let known = Known::new(now, home, told);
        Some(self.known.push(peer, known, links.is_up(peer)))
    }

    /// Makes room for one more. None if all that are here are worth more: those with a link, and
    /// for mere hearsay those that spoke for themselves a moment ago, and of the others those of a
    /// lower rank.
    ///
    /// So neither who is named again and again, nor who names others again and again, gets more of a
    /// view than the rest. Who cannot be met goes first, for a view of those behind routers is of no use
    /// to who only meets public nodes; then what is too old to be believed, and
    /// who is shunned.
    fn evict(
        &mut self,
        now: Timestamp,
        (peer, home, told): (Peer, u8, Told),
        near: impl Fn(Peer) -> bool,
    ) -> Option<()> {
        let hearsay = told != Told::BY_ITSELF;
        let crowds = self.known.peers().filter(|other| near(*other)).count() >= PER_NETWORK;
        let pushes = hearsay && self.known.told(told) >= PER_TELLER;
        let rank = self.rank(peer);
        let mut least = None;
        for (at, other, known) in self.known.unlinked() {
            if (crowds && !near(other)) || (pushes && known.told != told) {
                continue;
            }
            let first_hand = known.is_first_hand(now);
            let counts = known.counts(now) && !self.is_shunned(now, other);
            let many = known.home != home && self.known.of_home(known) > self.per_home;
            let pushed = !first_hand && self.known.told(known.told) > PER_TELLER;
            let meets = known.member.is_none_or(|member| self.reach.meets(member.reach));
            let other_rank = self.rank(other);
            let worth_more =
                hearsay && meets && counts && !many && !pushed && (first_hand || other_rank < rank);
            let worth = (meets, counts, !many, !pushed, first_hand, Reverse(other_rank));
            if !worth_more && least.is_none_or(|(least, _)| worth < least) {
                least = Some((worth, at));
            }
        }
        least.map(|(_, at)| self.known.swap_remove(at))
    }

    /// The place of a member in this node's own order of all there are, which nobody else knows
    /// (BASALT).
    fn rank(&self, peer: Peer) -> u64 {
        mix(self.key ^ u64::from(peer.0))
    }

    pub(crate) fn ban(&mut self, peer: Peer) {
        self.known.retain(|other, _| other != peer);
        if self.is_banned(peer) {
            return; // who comes again and again shall not push out others
        }
        if self.banned.len() >= CANDIDATES_MAX {
            self.banned.remove(0);
        }
        self.banned.push(peer);
    }

    pub(crate) fn is_banned(&self, peer: Peer) -> bool {
        self.banned.contains(&peer)
    }

    pub(crate) fn contains(&self, peer: Peer) -> bool {
        self.known.position(peer).is_some()
    }

    /// What a member said of itself, if that still counts.
    pub(crate) fn member(&self, now: Timestamp, peer: Peer) -> Option<&Said> {
        self.known.get(peer)?.fresh(now)
    }

    /// The root, if it is known and may be asked now.
    pub(crate) fn root(&self, now: Timestamp) -> Option<Peer> {
        let is_root = |known: &Known| known.member.is_some_and(|member| member.role == Role::Root);
        let (root, known) = self.known.iter().find(|(_, known)| is_root(known))?;
        known.may_be_asked(now).then_some(root)
    }

    /// Whether it said no a moment ago, or was not to be reached.
    pub(crate) fn rests(&self, now: Timestamp, peer: Peer) -> bool {
        self.known.get(peer).is_some_and(|known| !known.may_be_asked(now))
    }

    /// Whether it is known what it said of itself, however long ago.
    pub(crate) fn is_described(&self, peer: Peer) -> bool {
        self.known.get(peer).is_some_and(|known| known.member.is_some())
    }

    /// How a member is reached, if it is known.
    pub(crate) fn reach(&self, peer: Peer) -> Option<Reach> {
        let member = self.known.get(peer).and_then(|known| known.member);
        member.map(|member| member.reach)
    }

    pub(crate) fn refused(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.known.get_mut(peer) {
            known.ask_after = Rough::of(now + REFUSED);
        }
    }

    /// A member says that it has no slot: what it said before is not true any more.
    pub(crate) fn is_full(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.known.get_mut(peer) {
            known.ask_after = Rough::of(now + REFUSED);
            if let Some(member) = &mut known.member {
                member.slots_free = 0;
                (known.said, known.told) = (Rough::of(now), Told::BY_ITSELF);
            }
        }
    }

    /// What a member promised was not true, or is not any more: its next child's delay.
    pub(crate) fn delays(&mut self, now: Timestamp, peer: Peer, delay_us: u32) {
        if let Some(known) = self.known.get_mut(peer)
            && let Some(member) = &mut known.member
        {
            member.delay_us = delay_us;
            (known.said, known.told) = (Rough::of(now), Told::BY_ITSELF);
        }
    }

    /// The shards of a parent did not come; `stalled`: it had said that it repairs its own feed.
    pub(crate) fn shun(&mut self, now: Timestamp, peer: Peer, stalled: bool) {
        self.shunned.note(now, peer, stalled);
    }

    /// Whether its shards did not come when it was a parent lately.
    pub(crate) fn is_shunned(&self, now: Timestamp, peer: Peer) -> bool {
        self.shunned.holds(now, peer)
    }

    /// A parent's shards come so much later than it promised: so they will if it is asked again.
    pub(crate) fn found_late(&mut self, peer: Peer, late_us: u32) {
        if let Some(known) = self.known.get_mut(peer) {
            known.late_ms = u16::try_from(late_us / 1_000).unwrap_or(u16::MAX);
        }
    }

    /// A member says that a stripe does not come to it: what it said before is not true any more.
    pub(crate) fn lacks(&mut self, now: Timestamp, peer: Peer, stripe: u8) {
        if let Some(known) = self.known.get_mut(peer)
            && let Some(member) = &mut known.member
        {
            member.carries.remove(stripe);
            (known.said, known.told) = (Rough::of(now), Told::BY_ITSELF);
        }
    }

    pub(crate) fn unreachable(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.known.get_mut(peer) {
            known.ask_after = Rough::of(now + UNREACHABLE * (1 << known.failures.min(3)));
            known.failures = known.failures.saturating_add(1);
            known.member = None;
        }
    }

    pub(crate) fn reached(&mut self, peer: Peer) {
        if let Some(known) = self.known.get_mut(peer) {
            known.failures = 0;
            known.ask_after = Rough::ZERO;
        }
    }

    pub(crate) fn forget_old(&mut self, now: Timestamp, links: &Links) {
        if now < self.forget_at {
            return;
        }
        self.known
            .retain(|peer, known| now.since(known.heard.time()) < FORGET || links.is_up(peer));
        // Nobody is forgotten before the one that was heard of first.
        let heard = self.known.iter().map(|(_, known)| known.heard.time()).min();
        self.forget_at = heard.unwrap_or(now) + FORGET;
    }

    /// See [`Forest::glance`](super::machine::Forest::glance).
    pub(crate) fn glance(&self) -> u32 {
        self.known.glance()
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The members known.
    pub(crate) fn known(&self) -> impl Iterator<Item = Peer> + '_ {
        self.known.peers()
    }

    /// Whether so few are known that each may have to feed any of `stripes` stripes.
    pub(crate) fn are_few(&self, stripes: usize) -> bool {
        self.known.len() < 2 * stripes
    }

    /// Every node that is named here.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        let known = self.known.peers().chain(self.banned.iter().copied());
        known.chain(self.shunned.peers())
    }
}

/// A number that looks random for each number: the finaliser of SplitMix64.
const fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests;
