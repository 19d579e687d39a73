//! Choosing a parent for each stripe, in parallel: ask, follow redirects, replace, give up.

use super::action::Action;
use super::candidates::Candidates;
use super::children::Children;
use super::context::Context;
use super::feed::{Feed, Feeds, Parent, Search};
use super::member::Reach;
use super::path::{Path, Tag};
use super::peer::Peer;
use super::promise::BROKEN_US;
use super::score::{FORWARD_US, RTT_UNKNOWN, Wish};
use super::stripe::StripeSet;
use super::told::Told;
use crate::limits::STRIPES_MAX;
use crate::links::Links;
use crate::output::OrphanCause;
use crate::time::Timestamp;
use crate::wire::control::{Body, Graft, PruneReason};
use std::time::Duration;

/// A link must be up within this, or the next is asked; a link that comes later is used all the
/// same. Derived: three round trips of 100 ms; a hole punched takes longer and is worth no wait.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
/// The same with a parent that still feeds: no hurry. Derived: three round trips of 300 ms plus a
/// retransmission.
const CONNECT_TIMEOUT_FED: Duration = Duration::from_secs(2);
/// A graft must be answered within this. Derived: two round trips of 300 ms, or the next is asked.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(700);
/// The same when a stripe is silent, beyond two round trips. Guess: a busy uplink.
const ANSWER_MARGIN: Duration = Duration::from_millis(60);
/// With nobody to ask, look again this soon. Guess.
pub(super) const RETRY: Duration = Duration::from_millis(250);
/// A leaving parent may feed on for this long. Derived: `children::DRAIN`.
const DRAIN: Duration = Duration::from_millis(3_200);
/// It is sent on so often before it chooses for itself again. Guess: more than a tree is deep, and
/// few enough where liars name each other.
const FOLLOWED: u8 = 4;
/// After so many refusals a child asks to be taken by whoever carries the stripe. Guess.
const INSIST_AFTER: u8 = 4;
/// After so many, and then every so many again, it asks the root itself: a stripe that has lost all
/// its nodes near the root is found again by nothing else. Guess.
const ASK_ROOT_AFTER: u8 = 20;
/// The same where others wait below, most of whom are all it knows.
const ASK_ROOT_AFTER_HEAD: u8 = 4;

/// After so many it asks also those that said they lack the stripe: they may have it again. Guess: far
/// more than it takes where anybody is to be had.
const LOST_AFTER: u8 = 16;
/// A parent that was lost longer ago is not reported any more. Derived: then its own parent knows from
/// the link's idle timeout, or it lives and only this node is cut off.
const REPORTED: Duration = Duration::from_secs(5);

/// Facts about this node in the session that every search needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub tag: Tag,
    pub channel: u32,
    pub helper: bool,
    pub home: u8,
    pub slots: u16,
    /// Stripes a block needs.
    pub k: u8,
    /// How it is reached from outside.
    pub reach: Reach,
}

/// Whom a search may ask, and whom not.
pub(crate) struct Roster<'a> {
    pub candidates: &'a mut Candidates,
    pub children: &'a Children,
}

/// The parents of a node in one session.
#[derive(Debug)]
pub(crate) struct Parents {
    asker: Asker,
    pub feeds: Feeds,
    /// The root, once it is known.
    pub root: Option<Peer>,
    request: u32,
}

impl Parents {
    pub(crate) fn new(now: Timestamp, asker: Asker, n: u8, wanted: StripeSet) -> Self {
        let feeds = (0..n).map(|stripe| Feed::new(wanted.contains(stripe), now)).collect();
        Self { asker, feeds: Feeds::new(feeds), root: None, request: 0 }
    }

    pub(crate) fn feed(&self, stripe: u8) -> Option<&Feed> {
        self.feeds.get(usize::from(stripe))
    }

    /// A feed whose parent and search stay as they are.
    pub(crate) fn feed_aside(&mut self, stripe: u8) -> Option<&mut Feed> {
        self.feeds.aside().get_mut(usize::from(stripe))
    }

    pub(crate) fn set_slots(&mut self, slots: u16) {
        self.asker.slots = slots;
    }

    /// What parents write in front of this node's shards.
    pub(crate) fn channel(&self) -> u32 {
        self.asker.channel
    }

    /// The stripes this node wants.
    pub(crate) fn wanted(&self) -> StripeSet {
        let mut wanted = StripeSet::EMPTY;
        for (stripe, _) in self.feeds.iter().enumerate().filter(|(_, feed)| feed.wanted) {
            wanted.insert(stripe as u8);
        }
        wanted
    }

