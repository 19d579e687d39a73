//! Why a dial or a handshake came to nothing.

use std::io;

/// What went wrong on the way to a connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The dial could not even begin.
    #[error(transparent)]
    Connect(#[from] quinn::ConnectError),
    /// The connection failed: wrong peer, no common ALPN, refused, lost.
    #[error(transparent)]
    Connection(#[from] quinn::ConnectionError),
    /// Nobody answered in time.
    #[error("no answer within the handshake timeout")]
    Timeout,
    /// The handshake ended without a libp2p identity.
    #[error("the peer showed no libp2p identity")]
    NoIdentity,
    /// Links exist only between nodes with Ed25519 keys.
    #[error("the peer's key is not Ed25519, so it is no Banyan node")]
    NotANode,
    /// A node has no link to itself.
    #[error("the peer is this node itself")]
    Oneself,
    /// Too many hole punches are in progress.
    #[error("too many hole punches in progress")]
    PunchesFull,
    /// The node has been closed.
    #[error("the transport is closed")]
    Closed,
}

/// The node has no socket of the address's family.
pub(super) fn no_socket() -> io::Error {
    io::Error::new(io::ErrorKind::AddrNotAvailable, "no socket of this address family")
}
