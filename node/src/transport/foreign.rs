//! Datagrams that are not QUIC: WebRTC's STUN, DTLS and SRTP, in and out of the node's port.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use super::error::no_socket;
use super::socket::{Socket, canonical, transmit};
use super::split::Kind;

/// Bytes one GSO send may carry. Derived: a UDP length field counts 65535, headers included.
const BATCH_BYTES_MAX: usize = 65_000;

/// A datagram that is not QUIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Who sent it; IPv4 is never mapped into IPv6.
    pub from: SocketAddr,
    /// The address of ours it was sent to, where the system tells.
    pub local_ip: Option<IpAddr>,
    /// Its payload.
    pub data: Bytes,
}

impl Foreign {
    /// What it is, by its first byte.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.data.first().map_or(Kind::Unknown, |&first| Kind::of(first))
    }
}

/// Sends datagrams that are not QUIC from the node's port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ForeignSender {
    pub(super) sockets: Arc<[Arc<Socket>]>,
}

impl ForeignSender {
    /// Sends one datagram now.
    ///
    /// # Errors
    /// `WouldBlock` when the socket's buffer is full (see [`writable`](Self::writable)),
    /// `AddrNotAvailable` when the node has no socket of that family, and the kernel's errors.
    pub fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = canonical(to);
        self.socket(to)?.send(&transmit(data, to, None, None))
    }

    /// Sends `data` as datagrams of `segment_size` bytes each (the last may be shorter), with as
    /// few system calls as the kernel allows (UDP GSO). Returns the bytes taken, whole segments:
    /// fewer than given when the socket's buffer filled up on the way.
    ///
    /// # Errors
    /// As [`send`](Self::send), if not even the first segment was taken.
    ///
    /// # Panics
    /// If `segment_size` is 0.
    pub fn send_batch(
        &self,
        to: SocketAddr,
        data: &[u8],
        segment_size: usize,
    ) -> io::Result<usize> {
        assert!(segment_size > 0, "a segment holds at least one byte");
        let to = canonical(to);
        let socket = self.socket(to)?;
        let mut sent = 0;
        while sent < data.len() {
            let segments = socket.segments_max().min(BATCH_BYTES_MAX / segment_size).max(1);
            let end = data.len().min(sent + segments * segment_size);
            let batch = &data[sent..end];
            let size = (batch.len() > segment_size).then_some(segment_size);
            match socket.send(&transmit(batch, to, size, None)) {
                Ok(()) => sent = end,
                // The device cannot do GSO: the socket has just learnt it, one by one now.
                Err(_) if segments > 1 && socket.segments_max() == 1 => {}
                Err(error) if sent == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Waits until a datagram to `to` may be sent again.
    ///
    /// # Errors
    /// `AddrNotAvailable` when the node has no socket of that family, and the kernel's errors.
    pub async fn writable(&self, to: SocketAddr) -> io::Result<()> {
        self.socket(canonical(to))?.writable().await
    }

    fn socket(&self, to: SocketAddr) -> io::Result<&Arc<Socket>> {
        let same_family = |s: &&Arc<Socket>| s.local().is_ipv4() == to.is_ipv4();
        self.sockets.iter().find(same_family).ok_or_else(no_socket)
    }
}
