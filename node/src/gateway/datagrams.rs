//! The way out: datagrams from the node's one UDP port.

use std::io;
use std::net::SocketAddr;

use crate::transport::ForeignSender;

/// Sends datagrams from the shared port. Never blocks: what does not fit is lost, as on any
/// network.
pub trait Datagrams: Send + 'static {
    /// Sends one datagram.
    ///
    /// # Errors
    /// What the socket says. Callers count it and go on.
    fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()>;

    /// Sends `data` as datagrams of `segment` bytes, the last one shorter if need be. Returns the
    /// bytes sent.
    ///
    /// # Errors
    /// What the socket says, if nothing was sent. Callers count it and go on.
    fn send_batch(&self, to: SocketAddr, data: &[u8], segment: usize) -> io::Result<usize>;
}

impl Datagrams for ForeignSender {
    fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
        Self::send(self, data, to)
    }

    fn send_batch(&self, to: SocketAddr, data: &[u8], segment: usize) -> io::Result<usize> {
        Self::send_batch(self, to, data, segment)
    }
}

/// A plain socket, one system call for each datagram: for tests and tools.
impl Datagrams for std::sync::Arc<tokio::net::UdpSocket> {
    fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
        self.try_send_to(data, to).map(drop)
    }

    fn send_batch(&self, to: SocketAddr, data: &[u8], segment: usize) -> io::Result<usize> {
        data.chunks(segment.max(1)).try_for_each(|datagram| self.send(datagram, to))?;
        Ok(data.len())
    }
}
