//! What parents and those that were asked say: yes, no, another way, that it is over.

use super::{INSIST_AFTER, Parents, Roster, prune};
use crate::forest::action::Action;
use crate::forest::context::Context;
use crate::forest::feed::{Parent, Search};
use crate::forest::path::Path;
use crate::forest::peer::Peer;
use crate::forest::score::{FORWARD_US, RTT_UNKNOWN};
use crate::forest::stripe::StripeSet;
use crate::forest::told::Told;
use crate::output::OrphanCause;
use crate::wire::control::PruneReason;
use std::time::Duration;

/// A leaving parent may feed on for this long. Derived: `children::DRAIN`.
const DRAIN: Duration = Duration::from_millis(3_200);
/// It is sent on so often before it chooses for itself again. Guess: more than a tree is deep, and
/// few enough where liars name each other.
const FOLLOWED: u8 = 4;

impl Parents {
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
}
