//! libp2p's `Transport` over the node's port: addresses `/ip4|ip6/…/udp/…/quic-v1`, connections
//! that stock libp2p nodes understand.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent};
use libp2p::core::{Endpoint as Role, Transport};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

use super::accept::Inbound;
use super::address::{from_multiaddr, to_multiaddr};
use super::dial::{self, Target};
use super::error::Error;
use super::interfaces::Interfaces;
use super::link::CLOSE_BUSY;
use super::muxer::Muxer;
use super::shared::Shared;

type Output = (PeerId, Muxer);
/// An inbound connection is handed over after its handshake: there is nothing left to upgrade.
type Upgrade = std::future::Ready<Result<Output, Error>>;
type Event = TransportEvent<Upgrade, Error>;

/// The control plane's transport. Listens only on the node's own port.
pub struct QuicTransport {
    shared: Arc<Shared>,
    inbound: mpsc::Receiver<Inbound>,
    listeners: Vec<Listener>,
    interfaces: Option<Interfaces>,
    events: VecDeque<Event>,
    waker: Option<Waker>,
}

struct Listener {
    id: ListenerId,
    local: SocketAddr,
    announced: BTreeSet<IpAddr>,
}

impl QuicTransport {
    pub(super) fn new(shared: Arc<Shared>, inbound: mpsc::Receiver<Inbound>) -> Self {
        Self {
            shared,
            inbound,
            listeners: Vec::new(),
            interfaces: None,
            events: VecDeque::new(),
            waker: None,
        }
    }

    /// What a swarm must listen on to be reachable on the whole port.
    #[must_use]
    pub fn listen_addrs(&self) -> Vec<Multiaddr> {
        self.shared.locals().map(to_multiaddr).collect()
    }

    /// The bound address `wanted` means: itself, or that of its IP if its port is 0.
    fn bound(&self, wanted: SocketAddr) -> Option<SocketAddr> {
        let local = self.shared.endpoint(wanted).ok()?.local;
        let same_port = wanted.port() == 0 || wanted.port() == local.port();
        (wanted.ip() == local.ip() && same_port).then_some(local)
    }

    /// Queues what changed in each wildcard listener's addresses.
    fn announce(&mut self, ips: &BTreeSet<IpAddr>) {
        for listener in self.listeners.iter_mut().filter(|l| l.local.ip().is_unspecified()) {
            let is_ipv4 = listener.local.is_ipv4();
            let now = ips.iter().filter(|ip| ip.is_ipv4() == is_ipv4).copied().collect();
            let address = |ip: &IpAddr| to_multiaddr((*ip, listener.local.port()).into());
            let listener_id = listener.id;
            for ip in listener.announced.difference(&now) {
                let listen_addr = address(ip);
                self.events.push_back(Event::AddressExpired { listener_id, listen_addr });
            }
            for ip in now.difference(&listener.announced) {
                let listen_addr = address(ip);
                self.events.push_back(Event::NewAddress { listener_id, listen_addr });
            }
            listener.announced = now;
        }
    }

    fn poll_interfaces(&mut self, cx: &mut Context<'_>) {
        while let Some(Poll::Ready(change)) = self.interfaces.as_mut().map(|i| i.poll(cx)) {
            match change {
                Ok(ips) => self.announce(&ips),
                Err(error) => {
                    tracing::warn!(%error, "own addresses are no longer watched");
                    for listener in &self.listeners {
                        let error = std::io::Error::new(error.kind(), error.to_string()).into();
                        let listener_id = listener.id;
                        self.events.push_back(Event::ListenerError { listener_id, error });
                    }
                }
            }
        }
    }

    /// The event of an inbound connection; none, and the connection closed, if the swarm does
    /// not listen there (any more).
    fn incoming(&self, inbound: Inbound) -> Option<Event> {
        let Inbound { local, peer, connection } = inbound;
        let Some(listener) = self.listeners.iter().find(|l| l.local == local) else {
            connection.close(CLOSE_BUSY.into(), b"not listening");
            return None;
        };
        let ip = connection.local_ip().filter(|_| local.ip().is_unspecified());
        let local = ip.map_or(local, |ip| SocketAddr::new(ip.to_canonical(), local.port()));
        Some(Event::Incoming {
            listener_id: listener.id,
            local_addr: to_multiaddr(local),
            send_back_addr: to_multiaddr(connection.remote_address()),
            upgrade: std::future::ready(Ok((peer, Muxer::new(connection)))),
        })
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Transport for QuicTransport {
    type Output = Output;
    type Error = Error;
    type ListenerUpgrade = Upgrade;
    type Dial = BoxFuture<'static, Result<Output, Error>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Error>> {
        let wanted = from_multiaddr(&address).filter(|(_, peer)| peer.is_none());
        let Some(local) = wanted.and_then(|(wanted, _)| self.bound(wanted)) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        self.listeners.push(Listener { id, local, announced: BTreeSet::new() });
        if local.ip().is_unspecified() {
            match &self.interfaces {
                Some(interfaces) => {
                    let ips = interfaces.current();
                    self.announce(&ips);
                }
                None => match Interfaces::new() {
                    Ok(interfaces) => self.interfaces = Some(interfaces),
                    Err(error) => {
                        self.listeners.pop();
                        return Err(TransportError::Other(error.into()));
                    }
                },
            }
        } else {
            let listen_addr = to_multiaddr(local);
            self.events.push_back(Event::NewAddress { listener_id: id, listen_addr });
        }
        self.wake();
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let Some(at) = self.listeners.iter().position(|l| l.id == id) else { return false };
        self.listeners.remove(at);
        self.events.push_back(Event::ListenerClosed { listener_id: id, reason: Ok(()) });
        self.wake();
        true
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Error>> {
        let reachable = |to: SocketAddr| {
            to.port() != 0 && !to.ip().is_unspecified() && self.shared.endpoint(to).is_ok()
        };
        let Some((to, peer)) = from_multiaddr(&address).filter(|(to, _)| reachable(*to)) else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let shared = self.shared.clone();
        Ok(match (options.role, options.port_use, peer) {
            (Role::Listener, _, Some(peer)) => dial::punch_and_wait(shared, peer, to).boxed(),
            // Nobody to wait for.
            (Role::Listener, _, None) => {
                return Err(TransportError::MultiaddrNotSupported(address));
            }
            (Role::Dialer, PortUse::New, peer) => {
                dial::fresh_port(shared, Target { to, peer }).boxed()
            }
            (Role::Dialer, PortUse::Reuse, peer) => {
                dial::shared_port(shared, Target { to, peer }).boxed()
            }
        })
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Event> {
        let this = &mut *self;
        loop {
            this.poll_interfaces(cx);
            if let Some(event) = this.events.pop_front() {
                return Poll::Ready(event);
            }
            match this.inbound.poll_recv(cx) {
                Poll::Ready(Some(inbound)) => {
                    if let Some(event) = this.incoming(inbound) {
                        return Poll::Ready(event);
                    }
                }
                Poll::Ready(None) | Poll::Pending => {
                    this.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}
