//! Which of the members known is asked, kept as a backup, or named to others.

use super::Candidates;
use crate::forest::known::{Known, Said};
use crate::forest::member::{Member, Reach, Role};
use crate::forest::peer::Peer;
use crate::forest::score::{Wish, may_help, score};
use crate::forest::shunned::Shun;
use crate::links::Links;
use crate::time::Timestamp;

/// Weight of a parent whose shards did not come, µs: anybody else is asked before. Guess: above any
/// delay, and above a parent away from home.
const SHUNNED_US: u64 = 2_000_000;
/// Scores that differ by less are alike, µs. Guess: below the jitter of a home link.
const ALIKE_US: u64 = 4_000;

impl Candidates {
    /// How much later than others a member is asked because of what it was as a parent, µs; `None`:
    /// not at all.
    pub(super) fn shunned_us(&self, now: Timestamp, peer: Peer, wish: &Wish<'_>) -> Option<u64> {
        match self.shunned.how(now, peer) {
            None => Some(0),
            Some(Shun::Altogether) if !wish.small => None,
            Some(_) => Some(SHUNNED_US),
        }
    }

    /// The best member to ask for a stripe, or when one may be asked again.
    pub(crate) fn best(
        &mut self,
        now: Timestamp,
        links: &Links,
        wish: &Wish<'_>,
    ) -> Result<Peer, Option<Timestamp>> {
        let mut best: Option<(u64, Peer)> = None;
        let mut next: Option<Timestamp> = None;
        for (peer, known) in self.known.iter() {
            if !may_help(now, known, wish) || (wish.not)(peer) {
                continue;
            }
            let shunned_us = self.shunned_us(now, peer, wish);
            let score = score(now, links, peer, known, wish).zip(shunned_us);
            let Some(score) = score.map(|(score, shunned_us)| score + shunned_us) else { continue };
            if wish.below_us.is_some_and(|limit| score >= limit) {
                continue;
            }
            if !known.may_be_asked(now) {
                let at = known.ask_after.time();
                next = Some(next.map_or(at, |next| next.min(at)));
                continue;
            }
            // Spread those that are alike.
            let score = score + self.rng.below(ALIKE_US);
            if best.is_none_or(|(lowest, _)| score < lowest) {
                best = Some((score, peer));
            }
        }
        best.map(|(_, peer)| peer).ok_or(next)
    }

    /// Fresh members other than `not` that carry `stripe`: those at home in it with free slots
    /// first, then the others at home, who may make room; of these those that said so themselves before
    /// hearsay, then those near the root.
    pub(crate) fn with_stripe(
        &self,
        now: Timestamp,
        stripe: u8,
        keep: usize,
        reach: Reach,
        not: impl Fn(Peer) -> bool,
    ) -> Vec<Member<Peer>> {
        type Worth = (bool, bool, bool, u32);
        let few = self.are_few(self.stripes.into());
        let mut found: Vec<(Worth, Peer, &Known)> = Vec::with_capacity(keep + 1);
        for (peer, known) in self.known.iter() {
            let Some(member) = known.fresh(now) else { continue };
            if !member.carries.contains(stripe)
                || !member.reach.meets(reach)
                || (member.role == Role::Root && !few)
                || self.is_shunned(now, peer)
            {
                continue;
            }
            let home = known.home == stripe || member.role != Role::Gateway;
            let full = member.slots_free == 0;
            let worth = (!home, full, !known.is_first_hand(now), member.delay_us);
            let at = found.partition_point(|(other, ..)| *other <= worth);
            if at < keep && !not(peer) {
                found.truncate(keep - 1);
                found.insert(at, (worth, peer, known));
            }
        }
        let member = |(_, peer, known): (_, Peer, &Known)| known.as_member(now, peer);
        found.into_iter().filter_map(member).collect()
    }

    /// Whether some fresh member at home in `stripe` has slots to give.
    pub(crate) fn has_home_slots(
        &self,
        now: Timestamp,
        stripe: u8,
        not: impl Fn(Peer) -> bool,
    ) -> bool {
        self.known.iter().any(|(peer, known)| {
            let gives = |m: &Said| m.slots_free > 0 && m.carries.contains(stripe);
            known.home == stripe
                && known.fresh(now).is_some_and(gives)
                && !not(peer)
                && !self.is_shunned(now, peer)
        })
    }

