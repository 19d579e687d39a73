//! Control messages of one session: what they may say, and who they are for.

use super::Live;
use crate::context::Context;
use crate::forest::{Path, Peer, tag};
use crate::identity::NodeId;
use crate::output::{Event, OrphanCause, Violation};
use crate::session::end_message;
use crate::wire::control::{Body, Graft};
use ed25519_dalek::Signature;
use std::time::Duration;

/// Keyframes are asked for at most this often. Spec: DESIGN section 5.
const REFRESH_EVERY: Duration = Duration::from_millis(500);

impl Live {
    /// A link is up.
    pub(crate) fn on_link_up(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.with_forest(cx, |forest, cx| forest.on_link_up(cx, peer));
        self.tell_grant(cx, peer);
    }

    /// A link to a peer was up when the session was joined.
    pub(crate) fn on_link_there(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.with_forest(cx, |forest, cx| forest.on_link_there(cx, peer));
        self.tell_grant(cx, peer);
    }

    /// A link did not come up.
    pub(crate) fn on_link_failed(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.with_forest(cx, |forest, cx| forest.on_link_failed(cx, peer));
    }

    /// A link went down.
    pub(crate) fn on_link_down(&mut self, cx: &mut Context<'_>, peer: Peer, cause: OrphanCause) {
        self.with_forest(cx, |forest, cx| forest.on_link_down(cx, peer, cause));
    }

    /// A peer broke a rule: nothing of it is used any more.
    pub(crate) fn ban(&mut self, cx: &mut Context<'_>, peer: Peer) {
        self.with_forest(cx, |forest, cx| forest.ban(cx, peer));
    }

    /// A control message about this session.
    ///
    /// # Errors
    /// The rule the peer broke.
    pub(crate) fn on_control(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        body: Body,
    ) -> Result<(), Violation> {
        let Some(peer) = cx.peers.find(&node) else { return Ok(()) };
        if self.forest.is_banned(peer) {
            return Ok(());
        }
        if stripe_of(&body).is_some_and(|stripe| stripe >= self.outline.stripes()) {
            return Err(Violation::Control);
        }
        let its_tag = tag(&node, &self.session());
        if path_of(&body).is_some_and(|path| !path.leads_to(its_tag)) {
            return Err(Violation::Path);
        }
        match body {
            Body::Pull { stripe, channel, from, until } => {
                self.send_ring(cx, node, channel, stripe, from, Some(until));
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
            Body::Grant { root, grant } => return self.on_grant(cx, node, root, grant),
            body => self.receive(cx, node, body),
        }
        Ok(())
    }

    /// Passes a viewer's need for a keyframe up to the root.
    pub(crate) fn refresh(&mut self, cx: &mut Context<'_>) {
        if self.refreshed_at.is_some_and(|at| cx.now.since(at) < REFRESH_EVERY) {
            return;
        }
        self.refreshed_at = Some(cx.now);
        let session = self.session();
        if self.is_root() {
            cx.event(Event::KeyframeWanted { session });
            return;
        }
        let parent = self.forest.fed().iter().find_map(|stripe| self.forest.parent(stripe));
        if let Some(parent) = parent.and_then(|parent| cx.peers.id(parent)) {
            cx.send(parent, session, Body::Refresh);
        }
    }

    /// Leaves: children learn whom to ask, parents that the slot is free. A root ends the session, unless
    /// another has its place.
    pub(crate) fn leave(&mut self, cx: &mut Context<'_>) {
        if !self.has_handed_over()
            && let Some((blocks, signature)) = self.media.sign_end(&self.outline)
        {
            self.end(cx, None, Body::End { blocks, signature });
            return;
        }
        self.with_forest(cx, |forest, cx| forest.leave(cx));
    }

    /// The publisher ended the session: everyone below is told.
    fn end(&mut self, cx: &mut Context<'_>, from: Option<Peer>, body: Body) {
        if self.ended {
            return;
        }
        self.ended = true;
        let session = self.session();
        let told = self.forest.peers().iter().filter(|peer| Some(**peer) != from);
        for node in told.filter_map(|peer| cx.peers.id(*peer)).collect::<Vec<_>>() {
            cx.send(node, session, body.clone());
        }
        self.forest.end();
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
        | Body::Room { stripe, .. }
        | Body::Pull { stripe, .. } => Some(*stripe),
        Body::Announce { .. } | Body::Members(_) | Body::Refresh => None,
        Body::Grant { .. } | Body::End { .. } => None,
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
        | Body::Room { .. }
        | Body::Pull { .. }
        | Body::Refresh
        | Body::Grant { .. }
        | Body::End { .. } => None,
    }
}
