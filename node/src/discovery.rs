//! Between the swarm and the core: who is in a session, where they are, where this node is.
//!
//! Owns the conversion of libp2p's names into the core's. Refuses to decide whom to link to.

use crate::config;
use crate::driver::Driver;
use crate::gateway::GatewayHandle;
use crate::peer::node_id;
use crate::swarm::{Event, Handle};
use crate::transport::from_multiaddr;
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::SessionId;
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::{mpsc, watch};

/// Wishes waiting for the swarm. Guess: a few per session.
const WISHES_MAX: usize = 256;
/// ICE candidates offered to a browser. Spec: `whip-whep.md` section 1, a short list.
const CANDIDATES_MAX: usize = 4;

enum Wish {
    Enter(SessionId, Vec<Contact>),
    Leave(SessionId),
    Find(SessionId),
    Advertise(SessionId, Bytes),
}

/// Handle on discovery. Cheap to clone. Wishes that find no room are dropped: they are repeated.
#[derive(Clone)]
pub struct Discovery(mpsc::Sender<Wish>);

/// Discovery's queue, made before it so that the driver can be given the handle.
pub struct Queue(mpsc::Receiver<Wish>);

impl Discovery {
    /// A handle, and the queue to start discovery with.
    #[must_use]
    pub fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(WISHES_MAX);
        (Self(sender), Queue(receiver))
    }

    /// This node takes part in a session and knows these members.
    pub async fn enter(&self, session: SessionId, members: Vec<Contact>) {
        let _ = self.0.send(Wish::Enter(session, members)).await;
    }

    /// It no longer takes part.
    pub async fn leave(&self, session: SessionId) {
        let _ = self.0.send(Wish::Leave(session)).await;
    }

    /// More members are wanted.
    pub fn find(&self, session: SessionId) {
        let _ = self.0.try_send(Wish::Find(session));
    }

    /// Others may hear what this node has to give.
    pub fn advertise(&self, session: SessionId, advert: Bytes) {
        let _ = self.0.try_send(Wish::Advertise(session, advert));
    }
}

/// Starts discovery on the current runtime. The addresses of this node, best first, are kept in
/// the receiver returned.
pub fn start(
    queue: Queue,
    swarm: Handle,
    events: mpsc::Receiver<Event>,
    driver: Driver,
    gateway: GatewayHandle,
    config: &config::Config,
) -> watch::Receiver<Vec<SocketAddr>> {
    let (publish, addresses) = watch::channel(Vec::new());
    let places = Places {
        advertised: config.listen.advertise.clone(),
        candidates: config.gateway.candidates.clone(),
        observed: BTreeSet::new(),
        listening: BTreeSet::new(),
        publish,
        driver: driver.clone(),
        gateway,
    };
    tokio::spawn(run(queue.0, swarm, events, driver, places));
    addresses
}

async fn run(
    mut wishes: mpsc::Receiver<Wish>,
    swarm: Handle,
    mut events: mpsc::Receiver<Event>,
    driver: Driver,
    mut places: Places,
) {
    places.tell().await;
    loop {
        let done = tokio::select! {
            wish = wishes.recv() => match wish {
                Some(wish) => on_wish(&swarm, wish).await,
                None => return,
            },
            event = events.recv() => match event {
                Some(event) => {
                    on_event(&driver, &mut places, event).await;
                    Ok(())
                }
                None => return,
            },
        };
        if done.is_err() {
            return; // the swarm has been shut down
        }
    }
}

async fn on_wish(swarm: &Handle, wish: Wish) -> Result<(), crate::swarm::Closed> {
    match wish {
        Wish::Enter(session, members) => {
            let known = members.iter().flat_map(|c| c.addresses.iter().map(|a| (c.node, *a)));
            swarm.bootstrap(known.collect()).await?;
            swarm.subscribe(session).await?;
            swarm.provide(session).await?;
            swarm.find_providers(session).await
        }
        Wish::Leave(session) => {
            swarm.unsubscribe(session).await?;
            swarm.stop_providing(session).await
        }
        Wish::Find(session) => swarm.find_providers(session).await,
        Wish::Advertise(session, advert) => swarm.publish(session, advert).await,
    }
}

async fn on_event(driver: &Driver, places: &mut Places, event: Event) {
    match event {
        Event::Listening(address) => {
            if insert(&mut places.listening, &address) {
                places.tell().await;
            }
        }
        Event::ListeningEnded(address) => {
            if from_multiaddr(&address).is_some_and(|(at, _)| places.listening.remove(&at)) {
                places.tell().await;
            }
        }
        Event::ExternalAddress(address) => {
            if places.observed.len() < CANDIDATES_MAX && insert(&mut places.observed, &address) {
                places.tell().await;
            }
        }
        Event::Providers { session, peers } => {
            let contacts = peers.iter().filter_map(|(peer, at)| contact(peer, at)).collect();
            driver.found(session, contacts).await;
        }
        Event::Advert { from, bytes, .. } => {
            if let Some(from) = node_id(&from) {
                driver.advert(from, bytes).await;
            }
        }
        Event::Peer { .. }
        | Event::Unreachable(_)
        | Event::Disconnected(_)
        | Event::SearchEnded { .. } => {}
    }
}

fn contact(peer: &PeerId, addresses: &[Multiaddr]) -> Option<Contact> {
    let addresses = addresses.iter().filter_map(|address| Some(from_multiaddr(address)?.0));
    let contact = Contact::new(node_id(peer)?, addresses);
    (!contact.addresses.is_empty()).then_some(contact)
}

/// Where this node is.
struct Places {
    advertised: Vec<SocketAddr>,
    candidates: Vec<SocketAddr>,
    observed: BTreeSet<SocketAddr>,
    listening: BTreeSet<SocketAddr>,
    publish: watch::Sender<Vec<SocketAddr>>,
    driver: Driver,
    gateway: GatewayHandle,
}

impl Places {
    /// Tells everyone who asks others to come here.
    async fn tell(&self) {
        let mut rest: Vec<SocketAddr> =
            self.observed.iter().chain(&self.listening).copied().collect();
        rest.sort_by_key(rank);
        let mut all = self.advertised.clone();
        for address in rest {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        self.driver.addresses(all.clone()).await;
        let mut candidates = self.candidates.clone();
        // A browser never gathers loopback, and cannot send from elsewhere to it.
        let outside = all.iter().filter(|address| !address.ip().is_loopback());
        candidates.extend(outside.copied().filter(|address| !self.candidates.contains(address)));
        // FFmpeg takes the first and knows IPv4 alone.
        candidates.sort_by_key(|address| address.is_ipv6());
        candidates.truncate(CANDIDATES_MAX);
        self.gateway.set_candidates(candidates).await;
        self.publish.send_replace(all);
    }
}

/// Public before private before this machine alone; IPv4 first.
fn rank(address: &SocketAddr) -> (u8, bool) {
    let near = match address.ip() {
        ip if ip.is_loopback() => 3,
        IpAddr::V4(ip) if ip.is_link_local() => 2,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 2,
        IpAddr::V4(ip) if ip.is_private() => 1,
        IpAddr::V6(ip) if ip.is_unique_local() => 1,
        _ => 0,
    };
    (near, address.is_ipv6())
}

fn insert(set: &mut BTreeSet<SocketAddr>, address: &Multiaddr) -> bool {
    from_multiaddr(address).is_some_and(|(at, _)| set.insert(at))
}
