//! Choosing a parent for each stripe, in parallel: ask, follow redirects, replace, give up.

use super::candidates::{Candidates, Told, Wish};
use super::children::Children;
use super::feed::{Feed, Parent, Search};
use super::lag::Head;
use super::member::Contact;
use super::path::{Path, Tag};
use super::stripe::StripeSet;
use crate::context::Context;
use crate::identity::{NodeId, SessionId};
use crate::output::{Event, OrphanCause};
use crate::time::Timestamp;
use crate::wire::control::{Body, Graft, PruneReason};
use std::time::Duration;

/// A link must be up within this. Derived: three round trips of 300 ms plus a retransmission.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A graft must be answered within this. Derived: two round trips of 300 ms, or the next is asked.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(700);
/// The same when a stripe is silent. Derived: round trips on one continent stay below 100 ms.
const ANSWER_TIMEOUT_REPAIR: Duration = Duration::from_millis(250);
/// With nobody to ask, look again this soon. Guess.
const RETRY: Duration = Duration::from_millis(250);
/// A leaving parent may feed on for this long. Derived: `children::DRAIN`.
const DRAIN: Duration = Duration::from_millis(1_200);

/// Facts about this node in the session that every search needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub session: SessionId,
    pub tag: Tag,
    pub channel: u32,
    pub helper: bool,
    pub home: u8,
    pub slots: u16,
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
    pub feeds: Vec<Feed>,
    request: u32,
}

impl Parents {
    pub(crate) fn new(now: Timestamp, asker: Asker, n: u8, wanted: StripeSet) -> Self {
        let feeds = (0..n).map(|stripe| Feed::new(wanted.contains(stripe), now)).collect();
        Self { asker, feeds, request: 0 }
    }

    pub(crate) fn feed(&self, stripe: u8) -> Option<&Feed> {
        self.feeds.get(usize::from(stripe))
    }

    pub(crate) fn feed_mut(&mut self, stripe: u8) -> Option<&mut Feed> {
        self.feeds.get_mut(usize::from(stripe))
    }

    /// What children's parents write in front of this node's shards.
    pub(crate) fn channel(&self) -> u32 {
        self.asker.channel
    }

    /// The stripes this node wants.
    pub(crate) fn wanted(&self) -> StripeSet {
        self.select(|feed| feed.wanted)
    }

    /// The stripes that come regularly.
    pub(crate) fn fed(&self) -> StripeSet {
        self.select(Feed::is_fed)
    }

    /// The stripes without any parent.
    pub(crate) fn orphans(&self) -> StripeSet {
        self.select(|feed| feed.wanted && feed.parent.is_none())
    }

    fn select(&self, which: impl Fn(&Feed) -> bool) -> StripeSet {
        let mut set = StripeSet::EMPTY;
        for (stripe, feed) in self.feeds.iter().enumerate() {
            if which(feed) {
                set.insert(stripe as u8);
            }
        }
        set
    }

    /// This node's own path in a stripe, if it is fed.
    pub(crate) fn path(&self, stripe: u8) -> Option<Path> {
        let feed = self.feed(stripe)?;
        let mut path = feed.parent.as_ref()?.path.child(self.asker.tag)?;
        path.stalled |= feed.repair_of.is_some();
        Some(path)
    }

    /// Links from the root, the largest over the stripes.
    pub(crate) fn depth(&self) -> u8 {
        let depths = self.feeds.iter().filter_map(|feed| feed.parent.as_ref());
        depths.map(|parent| parent.path.depth() + 1).max().unwrap_or(0)
    }

