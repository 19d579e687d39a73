//! What a part of the core may touch while it handles one input.

use crate::forest::Contact;
use crate::identity::{NodeId, SessionId};
use crate::links::Links;
use crate::output::{Event, Outbox, Output};
use crate::time::Timestamp;
use crate::wire::control::{Body, Control};

/// The moment, the node, its links and its outbox.
pub(crate) struct Context<'a> {
    pub now: Timestamp,
    pub links: &'a mut Links,
    pub out: &'a mut Outbox,
}

impl Context<'_> {
    /// Sends a control message if the link is up; a lost link is reported on its own.
    pub(crate) fn send(&mut self, to: NodeId, session: SessionId, body: Body) {
        if self.links.is_up(&to) {
            self.out.push(Output::Control(to, Control { session, body }.encode()));
        }
    }

    pub(crate) fn connect(&mut self, contact: &Contact) -> bool {
        self.links.connect(self.now, contact, self.out)
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.event(event);
    }
}
