//! One UDP socket of the node, as quinn sees it: everything that is not QUIC is taken out on the
//! way in. STUN binding requests are answered here, the rest goes to the foreign channel.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::io::Interest;
use tokio::sync::mpsc;

use super::counters::Counters;
use super::foreign::Foreign;
use super::rate::RateLimit;
use super::split::{Kind, split};
use super::stun::{self, Ask};

/// A bound socket with what it needs to sort datagrams.
#[derive(Debug)]
pub(super) struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    foreign: mpsc::Sender<Foreign>,
    stun: RateLimit,
    counters: Arc<Counters>,
}

impl Socket {
    /// Takes over a bound socket. Needs a tokio runtime.
    pub(super) fn new(
        socket: std::net::UdpSocket,
        foreign: mpsc::Sender<Foreign>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        Ok(Self {
            local: socket.local_addr()?,
            state: UdpSocketState::new((&socket).into())?,
            io: tokio::net::UdpSocket::from_std(socket)?,
            foreign,
            stun: RateLimit::new(Instant::now()),
            counters,
        })
    }

    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends at once or returns `WouldBlock`; other errors are the kernel's.
    pub(super) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Interest::WRITABLE, || self.state.try_send((&self.io).into(), transmit))
    }

    /// How many segments one [`send`](Self::send) may carry: 1 where GSO is missing.
    pub(super) fn segments_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Waits until a send may succeed again.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    fn sort(&self, buffer: &mut [u8], meta: &mut RecvMeta) {
        let from = canonical(meta.addr);
        let local_ip = meta.dst_ip.map(|ip| ip.to_canonical());
        // quinn passes over entries of length 0.
        meta.len = split(buffer, meta.len, meta.stride, |kind, data| match kind {
            Kind::Stun => match stun::ask(data, from) {
                Ask::Answer(answer) => self.answer(&answer, meta.addr, meta.dst_ip),
                Ask::Gateway => self.pass_on(from, local_ip, data),
                Ask::Malformed => Counters::add(&self.counters.malformed),
            },
            Kind::Dtls | Kind::Rtp => self.pass_on(from, local_ip, data),
            Kind::Unknown | Kind::Quic => Counters::add(&self.counters.malformed),
        });
    }

    fn pass_on(&self, from: SocketAddr, local_ip: Option<IpAddr>, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        if self.foreign.try_send(Foreign { from, local_ip, data }).is_err() {
            Counters::add(&self.counters.foreign_dropped);
        }
    }

    fn answer(&self, answer: &[u8], to: SocketAddr, src_ip: Option<IpAddr>) {
        let counter = if self.stun.take(to.ip().to_canonical(), Instant::now()) {
            let transmit = transmit(answer, to, None, src_ip);
            match self.send(&transmit) {
                Ok(()) => &self.counters.stun_answered,
                Err(_) => &self.counters.stun_dropped,
            }
        } else {
            &self.counters.stun_dropped
        };
        Counters::add(counter);
    }
}

/// IPv4 in IPv6's clothes as IPv4, everything else as it is.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(address.ip().to_canonical(), v6.port())
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

/// A transmit without congestion marks.
pub(super) const fn transmit(
    contents: &[u8],
    destination: SocketAddr,
    segment_size: Option<usize>,
    src_ip: Option<IpAddr>,
) -> Transmit<'_> {
    Transmit { destination, ecn: None, contents, segment_size, src_ip }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller { socket: self, waiting: None })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        // quinn's own way of sending: errors but `WouldBlock` are logged and forgotten.
        self.io.try_io(Interest::WRITABLE, || self.state.send((&self.io).into(), transmit))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let received = self
                .io
                .try_io(Interest::READABLE, || self.state.recv((&self.io).into(), buffers, meta));
            match received {
                Ok(count) => {
                    for (buffer, meta) in buffers.iter_mut().zip(meta.iter_mut()).take(count) {
                        self.sort(buffer, meta);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // An ICMP error or the like is no reason to stop listening. Others get their turn
                // before the next attempt, should it last.
                Err(e) => {
                    tracing::debug!(error = %e, "receiving failed");
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

/// Waits for the socket to become writable, one waker per connection.
struct Poller {
    socket: Arc<Socket>,
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl std::fmt::Debug for Poller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poller").finish_non_exhaustive()
    }
}

impl UdpPoller for Poller {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let waiting = this.waiting.get_or_insert_with(|| {
            let socket = this.socket.clone();
            Box::pin(async move { socket.io.writable().await })
        });
        let result = ready!(waiting.as_mut().poll(cx));
        this.waiting = None;
        Poll::Ready(result)
    }
}
