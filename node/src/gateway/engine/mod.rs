//! The engine: owns every peer and every session's rings, and routes between them.
//!
//! It does no I/O but sending datagrams, never waits, and is driven by [`run`](super::run): a
//! datagram, a command or a deadline in, datagrams and events out. A peer that misbehaves loses
//! its own connection and nothing else.

mod admit;
mod media;

pub use admit::{Admitted, Patched, Resource};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use banyan_protocol::coding::VideoCodec;
use banyan_protocol::identity::SessionId;
use tokio::sync::mpsc;

use super::connection::dtls::Identity;
use super::connection::{Connection, Inbound, stun};
use super::event::{GatewayEvent, Gone};
use super::handle::Config;
use super::limits;
use super::network::Network;
use super::playback::stream::Stream;
use super::playback::viewer::Viewer;
use super::publisher::Publisher;
use super::stats::{self, PeerStats};
use crate::transport::Foreign;

/// How often what is over is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// What a peer does.
#[allow(clippy::large_enum_variant, reason = "viewers are the many, publishers the few")]
pub(crate) enum Role {
    Publisher(Publisher),
    Viewer(Viewer),
}

/// One publisher or viewer.
struct Peer {
    session: SessionId,
    resource: String,
    connection: Connection,
    role: Role,
    /// Its entry in the engine's deadlines.
    deadline: Instant,
    /// Its entries in the engine's maps.
    ufrags: Vec<String>,
    addresses: Vec<SocketAddr>,
}

/// A session here.
struct Channel {
    stream: Stream,
    viewers: BTreeSet<u64>,
    keyframe_wanted: Option<Instant>,
}

/// All peers and sessions.
pub(crate) struct Engine {
    identity: Identity,
    network: Network,
    events: mpsc::Sender<GatewayEvent>,
    candidates: Vec<SocketAddr>,
    peers_max: usize,
    video_codecs: Vec<VideoCodec>,
    peers: BTreeMap<u64, Peer>,
    next_peer: u64,
    by_ufrag: HashMap<String, u64>,
    by_address: HashMap<SocketAddr, u64>,
    by_resource: HashMap<String, u64>,
    publishers: BTreeMap<SessionId, u64>,
    channels: BTreeMap<SessionId, Channel>,
    deadlines: BTreeSet<(Instant, u64)>,
    housekeeping: Instant,
    events_lost: u64,
}

impl Engine {
    pub(crate) fn new(
        now: Instant,
        identity: Identity,
        network: Network,
        events: mpsc::Sender<GatewayEvent>,
        config: Config,
    ) -> Self {
        Self {
            identity,
            network,
            events,
            candidates: config.candidates,
            peers_max: config.peers_max.min(limits::PEERS_MAX),
            video_codecs: config.video_codecs,
            peers: BTreeMap::new(),
            next_peer: 0,
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            by_resource: HashMap::new(),
            publishers: BTreeMap::new(),
            channels: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            housekeeping: now + HOUSEKEEPING,
            events_lost: 0,
        }
    }

