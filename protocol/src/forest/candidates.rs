//! The members of a session that this node knows of: a small view of it, kept fresh and balanced.

use super::member::{Member, Role};
use super::peer::{Directory, Peer};
use super::score::{Wish, score};
use crate::limits::CANDIDATES_MAX;
use crate::links::Links;
use crate::rng::Rng;
use crate::time::Timestamp;
use std::time::Duration;

/// What a member says of itself is believed this long. Derived: two announcements and a loss.
const FRESH: Duration = Duration::from_secs(25);
/// A member not heard of for this long is forgotten. Guess.
const FORGET: Duration = Duration::from_secs(120);
/// After a refusal, ask the same member again no sooner. Guess: slots open when somebody leaves.
const REFUSED: Duration = Duration::from_millis(700);
/// After a failed link, doubled up to eight times: a root that comes back is found in seconds. Guess.
const UNREACHABLE: Duration = Duration::from_secs(1);
/// A parent whose shards did not come is asked last for this long, doubled each time up to sixteen
/// times. Guess: who promises much and sends nothing is then tried seldom enough to go unnoticed.
const LATE: Duration = Duration::from_secs(30);
/// Scores that differ by less are alike, µs. Guess: below the jitter of a home link.
const ALIKE_US: u64 = 4_000;

/// Whose word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The member's own, or that of the invite or discovery.
    ByItself,
    /// Another member's: it may be as false as the teller.
    ByOthers,
}

/// One member, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) peer: Peer,
    pub(super) home: u8,
    /// The best word there is for it.
    told: Told,
    failures: u8,
    /// How often it was a parent whose shards did not come, and until when that counts, seconds.
    late: (u8, u32),
    /// What it said of itself; absent for bootstraps and discovery's finds.
    pub(super) member: Option<Member<Peer>>,
    /// When it said so.
    said: Timestamp,
    heard: Timestamp,
    ask_after: Timestamp,
}

impl Known {
    /// Whether its word still counts.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.member.is_some() && now.since(self.said) < FRESH
    }

    /// Whether its shards did not come when it was a parent lately.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        u64::from(self.late.1) > now.as_micros() / 1_000_000
    }
}

/// Members known.
#[derive(Debug)]
pub(crate) struct Candidates {
    me: Peer,
    /// Most members remembered.
    max: usize,
    /// Most of one home stripe when there is no room: a view of one stripe feeds no other.
    per_home: usize,
    known: Vec<Known>,
    banned: Vec<Peer>,
    rng: Rng,
}

impl Candidates {
    pub(crate) fn new(me: Peer, seed: &[u8; 32], max: usize, stripes: u8) -> Self {
        let max = max.min(CANDIDATES_MAX);
        let per_home = max / usize::from(stripes.max(1)) + 1;
        let rng = Rng::new(seed, "candidates");
        Self { me, max, per_home, known: Vec::new(), banned: Vec::new(), rng }
    }

    fn find(&self, peer: Peer) -> Option<&Known> {
        self.known.iter().find(|known| known.peer == peer)
    }

    fn find_mut(&mut self, peer: Peer) -> Option<&mut Known> {
        self.known.iter_mut().find(|known| known.peer == peer)
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
        if peer == self.me || self.is_banned(peer) {
            return;
        }
        if let Some(known) = self.find_mut(peer) {
            known.heard = now;
            if told == Told::ByItself {
                known.told = told;
            }
            return;
        }
        if self.known.len() >= self.max && !self.evict(now, links, told, now) {
            return;
        }
        self.known.push(Known {
            peer,
            home: directory.home(peer),
            told,
            failures: 0,
            late: (0, 0),
            member: None,
            said: Timestamp::ZERO,
            heard: now,
            ask_after: Timestamp::ZERO,
        });
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
        let peer = member.contact;
        let said = match told {
            Told::ByItself => now,
            Told::ByOthers => now - Duration::from_secs(member.age_s.into()),
        };
        if told == Told::ByOthers && now.since(said) >= FRESH {
            return;
        }
        if self.find(peer).is_none() {
            if told == Told::ByOthers
                && self.known.len() >= self.max
                && (peer == self.me || self.is_banned(peer) || !self.evict(now, links, told, said))
            {
                return;
            }
            self.learn_contact(now, links, directory, peer, told);
        }
        let Some(known) = self.find_mut(peer) else { return };
        if told == Told::ByItself {
            known.told = told;
            known.heard = now;
        }
        // Who has a link here speaks for itself, and an old word does not replace a younger one.
        let speaks = known.member.is_some() && links.is_up(peer);
        if told == Told::ByItself || (!speaks && said > known.said) {
            known.heard = known.heard.max(said);
            known.member = Some(member);
            known.said = said;
        }
    }