    /// The stripes that come regularly.
    pub(crate) fn fed(&self) -> StripeSet {
        self.feeds.summary().fed
    }

    /// Of these, the stripes that come to the parents too: others may be taken in.
    pub(crate) fn carried(&self) -> StripeSet {
        let mut carried = self.fed();
        for stripe in self.fed().iter() {
            let parent = self.feed(stripe).and_then(|feed| feed.parent.as_ref());
            if parent.is_some_and(|parent| parent.path.stalled) {
                carried.remove(stripe);
            }
        }
        carried
    }

    /// The stripes without any parent.
    pub(crate) fn orphans(&self) -> StripeSet {
        self.feeds.summary().orphans
    }

    /// Whether fewer stripes come than a block needs.
    fn is_hungry(&self) -> bool {
        self.fed().len() < u32::from(self.asker.k).min(self.wanted().len())
    }

    /// From the root to this node in a stripe, µs, if it is fed.
    pub(crate) fn delay_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let late_us = self.feed(stripe)?.late_us;
        // Only what is far off is passed on: were small errors, which all make, each would add to those
        // of the others, who compare with each other.
        let far_off_us = if late_us >= BROKEN_US { late_us } else { 0 };
        Some(self.promised_us(links, stripe)?.saturating_add(far_off_us))
    }

    /// The same as this node sees it.
    pub(crate) fn seen_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let late_us = self.feed(stripe)?.late_us;
        Some(self.promised_us(links, stripe)?.saturating_add(late_us))
    }

    /// The same as far as the parent promises.
    pub(crate) fn promised_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let parent = self.feed(stripe)?.parent.as_ref()?;
        let rtt = links.rtt(parent.peer).unwrap_or(RTT_UNKNOWN);
        Some(parent.path.delay_us.saturating_add(rtt.as_micros() as u32 / 2 + FORWARD_US))
    }

    /// This node's own path in a stripe, if it is fed.
    pub(crate) fn path(&self, links: &Links, stripe: u8) -> Option<Path> {
        let feed = self.feed(stripe).filter(|feed| feed.wanted)?;
        let Some(parent) = &feed.parent else {
            // Adrift: those below are told, so that they neither trust it nor take others in.
            return Some(Path {
                tags: [self.asker.tag].as_slice().into(),
                stalled: true,
                ..Path::default()
            });
        };
        let mut path = parent.path.child(self.asker.tag)?;
        path.stalled |= feed.repair_of.is_some();
        path.delay_us = self.delay_us(links, stripe)?;
        Some(path)
    }

    /// Links from the root, the largest over the stripes.
    pub(crate) fn depth(&self) -> u8 {
        self.feeds.summary().depth
    }

    /// Every node that some stripe needs a link to.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.feeds.iter().filter(|feed| feed.wanted).flat_map(|feed| {
            let parent = feed.parent.as_ref().map(|parent| parent.peer);
            parent.into_iter().chain(feed.search.peer()).chain(feed.backup)
        })
    }

    /// Every node that is named here.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = Peer> + '_ {
        let more = self.feeds.iter().flat_map(|feed| {
            let above = feed.parent.as_ref().and_then(|parent| parent.above);
            above
                .into_iter()
                .chain(feed.repair_of)
                .chain(feed.prefer.iter().copied())
                .chain(feed.asked.peers())
        });
        self.peers().chain(more).chain(self.root)
    }

    /// Starts looking for a parent, unless a search runs already.
    pub(crate) fn search(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let idle = self.feeds[usize::from(stripe)].search == Search::Idle;
        if idle {
            self.ask_next(cx, who, stripe);
        }
    }

    /// Whom to ask first when the parent of `stripe` dies. Who feeds others asks the parent above,
    /// where a place has just become free; the rest spread over their backups.
    fn heirs(&self, stripe: u8) -> Vec<Peer> {
        let feed = &self.feeds[usize::from(stripe)];
        let above = feed.parent.as_ref().and_then(|parent| parent.above);
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        let strong = stripe == self.asker.home && self.asker.slots > 0;
        let (first, second) = if strong { (above, feed.backup) } else { (feed.backup, above) };
        let mut heirs: Vec<Peer> = Vec::with_capacity(2);
        for heir in [first, second].into_iter().flatten() {
            if Some(heir) != parent && !heirs.contains(&heir) {
                heirs.push(heir);
            }
        }
        heirs
    }

    /// Replaces a silent parent, its heirs first.
    pub(crate) fn repair(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let heirs = self.heirs(stripe);
        let feed = &mut self.feeds[usize::from(stripe)];
        let Some(parent) = &feed.parent else { return };
        if feed.repair_of.is_some() {
            return;
        }
        feed.repair_of = Some(parent.peer);
        feed.hungry_since = cx.now;
        feed.prefer = heirs;
        feed.search = Search::Idle;
        self.ask_next(cx, who, stripe);
    }

    /// Asks for a better place with `peer`; the present parent stays if it says no.
    pub(crate) fn improve(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        peer: Peer,
        hope_us: Option<u32>,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.search == Search::Idle && !feed.is_parent(peer) {
            feed.hope_us = hope_us;
            feed.prefer.push(peer);
            self.ask_next(cx, who, stripe);
        }
    }

    /// Asks `peer` for a stripe before anybody else; the present parent stays until it says yes.
    pub(crate) fn turn_to(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        peer: Peer,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.wanted && !feed.is_parent(peer) {
            feed.prefer = vec![peer];
            feed.search = Search::Idle;
            self.ask_next(cx, who, stripe);
        }
    }

    /// Looks for nobody any more.
    pub(crate) fn stay(&mut self) {
        for feed in self.feeds.iter_mut() {
            feed.search = Search::Idle;
            feed.prefer.clear();
        }
    }

    /// Makes a wish for `stripe` and hands it to `ask`.
    pub(crate) fn with_wish<T>(
        &self,
        who: &mut Roster<'_>,
        stripe: u8,
        change: impl FnOnce(&mut Wish<'_>),
        ask: impl FnOnce(&mut Candidates, &Wish<'_>) -> T,
    ) -> T {
        let feed = &self.feeds[usize::from(stripe)];
        let children = who.children;
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        // Most stripes have no children: that is looked up once, not for each candidate.
        let feeds = children.has_any(stripe);
        let not = |peer: Peer| Some(peer) == parent || (feeds && children.contains(stripe, peer));
        let mut parents = [None; STRIPES_MAX as usize];
        for (of_stripe, feed) in parents.iter_mut().zip(self.feeds.iter()) {
            *of_stripe = feed.parent.as_ref().map(|parent| parent.peer);
        }
        let parents = &parents[..self.feeds.len()];
        let shared =
            |peer: Peer| parents.iter().filter(|parent| **parent == Some(peer)).count() as u64;
        // Whoever is full knows best who is not.
        let lacking = feed.repair_of.is_some() || feed.parent.is_none();
        let mut wish = Wish {
            stripe,
            not: &not,
            shared: &shared,
            ask_full: lacking,
            lost: lacking && feed.refusals >= LOST_AFTER,
            strong: self.offer(stripe) > 0,
            urgent: lacking,
            below_us: None,
            reach: self.asker.reach,
            small: who.candidates.are_few(self.feeds.len()),
            spot: who.candidates.spot(),
        };
        change(&mut wish);
        ask(who.candidates, &wish)
    }

    fn ask_next(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let hungry = self.is_hungry() || self.asker.home == stripe;
        let spared = self.fed().len() > self.asker.k.into();
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.prefer.is_empty() {
            feed.search = Search::Idle; // what it hoped for is not to be had
            return;
        }
        let parent = feed.parent.as_ref().map(|parent| parent.peer);
        // One that was late before is no heir: two such would hand their children to each other.
        let preferred = feed.prefer.iter().copied().find(|peer| {
            Some(*peer) != parent
                && !who.children.contains(stripe, *peer)
                && !who.candidates.is_banned(*peer)
                && !who.candidates.is_shunned(cx.now, *peer)
        });
        let head = who.children.has_any(stripe);
        let after = if head { ASK_ROOT_AFTER_HEAD } else { ASK_ROOT_AFTER };
        let lost = feed.refusals >= after && feed.refusals.is_multiple_of(after);
        let root = self.root.or_else(|| who.candidates.root(cx.now));
        let root = root.filter(|root| lost && Some(*root) != parent);
        if !hungry && spared && root.is_none() && feed.pauses() {
            feed.prefer.clear();
            feed.search = Search::Waiting { until: cx.now + feed.pause() };
            return;
        }
        let (now, links) = (cx.now, &*cx.links);
        let chosen = match preferred.or(root) {
            Some(peer) => Ok(peer),
            None if self.feeds[usize::from(stripe)].is_fed() => Err(None),
            None => self.with_wish(who, stripe, |_| {}, |c, wish| c.best(now, links, wish)),
        };
        let feed = &mut self.feeds[usize::from(stripe)];
        match chosen {
            Ok(peer) => {
                feed.prefer.retain(|preferred| *preferred != peer);
                if cx.links.is_up(peer) {
                    self.ask(cx, stripe, peer);
                } else if cx.connect(peer) {
                    let patience =
                        if feed.is_fed() { CONNECT_TIMEOUT_FED } else { CONNECT_TIMEOUT };
                    feed.search = Search::Connecting { peer, deadline: cx.now + patience };
                } else {
                    who.candidates.unreachable(cx.now, peer);
                    feed.search = Search::Waiting { until: cx.now + RETRY };
                }
            }
            Err(_) if feed.is_fed() => feed.search = Search::Idle,
            Err(next) => {
                let until = if hungry {
                    let latest = cx.now + RETRY;
                    next.map_or(latest, |at| at.clamp(cx.now + RETRY / 10, latest))
                } else {
                    cx.now + feed.pause()
                };
                feed.search = Search::Waiting { until };
            }
        }
    }

    /// Children this node offers to feed with a stripe.
    ///
    /// A helper multiplies every stripe it takes. A gateway multiplies its home stripe, with half of
    /// what it has; elsewhere it stands in where nobody else does, if it has enough for all.
    pub(crate) fn offer(&self, stripe: u8) -> u16 {
        let Asker { helper, home, slots, .. } = self.asker;
        match (helper, stripe == home) {
            (true, _) => slots,
            (false, true) => slots.div_ceil(2),
            (false, false) => slots / self.feeds.len() as u16,
        }
    }

    fn ask(&mut self, cx: &mut Context<'_>, stripe: u8, peer: Peer) {
        self.request = self.request.wrapping_add(1);
        let request = self.request;
        let Asker { channel, helper, .. } = self.asker;
        let (slots, fed) = (self.offer(stripe), self.fed().len() as u8);
        let feed = &mut self.feeds[usize::from(stripe)];
        let graft = Graft {
            stripe,
            request,
            channel,
            slots,
            resume: 0, // the hub knows how far the media have come
            repair_of: feed.repair_of.filter(|_| cx.now.since(feed.hungry_since) < REPORTED),
            helper,
            fed,
            insist: feed.refusals >= INSIST_AFTER,
            reach: self.asker.reach,
        };
        let timeout = match feed.repair_of {
            Some(_) => {
                let rtt = cx.links.rtt(peer).unwrap_or(RTT_UNKNOWN);
                (rtt * 2 + ANSWER_MARGIN).min(ANSWER_TIMEOUT)
            }
            None => ANSWER_TIMEOUT,
        };
        feed.search = Search::Asking { peer, request, deadline: cx.now + timeout };
        cx.send(peer, Body::Graft(graft));
    }

    /// Goes on with searches whose time is up. Says in which stripes a leaving parent is gone.
    pub(crate) fn on_time(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>) -> StripeSet {
        let mut orphaned = StripeSet::EMPTY;
        self.feeds.settle();
        let upkeep = self.feeds.summary();
        if !upkeep.is_forsaken && upkeep.deadline.is_none_or(|at| at > cx.now) {
            return orphaned;
        }
        for stripe in 0..self.feeds.len() as u8 {
            let feed = &mut self.feeds[usize::from(stripe)];
            if !feed.wanted {
                continue;
            }
            if feed.parent.as_ref().is_some_and(|p| p.draining_until.is_some_and(|t| t <= cx.now)) {
                feed.orphan(cx.now);
                orphaned.insert(stripe);
            }
            let due = feed.search.deadline().is_some_and(|deadline| deadline <= cx.now);
            match feed.search {
                Search::Connecting { peer, .. } if due => who.candidates.unreachable(cx.now, peer),
                Search::Asking { peer, .. } if due => who.candidates.refused(cx.now, peer),
                Search::Waiting { .. } if due => {}
                Search::Idle if feed.parent.is_none() => {}
                _ => continue,
            }
            feed.refusals = feed.refusals.checked_add(1).unwrap_or(INSIST_AFTER);
            self.ask_next(cx, who, stripe);
        }
        orphaned
    }

    /// When [`Parents::on_time`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.feeds.summary().deadline
    }

    /// A link is up: who waited for it asks, and who waits for somebody it knows nothing of. So do those
    /// adrift to whom others hold, if it is the root that is back: nobody below can do anything for
    /// itself.
    pub(crate) fn on_link_up(&mut self, cx: &mut Context<'_>, who: &Roster<'_>, peer: Peer) {
        if !self.feeds.summary().is_connecting && self.root != Some(peer) {
            return;
        }
        for stripe in 0..self.feeds.len() as u8 {
            let feed = &self.feeds[usize::from(stripe)];
            let is_child = who.children.contains(stripe, peer);
            let lacks = feed.wanted && feed.parent.is_none() && !is_child;
            let asks = match feed.search {
                Search::Connecting { peer: wanted, .. } if wanted == peer => true,
                // Whoever is there first knows whom to ask; that one may never come.
                Search::Connecting { peer: wanted, .. } => {
                    lacks && !who.candidates.is_described(wanted)
                }
                _ => false,
            };
            let adrift = lacks && who.children.has_any(stripe);
            if asks || (adrift && self.root == Some(peer)) {
                self.ask(cx, stripe, peer);
            }
        }
    }

    /// The link to `peer` is gone, or never came up: who waited for it asks the next.
    pub(crate) fn on_link_lost(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: Peer,
        cause: OrphanCause,
    ) -> StripeSet {
        let mut orphaned = StripeSet::EMPTY;
        for stripe in 0..self.feeds.len() as u8 {
            let was_parent = self.feeds[usize::from(stripe)].is_parent(peer);
            let was_asked = self.feeds[usize::from(stripe)].search.peer() == Some(peer);
            if was_parent {
                let heirs = self.heirs(stripe);
                let feed = &mut self.feeds[usize::from(stripe)];
                if feed.repair_of.is_none() {
                    feed.prefer = heirs;
                    feed.hungry_since = cx.now;
                }
                feed.repair_of = Some(peer);
                feed.orphan(cx.now);
                cx.out.push(Action::Orphaned { stripe, parent: peer, cause });
                orphaned.insert(stripe);
            }
            let feed = &mut self.feeds[usize::from(stripe)];
            if was_asked || (was_parent && feed.search == Search::Idle) {
                feed.search = Search::Idle;
                self.ask_next(cx, who, stripe);
            }
        }
        orphaned
    }

    /// A parent says yes. True if it is the parent now.
    pub(crate) fn on_admitted(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: Peer,
        (stripe, request): (u8, u32),
        (path, backups): (Path, &[Peer]),
        displaces: bool,
    ) -> bool {
        let (tag, offered) = (self.asker.tag, self.offer(stripe));
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return false };
        // Also a yes to an earlier request: it is the child's from then on, and to dissolve that would
        // dissolve what the present request makes of it.
        let asked = matches!(feed.search, Search::Asking { peer: p, request: r, .. }
            if p == peer && request <= r);
        if !asked {
            if !feed.is_parent(peer) {
                cx.send(peer, prune(stripe, PruneReason::Replaced));
            }
            return false;
        }
        who.candidates.reached(peer);
        if !path.can_go_on(tag) {
            cx.send(peer, prune(stripe, PruneReason::Loop));
            who.candidates.refused(cx.now, peer);
            self.ask_next(cx, who, stripe);
            return false;
        }
        if let Some(hope_us) = feed.hope_us.filter(|_| feed.is_fed() && !displaces) {
            let rtt = cx.links.rtt(peer).unwrap_or(RTT_UNKNOWN);
            let through_us = path.delay_us.saturating_add(rtt.as_micros() as u32 / 2 + FORWARD_US);
            if through_us > hope_us {
                // It is not what it promised, or what it promised others took.
                cx.send(peer, prune(stripe, PruneReason::Replaced));
                who.candidates.delays(cx.now, peer, path.delay_us);
                feed.search = Search::Idle;
                feed.hope_us = None;
                return false;
            }
        }
        let old = feed.parent.as_ref().map(|parent| parent.peer);
        if let Some(old) = old {
            cx.send(old, prune(stripe, PruneReason::Replaced));
        }
        let depth = path.depth() + 1;
        let parent = Parent { peer, path, above: backups.first().copied(), draining_until: None };
        let fed_before = feed.parent.is_some() && feed.repair_of.is_none();
        let waited = feed.adopt(cx.now, parent, offered);
        let waited = if fed_before { Duration::ZERO } else { waited };
        for backup in backups {
            who.candidates.learn_contact(cx.now, cx.links, cx.directory, *backup, Told::by(peer));
        }
        // One that is not below the parent, or none: that is looked for by and by.
        feed.backup = feed.backup.filter(|backup| *backup != peer && Some(*backup) != old);
        if feed.backup.is_none() || feed.is_below_first() {
            feed.backup = backups.get(1).copied().filter(|backup| *backup != peer);
            if let Some(backup) = feed.backup {
                cx.connect(backup);
            }
        }
        cx.out.push(Action::Grafted { stripe, parent: peer, old, depth, waited });
        true
    }

    /// A parent says no.
    pub(crate) fn on_redirected(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: Peer,
        (stripe, request): (u8, u32),
        named: &[Peer],
    ) {
        who.candidates.refused(cx.now, peer);
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return };
        if matches!(feed.search, Search::Asking { peer: p, request: r, .. } if p == peer && r == request)
        {
            feed.refusals = feed.refusals.checked_add(1).unwrap_or(INSIST_AFTER);
            if !feed.is_fed() {
                // Whoever is full knows best who is not.
                feed.asked.note(peer);
                let fresh = |peer: &&Peer| {
                    !feed.asked.contains(**peer) && !who.candidates.rests(cx.now, **peer)
                };
                let mut prefer: Vec<Peer> = named.iter().filter(fresh).copied().collect();
                prefer.extend(feed.prefer.iter().filter(|peer| !named.contains(peer)));
                prefer.truncate(FOLLOWED.into());
                feed.followed += 1;
                if feed.followed > FOLLOWED {
                    // Those who were named named each other: one of its own choice.
                    (feed.followed, prefer) = (0, Vec::new());
                }
                feed.prefer = prefer;
            }
            self.ask_next(cx, who, stripe);
        }
    }

    /// The parent dissolves the pair.
    pub(crate) fn on_pruned(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        reason: PruneReason,
        successors: Vec<Peer>,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if let Some(parent) = &feed.parent {
            let told = Told::by(parent.peer);
            for peer in &successors {
                who.candidates.learn_contact(cx.now, cx.links, cx.directory, *peer, told);
            }
        }
        feed.prefer = successors;
        feed.prefer.extend(feed.backup);
        match (reason, feed.parent.as_mut()) {
            (PruneReason::Leaving | PruneReason::Preempted, Some(parent)) => {
                parent.draining_until = Some(cx.now + DRAIN);
            }
            _ => {
                if let Some(parent) = feed.orphan(cx.now) {
                    let cause = OrphanCause::Pruned;
                    cx.out.push(Action::Orphaned { stripe, parent, cause });
                }
            }
        }
        // The successor knows best; whoever is asked just now was chosen before it was named.
        self.feeds[usize::from(stripe)].search = Search::Idle;
        self.ask_next(cx, who, stripe);
    }

    /// The parent's path changed. A loop dissolves the pair.
    pub(crate) fn on_path(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: Peer,
        stripe: u8,
        (path, above): (Path, Option<Peer>),
    ) {
        let tag = self.asker.tag;
        let Some(feed) = self.feed_aside(stripe).filter(|feed| feed.is_parent(peer)) else {
            return;
        };
        if path.stalled {
            feed.troubled(cx.now);
        }
        let Some(parent) = &mut feed.parent else { return };
        if path.can_go_on(tag) {
            let as_deep = parent.path.depth() == path.depth();
            (parent.path, parent.above) = (path, above);
            if !as_deep {
                self.feeds.unsettle();
            }
            return;
        }
        cx.send(peer, prune(stripe, PruneReason::Loop));
        who.candidates.refused(cx.now, peer);
        self.feeds[usize::from(stripe)].orphan(cx.now);
        cx.out.push(Action::Orphaned { stripe, parent: peer, cause: OrphanCause::Loop });
        self.search(cx, who, stripe);
    }

    /// Wants a stripe from now on, or no more.
    pub(crate) fn want(&mut self, cx: &mut Context<'_>, stripe: u8, wanted: bool) {
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return };
        if wanted && !feed.wanted {
            *feed = Feed::new(true, cx.now);
        } else if !wanted && feed.wanted {
            if let Some(parent) = &feed.parent {
                cx.send(parent.peer, prune(stripe, PruneReason::Replaced));
            }
            *feed = Feed::new(false, cx.now);
        }
    }
}

fn prune(stripe: u8, reason: PruneReason) -> Body<Peer, Peer> {
    Body::Prune { stripe, reason, successors: Vec::new() }
}
