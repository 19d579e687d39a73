//! A child asks for a stripe: whether this node takes it, and what it tells it.

use super::action::Action;
use super::children::{Admission, Preempted};
use super::context::Context;
use super::machine::Forest;
use super::member::{Reach, Role};
use super::path::Path;
use super::peer::Peer;
use super::score::RTT_UNKNOWN;
use super::stripe::StripeSet;
use crate::bucket::Bucket;
use crate::time::Timestamp;
use crate::wire::control::{Body, Graft, PruneReason, Refusal};

/// Backups named to a child. Spec: proto/SPEC.md#link.
const BACKUPS_MAX: usize = 2;
/// Changes of its short stripes that a root tells at once. Derived: while a session forms they change
/// up to 40 times, and each is told for up to 20 stripes, well below `CONTROL_BURST`.
const TELLINGS_BURST: u64 = 40;
/// The same per second for ever. Derived: for 20 stripes, a third of `CONTROL_PER_SECOND`.
const TELLINGS_PER_SECOND: u64 = 4;

/// Bounds what a root tells all its children because others graft and go.
#[derive(Debug)]
pub(super) struct Tellings {
    left: Bucket,
    /// The short stripes it told last.
    told: StripeSet,
}

impl Tellings {
    pub(super) const fn new(now: Timestamp) -> Self {
        let left = Bucket::full(now, TELLINGS_BURST, TELLINGS_PER_SECOND);
        Self { left, told: StripeSet::EMPTY }
    }

    /// Whether `short` is to be told now; then it counts as told.
    pub(super) fn are_due(&mut self, now: Timestamp, short: StripeSet) -> bool {
        let due = short != self.told && self.left.take(now, 1);
        if due {
            self.told = short;
        }
        due
    }
}

impl Forest {
    pub(super) fn on_graft(&mut self, cx: &mut Context<'_>, peer: Peer, mut graft: Graft<Peer>) {
        let stripe = graft.stripe;
        let away = |home: u8| !graft.helper && home != stripe && !self.is_small();
        if away(cx.directory.home(peer)) {
            graft.slots = 0; // it is meant to be a leaf here
        }
        self.hear_of_silence(cx, peer, &graft);
        let shunned = !self.is_small() && self.candidates.is_shunned(cx.now, peer);
        if shunned {
            graft.slots = 0; // it may watch, but nobody hangs from it for now
        }
        let way_us = cx.links.rtt(peer).unwrap_or(RTT_UNKNOWN).as_micros() as u32 / 2;
        let verdict = match self.path(cx.links, stripe) {
            _ if self.leaving || self.has_handed_over() => Err(Refusal::Leaving),
            None => Err(Refusal::NotFed),
            Some(path) if path.stalled => Err(Refusal::NotFed),
            Some(path) if !path.can_go_on(cx.directory.tag(peer)) => Err(Refusal::Loop),
            Some(_) if !self.stands_in(cx.now, peer, &graft) => Err(Refusal::Full),
            Some(path) => match self.children.admit(cx.now, (peer, way_us), &graft) {
                Admission::Admitted(preempted) => Ok((path, preempted)),
                Admission::Full => Err(Refusal::Full),
            },
        };
        match verdict {
            Ok((path, preempted)) => {
                self.admitted(cx, peer, &graft, path, preempted);
                self.tell_short(cx);
            }
            Err(refusal) => {
                let members = self.send_on(cx, peer, &graft, refusal);
                let request = graft.request;
                cx.send(peer, Body::Redirected { stripe, request, refusal, members });
            }
        }
    }

    /// An orphan says that a child of this node passes nothing on: if others say so too, and this
    /// node has the stripe, the child has to look elsewhere, and is no place to hang from.
    fn hear_of_silence(&mut self, cx: &mut Context<'_>, peer: Peer, graft: &Graft<Peer>) {
        let stripe = graft.stripe;
        let Some(accused) = graft.repair_of.filter(|accused| *accused != peer) else { return };
        let calm = self.setup.role == Role::Root
            || self.parents.feed(stripe).is_some_and(|feed| feed.is_calm(cx.now));
        if !calm || self.is_small() || !self.children.stays(stripe, accused) {
            return;
        }
        let network = cx.directory.network(peer);
        if self.accusations.hear(cx.now, stripe, accused, network) {
            self.candidates.shun(cx.now, accused, false);
            if let Some(dismissed) = self.children.dismiss(cx.now, stripe, accused) {
                send_away(cx, dismissed);
            }
        }
    }

    /// Whether it may have children in the stripe at all: a gateway outside its home stripe only
    /// where nobody at home is to be had, and in one such stripe.
    fn stands_in(&self, now: Timestamp, peer: Peer, graft: &Graft<Peer>) -> bool {
        let (stripe, home) = (graft.stripe, self.setup.home);
        if self.setup.role != Role::Gateway
            || stripe == home
            || self.children.contains(stripe, peer)
        {
            return true;
        }
        if self.is_small() {
            return true;
        }
        let others = self.children.stripes().any(|other| other != home && other != stripe);
        !others && (graft.insist || !self.candidates.has_home_slots(now, stripe, |p| p == peer))
    }

    fn admitted(
        &mut self,
        cx: &mut Context<'_>,
        child: Peer,
        graft: &Graft<Peer>,
        mut path: Path,
        preempted: Option<Preempted>,
    ) {
        let &Graft { stripe, request, channel, resume, .. } = graft;
        let backups = self.backups_for(cx.now, stripe, child, graft.reach);
        if self.setup.role == Role::Root {
            path.short = self.short(); // the child may be the helper that was missing
        }
        path.delay_us = path.delay_us.saturating_add(self.children.wait_us(stripe, child));
        self.children.told(stripe, child, path.delay_us);
        let displaced =
            preempted.as_ref().filter(|p| p.stripe == stripe && p.successor == Some(child));
        let displaced = displaced.map(|preempted| preempted.child);
        cx.send(child, Body::Admitted { stripe, request, path, backups, displaced });
        cx.out.push(Action::Admitted { stripe, child, channel, resume });
        if let Some(preempted) = preempted {
            send_away(cx, preempted);
        }
        self.announce_soon(cx.now);
    }

    /// Nodes with the stripe that are not below this one: its own parent first, then others.
    ///
    /// Below the only child of the root in a stripe there are no others. There the strongest child is
    /// named, which gets the place when this node dies, and of which the others can pull meanwhile.
    fn backups_for(&self, now: Timestamp, stripe: u8, child: Peer, reach: Reach) -> Vec<Peer> {
        let parent = self.parent(stripe);
        let (root, children) = (self.setup.role == Role::Root, &self.children);
        let not = |node: Peer| {
            node == child
                || parent == Some(node)
                // Below this node it would go down with it, but a root has only children to name.
                || (!root && children.contains(stripe, node))
        };
        let first = self.depth(stripe) == Some(1) && !self.is_small();
        let heir = if first { self.children.strongest(stripe, reach) } else { None };
        if heir == Some(child) {
            return parent.into_iter().collect(); // it asks the root
        }
        let others = self.candidates.with_stripe(now, stripe, BACKUPS_MAX, reach, not);
        let others = others.into_iter().map(|member| member.contact);
        parent.into_iter().chain(heir).chain(others).take(BACKUPS_MAX).collect()
    }
}

/// Tells a child that it has to look elsewhere, and with whom.
pub(super) fn send_away(cx: &mut Context<'_>, preempted: Preempted) {
    let Preempted { stripe, child, successor } = preempted;
    let (reason, successors) = (PruneReason::Preempted, successor.into_iter().collect());
    cx.send(child, Body::Prune { stripe, reason, successors });
}
