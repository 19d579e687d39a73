//! A stock libp2p node: `libp2p-quic` and the usual behaviours, nothing of ours but the names.

use futures::StreamExt;
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, gossipsub, identify, kad, ping};

use crate::node::SESSION;
use crate::support::{key, peer, soon};

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) kad: kad::Behaviour<MemoryStore>,
    pub(crate) gossip: gossipsub::Behaviour,
}

pub(crate) type Event = SwarmEvent<BehaviourEvent>;

pub(crate) struct Stock {
    pub(crate) peer: PeerId,
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) address: Multiaddr,
}

/// The record key of [`SESSION`]. Spec: `proto/SPEC.md#discovery`.
pub(crate) fn record_key() -> kad::RecordKey {
    kad::RecordKey::new(&[b"/banyan/session/1/", &SESSION.as_bytes()[..]].concat())
}

/// The topic of [`SESSION`]'s adverts. Spec: `proto/SPEC.md#discovery`.
pub(crate) fn topic() -> gossipsub::IdentTopic {
    gossipsub::IdentTopic::new(format!("/banyan/capacity/1/{SESSION}"))
}

impl Stock {
    pub(crate) async fn start(seed: u8) -> Self {
        let (keypair, peer) = (key(seed), peer(seed));
        let kademlia = kad::Config::new(StreamProtocol::new("/banyan/kad/1"));
        let mut kad = kad::Behaviour::with_config(peer, MemoryStore::new(peer), kademlia);
        kad.set_mode(Some(kad::Mode::Server));
        let authenticity = gossipsub::MessageAuthenticity::Signed(keypair.clone());
        let gossip = gossipsub::Behaviour::new(authenticity, gossipsub::Config::default());
        let mut gossip = gossip.expect("default settings agree");
        gossip.subscribe(&topic()).expect("no filter");
        let identify = identify::Config::new("/stock/1".to_owned(), keypair.public());
        let behaviour = Behaviour {
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            kad,
            gossip,
        };
        let quic = libp2p_quic::tokio::Transport::new(libp2p_quic::Config::new(&keypair));
        let transport = quic.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer))).boxed();
        let config = libp2p::swarm::Config::with_tokio_executor();
        let mut swarm = Swarm::new(transport, behaviour, peer, config);
        let any = "/ip4/127.0.0.1/udp/0/quic-v1".parse().expect("valid");
        swarm.listen_on(any).expect("loopback listens");
        let mut stock = Self { peer, swarm, address: Multiaddr::empty() };
        stock.address = stock
            .event("a listen address", |event| match event {
                SwarmEvent::NewListenAddr { address, .. } => Some(address),
                _ => None,
            })
            .await;
        stock
    }

    /// The first event `pick` takes; those before it are served and dropped.
    pub(crate) async fn event<T>(&mut self, what: &str, pick: impl FnMut(Event) -> Option<T>) -> T {
        soon(what, self.until(pick)).await
    }

    /// As [`event`](Self::event), for ever.
    pub(crate) async fn until<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) = &event
            {
                for address in &info.listen_addrs {
                    self.swarm.behaviour_mut().kad.add_address(peer_id, address.clone());
                }
            }
            if let Some(value) = pick(event) {
                return value;
            }
        }
    }

    /// Serves the network until `other` is done.
    pub(crate) async fn serve_while<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::select! {
            value = other => value,
            () = self.until(|_| None) => unreachable!("it takes no event"),
        }
    }
}
