//! What happens by the clock: searches, lag, announcements, paths, helpers' second stripes.

use super::Live;
use crate::context::Context;
use crate::forest::{Need, Role, need, need_at};
use crate::identity::NodeId;
use crate::limits::PULL_BLOCKS_MAX;
use crate::output::{Event, Output};
use crate::time::Timestamp;
use crate::wire::control::{Body, Control};
use std::time::Duration;

/// A node describes itself to its peers this often, or when something changed. Derived:
/// `forest.md` 5.2; 60 bytes to a few peers is far below 1 % of a stream.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(5);
/// Capacity adverts by gossip: this often in a small session. Spec: `forest.md` 5.2, TTL 20 s.
const ADVERTISE_EVERY: Duration = Duration::from_secs(10);
/// In a large one the interval grows with the members known, as RTCP's does. Derived: `forest.md`
/// 5.2, at most 1.4 messages per second and topic.
const ADVERTISE_SPACING: Duration = Duration::from_millis(700);
/// Changes are gathered for this long. Guess.
const ANNOUNCE_SOON: Duration = Duration::from_millis(100);
/// Paths are repeated this often. Spec: DESIGN section 6.
const PATHS_EVERY: Duration = Duration::from_secs(1);
/// Discovery is asked again this often. Guess.
const WANTED_EVERY: Duration = Duration::from_secs(2);
/// A silent session is probed at most this seldom. Guess.
const PROBE_MAX: Duration = Duration::from_secs(2);
/// The same shards are pulled again after this. Derived: a round trip on one continent.
const PULL_AGAIN: Duration = Duration::from_millis(80);
/// Blocks asked for when nothing comes at all.
const PROBE_BLOCKS: u64 = 8;

impl Live {
    /// Does what is due. Harmless when nothing is.
    pub(crate) fn on_time(&mut self, cx: &mut Context<'_>) {
        let session = self.session();
        for (stripe, child) in self.children.expire(cx.now) {
            cx.event(Event::ChildReleased { session, stripe, child });
        }
        if self.ended {
            return;
        }
        let (parents, mut who) = self.parents();
        parents.on_time(cx, &mut who);
        self.mend(cx);
        self.probe(cx);
        self.deliver(cx);
        if self.paths_at <= cx.now {
            self.paths_at = cx.now + PATHS_EVERY;
            self.tell_paths(cx);
            self.candidates.forget_old(cx.now, cx.links);
            self.allowances.tidy(cx.now);
            // A link that this node closed itself is not reported to it.
            self.peers.retain(|peer| cx.links.is_up(peer));
            self.keep_backups_warm(cx);
        }
        if self.role == Role::Helper {
            self.help_where_short(cx);
        }
        if self.announce_at <= cx.now {
            self.announce_at = cx.now + ANNOUNCE_EVERY;
            self.announce(cx);
        }
        if self.advertise_at <= cx.now {
            self.advertise(cx);
        }
        let orphans = self.parents.orphans();
        if !orphans.is_empty() && self.wanted_at <= cx.now {
            self.wanted_at = cx.now + WANTED_EVERY;
            cx.event(Event::CandidatesWanted { session, stripes: orphans });
        }
    }

