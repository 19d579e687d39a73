//! A node of ours with transport and swarm, on loopback.

use banyan_node::peer::node_id;
use banyan_node::swarm::{self, Event, Handle};
use banyan_node::transport::{Link, SharedQuic};
use banyan_protocol::identity::{NodeId, SessionId};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

use crate::support::{bind, ip4, key, peer, soon};

pub(crate) struct Node {
    pub(crate) peer: PeerId,
    pub(crate) swarm: Handle,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) shared: SharedQuic,
    pub(crate) links: mpsc::Receiver<Link>,
}

pub(crate) const SESSION: SessionId = SessionId::from_bytes([0x5e; 32]);

impl Node {
    /// Starts one; mDNS stays off, for its packets would leave this machine.
    pub(crate) fn start(seed: u8) -> Self {
        let bound = bind(seed);
        let config = swarm::Config { mdns: false, ..swarm::Config::default() };
        let (swarm, events) =
            swarm::start(&config, &key(seed), bound.control).expect("loopback listens");
        Self { peer: peer(seed), swarm, events, shared: bound.shared, links: bound.links }
    }

    /// What an invite says of it.
    pub(crate) fn bootstrap(&self) -> Vec<(NodeId, std::net::SocketAddr)> {
        vec![(node_id(&self.peer).expect("an Ed25519 key"), ip4(&self.shared))]
    }

    pub(crate) fn address(&self) -> Multiaddr {
        banyan_node::transport::to_multiaddr(ip4(&self.shared))
    }

    /// The first event `pick` takes; those before it are dropped.
    pub(crate) async fn event<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(Event) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the swarm runs");
                if let Some(value) = pick(event) {
                    return value;
                }
            }
        };
        soon(what, search).await
    }

    /// Waits until `other` has been identified.
    pub(crate) async fn meets(&mut self, other: PeerId) -> Vec<Multiaddr> {
        self.event("an identified peer", |event| match event {
            Event::Peer { peer, addresses } if peer == other => Some(addresses),
            _ => None,
        })
        .await
    }

    /// Searches until `other` is found to provide [`SESSION`]; returns its addresses.
    pub(crate) async fn finds(&mut self, other: PeerId) -> Vec<Multiaddr> {
        self.swarm.find_providers(SESSION).await.expect("the swarm runs");
        let swarm = self.swarm.clone();
        let search = async {
            loop {
                match self.events.recv().await.expect("the swarm runs") {
                    Event::Providers { session: SESSION, peers } => {
                        if let Some((_, addresses)) = peers.into_iter().find(|(p, _)| *p == other) {
                            return addresses;
                        }
                    }
                    // The other may not have announced itself yet: ask again.
                    Event::SearchEnded { session: SESSION, .. } => {
                        swarm.find_providers(SESSION).await.expect("the swarm runs");
                    }
                    _ => {}
                }
            }
        };
        soon("the provider", search).await
    }

    /// Waits for an advert of [`SESSION`] with these bytes, and returns its author.
    pub(crate) async fn hears(&mut self, advert: &[u8]) -> PeerId {
        self.event("the advert", |event| match event {
            Event::Advert { from, session: SESSION, bytes } if bytes == advert => Some(from),
            _ => None,
        })
        .await
    }
}