    /// Every node that some stripe needs a link to.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.feeds.iter().filter(|feed| feed.wanted).flat_map(|feed| {
            let parent = feed.parent.as_ref().map(|parent| parent.node);
            let backup = feed.backups.first().map(|contact| contact.node);
            parent.into_iter().chain(feed.search.peer()).chain(backup)
        })
    }

    /// Starts looking for a parent, unless a search runs already.
    pub(crate) fn search(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let idle = self.feeds[usize::from(stripe)].search == Search::Idle;
        if idle {
            self.ask_next(cx, who, stripe);
        }
    }

    /// Replaces a silent parent, its backups first.
    pub(crate) fn repair(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let feed = &mut self.feeds[usize::from(stripe)];
        let Some(parent) = &feed.parent else { return };
        if feed.repair_of.is_some() {
            return;
        }
        feed.repair_of = Some(parent.node);
        feed.hungry_since = feed.newest_at;
        feed.prefer = feed.backups.iter().cloned().collect();
        feed.search = Search::Idle;
        self.ask_next(cx, who, stripe);
    }

    /// Asks for a better place with `contact`; the present parent stays if it says no.
    pub(crate) fn improve(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        stripe: u8,
        contact: Contact,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.search == Search::Idle && !feed.is_parent(&contact.node) {
            feed.prefer.push_back(contact);
            self.ask_next(cx, who, stripe);
        }
    }

    fn ask_next(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>, stripe: u8) {
        let feed = &mut self.feeds[usize::from(stripe)];
        if feed.is_fed() && feed.prefer.is_empty() {
            feed.search = Search::Idle; // what it hoped for is not to be had
            return;
        }
        let feed = &self.feeds[usize::from(stripe)];
        let parent = feed.parent.as_ref().map(|parent| parent.node);
        let not = |node: &NodeId| Some(*node) == parent || who.children.contains(stripe, node);
        // Whoever is full knows best who is not.
        let ask_full = feed.repair_of.is_some() || feed.parent.is_none();
        let strong = self.offer(stripe) > 0;
        let shared = |node: &NodeId| self.feeds.iter().filter(|f| f.is_parent(node)).count() as u64;
        let mut chosen = None;
        for contact in &feed.prefer {
            if !not(&contact.node) && !who.candidates.is_banned(&contact.node) {
                chosen = Some(contact.clone());
                break;
            }
        }
        let wish = Wish { stripe, not: &not, shared: &shared, ask_full, strong };
        let chosen = match chosen {
            Some(contact) => Ok(contact),
            None => who.candidates.best(cx.now, cx.links, &wish),
        };
        let feed = &mut self.feeds[usize::from(stripe)];
        match chosen {
            Ok(contact) => {
                feed.prefer.retain(|preferred| preferred.node != contact.node);
                if cx.links.is_up(&contact.node) {
                    self.ask(cx, stripe, contact.node);
                } else if cx.connect(&contact) {
                    let deadline = cx.now + CONNECT_TIMEOUT;
                    feed.search = Search::Connecting { peer: contact.node, deadline };
                } else {
                    who.candidates.unreachable(cx.now, &contact.node);
                    feed.search = Search::Waiting { until: cx.now + RETRY };
                }
            }
            Err(next) => {
                let latest = cx.now + RETRY;
                let until = next.map_or(latest, |at| at.clamp(cx.now + RETRY / 10, latest));
                feed.search = Search::Waiting { until };
            }
        }
    }

    /// Children this node offers to feed with a stripe.
    ///
    /// A helper multiplies every stripe it takes. A gateway multiplies its home stripe, with half of
    /// what it has; elsewhere it stands in where nobody else does, if it has enough for all.
    fn offer(&self, stripe: u8) -> u16 {
        let Asker { helper, home, slots, .. } = self.asker;
        match (helper, stripe == home) {
            (true, _) => slots,
            (false, true) => slots / 2,
            (false, false) => slots / self.feeds.len() as u16,
        }
    }

    fn ask(&mut self, cx: &mut Context<'_>, stripe: u8, peer: NodeId) {
        self.request = self.request.wrapping_add(1);
        let request = self.request;
        let Asker { session, channel, helper, .. } = self.asker;
        let slots = self.offer(stripe);
        let feed = &mut self.feeds[usize::from(stripe)];
        let graft = Graft {
            stripe,
            request,
            channel,
            slots,
            resume: feed.newest.map_or(0, |newest| newest + 1),
            repair_of: feed.repair_of,
            helper,
        };
        let timeout = match feed.repair_of {
            Some(_) => ANSWER_TIMEOUT_REPAIR,
            None => ANSWER_TIMEOUT,
        };
        feed.search = Search::Asking { peer, request, deadline: cx.now + timeout };
        cx.send(peer, session, Body::Graft(graft));
    }

    /// Goes on with searches whose time is up.
    pub(crate) fn on_time(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>) {
        for stripe in 0..self.feeds.len() as u8 {
            let feed = &mut self.feeds[usize::from(stripe)];
            if !feed.wanted {
                continue;
            }
            if feed.parent.as_ref().is_some_and(|p| p.draining_until.is_some_and(|t| t <= cx.now)) {
                feed.orphan(cx.now);
            }
            let due = feed.search.deadline().is_some_and(|deadline| deadline <= cx.now);
            match feed.search {
                Search::Connecting { peer, .. } if due => who.candidates.unreachable(cx.now, &peer),
                Search::Asking { peer, .. } if due => who.candidates.refused(cx.now, &peer),
                Search::Waiting { .. } if due => {}
                Search::Idle if feed.parent.is_none() => {}
                _ => continue,
            }
            self.ask_next(cx, who, stripe);
        }
    }

    /// When [`Parents::on_time`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let wanted = self.feeds.iter().filter(|feed| feed.wanted);
        wanted
            .flat_map(|feed| {
                let draining = feed.parent.as_ref().and_then(|parent| parent.draining_until);
                feed.search.deadline().into_iter().chain(draining)
            })
            .min()
    }

    pub(crate) fn on_link_up(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        for stripe in 0..self.feeds.len() as u8 {
            let search = &self.feeds[usize::from(stripe)].search;
            if matches!(search, Search::Connecting { peer: wanted, .. } if *wanted == peer) {
                self.ask(cx, stripe, peer);
            }
        }
    }

    /// The link to `peer` is gone, or never came up: who waited for it asks the next.
    pub(crate) fn on_link_lost(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: NodeId,
        cause: OrphanCause,
    ) {
        for stripe in 0..self.feeds.len() as u8 {
            let feed = &mut self.feeds[usize::from(stripe)];
            let was_parent = feed.is_parent(&peer);
            let was_asked = feed.search.peer() == Some(peer);
            if was_parent {
                if feed.repair_of.is_none() {
                    feed.prefer = feed.backups.iter().cloned().collect();
                }
                feed.repair_of = Some(peer);
                feed.orphan(cx.now);
                let session = self.asker.session;
                cx.event(Event::Orphaned { session, stripe, parent: peer, cause });
            }
            let feed = &mut self.feeds[usize::from(stripe)];
            if was_asked || (was_parent && feed.search == Search::Idle) {
                feed.search = Search::Idle;
                self.ask_next(cx, who, stripe);
            }
        }
    }

    /// A parent says yes. True if it is the parent now.
    pub(crate) fn on_admitted(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        head: &Head,
        peer: NodeId,
        (stripe, request): (u8, u32),
        (path, backups): (Path, Vec<Contact>),
    ) -> bool {
        let Asker { session, tag, .. } = self.asker;
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return false };
        let asked = matches!(feed.search, Search::Asking { peer: p, request: r, .. }
            if p == peer && r == request);
        if !asked {
            if !feed.is_parent(&peer) {
                cx.send(peer, session, prune(stripe, PruneReason::Replaced));
            }
            return false;
        }
        who.candidates.reached(&peer);
        if path.child(tag).is_none() {
            cx.send(peer, session, prune(stripe, PruneReason::Loop));
            who.candidates.refused(cx.now, &peer);
            self.ask_next(cx, who, stripe);
            return false;
        }
        if let Some(old) = feed.parent.as_ref().map(|parent| parent.node) {
            cx.send(old, session, prune(stripe, PruneReason::Replaced));
        }
        let depth = path.depth() + 1;
        let parent = Parent { node: peer, path, draining_until: None };
        let fed_before = feed.parent.is_some() && feed.repair_of.is_none();
        let waited = feed.adopt(cx.now, parent, head.newest());
        let waited = if fed_before { Duration::ZERO } else { waited };
        for contact in &backups {
            who.candidates.learn_contact(cx.now, cx.links, contact, Told::ByOthers);
        }
        feed.backups = backups;
        cx.event(Event::Grafted { session, stripe, parent: peer, depth, waited });
        true
    }

    /// A parent says no.
    pub(crate) fn on_redirected(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: NodeId,
        stripe: u8,
        request: u32,
    ) {
        who.candidates.refused(cx.now, &peer);
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return };
        if matches!(feed.search, Search::Asking { peer: p, request: r, .. } if p == peer && r == request)
        {
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
        successors: Vec<Contact>,
    ) {
        let feed = &mut self.feeds[usize::from(stripe)];
        for contact in &successors {
            who.candidates.learn_contact(cx.now, cx.links, contact, Told::ByOthers);
        }
        feed.prefer = successors.into_iter().collect();
        let session = self.asker.session;
        match (reason, feed.parent.as_mut()) {
            (PruneReason::Leaving | PruneReason::Preempted, Some(parent)) => {
                parent.draining_until = Some(cx.now + DRAIN);
            }
            _ => {
                if let Some(parent) = feed.orphan(cx.now) {
                    let cause = OrphanCause::Pruned;
                    cx.event(Event::Orphaned { session, stripe, parent, cause });
                }
            }
        }
        // The successor knows best; whoever is asked just now was chosen before it was named.
        self.feeds[usize::from(stripe)].search = Search::Idle;
        self.ask_next(cx, who, stripe);
    }

    /// The parent's path changed. False if it is a loop: the pair is dissolved.
    pub(crate) fn on_path(
        &mut self,
        cx: &mut Context<'_>,
        who: &mut Roster<'_>,
        peer: NodeId,
        stripe: u8,
        path: Path,
    ) -> bool {
        let Asker { session, tag, .. } = self.asker;
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return true };
        if !feed.is_parent(&peer) {
            return true;
        }
        if path.child(tag).is_some() {
            if let Some(parent) = &mut feed.parent {
                parent.path = path;
            }
            return true;
        }
        cx.send(peer, session, prune(stripe, PruneReason::Loop));
        who.candidates.refused(cx.now, &peer);
        feed.orphan(cx.now);
        cx.event(Event::Orphaned { session, stripe, parent: peer, cause: OrphanCause::Loop });
        self.search(cx, who, stripe);
        false
    }

    /// Wants a stripe from now on, or no more.
    pub(crate) fn want(&mut self, cx: &mut Context<'_>, stripe: u8, wanted: bool) {
        let session = self.asker.session;
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return };
        if wanted && !feed.wanted {
            *feed = Feed::new(true, cx.now);
        } else if !wanted && feed.wanted {
            if let Some(parent) = &feed.parent {
                cx.send(parent.node, session, prune(stripe, PruneReason::Replaced));
            }
            *feed = Feed::new(false, cx.now);
        }
    }
}

fn prune(stripe: u8, reason: PruneReason) -> Body {
    Body::Prune { stripe, reason, successors: Vec::new() }
}