    /// When [`Live::on_time`] is due next.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let children = self.children.deadline();
        if self.ended {
            return children;
        }
        let helper = (self.role == Role::Helper).then_some(self.helper.at);
        let orphans = (!self.parents.orphans().is_empty()).then_some(self.wanted_at);
        let probe = self.probe_at();
        let lag = (0..self.outline.stripes()).filter_map(|stripe| self.mend_at(stripe)).min();
        [
            Some(self.paths_at),
            Some(self.announce_at),
            Some(self.advertise_at),
            self.parents.deadline(),
            self.media.deadline(),
            children,
            helper,
            orphans,
            probe,
            lag,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn mend_at(&self, stripe: u8) -> Option<Timestamp> {
        let feed = self.parents.feed(stripe).filter(|feed| feed.repair_of.is_none())?;
        need_at(feed, &self.head)
    }

    /// Pulls for stripes that lag behind their siblings, then replaces their parents.
    fn mend(&mut self, cx: &mut Context<'_>) {
        let until = self.head.newest().map_or(0, |newest| newest + 1);
        for stripe in 0..self.outline.stripes() {
            let feed = self.parents.feed(stripe).filter(|feed| feed.repair_of.is_none());
            let need = feed.map_or(Need::Nothing, |feed| need(cx.now, feed, &self.head));
            if need == Need::Nothing {
                continue;
            }
            self.pull(cx, stripe, until);
            if need == Need::Promote {
                let (parents, mut who) = self.parents();
                parents.repair(cx, &mut who, stripe);
                self.tell_path(cx, stripe);
            }
        }
    }

    /// Asks the backup for the shards of `stripe` from the newest one on, up to `until`.
    fn pull(&mut self, cx: &mut Context<'_>, stripe: u8, until: u64) {
        let (session, channel) = (self.session(), self.parents.channel());
        let Some(feed) = self.parents.feed_mut(stripe) else { return };
        let from = feed.newest.map_or(0, |newest| newest + 1);
        let until = until.min(from.saturating_add(PULL_BLOCKS_MAX));
        if feed.pull_after > cx.now || until <= from {
            return;
        }
        feed.pull_after = cx.now + PULL_AGAIN;
        let parent = feed.parent.as_ref().map(|parent| parent.node);
        let mut backup = feed.backups.iter().map(|contact| contact.node);
        let backup = backup.find(|node| Some(*node) != parent && cx.links.is_up(node));
        if let Some(backup) = backup {
            cx.send(backup, session, Body::Pull { stripe, channel, from, until });
            cx.event(Event::Pulled { session, stripe, from: backup, blocks: until - from });
        }
    }

    fn probe_at(&self) -> Option<Timestamp> {
        if self.role == Role::Root || self.parents.fed().is_empty() {
            return None;
        }
        Some(self.head.silent_at()?.max(self.probed.0 + self.probed.1))
    }

    /// Everything is silent: asks the backups whether they have more.
    fn probe(&mut self, cx: &mut Context<'_>) {
        if self.probe_at().is_none_or(|at| at > cx.now) {
            return;
        }
        let silent_for = self.head.silent_at().map_or(Duration::ZERO, |at| cx.now.since(at));
        let wait = if silent_for < PULL_AGAIN { PULL_AGAIN } else { self.probed.1 * 2 };
        self.probed = (cx.now, wait.clamp(PULL_AGAIN, PROBE_MAX));
        let head = self.head.newest().unwrap_or(0);
        for stripe in self.parents.fed().iter() {
            self.pull(cx, stripe, head.saturating_add(PROBE_BLOCKS));
        }
    }

    pub(super) fn announce_soon(&mut self, now: Timestamp) {
        self.announce_at = self.announce_at.min(now + ANNOUNCE_SOON);
    }

    /// Tells the whole session what this node has to give; nothing if it has nothing.
    fn advertise(&mut self, cx: &mut Context<'_>) {
        let members = self.candidates.len() as u32;
        self.advertise_at = cx.now + ADVERTISE_EVERY.max(ADVERTISE_SPACING * members);
        let member = self.member(cx.now);
        if member.slots_free > 0 && !member.carries.is_empty() {
            let session = self.session();
            let advert = Control { session, body: Body::Announce { member, reply: false } };
            cx.out.push(Output::Advertise(session, advert.encode()));
        }
    }

    fn announce(&mut self, cx: &mut Context<'_>) {
        let (session, member) = (self.session(), self.member(cx.now));
        for peer in &self.peers {
            cx.send(*peer, session, Body::Announce { member: member.clone(), reply: false });
        }
    }

    /// Tells the children of a stripe this node's way from the root.
    pub(super) fn tell_path(&mut self, cx: &mut Context<'_>, stripe: u8) {
        let Some(path) = self.path(stripe) else { return };
        let session = self.session();
        for (child, _) in self.children.of(stripe) {
            cx.send(child, session, Body::PathUpdate { stripe, path: path.clone() });
        }
    }

    pub(super) fn tell_paths(&mut self, cx: &mut Context<'_>) {
        for stripe in 0..self.outline.stripes() {
            self.tell_path(cx, stripe);
        }
    }

    /// A backup is of use only while it is near: keeps a link to one that lives, for each stripe.
    fn keep_backups_warm(&mut self, cx: &mut Context<'_>) {
        for stripe in self.parents.fed().iter() {
            let Some(feed) = self.parents.feed(stripe) else { continue };
            let parent = feed.parent.as_ref().map(|parent| parent.node);
            let gone =
                |node: &NodeId| Some(*node) == parent || self.candidates.contact(node).is_none();
            let mut backups: Vec<_> =
                feed.backups.iter().filter(|contact| !gone(&contact.node)).cloned().collect();
            if backups.is_empty() {
                let not = |node: &NodeId| gone(node) || self.children.contains(stripe, node);
                let found = self.candidates.with_stripe(cx.now, stripe, 1, not);
                backups = found.into_iter().map(|member| member.contact).collect();
            }
            if let Some(contact) = backups.first().cloned() {
                cx.connect(&contact);
            }
            if let Some(feed) = self.parents.feed_mut(stripe) {
                feed.backups = backups;
            }
        }
    }
}
