//! What happens by the clock: searches, announcements, paths, warm backups.

use super::action::Action;
use super::admission::send_away;
use super::children::Preempted;
use super::context::Context;
use super::machine::Forest;
use super::member::Role;
use super::path::Path;
use super::peer::Peer;
use super::stripe::StripeSet;
use crate::time::Timestamp;
use crate::wire::control::Body;
use std::time::Duration;

/// A node looks after itself this often. Guess.
const TICK_EVERY: Duration = Duration::from_secs(1);
/// In a session this small a node tells everybody about itself at once and often.
const SMALL: usize = 16;
/// How often that is. Derived: `forest.md` 5.2; 60 bytes to a few peers is far below 1 % of a stream.
const ANNOUNCE_EVERY_SMALL: Duration = Duration::from_secs(5);
/// The same in a large one. Derived: below what is believed of a member, `known::FRESH`.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(25);
/// Changes are gathered for this long. Guess.
const ANNOUNCE_SOON: Duration = Duration::from_millis(100);
/// In a large session a node with a new parent in its home stripe says so to all after this, as it
/// has something to give now. Guess: by then it has most others, too.
const ANNOUNCE_HOME: Duration = Duration::from_millis(250);
/// A backup that is full is replaced by one that is not when it is its stripe's turn, and this is how
/// long a turn takes. Guess: each stripe has one in 40 s.
const BACKUP_EVERY: Duration = Duration::from_secs(4);
/// Discovery is asked again this often. Guess.
const WANTED_EVERY: Duration = Duration::from_secs(2);
/// A child is told a delay that changed by this, µs. Guess: less changes nobody's choice.
const DELAY_NEWS_US: u32 = 4_000;

impl Forest {
    /// Does what is due. Harmless when nothing is.
    pub fn on_time(&mut self, cx: &mut Context<'_>) {
        self.room_due |= self.children.settle();
        self.room_due |= self.parents.feeds.settle();
        if self.children.deadline().is_some_and(|at| at <= cx.now) {
            for (stripe, child) in self.children.expire(cx.now) {
                cx.out.push(Action::Released { stripe, child });
            }
        }
        if self.leaving {
            return;
        }
        let (parents, mut who) = self.split();
        let orphaned = parents.on_time(cx, &mut who);
        self.tell_adrift(cx, orphaned);
        if self.tick_at <= cx.now {
            self.tick_at = cx.now + TICK_EVERY;
            self.room_due = true; // some of it changes by the clock
            self.tick(cx);
        }
        if self.setup.role == Role::Helper {
            self.help_where_short(cx);
        }
        if self.room_due {
            self.room_due = !self.tell_room(cx);
        }
        if self.announce_at <= cx.now {
            self.announce(cx);
        }
        if self.wanted_at <= cx.now {
            let orphans = self.parents.orphans();
            if !orphans.is_empty() {
                self.wanted_at = cx.now + WANTED_EVERY;
                cx.out.push(Action::CandidatesWanted(orphans));
            }
        }
    }