    /// Sets the addresses that answers name.
    pub(crate) fn set_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.candidates = candidates;
    }

    /// Takes a datagram from the shared port.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &Foreign) {
        let (from, data) = (datagram.from, datagram.data.as_ref());
        if data.first().is_some_and(|first| *first < 4) {
            // ICE finds the peer by name, as its address is what ICE is to find out.
            let Some(request) = stun::Request::read(data) else { return };
            let Some(&id) = self.by_ufrag.get(request.local_ufrag()) else { return };
            self.with_peer(now, id, |engine, peer| {
                if peer.connection.check(now, from, &request, &mut engine.network)? {
                    engine.learn_address(id, peer, from);
                }
                Ok(None)
            });
        } else if let Some(&id) = self.by_address.get(&from) {
            self.with_peer(now, id, |engine, peer| engine.handle_inbound(now, id, peer, data));
        }
    }

    fn learn_address(&mut self, id: u64, peer: &mut Peer, from: SocketAddr) {
        self.forget_addresses(id, peer);
        peer.addresses = peer.connection.ice.paths().to_vec();
        for address in &peer.addresses {
            self.by_address.insert(*address, id);
        }
        debug_assert!(peer.addresses.contains(&from), "a checked path is known");
    }

    fn forget_addresses(&mut self, id: u64, peer: &mut Peer) {
        for address in peer.addresses.drain(..) {
            // Another peer may have proved itself there since.
            if self.by_address.get(&address) == Some(&id) {
                self.by_address.remove(&address);
            }
        }
    }

    fn handle_inbound(
        &mut self,
        now: Instant,
        id: u64,
        peer: &mut Peer,
        data: &[u8],
    ) -> anyhow::Result<Option<Gone>> {
        match peer.connection.read(now, data, &mut self.network)? {
            Inbound::Nothing => {}
            Inbound::Closed => return Ok(Some(Gone::Left)),
            Inbound::Connected => self.connected(now, id, peer)?,
            Inbound::Rtp(packet) => {
                if let Role::Publisher(publisher) = &mut peer.role
                    && let Some(packet) = publisher.handle_rtp(now, packet)?
                {
                    self.tell(GatewayEvent::Ingest { session: peer.session, packet, arrived: now });
                }
            }
            Inbound::Rtcp(packets) => self.handle_rtcp(now, peer, packets)?,
        }
        Ok(None)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(due, id)) = self.deadlines.first() {
            if due > now {
                break;
            }
            self.deadlines.remove(&(due, id));
            self.with_peer(now, id, |engine, peer| {
                if peer.connection.expires() <= now {
                    let connected = peer.connection.is_connected();
                    return Ok(Some(if connected { Gone::Silent } else { Gone::NeverConnected }));
                }
                peer.connection.handle_timeout(now, &mut engine.network)?;
                engine.serve(now, peer)?;
                Ok(None)
            });
        }
        if now >= self.housekeeping {
            self.housekeeping = now + HOUSEKEEPING;
            self.channels
                .retain(|_, channel| !channel.viewers.is_empty() || !channel.stream.is_stale(now));
            if self.network.unsent + self.events_lost > 0 {
                let (unsent, events_lost) = (self.network.unsent, self.events_lost);
                tracing::debug!(unsent, events_lost, "the gateway could not keep up");
            }
        }
    }

    /// When [`Engine::handle_timeout`] has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadlines.first().map_or(self.housekeeping, |(due, _)| (*due).min(self.housekeeping))
    }

    /// Says good-bye to everybody.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        let peers: Vec<u64> = self.peers.keys().copied().collect();
        for id in peers {
            self.with_peer(now, id, |_, _| Ok(Some(Gone::Ended)));
        }
    }

    /// Every peer's figures.
    pub(crate) fn stats(&self, now: Instant) -> Vec<PeerStats> {
        let one = |(id, peer): (&u64, &Peer)| {
            stats::of(now, *id, peer.session, &peer.connection, &peer.role)
        };
        self.peers.iter().map(one).collect()
    }

    /// Lets `act` work on a peer, which is out of the map meanwhile, and puts it back with its new
    /// deadline, or removes it for good where `act` says so. An error is the peer's own: it costs
    /// one datagram. A panic costs the peer its connection, and nobody else anything.
    fn with_peer(
        &mut self,
        now: Instant,
        id: u64,
        act: impl FnOnce(&mut Self, &mut Peer) -> anyhow::Result<Option<Gone>>,
    ) {
        let Some(mut peer) = self.peers.remove(&id) else { return };
        let gone = match catch_unwind(AssertUnwindSafe(|| act(self, &mut peer))) {
            Ok(Ok(gone)) => gone,
            Ok(Err(error)) => {
                tracing::debug!(peer = id, %error, "a peer's datagram was not usable");
                None
            }
            Err(_) => {
                tracing::error!(peer = id, "handling a peer panicked; its connection is closed");
                Some(Gone::Failed)
            }
        };
        match gone {
            Some(why) => self.remove(now, id, peer, why),
            None => {
                self.deadlines.remove(&(peer.deadline, id));
                // Never now: whatever is due at every turn would leave no turn for anything else.
                peer.deadline = deadline(now, &mut peer).max(now + limits::PACE_INTERVAL);
                self.deadlines.insert((peer.deadline, id));
                self.peers.insert(id, peer);
            }
        }
    }

    /// Takes leave of a peer that is out of the map.
    fn remove(&mut self, now: Instant, id: u64, mut peer: Peer, why: Gone) {
        self.deadlines.remove(&(peer.deadline, id));
        for ufrag in &peer.ufrags {
            self.by_ufrag.remove(ufrag);
        }
        self.forget_addresses(id, &mut peer);
        self.by_resource.remove(&peer.resource);
        let (session, connected) = (peer.session, peer.connection.is_connected());
        if let Role::Viewer(viewer) = &peer.role
            && why == Gone::Ended
            && let Err(error) = peer.connection.send_rtcp(&viewer.goodbye(), &mut self.network)
        {
            tracing::debug!(peer = id, %error, "no good-bye was sent");
        }
        peer.connection.close(now, &mut self.network);
        match peer.role {
            Role::Publisher(_) => {
                self.publishers.remove(&session);
                if connected {
                    tracing::info!(session = %session.short(), ?why, "publisher gone");
                    self.tell(GatewayEvent::PublisherGone { session, why });
                }
            }
            Role::Viewer(_) => {
                if let Some(channel) = self.channels.get_mut(&session) {
                    channel.viewers.remove(&id);
                }
                if connected {
                    self.tell(GatewayEvent::ViewerGone { session, viewer: id, why });
                }
            }
        }
    }

    fn tell(&mut self, event: GatewayEvent) {
        // The node is slower than its publishers: packets are lost, as on a slow network.
        self.events_lost += u64::from(self.events.try_send(event).is_err());
    }
}

fn deadline(now: Instant, peer: &mut Peer) -> Instant {
    let connection = peer.connection.deadline();
    let connected = peer.connection.is_connected();
    match &mut peer.role {
        Role::Publisher(publisher) => {
            publisher.poll_timeout().map_or(connection, |due| due.min(connection))
        }
        Role::Viewer(viewer) if connected => viewer.deadline(now).min(connection),
        Role::Viewer(_) => connection,
    }
}
