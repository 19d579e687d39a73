//! Links: QUIC connections that carry sessions' media, beside control on the same port.
//!
//! This file brings them up and says whom they are with; what flows on them is `crate::link`'s.

use std::net::SocketAddr;

use banyan_protocol::identity::NodeId;
use libp2p::PeerId;

use super::counters::Counters;
use super::dial::within_handshake_timeout;
use super::error::Error;
use super::params;
use super::shared::Shared;
use super::tls::ALPN_LINK;
use crate::peer::node_id;

/// Application error code: closed in order. Spec: `proto/SPEC.md#transport`.
pub const CLOSE_DONE: u32 = 0;
/// Application error code: no room just now, try elsewhere. Spec: `proto/SPEC.md#transport`.
pub const CLOSE_BUSY: u32 = 1;
/// Application error code: no Banyan node. Spec: `proto/SPEC.md#transport`.
pub const CLOSE_NOT_A_NODE: u32 = 2;

/// A link, up and mutually authenticated; dialled and accepted ones are alike.
#[derive(Clone, Debug)]
pub struct Link {
    /// The other node, as the core names it.
    pub node: NodeId,
    /// The other node, as libp2p names it.
    pub peer: PeerId,
    /// The connection: uni streams, bidirectional streams and datagrams are free for use.
    pub connection: quinn::Connection,
}

/// Dials `peer` at `to` from the node's port: the 5-tuple control uses, so the same NAT mapping.
pub(super) async fn dial(shared: &Shared, peer: PeerId, to: SocketAddr) -> Result<Link, Error> {
    let node = node_id(&peer).ok_or(Error::NotANode)?;
    if peer == shared.local_peer {
        return Err(Error::Oneself);
    }
    let mut config = quinn::ClientConfig::new(shared.identity.client(ALPN_LINK, Some(peer)));
    config.transport_config(shared.link_params.clone());
    let endpoint = shared.endpoint(to)?;
    let connection = within_handshake_timeout(endpoint.connect(config, to)?).await?;
    Ok(Link { node, peer, connection })
}

/// Passes an accepted link on, or closes it.
pub(super) fn accept(shared: &Shared, peer: PeerId, connection: quinn::Connection) {
    let Some(node) = node_id(&peer) else {
        connection.close(CLOSE_NOT_A_NODE.into(), b"not a node");
        return;
    };
    params::widen_for_link(&connection);
    if let Err(refused) = shared.to_links.try_send(Link { node, peer, connection }) {
        Counters::add(&shared.counters.backlog_refused);
        refused.into_inner().connection.close(CLOSE_BUSY.into(), b"busy");
    }
}
