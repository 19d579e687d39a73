//! The node's port: its sockets, endpoints and what hangs on them, and the handle others hold.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use quinn::TransportConfig;
use tokio::sync::mpsc;

use super::accept::{self, Inbound};
use super::bind::{self, Config};
use super::counters::{Counters, Snapshot};
use super::dial::SERVER_NAME;
use super::error::{Error, no_socket};
use super::foreign::{Foreign, ForeignSender};
use super::gate::Gate;
use super::limits::{CLOSE_TIMEOUT, CONTROL_BACKLOG_MAX, FOREIGN_BACKLOG_MAX, LINK_BACKLOG_MAX};
use super::link::{self, CLOSE_DONE, Link};
use super::params;
use super::punch::Punches;
use super::quic::QuicTransport;
use super::socket::{Socket, canonical};
use super::tls::Identity;

/// What all parts of the transport share.
pub(super) struct Shared {
    pub(super) local_peer: PeerId,
    pub(super) identity: Identity,
    endpoints: Vec<Endpoint>,
    sockets: Arc<[Arc<Socket>]>,
    pub(super) control_params: Arc<TransportConfig>,
    pub(super) link_params: Arc<TransportConfig>,
    pub(super) gate: Arc<Gate>,
    pub(super) punches: Arc<Punches>,
    pub(super) counters: Arc<Counters>,
    pub(super) to_control: mpsc::Sender<Inbound>,
    pub(super) to_links: mpsc::Sender<Link>,
}

/// One address family's endpoint.
pub(super) struct Endpoint {
    quinn: quinn::Endpoint,
    pub(super) local: SocketAddr,
}

impl Endpoint {
    pub(super) fn connect(
        &self,
        config: quinn::ClientConfig,
        to: SocketAddr,
    ) -> Result<quinn::Connecting, Error> {
        Ok(self.quinn.connect_with(config, canonical(to), SERVER_NAME)?)
    }
}

/// A bound port and everything that comes in on it.
pub struct Bound {
    /// Dials links, sends foreign datagrams, closes.
    pub shared: SharedQuic,
    /// The libp2p transport, for the swarm.
    pub control: QuicTransport,
    /// Links other nodes dialled.
    pub links: mpsc::Receiver<Link>,
    /// Datagrams that are not QUIC, for the gateway.
    pub foreign: mpsc::Receiver<Foreign>,
}

/// Handle on the node's one UDP port. Cheap to clone.
#[derive(Clone)]
pub struct SharedQuic(pub(super) Arc<Shared>);

impl SharedQuic {
    /// Binds the port. Everything it spawns runs on the tokio runtime this is called in: media
    /// wants one of its own, apart from the swarm's.
    ///
    /// # Errors
    /// If the port is taken or no address family can be bound.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(keypair: &Keypair, config: &Config) -> io::Result<Bound> {
        let (to_foreign, foreign) = mpsc::channel(FOREIGN_BACKLOG_MAX);
        let (to_control, inbound) = mpsc::channel(CONTROL_BACKLOG_MAX);
        let (to_links, links) = mpsc::channel(LINK_BACKLOG_MAX);
        let counters = Arc::new(Counters::default());
        let identity = Identity::new(keypair);
        let server = params::server(&identity);
        let mut endpoints = Vec::new();
        let mut sockets = Vec::new();
        for socket in bind::open(config)? {
            let socket = Arc::new(Socket::new(socket, to_foreign.clone(), counters.clone())?);
            let quinn = quinn::Endpoint::new_with_abstract_socket(
                params::endpoint(),
                Some(server.clone()),
                socket.clone(),
                Arc::new(quinn::TokioRuntime),
            )?;
            endpoints.push(Endpoint { quinn, local: socket.local() });
            sockets.push(socket);
        }
        let shared = Arc::new(Shared {
            local_peer: keypair.public().to_peer_id(),
            identity,
            endpoints,
            sockets: sockets.into(),
            control_params: Arc::new(params::control()),
            link_params: Arc::new(params::link()),
            gate: Arc::default(),
            punches: Arc::default(),
            counters,
            to_control,
            to_links,
        });
        for endpoint in &shared.endpoints {
            let serve =
                accept::serve(endpoint.quinn.clone(), endpoint.local, Arc::downgrade(&shared));
            tokio::spawn(serve);
        }
        let shared = Self(shared);
        let control = QuicTransport::new(shared.0.clone(), inbound);
        Ok(Bound { shared, control, links, foreign })
    }

    /// The node's own PeerId.
    #[must_use]
    pub fn local_peer(&self) -> PeerId {
        self.0.local_peer
    }

    /// The bound addresses, one per family, unspecified ones as they are.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.0.locals().collect()
    }

    /// Dials a link to `peer` at `to`, from the node's port.
    ///
    /// # Errors
    /// If nobody answers there in time, somebody else does, or it is no Banyan node (a stock
    /// libp2p peer refuses our ALPN).
    pub async fn dial_link(&self, peer: PeerId, to: SocketAddr) -> Result<Link, Error> {
        link::dial(&self.0, peer, to).await
    }

    /// Sends datagrams that are not QUIC.
    #[must_use]
    pub fn foreign(&self) -> ForeignSender {
        self.0.foreign()
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> Snapshot {
        self.0.counters.snapshot()
    }

    /// Closes all connections, control and links, and waits a moment for peers to hear of it.
    pub async fn close(&self) {
        self.0.close_endpoints();
        let idle = async {
            for endpoint in &self.0.endpoints {
                endpoint.quinn.wait_idle().await;
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, idle).await.is_err() {
            tracing::debug!("some peers have not confirmed the close");
        }
    }
}

impl Shared {
    /// The bound addresses.
    pub(super) fn locals(&self) -> impl Iterator<Item = SocketAddr> {
        self.endpoints.iter().map(|endpoint| endpoint.local)
    }

    /// The endpoint that reaches `to`.
    pub(super) fn endpoint(&self, to: SocketAddr) -> Result<&Endpoint, Error> {
        let is_ipv4 = canonical(to).is_ipv4();
        let same_family = |endpoint: &&Endpoint| endpoint.local.is_ipv4() == is_ipv4;
        Ok(self.endpoints.iter().find(same_family).ok_or_else(no_socket)?)
    }

    pub(super) fn foreign(&self) -> ForeignSender {
        ForeignSender { sockets: self.sockets.clone() }
    }

    fn close_endpoints(&self) {
        for endpoint in &self.endpoints {
            endpoint.quinn.close(CLOSE_DONE.into(), b"closed");
        }
    }
}

impl Drop for Shared {
    /// Ends the accept loops, which hold the endpoints.
    fn drop(&mut self) {
        self.close_endpoints();
    }
}
