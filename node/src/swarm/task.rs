//! The task that runs the swarm: serves commands, hands over events, looks after itself.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Instant;

use banyan_protocol::identity::{NodeId, SessionId};
use bytes::Bytes;
use futures::StreamExt;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::addresses::{Book, filter, is_loopback};
use super::behaviour::{Behaviour, mode};
use super::bootstrap::Bootstraps;
use super::event::Event;
use super::gossip;
use super::handle::Command;
use super::limits::{ADVERT_BYTES_MAX, HOUSEKEEPING, SWEEP};
use super::outbox::Outbox;
use super::records::{self, Records};
use super::sessions::Sessions;
use crate::peer::peer_id;
use crate::transport::to_multiaddr;

/// The running swarm.
pub(super) struct Task {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) outbox: Outbox,
    pub(super) book: Book,
    pub(super) sessions: Sessions,
    pub(super) records: Records,
    bootstraps: Bootstraps,
    /// Peers somebody waits for.
    pub(super) dialled: BTreeSet<PeerId>,
    /// Addresses peers see us under, told once each.
    pub(super) observed: BTreeSet<Multiaddr>,
    swept: Instant,
}

impl Task {
    pub(super) fn new(swarm: Swarm<Behaviour>) -> Self {
        Self {
            swarm,
            outbox: Outbox::default(),
            book: Book::default(),
            sessions: Sessions::default(),
            records: Records::default(),
            bootstraps: Bootstraps::default(),
            dialled: BTreeSet::new(),
            observed: BTreeSet::new(),
            swept: Instant::now(),
        }
    }

    /// Runs until told to stop, or until nobody holds a handle or takes events any more.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) {
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let done = loop {
            tokio::select! {
                command = commands.recv() => match command.map(|command| self.command(command)) {
                    Some(ControlFlow::Continue(())) => {}
                    Some(ControlFlow::Break(done)) => break Some(done),
                    None => break None,
                },
                permit = events.reserve(), if !self.outbox.is_empty() => {
                    let Ok(permit) = permit else { break None };
                    if let Some(event) = self.outbox.pop() {
                        permit.send(event);
                    }
                }
                event = self.swarm.select_next_some(), if !self.outbox.is_full() => {
                    self.swarm_event(event);
                }
                _ = housekeeping.tick() => self.look_after(Instant::now()),
            }
        };
        // Dropping the swarm closes its connections; the transport's `close` waits for it.
        drop(self);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    fn command(&mut self, command: Command) -> ControlFlow<tokio::sync::oneshot::Sender<()>> {
        match command {
            Command::Bootstrap(nodes) => self.bootstrap(nodes),
            Command::Provide(session) => self.provide(session),
            Command::StopProviding(session) => {
                self.sessions.stop_providing(session);
                self.swarm.behaviour_mut().kad.stop_providing(&records::key(session));
            }
            Command::FindProviders(session) => self.find_providers(session),
            Command::Subscribe(session) => self.subscribe(session),
            Command::Unsubscribe(session) => {
                self.swarm.behaviour_mut().gossip.unsubscribe(&gossip::topic(session));
            }
            Command::Publish(session, advert) => self.publish(session, advert),
            Command::Dial(peer, addresses) => {
                let addresses = filter(peer, &addresses, true);
                self.book.add(peer, &addresses);
                if !self.swarm.is_connected(&peer) {
                    self.dialled.insert(peer);
                    self.dial(peer);
                }
            }
            Command::AddAddress(peer, address) => {
                let addresses = filter(peer, [&address], true);
                self.book.add(peer, &addresses);
            }
            Command::AddExternalAddress(address) => {
                self.swarm.add_external_address(address);
                self.sessions.announce_again();
            }
            Command::SetKadServer(server) => {
                self.swarm.behaviour_mut().kad.set_mode(Some(mode(server)));
            }
            Command::ConnectedPeers(answer) => {
                let peers: BTreeSet<PeerId> = self.swarm.connected_peers().copied().collect();
                let _ = answer.send(peers.into_iter().collect());
            }
            Command::Shutdown(done) => return ControlFlow::Break(done),
        }
        ControlFlow::Continue(())
    }

    fn bootstrap(&mut self, nodes: Vec<(NodeId, SocketAddr)>) {
        for (node, socket) in nodes {
            let Some(peer) = peer_id(&node) else { continue };
            if peer == *self.swarm.local_peer_id() {
                continue;
            }
            let address = to_multiaddr(socket);
            self.bootstraps.add(peer, address.clone());
            self.book.add(peer, std::slice::from_ref(&address));
            self.dial(peer);
        }
    }

    fn provide(&mut self, session: SessionId) {
        if !self.sessions.provide(session) {
            tracing::warn!(session = %session.short(), "too many sessions to announce");
        }
    }

    fn find_providers(&mut self, session: SessionId) {
        if self.sessions.is_searching(session) {
            return;
        }
        if !self.sessions.has_room_to_search() {
            tracing::warn!(session = %session.short(), "too many searches at once");
            self.outbox.push(Event::SearchEnded { session, found: 0 });
            return;
        }
        if self.neighbours() == 0 {
            self.sessions.search_later(session);
            return;
        }
        let query = self.swarm.behaviour_mut().kad.get_providers(records::key(session));
        self.sessions.searching(query, session);
    }

    fn subscribe(&mut self, session: SessionId) {
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&gossip::topic(session)) {
            tracing::warn!(session = %session.short(), %error, "cannot subscribe to adverts");
        }
    }

    fn publish(&mut self, session: SessionId, advert: Bytes) {
        if advert.len() > ADVERT_BYTES_MAX {
            tracing::warn!(bytes = advert.len(), "advert too long to publish");
            return;
        }
        let topic = gossip::topic(session);
        if let Err(error) = self.swarm.behaviour_mut().gossip.publish(topic, advert) {
            tracing::debug!(session = %session.short(), %error, "advert not published");
        }
    }

    /// Connects to `peer` wherever it is known to be, unless it is connected.
    pub(super) fn dial(&mut self, peer: PeerId) {
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(self.book.of(peer).to_vec())
            .extend_addresses_through_behaviour()
            .build();
        match self.swarm.dial(options) {
            Ok(()) | Err(libp2p::swarm::DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "cannot dial");
                self.unreachable(peer);
            }
        }
    }

    /// Tells whoever waits for `peer` not to.
    pub(super) fn unreachable(&mut self, peer: PeerId) {
        if self.dialled.remove(&peer) {
            self.outbox.push(Event::Unreachable(peer));
        }
    }

    /// How many peers the routing table holds.
    pub(super) fn neighbours(&mut self) -> usize {
        self.swarm.behaviour_mut().kad.kbuckets().map(|bucket| bucket.num_entries()).sum()
    }

    /// Whether this node can be reached from this machine alone, so that loopback is all there
    /// is to tell.
    pub(super) fn is_local(&self) -> bool {
        self.swarm.listeners().all(is_loopback)
    }

    /// What a timer does.
    fn look_after(&mut self, now: Instant) {
        for session in self.sessions.take_due() {
            let announced = self.swarm.behaviour_mut().kad.start_providing(records::key(session));
            if let Err(error) = announced {
                tracing::warn!(session = %session.short(), %error, "cannot announce");
            }
        }
        let alone = self.swarm.network_info().num_peers() == 0;
        for (peer, address) in self.bootstraps.due(alone, now) {
            self.book.add(peer, std::slice::from_ref(&address));
            self.dial(peer);
        }
        if now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.records.sweep(self.swarm.behaviour_mut().kad.store_mut(), now);
        }
    }
}