    /// Makes room for one more. False if all that are here are worth more: those with a link, and
    /// for mere hearsay those that spoke later.
    fn evict(&mut self, now: Timestamp, links: &Links, told: Told, said: Timestamp) -> bool {
        let mut of_home = [0usize; 32];
        for known in &self.known {
            of_home[usize::from(known.home) % 32] += 1;
        }
        let crowded = |known: &Known| of_home[usize::from(known.home) % 32] > self.per_home;
        let worth_more = |known: &Known| {
            told == Told::ByOthers
                && ((known.told == Told::ByItself && known.is_fresh(now))
                    || known.said.max(known.heard) >= said)
                && !crowded(known)
        };
        let least = self
            .known
            .iter()
            .enumerate()
            .filter(|(_, known)| !links.is_up(known.peer) && !worth_more(known))
            .min_by_key(|(_, known)| {
                (known.is_fresh(now), !crowded(known), known.told == Told::ByItself, known.said)
            })
            .map(|(at, _)| at);
        least.is_some_and(|at| {
            self.known.swap_remove(at);
            true
        })
    }

    pub(crate) fn ban(&mut self, peer: Peer) {
        self.known.retain(|known| known.peer != peer);
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
        self.find(peer).is_some()
    }

    /// What a member said of itself, if that still counts.
    pub(crate) fn member(&self, now: Timestamp, peer: Peer) -> Option<&Member<Peer>> {
        self.find(peer).filter(|known| known.is_fresh(now))?.member.as_ref()
    }

    /// The root, if it is known and may be asked now.
    pub(crate) fn root(&self, now: Timestamp) -> Option<Peer> {
        let is_root = |known: &&Known| known.member.is_some_and(|member| member.role == Role::Root);
        let root = self.known.iter().find(is_root)?;
        (root.ask_after <= now).then_some(root.peer)
    }

    pub(crate) fn refused(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.find_mut(peer) {
            known.ask_after = now + REFUSED;
        }
    }

    /// A member says that it has no slot: what it said before is not true any more.
    pub(crate) fn is_full(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.find_mut(peer) {
            known.ask_after = now + REFUSED;
            if let Some(member) = &mut known.member {
                member.slots_free = 0;
                known.said = now;
            }
        }
    }

    /// The shards of a parent did not come.
    pub(crate) fn late(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.find_mut(peer) {
            let until = now + LATE * (1 << known.late.0.min(4));
            known.late = (known.late.0.saturating_add(1), (until.as_micros() / 1_000_000) as u32);
        }
    }

    /// A member says that a stripe does not come to it: what it said before is not true any more.
    pub(crate) fn lacks(&mut self, now: Timestamp, peer: Peer, stripe: u8) {
        if let Some(known) = self.find_mut(peer)
            && let Some(member) = &mut known.member
        {
            member.carries.remove(stripe);
            known.said = now;
        }
    }

    pub(crate) fn unreachable(&mut self, now: Timestamp, peer: Peer) {
        if let Some(known) = self.find_mut(peer) {
            known.ask_after = now + UNREACHABLE * (1 << known.failures.min(3));
            known.failures = known.failures.saturating_add(1);
            known.member = None;
        }
    }

    pub(crate) fn reached(&mut self, peer: Peer) {
        if let Some(known) = self.find_mut(peer) {
            known.failures = 0;
            known.ask_after = Timestamp::ZERO;
        }
    }

