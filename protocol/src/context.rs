//! What a part of the core may touch while it handles one input.

use crate::capacity::Uplink;
use crate::identity::{NodeId, SessionId};
use crate::links::Links;
use crate::output::{Event, Outbox, Output};
use crate::peers::Peers;
use crate::time::Timestamp;
use crate::wire::control::{Body, Control};

/// The moment, the node, its links, whom it has heard of, its uplink, and its outbox.
pub(crate) struct Context<'a> {
    pub now: Timestamp,
    pub links: &'a mut Links,
    pub peers: &'a mut Peers,
    pub uplink: &'a mut Uplink,
    pub out: &'a mut Outbox,
}

impl Context<'_> {
    /// Sends a control message if the link is up; a lost link is reported on its own.
    pub(crate) fn send(&mut self, to: NodeId, session: SessionId, body: Body) {
        if self.is_up(&to) {
            self.out.push(Output::Control(to, Control { session, body }.encode()));
        }
    }

    /// Whether a link to `node` is up.
    pub(crate) fn is_up(&self, node: &NodeId) -> bool {
        self.peers.find(node).is_some_and(|peer| self.links.is_up(peer))
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.event(event);
    }
}
