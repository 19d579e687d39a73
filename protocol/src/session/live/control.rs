//! Control messages of one session.

use super::Live;
use crate::context::Context;
use crate::forest::{Admission, Contact, Member, Path, Preempted, Role, Told, tag};
use crate::identity::NodeId;
use crate::limits::{MEMBERS_MAX, REDIRECTS_MAX};
use crate::output::{Event, OrphanCause, Violation};
use crate::session::end_message;
use crate::wire::control::{Body, Graft, PruneReason, Refusal};
use ed25519_dalek::Signature;
use std::time::Duration;

/// Keyframes are asked for at most this often. Spec: DESIGN section 5.
const REFRESH_EVERY: Duration = Duration::from_millis(500);
/// Backups named to a child. Spec: proto/SPEC.md#link.
const BACKUPS_MAX: usize = 2;

impl Live {
    /// A link is up: if the peer may be a member, say who is here.
    pub(crate) fn on_link_up(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        if self.candidates.contact(&peer).is_some() && !self.ended {
            self.candidates.reached(&peer);
            let member = self.member(cx.now);
            cx.send(peer, self.session(), Body::Announce { member, reply: true });
        }
        self.parents.on_link_up(cx, peer);
    }

    /// A link did not come up.
    pub(crate) fn on_link_failed(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        self.candidates.unreachable(cx.now, &peer);
        let (parents, mut who) = self.parents();
        parents.on_link_lost(cx, &mut who, peer, OrphanCause::LinkDown);
    }

    /// A link went down.
    pub(crate) fn on_link_down(&mut self, cx: &mut Context<'_>, peer: NodeId, cause: OrphanCause) {
        let session = self.session();
        self.peers.remove(&peer);
        for stripe in self.children.remove_everywhere(&peer) {
            cx.event(Event::ChildReleased { session, stripe, child: peer });
        }
        self.candidates.unreachable(cx.now, &peer);
        let (parents, mut who) = self.parents();
        parents.on_link_lost(cx, &mut who, peer, cause);
        self.tell_paths(cx);
        self.announce_soon(cx.now);
    }

    /// A peer broke a rule: nothing of it is used any more.
    pub(crate) fn ban(&mut self, cx: &mut Context<'_>, peer: NodeId) {
        self.candidates.ban(cx.now, peer);
        self.on_link_down(cx, peer, OrphanCause::Violation);
    }

    /// A control message about this session.
    ///
    /// # Errors
    /// The rule the peer broke.
    pub(crate) fn on_control(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        body: Body,
    ) -> Result<(), Violation> {
        if self.candidates.is_banned(&peer) {
            return Ok(());
        }
        if stripe_of(&body).is_some_and(|stripe| stripe >= self.outline.stripes()) {
            return Err(Violation::Control);
        }
        let its_tag = tag(&peer, &self.session());
        if path_of(&body).is_some_and(|path| !path.leads_to(its_tag)) {
            return Err(Violation::Path);
        }
        match body {
            Body::Announce { member, reply } => self.on_announce(cx, peer, member, reply),
            Body::Members(members) => {
                for member in members {
                    self.candidates.learn(cx.now, cx.links, member, Told::ByOthers);
                }
                self.on_time(cx);
            }
            Body::Graft(graft) => self.on_graft(cx, peer, &graft),
            Body::Admitted { stripe, request, path, backups } => {
                let not_mine =
                    |c: &Contact| c.node != self.me && !self.children.contains(stripe, &c.node);
                let backups: Vec<_> = backups.into_iter().filter(not_mine).collect();
                let head = std::mem::take(&mut self.head);
                let (parents, mut who) = self.parents();
                let answer = (stripe, request);
                let adopted =
                    parents.on_admitted(cx, &mut who, &head, peer, answer, (path, backups));
                self.head = head;
                if adopted {
                    self.warm_backup(cx, stripe);
                    self.tell_path(cx, stripe);
                    self.announce_soon(cx.now);
                }
            }
            Body::Redirected { stripe, request, refusal: _, members } => {
                for member in members {
                    self.candidates.learn(cx.now, cx.links, member, Told::ByOthers);
                }
                let (parents, mut who) = self.parents();
                parents.on_redirected(cx, &mut who, peer, stripe, request);
            }
            Body::Prune { stripe, reason, successors } => {
                if self.children.remove(stripe, &peer) {
                    let session = self.session();
                    cx.event(Event::ChildReleased { session, stripe, child: peer });
                    self.announce_soon(cx.now);
                } else if self.parents.feed(stripe).is_some_and(|feed| feed.is_parent(&peer)) {
                    self.candidates.refused(cx.now, &peer);
                    let (parents, mut who) = self.parents();
                    parents.on_pruned(cx, &mut who, stripe, reason, successors);
                    self.tell_path(cx, stripe);
                }
            }
            Body::PathUpdate { stripe, path } => {
                let before = self.parents.path(stripe);
                let (parents, mut who) = self.parents();
                parents.on_path(cx, &mut who, peer, stripe, path);
                if self.parents.path(stripe) != before {
                    self.tell_path(cx, stripe);
                }
            }
            Body::Pull { stripe, channel, from, until } => {
                self.send_ring(cx, peer, channel, stripe, from, Some(until));
            }
            Body::Refresh => self.refresh(cx),
            // `blocks` is the number of the block that would have come next.
            Body::End { blocks, signature } => {
                let message = end_message(&self.session(), blocks);
                let signature = Signature::from_bytes(&signature);
                if self.outline.media_key.verify_strict(&message, &signature).is_err() {
                    return Err(Violation::ForgedEnd);
                }
                // The end of an earlier run of a root that has come back.
                if self.head.newest().is_some_and(|newest| newest >= blocks) {
                    return Ok(());
                }
                self.end(cx, Some(peer), Body::End { blocks, signature: signature.to_bytes() });
            }
        }
        Ok(())
    }