    pub(crate) fn forget_old(&mut self, now: Timestamp, links: &Links) {
        self.known.retain(|known| now.since(known.heard) < FORGET || links.is_up(known.peer));
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
        for known in &self.known {
            if (wish.not)(known.peer) {
                continue;
            }
            let Some(score) = score(now, links, known, wish) else { continue };
            if wish.below_us.is_some_and(|limit| score >= limit) {
                continue;
            }
            if known.ask_after > now {
                next = Some(next.map_or(known.ask_after, |at| at.min(known.ask_after)));
                continue;
            }
            // Spread those that are alike.
            let score = score + self.rng.below(ALIKE_US);
            if best.is_none_or(|(lowest, _)| score < lowest) {
                best = Some((score, known.peer));
            }
        }
        best.map(|(_, peer)| peer).ok_or(next)
    }

    /// Fresh members other than `not` that carry `stripe`: those at home in it with free slots
    /// first, then those near the root.
    pub(crate) fn with_stripe(
        &self,
        now: Timestamp,
        stripe: u8,
        keep: usize,
        not: impl Fn(Peer) -> bool,
    ) -> Vec<Member<Peer>> {
        let mut found: Vec<(bool, u32, Member<Peer>)> = Vec::new();
        for known in &self.known {
            let Some(member) = known.member.filter(|_| known.is_fresh(now)) else { continue };
            if !member.carries.contains(stripe) || not(known.peer) {
                continue;
            }
            let home = known.home == stripe || member.role != Role::Gateway;
            let away = !home || member.slots_free == 0;
            found.push((away, member.delay_us, self.aged(now, known, member)));
        }
        found.sort_by_key(|(away, delay_us, _)| (*away, *delay_us));
        found.into_iter().take(keep).map(|(_, _, member)| member).collect()
    }

    /// Whether some fresh member at home in `stripe` has slots to give.
    pub(crate) fn has_home_slots(
        &self,
        now: Timestamp,
        stripe: u8,
        not: impl Fn(Peer) -> bool,
    ) -> bool {
        self.known.iter().any(|known| {
            known.home == stripe
                && known.is_fresh(now)
                && known.member.is_some_and(|m| m.slots_free > 0 && m.carries.contains(stripe))
                && !not(known.peer)
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
        for known in &self.known {
            if known.ask_after > now || !known.is_fresh(now) || (wish.not)(known.peer) {
                continue;
            }
            let Some(score) = score(now, links, known, wish) else { continue };
            let at = best.partition_point(|(other, _)| *other <= score);
            if at < FEW {
                best.insert(at, (score, known.peer));
                best.truncate(FEW);
            }
        }
        if best.is_empty() {
            return None;
        }
        let pick = self.rng.below(best.len() as u64) as usize;
        Some(best[pick].1)
    }

    /// Random fresh members other than `not`.
    pub(crate) fn sample(&mut self, now: Timestamp, keep: usize, not: Peer) -> Vec<Member<Peer>> {
        let mut fresh: Vec<Member<Peer>> = self
            .known
            .iter()
            .filter(|known| known.peer != not && known.is_fresh(now))
            .filter_map(|known| Some(self.aged(now, known, known.member?)))
            .collect();
        self.rng.sample(&mut fresh, keep);
        fresh
    }

    fn aged(&self, now: Timestamp, known: &Known, member: Member<Peer>) -> Member<Peer> {
        let age_s = now.since(known.said).as_secs().min(u16::MAX.into()) as u16;
        Member { age_s, ..member }
    }

    /// A member to talk to about others: any with a link or a fresh word.
    pub(crate) fn any(&mut self, now: Timestamp) -> Option<Peer> {
        if self.known.is_empty() {
            return None;
        }
        let start = self.rng.below(self.known.len() as u64) as usize;
        let (late, early) = self.known.split_at(start);
        let mut all = early.iter().chain(late);
        all.find(|known| known.is_fresh(now) && known.ask_after <= now).map(|known| known.peer)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The members known.
    pub(crate) fn known(&self) -> impl Iterator<Item = Peer> + '_ {
        self.known.iter().map(|known| known.peer)
    }

    /// Whether so few are known that each may have to feed any of `stripes` stripes.
    pub(crate) fn are_few(&self, stripes: usize) -> bool {
        self.known.len() < 2 * stripes
    }

    /// Every node that is named here.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.known.iter().map(|known| known.peer).chain(self.banned.iter().copied())
    }
}
