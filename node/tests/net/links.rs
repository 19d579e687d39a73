//! Links: mutual, only with whom they should be, and hard to kill.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use banyan_node::peer::node_id;
use banyan_node::transport::Error;
use libp2p::identity;
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::support::{bind, carry, ip4, ip6, link, link_to, pattern, peer, soon};

#[tokio::test]
async fn both_ends_know_each_other() {
    let (a, mut b) = (bind(1), bind(2));
    let (ab, ba) = link(&a, &mut b).await;
    assert_eq!((ab.peer, ba.peer), (peer(2), peer(1)));
    assert_eq!((Some(ab.node), Some(ba.node)), (node_id(&peer(2)), node_id(&peer(1))));
    // The node's own port on both ends: the NAT mapping that control opened serves the link.
    assert_eq!(ba.connection.remote_address(), ip4(&a.shared));
    let bytes = pattern(3_000_000);
    assert!(carry(&ab, &ba, bytes.clone()).await == bytes, "accepted side receives");
    assert!(carry(&ba, &ab, bytes.clone()).await == bytes, "dialling side receives");
    for (from, to) in [(&ab, &ba), (&ba, &ab)] {
        from.connection.send_datagram(vec![7; 1000].into()).expect("datagrams are on");
        let got = soon("the datagram", to.connection.read_datagram()).await;
        assert_eq!(got.expect("alive").len(), 1000);
    }
}

#[tokio::test]
async fn ipv6_serves_as_well() {
    let (a, mut b) = (bind(1), bind(2));
    let Some(to) = ip6(&b.shared) else { return };
    assert_eq!(to.port(), ip4(&b.shared).port(), "one number for both families");
    let (ab, ba) = link_to(&a, &mut b, to).await;
    assert!(ba.connection.remote_address().is_ipv6());
    assert_eq!(carry(&ab, &ba, pattern(1000)).await, pattern(1000));
}

#[tokio::test]
async fn an_ipv4_address_in_ipv6_clothes_is_dialled_as_ipv4() {
    let (a, mut b) = (bind(1), bind(2));
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    let to = SocketAddr::new(mapped.into(), ip4(&b.shared).port());
    let (_ab, ba) = link_to(&a, &mut b, to).await;
    assert!(ba.connection.remote_address().is_ipv4());
}

#[tokio::test]
async fn the_wrong_peer_is_refused_in_tls() {
    let (a, mut b) = (bind(1), bind(2));
    let result = soon("the refusal", a.shared.dial_link(peer(3), ip4(&b.shared))).await;
    let Err(Error::Connection(quinn::ConnectionError::TransportError(error))) = result else {
        panic!("not refused in TLS: {result:?}")
    };
    assert!(error.to_string().contains("certificate"), "{error}");
    // The other side never saw a finished handshake.
    let (_ab, ba) = link(&a, &mut b).await;
    assert_eq!(ba.peer, peer(1));
    assert!(b.links.try_recv().is_err());
}

#[tokio::test]
async fn links_are_between_other_nodes_only() {
    let a = bind(1);
    let own = a.shared.dial_link(peer(1), ip4(&a.shared)).await;
    assert!(matches!(own, Err(Error::Oneself)), "{own:?}");
    let rsa = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().expect("a PeerId");
    let foreign = a.shared.dial_link(rsa, ip4(&a.shared)).await;
    assert!(matches!(foreign, Err(Error::NotANode)), "{foreign:?}");
}

/// A bare quinn client with its own key and ALPN.
fn client(key: &identity::Keypair, alpn: &[u8]) -> quinn::ClientConfig {
    let mut tls = libp2p_tls::make_client_config(key, None).expect("a key of ours");
    tls.alpn_protocols = vec![alpn.to_vec()];
    let tls = quinn::crypto::rustls::QuicClientConfig::try_from(tls).expect("has AES-128");
    quinn::ClientConfig::new(Arc::new(tls))
}

async fn connect(
    config: quinn::ClientConfig,
    to: SocketAddr,
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let endpoint =
        quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback binds");
    let connecting = endpoint.connect_with(config, to, "l").expect("a valid dial");
    soon("the handshake", connecting).await
}

#[tokio::test]
async fn an_unknown_alpn_is_refused() {
    let b = bind(2);
    let key = identity::Keypair::generate_ed25519();
    let error = connect(client(&key, b"h3"), ip4(&b.shared)).await.expect_err("refused");
    let quinn::ConnectionError::ConnectionClosed(close) = error else { panic!("{error}") };
    // TLS alert 120, no_application_protocol.
    assert_eq!(u64::from(close.error_code), 0x100 + 120, "{close}");
}

/// Forwards between one client and `to`, from a new port whenever told: a NAT that rebinds.
async fn nat(to: SocketAddr, mut rebind: watch::Receiver<u32>) -> SocketAddr {
    let inside = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback binds");
    let address = inside.local_addr().expect("bound");
    tokio::spawn(async move {
        let fresh = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let mut outside = fresh().await.expect("loopback binds");
        let mut client = None;
        let (mut out, mut back) = ([0; 65_535], [0; 65_535]);
        loop {
            tokio::select! {
                Ok((length, from)) = inside.recv_from(&mut out) => {
                    client = Some(from);
                    let _ = outside.send_to(&out[..length], to).await;
                }
                Ok((length, _)) = outside.recv_from(&mut back) => {
                    if let Some(client) = client {
                        let _ = inside.send_to(&back[..length], client).await;
                    }
                }
                changed = rebind.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    outside = fresh().await.expect("loopback binds");
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_link_survives_a_nat_that_rebinds() {
    let (a, mut b) = (bind(1), bind(2));
    let (rebind, rebinding) = watch::channel(0);
    let outside = nat(ip4(&b.shared), rebinding).await;
    let (ab, ba) = link_to(&a, &mut b, outside).await;
    let before = ba.connection.remote_address();
    assert_eq!(carry(&ab, &ba, pattern(10_000)).await, pattern(10_000));
    rebind.send(1).expect("the NAT runs");
    assert!(carry(&ab, &ba, pattern(500_000)).await == pattern(500_000));
    assert!(carry(&ba, &ab, pattern(500_000)).await == pattern(500_000));
    assert_ne!(ba.connection.remote_address(), before, "the address moved");
}

#[tokio::test]
async fn closing_tells_the_peer() {
    let (a, mut b) = (bind(1), bind(2));
    let (_ab, ba) = link(&a, &mut b).await;
    soon("the close", a.shared.close()).await;
    let reason = soon("the news", ba.connection.closed()).await;
    assert!(matches!(reason, quinn::ConnectionError::ApplicationClosed(_)), "{reason}");
    assert!(a.shared.dial_link(peer(2), ip4(&b.shared)).await.is_err());
}
