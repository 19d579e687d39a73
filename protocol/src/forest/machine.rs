//! [`Forest`]: one node's place in the forest of one session; routes what comes to the parts.

use super::accusations::Accusations;
use super::action::Action;
use super::admission::{Tellings, send_away};
use super::candidates::Candidates;
use super::children::{Children, Place, Preempted};
use super::context::Context;
use super::coordinate::{Coordinate, Spot};
use super::member::{Member, Reach, Role};
use super::optimise::Optimiser;
use super::parents::{Asker, Parents, Roster};
use super::path::{Path, Tag};
use super::patience::grace;
use super::peer::Peer;
use super::short::Helper;
use super::stripe::StripeSet;
use super::told::Told;
use crate::limits::MEMBERS_MAX;
use crate::links::Links;
use crate::output::OrphanCause;
use crate::rng::Rng;
use crate::room::make_room;
use crate::time::Timestamp;
use crate::wire::control::{Body, PruneReason, Refusal};
use std::time::Duration;

use super::action::Message;

/// What a node is told when it enters a session's forest.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The node.
    pub me: Peer,
    /// What it is.
    pub role: Role,
    /// Data stripes: so many give a block.
    pub k: u8,
    /// All stripes.
    pub n: u8,
    /// Its home stripe.
    pub home: u8,
    /// Its mark on paths.
    pub tag: Tag,
    /// What parents write in front of its shards.
    pub channel: u32,
    /// Children it can feed, one stripe each.
    pub slots: u16,
    /// Helper: most stripes to carry.
    pub stripes_max: u8,
    /// How it is reached from outside.
    pub reach: Reach,
    /// Most other members it remembers.
    pub view_max: usize,
    /// Decides every random choice.
    pub seed: [u8; 32],
}

/// One node's place in the forest of one session.
#[derive(Debug)]
pub struct Forest {
    pub(super) setup: Setup,
    pub(super) parents: Parents,
    pub(super) children: Children,
    pub(super) candidates: Candidates,
    /// Members with whom a link is up and who said they are in the session, ascending.
    pub(super) peers: Vec<Peer>,
    /// When to tell the peers about this node next.
    pub(super) announce_at: Timestamp,
    /// Whether it said that its home stripe comes.
    pub(super) is_home_announced: bool,
    pub(super) tick_at: Timestamp,
    pub(super) wanted_at: Timestamp,
    /// Whether what the parents know of the room here is to be looked at.
    pub(super) room_due: bool,
    pub(super) tellings: Tellings,
    pub(super) accusations: Accusations,
    pub(super) helper: Helper,
    pub(super) optimiser: Optimiser,
    /// Where it is, by the round trips to those who say where they are.
    pub(super) coordinate: Coordinate,
    pub(super) rng: Rng,
    pub(super) leaving: bool,
    /// Whether the publisher said who the root is: nobody else is believed to be.
    pub(super) root_granted: bool,
}

impl Forest {
    /// A node that knows nobody yet.
    #[must_use]
    pub fn new(now: Timestamp, setup: Setup) -> Self {
        let Setup { me, role, k, n, home, tag, channel, slots, view_max, reach, ref seed, .. } =
            setup;
        let wanted = match role {
            Role::Root => StripeSet::EMPTY,
            Role::Gateway => StripeSet::all(n),
            Role::Helper => {
                let mut home_only = StripeSet::EMPTY;
                home_only.insert(home);
                home_only
            }
        };
        let mut children = Children::new(k, slots);
        match role {
            Role::Root => children.spread_over(StripeSet::all(n)),
            Role::Helper => children.spread_over(wanted),
            Role::Gateway => {} // in a small session it may have to multiply any stripe
        }
        let asker = Asker { tag, channel, helper: role == Role::Helper, home, slots, k, reach };
        let mut rng = Rng::new(seed, "forest");
        Self {
            setup,
            parents: Parents::new(now, asker, n, wanted),
            children,
            candidates: Candidates::new((me, reach), seed, view_max, n),
            peers: Vec::new(),
            announce_at: now,
            is_home_announced: false,
            // Nodes that start together do not do everything together.
            tick_at: now + Duration::from_micros(rng.below(1_000_000)),
            wanted_at: now,
            room_due: true,
            tellings: Tellings::new(now),
            accusations: Accusations::default(),
            helper: Helper::new(now),
            optimiser: Optimiser::new(now),
            coordinate: Coordinate::default(),
            rng,
            leaving: false,
            root_granted: false,
        }
    }

