//! Takes what comes in on one endpoint: bounded handshakes, then sorted by ALPN.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use quinn::Incoming;

use super::counters::Counters;
use super::dial::within_handshake_timeout;
use super::error::Error;
use super::gate::{Admission, Pass};
use super::link;
use super::shared::Shared;
use super::tls::{self, ALPN_LINK};

/// An accepted control connection on its way to the swarm.
pub(super) struct Inbound {
    /// Our address of that family.
    pub(super) local: SocketAddr,
    pub(super) peer: libp2p::PeerId,
    pub(super) connection: quinn::Connection,
}

/// Serves one endpoint until it is closed or nobody holds the transport any more.
pub(super) async fn serve(endpoint: quinn::Endpoint, local: SocketAddr, shared: Weak<Shared>) {
    while let Some(incoming) = endpoint.accept().await {
        let Some(shared) = shared.upgrade() else { return };
        let ip = incoming.remote_address().ip();
        match shared.gate.admit(ip, incoming.remote_address_validated()) {
            Admission::Admit(pass) => {
                Counters::add(&shared.counters.handshakes_admitted);
                tokio::spawn(handshake(shared, local, incoming, pass));
            }
            Admission::Retry => {
                Counters::add(&shared.counters.handshakes_retried);
                if let Err(error) = incoming.retry() {
                    error.into_incoming().refuse();
                }
            }
            Admission::Refuse => {
                Counters::add(&shared.counters.handshakes_refused);
                incoming.refuse();
            }
        }
    }
}

async fn handshake(shared: Arc<Shared>, local: SocketAddr, incoming: Incoming, pass: Pass) {
    let from = incoming.remote_address();
    if let Err(error) = shake_hands(&shared, local, incoming).await {
        Counters::add(&shared.counters.handshakes_failed);
        tracing::debug!(%from, %error, "inbound handshake failed");
    }
    drop(pass);
}

async fn shake_hands(shared: &Shared, local: SocketAddr, incoming: Incoming) -> Result<(), Error> {
    let connection = within_handshake_timeout(incoming.accept()?).await?;
    let peer = tls::peer(&connection).ok_or(Error::NoIdentity)?;
    if tls::alpn(&connection).as_deref() == Some(ALPN_LINK) {
        link::accept(shared, peer, connection);
        return Ok(());
    }
    // Somebody may be punching a hole for just this connection.
    let Some(connection) = shared.punches.hand_over(peer, connection) else { return Ok(()) };
    let inbound = Inbound { local, peer, connection };
    if let Err(refused) = shared.to_control.try_send(inbound) {
        Counters::add(&shared.counters.backlog_refused);
        refused.into_inner().connection.close(link::CLOSE_BUSY.into(), b"busy");
    }
    Ok(())
}
