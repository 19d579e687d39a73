//! Dials control connections, with the meaning libp2p gives to role and port use:
//!
//! | role, port use | what happens |
//! |---|---|
//! | dialer, reuse | dial from the node's port: NAT mappings and observed addresses stay useful |
//! | dialer, new | dial from a fresh port: AutoNAT asks whether we are reachable unasked |
//! | listener, any | DCUtR: punch a hole and wait for the peer to come in; never dial |
//!
//! DCUtR's listener side leaves the port use at "reuse", so the role alone must decide; were it
//! to dial as well, two connections would come of it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use libp2p::PeerId;

use super::error::Error;
use super::limits::HANDSHAKE_TIMEOUT;
use super::muxer::Muxer;
use super::params;
use super::punch;
use super::shared::Shared;
use super::tls::{self, ALPN_CONTROL};

/// Whom and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) to: SocketAddr,
    pub(super) peer: Option<PeerId>,
}

/// Dials from the node's own port.
pub(super) async fn shared_port(
    shared: Arc<Shared>,
    target: Target,
) -> Result<(PeerId, Muxer), Error> {
    let endpoint = shared.endpoint(target.to)?;
    finish(endpoint.connect(client(&shared, target.peer), target.to)?).await
}

/// Dials from a port of its own, as a stranger would.
pub(super) async fn fresh_port(
    shared: Arc<Shared>,
    target: Target,
) -> Result<(PeerId, Muxer), Error> {
    let any: SocketAddr = match target.to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    let runtime = Arc::new(quinn::TokioRuntime);
    // The endpoint outlives this handle for as long as its connection lives.
    let endpoint = quinn::Endpoint::new(params::endpoint(), None, socket, runtime)?;
    let config = client(&shared, target.peer);
    finish(endpoint.connect_with(config, target.to, SERVER_NAME)?).await
}

/// Punches a hole towards `peer` at `to` and waits for it to come in.
pub(super) async fn punch_and_wait(
    shared: Arc<Shared>,
    peer: PeerId,
    to: SocketAddr,
) -> Result<(PeerId, Muxer), Error> {
    let mut punch = shared.punches.wait(peer, to).ok_or(Error::PunchesFull)?;
    let sender = shared.foreign();
    let packets = async {
        for sent in 0.. {
            // A packet that cannot be sent is one lost.
            let _ = sender.send(&punch::PACKET, to);
            tokio::time::sleep(punch::pause(sent)).await;
        }
    };
    tokio::select! {
        connection = &mut punch.found => {
            Ok((peer, Muxer::new(connection.map_err(|_| Error::Closed)?)))
        }
        _ = tokio::time::timeout(HANDSHAKE_TIMEOUT, packets) => Err(Error::Timeout),
    }
}

/// What every libp2p peer puts in SNI's place: peers are told apart by certificate alone.
pub(super) const SERVER_NAME: &str = "l";

/// Waits for a handshake, but not for ever.
pub(super) async fn within_handshake_timeout(
    connecting: quinn::Connecting,
) -> Result<quinn::Connection, Error> {
    let result = tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await;
    Ok(result.map_err(|_| Error::Timeout)??)
}

fn client(shared: &Shared, peer: Option<PeerId>) -> quinn::ClientConfig {
    let mut config = quinn::ClientConfig::new(shared.identity.client(ALPN_CONTROL, peer));
    config.transport_config(shared.control_params.clone());
    config
}

async fn finish(connecting: quinn::Connecting) -> Result<(PeerId, Muxer), Error> {
    let connection = within_handshake_timeout(connecting).await?;
    let peer = tls::peer(&connection).ok_or(Error::NoIdentity)?;
    Ok((peer, Muxer::new(connection)))
}