    /// A backup for `stripe`: one of the best few with free slots, at random, so that the orphans of
    /// one parent do not all ask the same.
    pub(crate) fn backup(
        &mut self,
        now: Timestamp,
        links: &Links,
        wish: &Wish<'_>,
    ) -> Option<Peer> {
        /// Out of so many. Guess.
        const FEW: usize = 4;
        let mut best: Vec<(u64, Peer)> = Vec::with_capacity(FEW + 1);
        for (peer, known) in self.known.iter() {
            let may_be_asked = known.may_be_asked(now) && known.is_fresh(now);
            if !may_be_asked || !may_help(now, known, wish) || (wish.not)(peer) {
                continue;
            }
            let shunned_us = self.shunned_us(now, peer, wish);
            let score = score(now, links, peer, known, wish).zip(shunned_us);
            let Some(score) = score.map(|(score, shunned_us)| score + shunned_us) else { continue };
            let at = best.partition_point(|(other, _)| *other <= score);
            if at < FEW {
                best.insert(at, (score, peer));
                best.truncate(FEW);
            }
        }
        if best.is_empty() {
            return None;
        }
        let pick = self.rng.below(best.len() as u64) as usize;
        Some(best[pick].1)
    }

    /// Fresh members for the one that asks: as far as it goes of half the stripes the best parent that
    /// each would have, which is how good parents and those near to them find each other; the rest at
    /// random.
    pub(crate) fn fitting(
        &mut self,
        now: Timestamp,
        keep: usize,
        asker: &Member<Peer>,
    ) -> Vec<Member<Peer>> {
        let first = self.rng.below(self.stripes.into()) as u8;
        let mut members: Vec<Member<Peer>> = Vec::with_capacity(keep);
        for stripe in (0..self.stripes).map(|i| (first + i) % self.stripes).take(keep / 2) {
            let best = self.parent_for(now, stripe, asker);
            members.extend(best.and_then(|(peer, known)| known.as_member(now, peer)));
        }
        for member in self.sample(now, keep, asker.contact) {
            if members.len() < keep && members.iter().all(|m| m.contact != member.contact) {
                members.push(member);
            }
        }
        members
    }

    /// The member at home in a stripe through which it would come soonest to the one that asks.
    pub(super) fn parent_for(
        &self,
        now: Timestamp,
        stripe: u8,
        asker: &Member<Peer>,
    ) -> Option<(Peer, &Known)> {
        let fits = |known: &&Known| {
            known.home == stripe
                && known.is_first_hand(now)
                && known.fresh(now).is_some_and(|member| {
                    member.slots_free > 0
                        && member.carries.contains(stripe)
                        && member.reach.meets(asker.reach)
                })
        };
        let those = self.known.iter().filter(|(peer, known)| {
            *peer != asker.contact && fits(known) && !self.is_shunned(now, *peer)
        });
        those.min_by_key(|(_, known)| known.through_us(asker.spot))
    }

    /// Random members other than `not` that spoke for themselves a moment ago. What others say is
    /// not passed on: a lie goes one link far.
    pub(crate) fn sample(&mut self, now: Timestamp, keep: usize, not: Peer) -> Vec<Member<Peer>> {
        let fresh = self.known.iter().filter(|(peer, known)| {
            *peer != not && known.is_first_hand(now) && !self.shunned.holds(now, *peer)
        });
        let mut fresh: Vec<(Peer, &Known)> = fresh.collect();
        self.rng.sample(&mut fresh, keep);
        fresh.into_iter().filter_map(|(peer, known)| known.as_member(now, peer)).collect()
    }

    /// A member to talk to about others: any with a link or a fresh word.
    pub(crate) fn any(&mut self, now: Timestamp) -> Option<Peer> {
        let count = self.known.len();
        if count == 0 {
            return None;
        }
        let start = self.rng.below(count as u64) as usize;
        let mut all = self.known.iter().cycle().skip(start).take(count);
        all.find(|(_, known)| known.is_fresh(now) && known.may_be_asked(now)).map(|(peer, _)| peer)
    }
}
