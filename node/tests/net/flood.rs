//! A flood of handshakes that never finish.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use banyan_node::transport::limits::HANDSHAKES_MAX;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};

use crate::support::{bind, carry, ip4, key, link, pattern, soon};

/// A socket that sends and never hears.
struct Deaf(Arc<dyn AsyncUdpSocket>);

impl fmt::Debug for Deaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deaf")
    }
}

impl AsyncUdpSocket for Deaf {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.0.clone().create_io_poller()
    }
    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.0.try_send(transmit)
    }
    fn poll_recv(
        &self,
        _cx: &mut Context<'_>,
        _buffers: &mut [IoSliceMut<'_>],
        _meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn deaf_endpoint() -> quinn::Endpoint {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback binds");
    let socket = TokioRuntime.wrap_udp_socket(socket).expect("a tokio socket");
    let config = quinn::EndpointConfig::default();
    quinn::Endpoint::new_with_abstract_socket(
        config,
        None,
        Arc::new(Deaf(socket)),
        Arc::new(TokioRuntime),
    )
    .expect("a valid endpoint")
}

#[tokio::test]
async fn half_open_handshakes_are_bounded_and_keep_nobody_out() {
    let (a, mut b) = (bind(1), bind(2));
    let to = ip4(&b.shared);
    let tls = libp2p_tls::make_client_config(&key(9), None).expect("a key of ours");
    let tls = quinn::crypto::rustls::QuicClientConfig::try_from(tls).expect("has AES-128");
    let config = quinn::ClientConfig::new(Arc::new(tls));
    let endpoint = deaf_endpoint();
    let flood: Vec<quinn::Connecting> = (0..1000)
        .map(|_| endpoint.connect_with(config.clone(), to, "l").expect("a valid dial"))
        .collect();
    let full = async {
        while b.shared.counters().handshakes_retried == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the gate to fill", full).await;
    // Whoever proves an address still gets in, while the flood lasts.
    let (ab, ba) = link(&a, &mut b).await;
    assert_eq!(carry(&ab, &ba, pattern(1000)).await, pattern(1000));
    let counters = b.shared.counters();
    println!("{counters:?}");
    let open = counters.handshakes_admitted - counters.handshakes_failed;
    assert!(open <= HANDSHAKES_MAX as u64, "{open} handshakes are open");
    drop(flood);
}
