//! The links of this node as the core knows them: who is connected, and who is still needed.

use crate::bucket::Bucket;
use crate::forest::Contact;
use crate::identity::NodeId;
use crate::limits::{CONTROL_BURST, CONTROL_PER_SECOND, LINKS_MAX};
use crate::output::{Farewell, Outbox, Output};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a link that no session needs stays open. Guess: members ask again within seconds.
const IDLE: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Link {
    up: Option<(SocketAddr, Duration)>,
    needed_at: Timestamp,
    /// Control messages it may still send.
    control: Bucket,
}

impl Link {
    const fn new(now: Timestamp, up: Option<(SocketAddr, Duration)>) -> Self {
        let control = Bucket::full(now, CONTROL_BURST, CONTROL_PER_SECOND);
        Self { up, needed_at: now, control }
    }
}

/// All links of a node.
#[derive(Debug, Default)]
pub struct Links(BTreeMap<NodeId, Link>);

impl Links {
    /// Whether a link to `peer` is up.
    #[must_use]
    pub fn is_up(&self, peer: &NodeId) -> bool {
        self.0.get(peer).is_some_and(|link| link.up.is_some())
    }

    /// Round trip to `peer`, if a link is up.
    #[must_use]
    pub fn rtt(&self, peer: &NodeId) -> Option<Duration> {
        Some(self.0.get(peer)?.up?.1)
    }

    /// Where `peer` is, as this node sees it.
    #[must_use]
    pub fn address(&self, peer: &NodeId) -> Option<SocketAddr> {
        Some(self.0.get(peer)?.up?.0)
    }

    /// Asks for a link unless there is one or one is on its way. False if there are too many.
    pub fn connect(&mut self, now: Timestamp, contact: &Contact, out: &mut Outbox) -> bool {
        if let Some(link) = self.0.get_mut(&contact.node) {
            link.needed_at = now;
            return true;
        }
        if self.0.len() >= LINKS_MAX || contact.addresses.is_empty() {
            return false;
        }
        self.0.insert(contact.node, Link::new(now, None));
        out.push(Output::Connect(contact.clone()));
        true
    }

    /// Takes note of a link, whoever dialled it. False, and it is closed, if there are too many.
    pub(crate) fn on_up(
        &mut self,
        now: Timestamp,
        peer: NodeId,
        (address, rtt): (SocketAddr, Duration),
        out: &mut Outbox,
    ) -> bool {
        if self.0.len() >= LINKS_MAX && !self.0.contains_key(&peer) {
            out.push(Output::Disconnect(peer, Farewell::Full));
            return false;
        }
        self.0.insert(peer, Link::new(now, Some((address, rtt))));
        true
    }

    /// Takes note of a control message. False if the peer sends more than any node has to say.
    pub(crate) fn on_control(&mut self, now: Timestamp, peer: &NodeId) -> bool {
        self.0.get_mut(peer).is_none_or(|link| link.control.take(now, 1))
    }

    pub(crate) fn on_rtt(&mut self, peer: &NodeId, rtt: Duration) {
        if let Some((_, known)) = self.0.get_mut(peer).and_then(|link| link.up.as_mut()) {
            *known = rtt;
        }
    }

    pub(crate) fn on_down(&mut self, peer: &NodeId) {
        self.0.remove(peer);
    }

    /// Closes the link to a peer that is not wanted any more.
    pub(crate) fn disconnect(&mut self, peer: NodeId, why: Farewell, out: &mut Outbox) {
        if self.0.remove(&peer).is_some() {
            out.push(Output::Disconnect(peer, why));
        }
    }

    /// Closes links that have been in no session's `needed` set for a while.
    pub(crate) fn close_idle(
        &mut self,
        now: Timestamp,
        needed: &BTreeSet<NodeId>,
        out: &mut Outbox,
    ) {
        let mut idle = Vec::new();
        for (peer, link) in &mut self.0 {
            if needed.contains(peer) {
                link.needed_at = now;
            } else if link.up.is_some() && now.since(link.needed_at) > IDLE {
                idle.push(*peer);
            }
        }
        for peer in idle {
            self.disconnect(peer, Farewell::Idle, out);
        }
    }

    /// Every peer with a link that is up.
    pub fn up(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.iter().filter(|(_, link)| link.up.is_some()).map(|(peer, _)| *peer)
    }
}