    /// Members to ask, from an invite or discovery.
    pub fn on_found(&mut self, cx: &mut Context<'_>, peers: &[Peer]) {
        for peer in peers {
            let told = Told::BY_ITSELF;
            self.candidates.learn_contact(cx.now, cx.links, cx.directory, *peer, told);
        }
        self.on_time(cx);
    }

    /// Who the root is. Asked when nobody else helps.
    pub fn set_root(&mut self, root: Peer) {
        self.parents.root = Some(root).filter(|root| *root != self.setup.me);
    }

    /// A member described itself by gossip.
    pub fn on_advert(&mut self, cx: &mut Context<'_>, member: Member<Peer>) {
        self.candidates.learn(cx.now, cx.links, cx.directory, member, Told::BY_ITSELF);
    }

    /// A link is up. Whoever asked for it says who is here, and asks who is there.
    pub fn on_link_up(&mut self, cx: &mut Context<'_>, peer: Peer) {
        // In a session of few each link counts, and who dialled may not know yet that this one is in it.
        let speaks = !cx.links.is_theirs(peer) || self.is_small();
        self.on_meeting(cx, peer, speaks);
    }

    /// There has been a link to a peer since before this node entered the session.
    pub fn on_link_there(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.on_meeting(cx, peer, true);
    }

    /// A link to a peer is there: if it may be a member, and this node speaks first, it says who it is.
    fn on_meeting(&mut self, cx: &mut Context<'_>, peer: Peer, speaks: bool) {
        if self.candidates.is_banned(peer) {
            return; // whoever dials and is there first would be asked
        }
        self.candidates.reached(peer);
        if speaks && self.candidates.contains(peer) && !self.leaving {
            let member = self.member(cx.now, cx.links);
            cx.send(peer, Body::Announce { member, reply: true });
        }
        let (parents, who) = self.split();
        parents.on_link_up(cx, &who, peer);
    }

    /// A link did not come up.
    pub fn on_link_failed(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.candidates.unreachable(cx.now, peer);
        let (parents, mut who) = self.split();
        let orphaned = parents.on_link_lost(cx, &mut who, peer, OrphanCause::LinkDown);
        self.tell_adrift(cx, orphaned);
    }

    /// A link went down.
    pub fn on_link_down(&mut self, cx: &mut Context<'_>, peer: Peer, cause: OrphanCause) {
        if let Ok(at) = self.peers.binary_search(&peer) {
            self.peers.remove(at);
        }
        for stripe in self.children.remove_everywhere(peer) {
            cx.out.push(Action::Released { stripe, child: peer });
        }
        self.candidates.unreachable(cx.now, peer);
        let (parents, mut who) = self.split();
        let orphaned = parents.on_link_lost(cx, &mut who, peer, cause);
        self.tell_adrift(cx, orphaned);
        self.tell_short(cx);
        self.announce_soon(cx.now);
    }

    /// A peer broke a rule: nothing of it is used any more.
    pub fn ban(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.candidates.ban(peer);
        self.on_link_down(cx, peer, OrphanCause::Violation);
    }

    /// Whether nothing of `peer` is used any more.
    #[must_use]
    pub fn is_banned(&self, peer: Peer) -> bool {
        self.candidates.is_banned(peer)
    }

