//! What a part of the forest may touch while it handles one input.

use super::action::{Action, Message};
use super::peer::{Directory, Peer};
use crate::links::Links;
use crate::time::Timestamp;

/// The moment, the node's links, what it knows of others, and where its effects go.
pub struct Context<'a> {
    /// Now.
    pub now: Timestamp,
    /// The links of the node.
    pub links: &'a mut Links,
    /// What is known of other nodes.
    pub directory: &'a dyn Directory,
    /// Effects and events, in order.
    pub out: &'a mut Vec<Action>,
}

impl Context<'_> {
    /// Sends a control message if the link is up; a lost link is reported on its own.
    pub(crate) fn send(&mut self, to: Peer, message: Message) {
        if self.links.is_up(to) {
            self.out.push(Action::Send(to, message));
        }
    }

    pub(crate) fn connect(&mut self, peer: Peer) -> bool {
        self.links.connect(self.now, peer, self.out)
    }
}
