//! Writes what the core reports as stable facts: see [`super::event`].

use super::event;
use banyan_protocol::output::Event;

/// Writes one event of the core.
pub fn write(event: &Event) {
    match event {
        Event::Grafted { session, stripe, parent, depth, waited } => {
            let (session, peer) = (session.short(), parent.short());
            let waited_ms = waited.as_millis() as u64;
            tracing::info!(target: event::GRAFTED, %session, stripe, %peer, depth, waited_ms);
        }
        Event::Orphaned { session, stripe, parent, cause } => {
            let (session, peer) = (session.short(), parent.short());
            tracing::info!(target: event::PRUNED, %session, stripe, %peer, ?cause);
        }
        Event::ChildAdmitted { session, stripe, child } => {
            let (session, peer) = (session.short(), child.short());
            tracing::debug!(target: event::ADMITTED, %session, stripe, %peer);
        }
        Event::ChildReleased { session, stripe, child } => {
            let (session, peer) = (session.short(), child.short());
            tracing::debug!(target: event::RELEASED, %session, stripe, %peer);
        }
        Event::Pulled { session, stripe, from, blocks } => {
            let (session, peer) = (session.short(), from.short());
            tracing::debug!(target: event::PULLED, %session, stripe, %peer, blocks);
        }
        Event::PullShed { session, stripe, peer } => {
            let (session, peer) = (session.short(), peer.short());
            tracing::info!(target: event::SHED, %session, stripe, %peer);
        }
        Event::BlocksLost { session, blocks } => {
            let (session, block) = (session.short(), blocks.start);
            let count = blocks.end - blocks.start;
            tracing::warn!(target: event::LOST, %session, block, count);
        }
        Event::Violated { peer, violation } => {
            tracing::warn!(target: event::VIOLATED, peer = %peer.short(), rule = %violation);
        }
        Event::PublisherInconsistent { session, block } => {
            let session = session.short();
            tracing::warn!(%session, block, "the publisher signed blocks that do not fit together");
        }
        Event::KeyframeWanted { session } => {
            tracing::debug!(session = %session.short(), "a viewer needs a keyframe");
        }
        Event::CandidatesWanted { session, stripes } => {
            let missing = stripes.len();
            tracing::debug!(session = %session.short(), missing, "no parent yet");
        }
        Event::RootGranted { session, root } => {
            tracing::info!(session = %session.short(), root = %root.short(), "another root");
        }
        Event::Ended { session } => {
            tracing::info!(session = %session.short(), "the publisher ended the session");
        }
    }
}