    /// A member described itself by gossip.
    pub(crate) fn on_advert(&mut self, cx: &mut Context<'_>, member: Member) {
        self.candidates.learn(cx.now, cx.links, member, Told::ByItself);
    }

    fn on_announce(&mut self, cx: &mut Context<'_>, peer: NodeId, member: Member, reply: bool) {
        if member.contact.node != peer {
            return; // a member speaks for itself alone
        }
        // The address it is seen at was reachable a moment ago; what it says may not be.
        let seen = cx.links.address(&peer);
        let addresses = seen.into_iter().chain(member.contact.addresses.iter().copied());
        let contact = Contact::new(peer, addresses.collect::<Vec<_>>());
        let member = Member { contact, ..member };
        self.candidates.learn(cx.now, cx.links, member, Told::ByItself);
        self.peers.insert(peer);
        if reply {
            let session = self.session();
            let member = self.member(cx.now);
            cx.send(peer, session, Body::Announce { member, reply: false });
            let members = self.candidates.sample(cx.now, MEMBERS_MAX, &peer);
            if !members.is_empty() {
                cx.send(peer, session, Body::Members(members));
            }
        }
        self.on_time(cx);
    }

    fn on_graft(&mut self, cx: &mut Context<'_>, peer: NodeId, graft: &Graft) {
        let stripe = graft.stripe;
        let verdict = match self.path(stripe) {
            _ if self.ended => Err(Refusal::Leaving),
            None => Err(Refusal::NotFed),
            Some(path) if path.stalled => Err(Refusal::NotFed),
            Some(path) if path.child(tag(&peer, &self.session())).is_none() => Err(Refusal::Loop),
            Some(path) => match self.children.admit(cx.now, peer, graft) {
                Admission::Admitted(preempted) => Ok((path, preempted)),
                Admission::Full => Err(Refusal::Full),
            },
        };
        match verdict {
            Ok((path, preempted)) => {
                self.admitted(cx, peer, graft, path, preempted);
                // The short stripes may have changed. All children are told, so not for every graft of
                // whoever grafts without end.
                if self.role == Role::Root && self.tellings.take(cx.now, 1) {
                    self.tell_paths(cx);
                }
            }
            Err(refusal) => {
                let not = |node: &NodeId| *node == peer || self.parents_child(stripe, node);
                let members = self.candidates.with_stripe(cx.now, stripe, REDIRECTS_MAX, not);
                let request = graft.request;
                cx.send(
                    peer,
                    self.session(),
                    Body::Redirected { stripe, request, refusal, members },
                );
            }
        }
    }

    /// Whether `node` is known to be out of the question for a child of this node: only the
    /// grandparent is never below.
    fn parents_child(&self, stripe: u8, node: &NodeId) -> bool {
        self.role != Role::Root
            && self.parents.feed(stripe).is_some_and(|feed| feed.search.peer() == Some(*node))
    }

