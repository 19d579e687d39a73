//! Links: what flows on the QUIC connections between nodes.
//!
//! One bidirectional stream carries control messages, opened by whoever dialled. Each shard goes on
//! a unidirectional stream of its own, older blocks first; what is past its time is reset. Two
//! connections between the same two nodes (both dialled at once) are one link.
//!
//! Owns: connections, framing, send queues. Refuses: any decision about who is connected.
//!
//! spec: proto/SPEC.md#link

mod connection;
mod control;
mod shards;

use crate::peer::peer_id;
use crate::telemetry::event;
use crate::transport::{self, SharedQuic, link::CLOSE_BUSY, link::CLOSE_DONE};
use banyan_protocol::capacity::Sent;
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::NodeId;
use banyan_protocol::input::Input;
use banyan_protocol::output::{Farewell, ShardOut};
use bytes::Bytes;
use connection::Connection;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Events waiting for the driver. Derived: 100 ms of 300 shards/s on 100 links. A link whose events
/// find no room waits, and QUIC's flow control slows its sender down.
pub const EVENTS_MAX: usize = 4096;
/// Most connections of one link. Derived: both ends dial at once.
const CONNECTIONS_MAX: usize = 2;
/// Application error code: the peer broke a rule. Spec: proto/SPEC.md#link.
pub const CLOSE_VIOLATION: u32 = 3;

/// Something happened on a link.
#[derive(Debug)]
pub enum LinkEvent {
    /// A connection is up, whoever dialled it.
    Up(transport::Link),
    /// No address of a node answered.
    Failed(NodeId),
    /// One connection of a link is gone, and why.
    Down(NodeId, usize, String),
    /// A control message.
    Control(NodeId, Bytes),
    /// A shard on a channel.
    Shard(NodeId, u32, Bytes),
}

/// What one link has done.
#[derive(Clone, Debug)]
pub struct LinkStats {
    /// The node at the other end.
    pub node: NodeId,
    /// Its address.
    pub address: SocketAddr,
    /// Smoothed round trip.
    pub rtt: Duration,
    /// UDP bytes sent.
    pub sent_bytes: u64,
    /// UDP bytes received.
    pub received_bytes: u64,
    /// QUIC packets lost on the way out.
    pub lost_packets: u64,
    /// Shards not sent because they were past their time or the queue was full.
    pub shards_shed: u64,
}

/// All links of a node.
pub struct Links {
    quic: SharedQuic,
    events: mpsc::Sender<LinkEvent>,
    peers: BTreeMap<NodeId, Vec<Connection>>,
}

impl Links {
    /// No links yet. Events go to `events`; pass them through [`Links::on_event`].
    #[must_use]
    pub fn new(quic: SharedQuic, events: mpsc::Sender<LinkEvent>) -> Self {
        Self { quic, events, peers: BTreeMap::new() }
    }

    /// Dials a node at each of its addresses, one after the other; the first that answers counts.
    pub fn connect(&self, contact: Contact) {
        let (quic, events) = (self.quic.clone(), self.events.clone());
        tokio::spawn(async move {
            let event = match dial(&quic, &contact).await {
                Some(link) => LinkEvent::Up(link),
                None => LinkEvent::Failed(contact.node),
            };
            // The driver is gone: so is the node.
            let _ = events.send(event).await;
        });
    }

    /// Takes note of an event and says what the core must hear of it.
    pub fn on_event(&mut self, event: LinkEvent) -> Option<Input> {
        match event {
            LinkEvent::Up(link) => self.on_up(link),
            LinkEvent::Failed(node) => match self.peers.contains_key(&node) {
                true => None,
                false => Some(Input::LinkFailed(node)),
            },
            LinkEvent::Down(node, id, cause) => {
                let connections = self.peers.get_mut(&node)?;
                connections.retain(|connection| connection.id() != id);
                if !connections.is_empty() {
                    return None;
                }
                self.peers.remove(&node);
                unlinked(&node, &cause);
                Some(Input::LinkDown(node))
            }
            LinkEvent::Control(node, bytes) => Some(Input::Control(node, bytes)),
            LinkEvent::Shard(node, channel, bytes) => Some(Input::Shard(node, channel, bytes)),
        }
    }

