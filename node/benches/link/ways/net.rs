//! A network of distance and loss between two sockets of this machine.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{
    AsyncUdpSocket, Endpoint, EndpointConfig, Runtime, TokioRuntime, TransportConfig, UdpPoller,
};
use tokio::sync::mpsc;

use super::ONE_WAY;
use crate::tls;

/// What a datagram meets.
#[derive(Clone, Copy)]
pub(super) struct Net {
    one_way: Duration,
    /// Lost datagrams of a thousand, in either direction.
    loss_per_mille: u64,
}

impl Net {
    /// The loopback device as it is.
    pub(super) const NEAR: Self = Self { one_way: Duration::ZERO, loss_per_mille: 0 };

    pub(super) const fn far(loss_per_mille: u64) -> Self {
        Self { one_way: ONE_WAY, loss_per_mille }
    }

    pub(super) const fn one_way(self) -> Duration {
        self.one_way
    }

    /// An endpoint in this network. The same `seed` loses the same datagrams.
    pub(super) fn endpoint(self, seed: u64, transport: &Arc<TransportConfig>) -> Endpoint {
        if self.one_way.is_zero() {
            return tls::endpoint(transport);
        }
        let socket = Arc::new(Far::new(self, seed).expect("loopback has a free port"));
        let mut endpoint = Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            Some(tls::server(transport)),
            socket,
            Arc::new(TokioRuntime),
        )
        .expect("an endpoint");
        endpoint.set_default_client_config(tls::client(transport));
        endpoint
    }
}

/// A socket whose datagrams leave later, or never.
#[derive(Debug)]
struct Far {
    inner: Arc<dyn AsyncUdpSocket>,
    on_their_way: mpsc::UnboundedSender<(Instant, SocketAddr, Vec<u8>)>,
    random: Mutex<u64>,
    one_way: Duration,
    loss_per_mille: u64,
}

impl Far {
    fn new(net: Net, seed: u64) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let out = socket.try_clone()?;
        out.set_nonblocking(true)?;
        let (on_their_way, mut queue) = mpsc::unbounded_channel::<(Instant, SocketAddr, Vec<u8>)>();
        tokio::spawn(async move {
            while let Some((due, to, datagram)) = queue.recv().await {
                tokio::time::sleep_until(due.into()).await;
                // Full: lost, as in other networks.
                let _ = out.send_to(&datagram, to);
            }
        });
        Ok(Self {
            inner: TokioRuntime.wrap_udp_socket(socket)?,
            on_their_way,
            random: Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            one_way: net.one_way,
            loss_per_mille: net.loss_per_mille,
        })
    }

    fn is_lost(&self) -> bool {
        // SplitMix64.
        let mut state = self.random.lock().expect("nobody panics");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % 1_000 < self.loss_per_mille
    }
}

impl AsyncUdpSocket for Far {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        let due = Instant::now() + self.one_way;
        for datagram in transmit.contents.chunks(segment).filter(|_| !self.is_lost()) {
            let _ = self.on_their_way.send((due, transmit.destination, datagram.to_vec()));
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(cx, buffers, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }
}
