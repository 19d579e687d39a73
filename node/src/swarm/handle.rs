//! What the driver can ask of the swarm.

use std::net::SocketAddr;

use banyan_protocol::identity::{NodeId, SessionId};
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

/// The swarm is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the swarm has been shut down")]
pub struct Closed;

/// One request to the swarm.
#[derive(Debug)]
pub(super) enum Command {
    Bootstrap(Vec<(NodeId, SocketAddr)>),
    Provide(SessionId),
    StopProviding(SessionId),
    FindProviders(SessionId),
    Subscribe(SessionId),
    Unsubscribe(SessionId),
    Publish(SessionId, Bytes),
    Dial(PeerId, Vec<Multiaddr>),
    AddAddress(PeerId, Multiaddr),
    AddExternalAddress(Multiaddr),
    SetKadServer(bool),
    ConnectedPeers(oneshot::Sender<Vec<PeerId>>),
    Shutdown(oneshot::Sender<()>),
}

/// Handle on the running swarm. Cheap to clone; the swarm ends when the last one is dropped.
///
/// Requests are served before anything else, so none waits for long, not even while nobody
/// takes events. All fail only when the swarm is gone.
#[derive(Clone, Debug)]
pub struct Handle(pub(super) mpsc::Sender<Command>);

impl Handle {
    /// Joins the network through `nodes`, as an invite names them. They are tried again for as
    /// long as the node is alone.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn bootstrap(&self, nodes: Vec<(NodeId, SocketAddr)>) -> Result<(), Closed> {
        self.send(Command::Bootstrap(nodes)).await
    }

    /// Says in Kademlia that this node takes part in `session`, until told to stop.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn provide(&self, session: SessionId) -> Result<(), Closed> {
        self.send(Command::Provide(session)).await
    }

    /// Says so no longer; what others stored expires within minutes.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn stop_providing(&self, session: SessionId) -> Result<(), Closed> {
        self.send(Command::StopProviding(session)).await
    }

    /// Searches Kademlia for nodes that take part in `session`. Answers come as
    /// [`Event::Providers`](super::Event::Providers), then one
    /// [`Event::SearchEnded`](super::Event::SearchEnded). A node that knows nobody yet searches
    /// as soon as it does.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn find_providers(&self, session: SessionId) -> Result<(), Closed> {
        self.send(Command::FindProviders(session)).await
    }

    /// Receives capacity adverts of `session`, and passes them on.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn subscribe(&self, session: SessionId) -> Result<(), Closed> {
        self.send(Command::Subscribe(session)).await
    }

    /// Does so no longer.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn unsubscribe(&self, session: SessionId) -> Result<(), Closed> {
        self.send(Command::Unsubscribe(session)).await
    }

    /// Publishes a capacity advert to those who subscribe to `session`; lost if nobody is there
    /// to hear it, so repeat it.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn publish(&self, session: SessionId, advert: Bytes) -> Result<(), Closed> {
        self.send(Command::Publish(session, advert)).await
    }

    /// Connects to `peer`, at `addresses` and wherever else it is known to be. Nothing happens
    /// if it is connected already.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn dial(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), Closed> {
        self.send(Command::Dial(peer, addresses)).await
    }

    /// Remembers where `peer` may be.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn add_address(&self, peer: PeerId, address: Multiaddr) -> Result<(), Closed> {
        self.send(Command::AddAddress(peer, address)).await
    }

    /// Tells peers that this node is reachable at `address`, besides where it listens.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn add_external_address(&self, address: Multiaddr) -> Result<(), Closed> {
        self.send(Command::AddExternalAddress(address)).await
    }

    /// Serves Kademlia queries of others, or only asks. Serve only when reachable.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn set_kad_server(&self, server: bool) -> Result<(), Closed> {
        self.send(Command::SetKadServer(server)).await
    }

    /// The peers connected now, in order of their ids.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn connected_peers(&self) -> Result<Vec<PeerId>, Closed> {
        let (answer, peers) = oneshot::channel();
        self.send(Command::ConnectedPeers(answer)).await?;
        peers.await.map_err(|_| Closed)
    }

    /// Leaves topics, closes connections and ends. Waits until it has.
    pub async fn shutdown(&self) {
        let (answer, done) = oneshot::channel();
        if self.send(Command::Shutdown(answer)).await.is_ok() {
            // Dropped unanswered means gone as well.
            let _ = done.await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), Closed> {
        self.0.send(command).await.map_err(|_| Closed)
    }
}
