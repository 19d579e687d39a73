//! The root's place in a session: who has it, by which grant, and taking it up.
//!
//! spec: proto/SPEC.md#root-grant

use super::Live;
use super::media::Media;
use crate::context::Context;
use crate::forest::{Contact, Peer, Role};
use crate::identity::{MediaKey, NodeId};
use crate::output::{Event, Violation};
use crate::session::SignedRootGrant;
use crate::time::UnixSeconds;
use crate::wire::control::Body;
use bytes::Bytes;

/// A node's core knows no calendar: an expired grant that nobody took up may be taken up by the node
/// that it names, and by no other. What was taken up later has a higher term.
const NO_CALENDAR: UnixSeconds = UnixSeconds(0);

/// Numbers left out when a place is taken up: the root before may have sent blocks that this node has
/// not seen, and no number may stand for two blocks. Derived: a quarter of a second at 30 blocks/s.
const UNSEEN_BLOCKS: u64 = 8;

impl Live {
    /// Tells a peer who the root is, if that is not the first one.
    pub(super) fn tell_grant(&self, cx: &mut Context<'_>, peer: Peer) {
        let Some(grant) = self.terms.grant() else { return };
        let root = grant.claims().to;
        let root = if root == self.me {
            Some(Contact::new(self.me, self.addresses.iter().copied()))
        } else {
            cx.peers.find(&root).and_then(|root| cx.peers.contact(root).cloned())
        };
        if let (Some(root), Some(node)) = (root, cx.peers.id(peer)) {
            let grant = Bytes::from(grant.encode());
            cx.send(node, self.session(), Body::Grant { root, grant });
        }
    }

    /// Whether this was the root, and another has its place.
    pub(super) fn has_handed_over(&self) -> bool {
        self.terms.root().is_some_and(|root| root != self.me)
    }

    /// `from` says that another node is the root.
    pub(super) fn on_grant(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        root: Contact,
        bytes: Bytes,
    ) -> Result<(), Violation> {
        let grant = SignedRootGrant::decode(&bytes).map_err(|_| Violation::Control)?;
        if grant.claims().to != root.node {
            return Err(Violation::ForgedGrant);
        }
        let news = self.terms.offer(cx.now, NO_CALENDAR, &grant);
        if !news.map_err(|_| Violation::ForgedGrant)? {
            return Ok(()); // known, or a higher term is
        }
        let (session, node) = (self.session(), root.node);
        cx.event(Event::RootGranted { session, root: node });
        self.receive(cx, from, Body::Grant { root, grant: bytes });
        Ok(())
    }

    /// Takes up the root's place; false if the grant does not hold, is for another node, or a higher
    /// one is known.
    pub(crate) fn take_over(
        &mut self,
        cx: &mut Context<'_>,
        grant: &SignedRootGrant,
        media_key: MediaKey,
        slots: u16,
    ) -> bool {
        let mine = grant.claims().to == self.me && !self.is_root() && !self.ended;
        if !mine || !matches!(self.terms.offer(cx.now, NO_CALENDAR, grant), Ok(true)) {
            return false;
        }
        let next = self.head.newest().map_or(0, |newest| newest + 1 + UNSEEN_BLOCKS);
        let first = grant.claims().from_block.max(next);
        self.role = Role::Root;
        let slots = self.share.as_mut().map_or(slots, |share| {
            share.lead(&self.outline, slots);
            share.slots()
        });
        self.media = Media::root(&self.outline, media_key, first);
        let bytes = Bytes::from(grant.encode());
        self.with_forest(cx, |forest, cx| {
            forest.become_root(cx, slots, bytes);
            forest.stand_alone(cx);
        });
        let (session, root) = (self.session(), self.me);
        cx.event(Event::RootGranted { session, root });
        true
    }
}