    fn on_up(&mut self, link: transport::Link) -> Option<Input> {
        let (peer, address) = (link.node, link.connection.remote_address());
        let rtt = link.connection.rtt();
        let connections = self.peers.entry(peer).or_default();
        if connections.len() >= CONNECTIONS_MAX {
            link.connection.close(CLOSE_DONE.into(), b"enough");
            return None;
        }
        let is_first = connections.is_empty();
        connections.push(Connection::start(link, self.events.clone()));
        if !is_first {
            return None;
        }
        tracing::info!(target: event::LINKED, peer = %peer.short());
        Some(Input::LinkUp { peer, address, rtt })
    }

    /// Sends a control message.
    pub fn send_control(&mut self, to: NodeId, message: Bytes) {
        if let Some(connection) = self.best(&to) {
            connection.send_control(message);
        }
    }

    /// Sends a shard to each of its children. Nothing is copied.
    pub fn send_shard(&mut self, shard: &ShardOut) {
        let now = Instant::now();
        for (child, channel) in &shard.to {
            if let Some(connection) = self.best(child) {
                connection.send_shard(now, *channel, shard.block, shard.bytes.clone());
            }
        }
    }

    /// The first connection is the one both ends have longest agreed on.
    fn best(&mut self, node: &NodeId) -> Option<&mut Connection> {
        self.peers.get_mut(node)?.first_mut()
    }

    /// Closes the link to a node.
    pub fn disconnect(&mut self, node: NodeId, why: Farewell) {
        let (code, reason) = match why {
            Farewell::Idle => (CLOSE_DONE, "idle".to_owned()),
            Farewell::Leaving => (CLOSE_DONE, "leaving".to_owned()),
            Farewell::Full => (CLOSE_BUSY, "as many links as there may be".to_owned()),
            Farewell::Violation(violation) => (CLOSE_VIOLATION, violation.to_string()),
        };
        let Some(connections) = self.peers.remove(&node) else { return };
        for connection in connections {
            connection.close(code, reason.as_bytes());
        }
        unlinked(&node, &reason);
    }

    /// Closes every link once the peers have what was said to them, or have had their time.
    pub async fn finish(self) {
        for node in self.peers.keys() {
            unlinked(node, "stopping");
        }
        let connections = self.peers.into_values().flatten().map(Connection::finish);
        futures::future::join_all(connections).await;
    }

    /// The current round trip to each peer.
    pub fn rtts(&self) -> impl Iterator<Item = (NodeId, Duration)> + '_ {
        self.peers.iter().filter_map(|(node, all)| Some((*node, all.first()?.rtt())))
    }

    /// What each link took since this was last asked, and how long what is sent now waits on it.
    pub fn sent(&mut self) -> Vec<Sent> {
        let now = Instant::now();
        self.peers.values_mut().filter_map(|all| all.first_mut()?.sent(now)).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// What each link has done.
    #[must_use]
    pub fn stats(&self) -> Vec<LinkStats> {
        let firsts = self.peers.iter().filter_map(|(node, all)| Some((*node, all.first()?)));
        firsts.map(|(node, connection)| connection.stats(node)).collect()
    }
}

/// The cause may be the peer's own words, so it is recorded as a string, which is escaped.
fn unlinked(peer: &NodeId, cause: &str) {
    tracing::info!(target: event::UNLINKED, peer = %peer.short(), cause);
}

async fn dial(quic: &SharedQuic, contact: &Contact) -> Option<transport::Link> {
    let peer = peer_id(&contact.node)?;
    for address in &contact.addresses {
        match quic.dial_link(peer, *address).await {
            Ok(link) => return Some(link),
            Err(error) => {
                tracing::debug!(peer = %contact.node.short(), %error, "link not dialled");
            }
        }
    }
    None
}
