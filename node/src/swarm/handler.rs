//! What the protocols report, and what follows from it.

use std::time::Instant;

use libp2p::kad::store::RecordStore;
use libp2p::kad::{self, GetProvidersOk, InboundRequest, QueryId, QueryResult};
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, gossipsub, identify, mdns};

use super::addresses::{dialable, filter, is_loopback};
use super::behaviour::{BehaviourEvent, KADEMLIA};
use super::event::Event;
use super::gossip;
use super::limits::{ADVERT_BYTES_MAX, OBSERVED_MAX};
use super::records;
use super::task::Task;

impl Task {
    pub(super) fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.identify(*event),
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.kad(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(event)) => self.mdns(event),
            SwarmEvent::NewListenAddr { address, .. } => {
                // Provider records carry confirmed addresses only; the transport announces none
                // that no other machine could use, unless there is no other.
                self.swarm.add_external_address(address.clone());
                self.sessions.announce_again();
                self.outbox.push(Event::Listening(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.swarm.remove_external_address(&address);
                self.sessions.announce_again();
                self.outbox.push(Event::ListeningEnded(address));
            }
            SwarmEvent::NewExternalAddrCandidate { address } => self.candidate(address),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                self.dialled.remove(&peer_id);
                // The address that is known to work: it leads the list.
                let works = filter(peer_id, [endpoint.get_remote_address()], true);
                self.book.add(peer_id, &works);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.outbox.push(Event::Disconnected(peer_id));
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                tracing::debug!(%peer, %error, "dial failed");
                if !self.swarm.is_connected(&peer) {
                    self.unreachable(peer);
                }
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "listening is impaired");
            }
            _ => {}
        }
    }

    fn identify(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id: peer, info, .. } = event else { return };
        let nearby = self.book.of(peer).first().is_some_and(is_loopback);
        let claimed = filter(peer, &info.listen_addrs, nearby || self.is_local());
        // Behind the address that works, which the connection has put first.
        let mut addresses: Vec<Multiaddr> = self.book.of(peer).iter().take(1).cloned().collect();
        addresses
            .extend(claimed.into_iter().filter(|a| !addresses.contains(a)).collect::<Vec<_>>());
        self.book.add(peer, &addresses);
        if info.protocols.contains(&KADEMLIA) {
            for address in &addresses {
                self.swarm.behaviour_mut().kad.add_address(&peer, address.clone());
            }
        }
        self.outbox.push(Event::Peer { peer, addresses: self.book.of(peer).to_vec() });
    }

    fn kad(&mut self, event: kad::Event) {
        match event {
            kad::Event::OutboundQueryProgressed {
                id,
                result: QueryResult::GetProviders(result),
                step,
                ..
            } => {
                if let Ok(GetProvidersOk::FoundProviders { key, providers }) = result {
                    self.found(id, &key, providers);
                }
                if step.last
                    && let Some((session, found)) = self.sessions.ended(id)
                {
                    self.outbox.push(Event::SearchEnded { session, found });
                }
            }
            kad::Event::InboundRequest {
                request: InboundRequest::AddProvider { record: Some(record) },
            } => {
                let loopback = self.is_local();
                let store = self.swarm.behaviour_mut().kad.store_mut();
                self.records.offer(store, record, loopback, Instant::now());
            }
            kad::Event::RoutingUpdated { is_new_peer: true, .. } => {
                // In a small network every neighbour holds every record; in a large one the
                // periodic publication finds the right ones.
                if self.neighbours() <= kad::K_VALUE.get() {
                    self.sessions.announce_again();
                }
                for session in self.sessions.take_waiting() {
                    let key = records::key(session);
                    let query = self.swarm.behaviour_mut().kad.get_providers(key);
                    self.sessions.searching(query, session);
                }
            }
            _ => {}
        }
    }

    fn found(
        &mut self,
        query: QueryId,
        key: &kad::RecordKey,
        providers: impl IntoIterator<Item = PeerId>,
    ) {
        let local = *self.swarm.local_peer_id();
        let others = providers.into_iter().filter(|peer| *peer != local);
        let Some((session, new)) = self.sessions.found(query, others) else { return };
        if new.is_empty() {
            return;
        }
        let peers = new.into_iter().map(|peer| (peer, self.learn_addresses(peer, key))).collect();
        self.outbox.push(Event::Providers { session, peers });
    }

    /// Where a provider just found may be dialled: what is known already, what its record with
    /// us says, and what the answer said. Kademlia does not report the last; it only offers it
    /// to whoever is about to dial while the query lasts, so ask as if dialling.
    fn learn_addresses(&mut self, peer: PeerId, key: &kad::RecordKey) -> Vec<Multiaddr> {
        let kad = &mut self.swarm.behaviour_mut().kad;
        let records = kad.store_mut().providers(key);
        let record = records.into_iter().find(|record| record.provider == peer);
        let mut claimed = record.map(|record| record.addresses).unwrap_or_default();
        let asked = kad.handle_pending_outbound_connection(
            ConnectionId::new_unchecked(0),
            Some(peer),
            &[],
            libp2p::core::Endpoint::Dialer,
        );
        claimed.extend(asked.into_iter().flatten());
        let known = self.book.of(peer).to_vec();
        let loopback = self.is_local();
        let mut addresses = filter(peer, &claimed, loopback);
        addresses.retain(|address| !known.contains(address));
        // What has worked or been heard first-hand comes before what others say.
        self.book.add(peer, &[known, addresses].concat());
        self.book.of(peer).to_vec()
    }

    fn gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else {
            return;
        };
        let session = gossip::session(&message.topic);
        let fits = message.data.len() <= ADVERT_BYTES_MAX;
        let advert = session.zip(message.source).filter(|_| fits);
        let verdict = match advert {
            Some(_) => gossipsub::MessageAcceptance::Accept,
            None => gossipsub::MessageAcceptance::Reject,
        };
        self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &message_id,
            &propagation_source,
            verdict,
        );
        if let Some((session, from)) = advert {
            let bytes = message.data.into();
            self.outbox.push(Event::Advert { from, session, bytes });
        }
    }

    fn mdns(&mut self, event: mdns::Event) {
        let mdns::Event::Discovered(found) = event else { return };
        for (peer, address) in found {
            let addresses = filter(peer, [&address], self.is_local());
            if addresses.is_empty() {
                continue;
            }
            self.book.add(peer, &addresses);
            self.outbox.push(Event::Peer { peer, addresses: self.book.of(peer).to_vec() });
            self.dial(peer);
        }
    }

    /// An address somebody sees us under.
    fn candidate(&mut self, address: Multiaddr) {
        let own = self.swarm.listeners().any(|listener| *listener == address);
        let room = self.observed.len() < OBSERVED_MAX;
        if dialable(&address).is_some() && !own && room && self.observed.insert(address.clone()) {
            self.outbox.push(Event::ExternalAddress(address));
        }
    }
}