    fn admitted(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        graft: &Graft,
        path: Path,
        preempted: Option<Preempted>,
    ) {
        let (session, stripe) = (self.session(), graft.stripe);
        let backups = self.backups_for(cx, stripe, &peer);
        cx.send(peer, session, Body::Admitted { stripe, request: graft.request, path, backups });
        cx.event(Event::ChildAdmitted { session, stripe, child: peer });
        if let Some(Preempted { stripe, child, successor }) = preempted {
            let successors = self.candidates.contact(&successor).cloned().into_iter().collect();
            let reason = PruneReason::Preempted;
            cx.send(child, session, Body::Prune { stripe, reason, successors });
        }
        self.send_ring(cx, peer, graft.channel, stripe, graft.resume, None);
        self.announce_soon(cx.now);
    }

    /// Nodes with the stripe that are not below this one: its own parent first, then others.
    fn backups_for(&self, cx: &Context<'_>, stripe: u8, child: &NodeId) -> Vec<Contact> {
        let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
        let parent = parent.and_then(|parent| self.candidates.contact(&parent.node));
        let not = |node: &NodeId| {
            node == child
                || parent.is_some_and(|parent| parent.node == *node)
                // Below this node it would go down with it, but a root has only children to name.
                || (self.role != Role::Root && self.children.contains(stripe, node))
        };
        let others = self.candidates.with_stripe(cx.now, stripe, BACKUPS_MAX, not);
        let others = others.into_iter().map(|member| member.contact);
        parent.cloned().into_iter().chain(others).take(BACKUPS_MAX).collect()
    }

    fn warm_backup(&mut self, cx: &mut Context<'_>, stripe: u8) {
        let Some(feed) = self.parents.feed_mut(stripe) else { return };
        if let Some(contact) = feed.backups.first().cloned() {
            cx.connect(&contact);
        }
    }

    /// Passes a viewer's need for a keyframe up to the root.
    pub(crate) fn refresh(&mut self, cx: &mut Context<'_>) {
        if self.refreshed_at.is_some_and(|at| cx.now.since(at) < REFRESH_EVERY) {
            return;
        }
        self.refreshed_at = Some(cx.now);
        let session = self.session();
        if self.role == Role::Root {
            cx.event(Event::KeyframeWanted { session });
            return;
        }
        let feeds = self.parents.feeds.iter().filter(|feed| feed.is_fed());
        let parent = feeds.filter_map(|feed| feed.parent.as_ref()).map(|p| p.node).next();
        if let Some(parent) = parent {
            cx.send(parent, session, Body::Refresh);
        }
    }

    /// Leaves: children learn whom to ask, parents that the slot is free. A root ends the session.
    pub(crate) fn leave(&mut self, cx: &mut Context<'_>) {
        let session = self.session();
        if let Some((blocks, signature)) = self.media.sign_end(&self.outline) {
            self.end(cx, None, Body::End { blocks, signature });
            return;
        }
        let reason = PruneReason::Leaving;
        for stripe in 0..self.outline.stripes() {
            let parent = self.parents.feed(stripe).and_then(|feed| feed.parent.as_ref());
            let parent = parent.map(|parent| parent.node);
            let successors: Vec<_> = parent
                .and_then(|node| self.candidates.contact(&node).cloned())
                .into_iter()
                .collect();
            for (child, _) in self.children.of(stripe) {
                let successors = successors.clone();
                cx.send(child, session, Body::Prune { stripe, reason, successors });
            }
            if let Some(parent) = parent {
                cx.send(parent, session, Body::Prune { stripe, reason, successors: Vec::new() });
            }
        }
    }

    /// The publisher ended the session: everyone below is told.
    fn end(&mut self, cx: &mut Context<'_>, from: Option<NodeId>, body: Body) {
        if self.ended {
            return;
        }
        self.ended = true;
        let session = self.session();
        for peer in self.peers.iter().filter(|peer| Some(**peer) != from) {
            cx.send(*peer, session, body.clone());
        }
        cx.event(Event::Ended { session });
    }
}

fn stripe_of(body: &Body) -> Option<u8> {
    match body {
        Body::Graft(Graft { stripe, .. })
        | Body::Admitted { stripe, .. }
        | Body::Redirected { stripe, .. }
        | Body::Prune { stripe, .. }
        | Body::PathUpdate { stripe, .. }
        | Body::Pull { stripe, .. } => Some(*stripe),
        Body::Announce { .. } | Body::Members(_) | Body::Refresh | Body::End { .. } => None,
    }
}

fn path_of(body: &Body) -> Option<&Path> {
    match body {
        Body::Admitted { path, .. } | Body::PathUpdate { path, .. } => Some(path),
        Body::Announce { .. }
        | Body::Members(_)
        | Body::Graft(_)
        | Body::Redirected { .. }
        | Body::Prune { .. }
        | Body::Pull { .. }
        | Body::Refresh
        | Body::End { .. } => None,
    }
}