    /// When [`Forest::on_time`] is due next.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let children = self.children.deadline();
        if self.leaving {
            return children;
        }
        let helper = (self.setup.role == Role::Helper).then_some(self.helper.at);
        let orphans = (self.wanted_at > Timestamp::ZERO && !self.parents.orphans().is_empty())
            .then_some(self.wanted_at);
        [
            Some(self.tick_at),
            Some(self.announce_at),
            self.parents.deadline(),
            children,
            helper,
            orphans,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Once a second.
    fn tick(&mut self, cx: &mut Context<'_>) {
        self.candidates.forget_old(cx.now, cx.links);
        // A link that this node closed itself is not reported to it.
        self.peers.retain(|peer| cx.links.is_up(*peer));
        if let Some(preempted) = self.children.one_too_many(cx.now) {
            send_away(cx, preempted);
        }
        if !self.is_small() {
            self.children.mark_leaves(|peer, stripe| cx.directory.home(peer) != stripe);
        }
        self.give_back(cx);
        self.tell_changed(cx);
        self.keep_backups_warm(cx);
        self.optimise(cx);
    }

    /// A gateway stood in for others outside its home stripe while the session was small, or where
    /// nobody was to be had: now that those at home have slots, its children go there. A node that
    /// feeds many in a stripe where it is meant to be a leaf is a weak place of that stripe's tree.
    fn give_back(&mut self, cx: &mut Context<'_>) {
        let home = self.setup.home;
        if self.setup.role != Role::Gateway || self.is_small() {
            return;
        }
        let away: Vec<u8> = self.children.stripes().filter(|stripe| *stripe != home).collect();
        for stripe in away {
            let others = |peer: Peer| self.children.contains(stripe, peer);
            if self.candidates.has_home_slots(cx.now, stripe, others) {
                let successor = self.parent(stripe);
                for child in self.children.give_back(cx.now, stripe) {
                    send_away(cx, Preempted { stripe, child, successor });
                }
            }
        }
    }

    /// What it says of itself has changed: in a small session it says so at once. In a large one that
    /// would be far more than anybody can use while it grows: there parents learn it from the room.
    pub(super) fn announce_soon(&mut self, now: Timestamp) {
        if self.is_small() && self.peers.len() <= SMALL {
            self.announce_at = self.announce_at.min(now + ANNOUNCE_SOON);
        }
    }

    /// A stripe has a new parent.
    pub(super) fn announce_parent(&mut self, now: Timestamp, stripe: u8) {
        if stripe == self.setup.home && !self.is_home_announced {
            self.is_home_announced = true;
            self.announce_at = self.announce_at.min(now + ANNOUNCE_HOME);
        }
        self.announce_soon(now);
    }

    /// Tells peers what this node has to give. In a large session only those that are neither parent
    /// nor child: those it tells its path, and who else looks for parents learns it from a few.
    fn announce(&mut self, cx: &mut Context<'_>) {
        let small = self.is_small() && self.peers.len() <= SMALL;
        self.announce_at = cx.now + if small { ANNOUNCE_EVERY_SMALL } else { ANNOUNCE_EVERY };
        let member = self.member(cx.now, cx.links);
        for peer in &self.peers {
            if small || !self.children.peers().any(|child| child == *peer) {
                cx.send(*peer, Body::Announce { member, reply: false });
            }
        }
    }

    /// Tells the children of a stripe this node's way from the root, where it differs by `by` µs or
    /// more from what they know.
    pub(super) fn tell_path(&mut self, cx: &mut Context<'_>, stripe: u8, by: u32) {
        if !self.children.has_any(stripe) {
            return;
        }
        let Some(path) = self.path(cx.links, stripe) else { return };
        let above = self.parent(stripe);
        for (child, delay_us) in self.children.news(stripe, path.delay_us, by) {
            let path = Path { delay_us, ..path.clone() };
            cx.send(child, Body::PathUpdate { stripe, path, above });
        }
    }

    /// Tells the children of stripes that have lost their parent, so that they neither trust this
    /// node nor blame it for what is its parent's fault.
    pub(super) fn tell_adrift(&mut self, cx: &mut Context<'_>, stripes: StripeSet) {
        for stripe in stripes.iter() {
            self.tell_path(cx, stripe, 0);
        }
    }

    /// The same after a message: at once if the way is another, by and by if only the delay is.
    pub(super) fn tell_path_since(
        &mut self,
        cx: &mut Context<'_>,
        stripe: u8,
        before: Option<Path>,
    ) {
        let Some(path) = self.path(cx.links, stripe) else { return };
        let same = before.is_some_and(|before| Path { delay_us: path.delay_us, ..before } == path);
        let feed = self.parents.feed_aside(stripe);
        if !same && feed.is_some_and(|feed| feed.is_told_at_once(cx.now)) {
            self.tell_path(cx, stripe, 0);
        }
    }

    /// Tells all children what is news to them.
    fn tell_changed(&mut self, cx: &mut Context<'_>) {
        // A root's paths say which stripes are short of helpers, whatever the delay.
        let root = self.setup.role == Role::Root;
        let stripes: Vec<u8> = self.children.stripes().collect();
        for stripe in stripes {
            let feed = self.parents.feed_aside(stripe);
            let untold = feed.is_some_and(|feed| std::mem::take(&mut feed.untold));
            self.tell_path(cx, stripe, if root || untold { 0 } else { DELAY_NEWS_US });
        }
    }

    /// Root: tells all children at once if other stripes are short of helpers than it told last.
    pub(super) fn tell_short(&mut self, cx: &mut Context<'_>) {
        if self.setup.role != Role::Root || !self.tellings.are_due(cx.now, self.short()) {
            return;
        }
        let stripes: Vec<u8> = self.children.stripes().collect();
        for stripe in stripes {
            self.tell_path(cx, stripe, 0);
        }
    }

    /// A backup is of use only while it is near and has the stripe: keeps a link to one for each. It
    /// should have slots, too, but those go in a moment while a session grows, and each search costs a
    /// link: for one that said it has none left, another is looked for now and then. It still has what
    /// it keeps for orphans, and knows who has more.
    fn keep_backups_warm(&mut self, cx: &mut Context<'_>) {
        let turn = cx.now.as_micros() / BACKUP_EVERY.as_micros() as u64 % u64::from(self.setup.n);
        for stripe in self.parents.fed().iter() {
            let Some(feed) = self.parents.feed(stripe) else { continue };
            let keeps = feed.backup.is_some_and(|backup| {
                !feed.is_parent(backup)
                    && cx.links.is_up(backup)
                    && !self.children.contains(stripe, backup)
                    && self.candidates.member(cx.now, backup).is_none_or(|member| {
                        let spares = member.slots_free > 0 || u64::from(stripe) != turn;
                        spares && member.carries.contains(stripe)
                    })
            });
            // Below the first node of a stripe nobody but the root is a better one than it named.
            let named = feed.is_below_first() && !self.is_small();
            let lives = feed.backup.is_none_or(|backup| cx.links.is_up(backup));
            if keeps || (named && lives) {
                continue;
            }
            let (now, links) = (cx.now, &*cx.links);
            let (parents, mut who) = self.split();
            let found = parents.with_wish(
                &mut who,
                stripe,
                |wish| {
                    wish.urgent = true;
                    wish.ask_full = false;
                },
                |candidates, wish| candidates.backup(now, links, wish),
            );
            let Some(feed) = self.parents.feed_aside(stripe) else { continue };
            // A full one is better than none.
            if found.is_some() || feed.backup.is_some_and(|backup| !cx.links.is_up(backup)) {
                feed.backup = found;
            }
            if let Some(backup) = found {
                cx.connect(backup);
            }
        }
    }
}