    /// A control message of the forest. Others are not for it and do nothing.
    pub fn on_message(&mut self, cx: &mut Context<'_>, peer: Peer, message: Message) {
        if self.candidates.is_banned(peer) {
            return;
        }
        match message {
            Body::Announce { member, reply } => self.on_announce(cx, peer, member, reply),
            Body::Members(members) => {
                for member in members {
                    let told = Told::by(peer);
                    self.candidates.learn(cx.now, cx.links, cx.directory, member, told);
                    self.try_named(cx, &member);
                }
            }
            Body::Graft(graft) => self.on_graft(cx, peer, graft),
            Body::Admitted { stripe, request, path, backups, displaced } => {
                let not_mine =
                    |p: &Peer| *p != self.setup.me && !self.children.contains(stripe, *p);
                let backups: Vec<_> = backups.into_iter().filter(not_mine).collect();
                let (parents, mut who) = self.split();
                let answer = (stripe, request);
                if parents.on_admitted(
                    cx,
                    &mut who,
                    peer,
                    answer,
                    (path, &backups),
                    displaced.is_some(),
                ) {
                    if let Some(displaced) = displaced {
                        self.children.expect(cx.now, stripe, displaced);
                    }
                    self.optimiser.moved(cx.now, stripe == self.setup.home);
                    self.tell_path(cx, stripe, 0);
                    self.announce_parent(cx.now, stripe);
                }
            }
            Body::Redirected { stripe, request, refusal, members } => {
                match refusal {
                    Refusal::Full if cx.directory.home(peer) == stripe => {
                        self.candidates.is_full(cx.now, peer);
                    }
                    Refusal::NotFed => self.candidates.lacks(cx.now, peer, stripe),
                    _ => {}
                }
                // Only who has the stripe knows where in its tree there is a place.
                let knows = refusal == Refusal::Full;
                let named: Vec<Peer> =
                    members.iter().filter(|_| knows).map(|member| member.contact).collect();
                for member in members {
                    let told = Told::by(peer);
                    self.candidates.learn(cx.now, cx.links, cx.directory, member, told);
                }
                let (parents, mut who) = self.split();
                parents.on_redirected(cx, &mut who, peer, (stripe, request), &named);
            }
            Body::Prune { stripe, reason, mut successors } => {
                successors.retain(|successor| *successor != self.setup.me);
                let leaves = matches!(reason, PruneReason::Leaving | PruneReason::Preempted);
                if self.children.remove(stripe, peer) {
                    cx.out.push(Action::Released { stripe, child: peer });
                    self.announce_soon(cx.now);
                } else if self.parents.feed(stripe).is_some_and(|feed| {
                    feed.is_parent(peer) && !(leaves && feed.is_left()) // it says so once
                }) {
                    self.candidates.refused(cx.now, peer);
                    // It climbed past this node, and its own word that it left is still on its way.
                    for above in &successors {
                        if self.children.remove(stripe, *above) {
                            cx.out.push(Action::Released { stripe, child: *above });
                        }
                    }
                    let (parents, mut who) = self.split();
                    parents.on_pruned(cx, &mut who, stripe, reason, successors);
                    self.tell_path(cx, stripe, 0);
                }
            }
            Body::PathUpdate { stripe, path, above } => {
                let above = above.filter(|above| *above != self.setup.me);
                let before = self.path(cx.links, stripe);
                let (parents, mut who) = self.split();
                parents.on_path(cx, &mut who, peer, stripe, (path, above));
                self.tell_path_since(cx, stripe, before);
            }
            Body::Grant { root, grant } => self.on_grant(cx, peer, root, &grant),
            Body::Room { stripe, room, children, places } => {
                let others = places.iter().filter(|place| place.contact != self.setup.me);
                self.children.set_room(stripe, peer, (room, children), others.map(Place::of));
            }
            Body::Pull { .. } | Body::Refresh | Body::End { .. } => {}
        }
        self.on_time(cx);
    }

    /// A stripe lags so far behind its siblings that its parent must be replaced.
    pub fn on_late(&mut self, cx: &mut Context<'_>, stripe: u8) {
        let Some(parent) = self.parent(stripe).filter(|_| !self.leaving) else { return };
        let stalled = self.is_stalled_above(stripe);
        self.candidates.shun(cx.now, parent, stalled);
        let (parents, mut who) = self.split();
        parents.repair(cx, &mut who, stripe);
        self.tell_path(cx, stripe, 0);
    }

    /// The uplink is behind with what it has to send: fewer children.
    pub fn on_congested(&mut self, cx: &mut Context<'_>) {
        for (stripe, child) in self.children.relieve(cx.now) {
            send_away(cx, Preempted { stripe, child, successor: None });
        }
        self.announce_soon(cx.now);
        self.on_time(cx);
    }

    /// Leaves: children learn whom to ask, parents that the slot is free.
    pub fn leave(&mut self, cx: &mut Context<'_>) {
        let reason = PruneReason::Leaving;
        for stripe in 0..self.setup.n {
            let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
            let parent = parent.map(|parent| parent.peer);
            // Those of a root that leaves turn to the one that has its place now.
            let heir = self.parents.root.filter(|_| self.setup.role == Role::Root);
            let successors: Vec<Peer> = parent.into_iter().chain(heir).collect();
            for (child, _) in self.children.of(stripe) {
                let successors = successors.clone();
                cx.send(child, Body::Prune { stripe, reason, successors });
            }
            if let Some(parent) = parent {
                cx.send(parent, Body::Prune { stripe, reason, successors: Vec::new() });
            }
        }
        self.end();
    }

