//! The one libp2p behaviour: who are you, are you there, where is the session, who has capacity.

use std::convert::Infallible;

use libp2p::identity::Keypair;
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{StreamProtocol, gossipsub, identify, kad, mdns, ping};
use libp2p_connection_limits as connection_limits;

use super::Config;
use super::gossip::{self, Gossip};
use super::limits::*;
use super::records;

/// Spec: `proto/SPEC.md#discovery`.
pub const KADEMLIA: StreamProtocol = StreamProtocol::new("/banyan/kad/1");
/// What identify says we speak. Spec: `proto/SPEC.md#discovery`.
pub const PROTOCOL: &str = "/banyan/1";

/// All protocols of the control plane.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "BehaviourEvent")]
pub(super) struct Behaviour {
    // First, so that a refused connection costs the others nothing.
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) kad: kad::Behaviour<MemoryStore>,
    pub(super) gossip: Gossip,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// What any of the protocols reports.
#[derive(Debug)]
pub(super) enum BehaviourEvent {
    // Boxed: it is much larger than the rest.
    Identify(Box<identify::Event>),
    Ping,
    Kad(kad::Event),
    Gossip(gossipsub::Event),
    Mdns(mdns::Event),
}

impl Behaviour {
    /// Puts it together.
    pub(super) fn new(keypair: &Keypair, config: &Config) -> Self {
        Self {
            limits: connection_limits::Behaviour::new(connection_limits()),
            identify: identify::Behaviour::new(identify_config(keypair, config)),
            ping: ping::Behaviour::default(),
            kad: kademlia(keypair, config),
            gossip: gossip::behaviour(keypair),
            mdns: Toggle::from(config.mdns.then(|| neighbours(keypair)).flatten()),
        }
    }
}

fn connection_limits() -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(CONNECTIONS_PENDING_MAX))
        .with_max_pending_outgoing(Some(CONNECTIONS_PENDING_MAX))
        .with_max_established_incoming(Some(CONNECTIONS_IN_MAX))
        .with_max_established_outgoing(Some(CONNECTIONS_OUT_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
}

fn identify_config(keypair: &Keypair, config: &Config) -> identify::Config {
    identify::Config::new(PROTOCOL.to_owned(), keypair.public())
        .with_agent_version(config.agent.clone())
        // A machine that changes its network says so at once.
        .with_push_listen_addr_updates(true)
        // Its cache keeps whatever peers claim; our book keeps what is dialable.
        .with_cache_size(0)
}

fn kademlia(keypair: &Keypair, config: &Config) -> kad::Behaviour<MemoryStore> {
    let local = keypair.public().to_peer_id();
    let mut kademlia = kad::Config::new(KADEMLIA);
    kademlia
        .set_query_timeout(QUERY_TIMEOUT)
        .set_provider_record_ttl(Some(RECORD_TTL))
        .set_provider_publication_interval(Some(RECORD_INTERVAL))
        .set_record_ttl(Some(RECORD_TTL))
        .set_publication_interval(None)
        .set_replication_interval(None)
        // What others want stored passes `records` first.
        .set_record_filtering(kad::StoreInserts::FilterBoth);
    let mut behaviour = kad::Behaviour::with_config(local, records::store(local), kademlia);
    // Left to itself it turns server as soon as any address is confirmed.
    behaviour.set_mode(Some(mode(config.kad_server)));
    behaviour
}

/// Kademlia's word for it.
pub(super) const fn mode(server: bool) -> kad::Mode {
    if server { kad::Mode::Server } else { kad::Mode::Client }
}

fn neighbours(keypair: &Keypair) -> Option<mdns::tokio::Behaviour> {
    let local = keypair.public().to_peer_id();
    match mdns::tokio::Behaviour::new(mdns::Config::default(), local) {
        Ok(behaviour) => Some(behaviour),
        Err(error) => {
            tracing::warn!(%error, "nodes in the same network are not found by themselves");
            None
        }
    }
}

impl From<identify::Event> for BehaviourEvent {
    fn from(event: identify::Event) -> Self {
        Self::Identify(Box::new(event))
    }
}

impl From<ping::Event> for BehaviourEvent {
    fn from(_: ping::Event) -> Self {
        Self::Ping
    }
}

impl From<kad::Event> for BehaviourEvent {
    fn from(event: kad::Event) -> Self {
        Self::Kad(event)
    }
}

impl From<gossipsub::Event> for BehaviourEvent {
    fn from(event: gossipsub::Event) -> Self {
        Self::Gossip(event)
    }
}

impl From<mdns::Event> for BehaviourEvent {
    fn from(event: mdns::Event) -> Self {
        Self::Mdns(event)
    }
}

impl From<Infallible> for BehaviourEvent {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