    /// The session is over, or the node leaves: nobody is asked or taken any more.
    pub fn end(&mut self) {
        self.leaving = true;
    }

    /// Changes how many children the node can feed.
    pub fn set_slots(&mut self, now: Timestamp, slots: u16) {
        self.children.set_slots(slots);
        self.parents.set_slots(slots);
        self.setup.slots = slots;
        self.announce_soon(now);
    }

    fn on_announce(&mut self, cx: &mut Context<'_>, peer: Peer, member: Member<Peer>, reply: bool) {
        if member.contact != peer {
            return; // a member speaks for itself alone
        }
        let asker = member;
        self.children.set_fed(peer, member.carries.len() as u8);
        if member.role == Role::Root && !self.root_granted {
            self.set_root(peer);
        }
        if let Some(rtt) = cx.links.rtt(peer) {
            self.coordinate.update(&member.spot.into(), rtt);
            self.candidates.set_spot(self.spot());
        }
        self.candidates.learn(cx.now, cx.links, cx.directory, member, Told::BY_ITSELF);
        if let Err(at) = self.peers.binary_search(&peer) {
            make_room(&mut self.peers);
            self.peers.insert(at, peer);
        }
        if reply {
            let member = self.member(cx.now, cx.links);
            cx.send(peer, Body::Announce { member, reply: false });
            let members = self.candidates.fitting(cx.now, MEMBERS_MAX, &asker);
            if !members.is_empty() {
                cx.send(peer, Body::Members(members));
            }
        }
    }

    /// This node's way from the root in a stripe, if it has the stripe.
    #[must_use]
    pub fn path(&self, links: &Links, stripe: u8) -> Option<Path> {
        match self.setup.role {
            Role::Root => Some(Path {
                tags: [self.setup.tag].as_slice().into(),
                short: self.short(),
                ..Path::default()
            }),
            Role::Gateway | Role::Helper => self.parents.path(links, stripe),
        }
    }

    /// The stripes it can pass on.
    #[must_use]
    pub fn carries(&self) -> StripeSet {
        match self.setup.role {
            Role::Root => StripeSet::all(self.setup.n),
            Role::Gateway | Role::Helper => self.parents.carried(),
        }
    }

    /// How this node describes itself.
    #[must_use]
    pub fn member(&self, now: Timestamp, links: &Links) -> Member<Peer> {
        let Setup { me, role, home, .. } = self.setup;
        let root = role == Role::Root;
        let own_us = if root { Some(0) } else { self.parents.delay_us(links, home) };
        let wait_us = self.children.wait_next_us(home);
        Member {
            contact: me,
            role,
            carries: self.carries(),
            slots: self.children.slots(),
            slots_free: if self.has_handed_over() { 0 } else { self.children.slots_offered(now) },
            depth: if root { 0 } else { self.parents.depth() },
            delay_us: own_us.unwrap_or(0).saturating_add(wait_us),
            age_s: 0,
            reach: self.setup.reach,
            spot: self.spot(),
        }
    }

    /// Where this node is.
    pub(super) fn spot(&self) -> Spot {
        Spot::from(&self.coordinate)
    }

    pub(super) fn split(&mut self) -> (&mut Parents, Roster<'_>) {
        let roster = Roster { candidates: &mut self.candidates, children: &self.children };
        (&mut self.parents, roster)
    }

    /// Whether the session is so small that everybody may have to feed any stripe.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.candidates.are_few(self.setup.n.into())
    }

    /// Who feeds this node a stripe.
    #[must_use]
    pub fn parent(&self, stripe: u8) -> Option<Peer> {
        self.parents.feed(stripe)?.parent.as_ref().map(|parent| parent.peer)
    }

    /// Who is asked when the parent of a stripe falls silent, the first one first.
    pub fn backups(&self, stripe: u8) -> impl Iterator<Item = Peer> + '_ {
        let feed = self.parents.feed(stripe);
        let above = feed.and_then(|feed| feed.parent.as_ref()).and_then(|parent| parent.above);
        let heirs = feed.and_then(|feed| feed.backup).into_iter().chain(above);
        heirs.filter(|heir| !self.candidates.is_banned(*heir))
    }

    /// Whom to pull a late stripe from, the `nth` time in a row: those who are asked when the parent
    /// falls silent, then parents of other stripes, who mostly have them all. A backup may be dead
    /// and nobody knows yet, or hang from the same silent node.
    #[must_use]
    pub fn source(&self, links: &Links, stripe: u8, nth: usize) -> Option<Peer> {
        let parent = self.parent(stripe);
        let others = (0..self.setup.n).filter(|other| *other != stripe);
        let others = others.filter_map(|other| self.parent(other));
        let mut sources: Vec<Peer> = Vec::with_capacity(4);
        for source in self.backups(stripe).chain(others) {
            let is_new = Some(source) != parent && !sources.contains(&source);
            if is_new && links.is_up(source) && !self.children.contains(stripe, source) {
                sources.push(source);
            }
        }
        (!sources.is_empty()).then(|| sources[nth % sources.len()])
    }

    /// What peers know of this node is not true any more.
    pub fn describe_again(&mut self, cx: &mut Context<'_>) {
        self.announce_soon(cx.now);
    }

    /// Whether a stripe is wanted at all.
    #[must_use]
    pub fn wants(&self, stripe: u8) -> bool {
        self.parents.feed(stripe).is_some_and(|feed| feed.wanted)
    }

    /// Whether a new parent is being looked for because the present one is silent.
    #[must_use]
    pub fn repairs(&self, stripe: u8) -> bool {
        self.parents.feed(stripe).is_some_and(|feed| feed.repair_of.is_some())
    }

    /// Whether the parent of a stripe says that it is repairing its own feed.
    #[must_use]
    pub fn is_stalled_above(&self, stripe: u8) -> bool {
        let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
        parent.is_some_and(|parent| parent.path.stalled)
    }

    /// How long the parent of a late stripe has before it is replaced: the longer the further it is
    /// from the root, so that of a branch that is cut off only the head looks for another.
    #[must_use]
    pub fn grace(&self, stripe: u8) -> Duration {
        let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
        let (depth, stalled) =
            parent.map_or((0, false), |parent| (parent.path.depth(), parent.path.stalled));
        grace(depth, stalled)
    }

    /// The stripes that come regularly.
    #[must_use]
    pub fn fed(&self) -> StripeSet {
        self.parents.fed()
    }

    /// From the root to this node in a stripe as far as it can tell, µs.
    #[must_use]
    pub fn delay_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        self.parents.delay_us(links, stripe)
    }

    /// Links from the root in a stripe.
    #[must_use]
    pub fn depth(&self, stripe: u8) -> Option<u8> {
        match self.setup.role {
            Role::Root => Some(0),
            Role::Gateway | Role::Helper => {
                Some(self.parents.feed(stripe)?.parent.as_ref()?.path.depth() + 1)
            }
        }
    }

    /// The children of a stripe and their channels, in the order in which they are served.
    pub fn children(&self, stripe: u8) -> impl Iterator<Item = (Peer, u32)> + '_ {
        self.children.of(stripe)
    }

    /// Whether it has any child in a stripe.
    #[must_use]
    pub fn has_children(&self, stripe: u8) -> bool {
        self.children.has_any(stripe)
    }

    /// Children it feeds, over all stripes.
    #[must_use]
    pub fn children_len(&self) -> usize {
        self.children.len()
    }

    /// Whether `peer` is its child in a stripe.
    #[must_use]
    pub fn is_child(&self, stripe: u8, peer: Peer) -> bool {
        self.children.contains(stripe, peer)
    }

    /// Children it would still admit.
    #[must_use]
    pub fn slots_free(&self, now: Timestamp) -> u16 {
        self.children.slots_free(now)
    }

    /// Other members it knows of.
    #[must_use]
    pub fn members(&self) -> usize {
        self.candidates.len()
    }

    /// Members with whom a link is up.
    #[must_use]
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// What parents write in front of its shards.
    #[must_use]
    pub fn channel(&self) -> u32 {
        self.parents.channel()
    }

    /// What it was set up with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Nodes whose links it needs.
    pub fn needed(&self) -> impl Iterator<Item = Peer> + '_ {
        self.parents.peers().chain(self.children.peers())
    }

    /// Every node that is named somewhere in it.
    pub fn mentioned(&self) -> impl Iterator<Item = Peer> + '_ {
        let known = self.candidates.peers().chain(self.peers.iter().copied());
        let known = known.chain(self.accusations.peers());
        known
            .chain(self.parents.mentioned())
            .chain(self.children.mentioned())
            .chain(self.children.heir())
    }
}

#[cfg(test)]
mod tests;
