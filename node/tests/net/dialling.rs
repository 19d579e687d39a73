//! The transport's dial semantics, as libp2p's behaviours rely on them.

use std::pin::Pin;

use banyan_node::transport::{Bound, Error, Muxer, QuicTransport, from_multiaddr, to_multiaddr};
use futures::future::poll_fn;
use libp2p::core::muxing::StreamMuxer;
use libp2p::core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent};
use libp2p::core::{Endpoint, Transport};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use crate::support::{bind, ip4, peer, soon};

type Event = TransportEvent<std::future::Ready<Result<(PeerId, Muxer), Error>>, Error>;

async fn next(transport: &mut QuicTransport) -> Event {
    soon("a transport event", poll_fn(|cx| Pin::new(&mut *transport).poll(cx))).await
}

/// Listens on the node's IPv4 address and returns it as announced.
async fn listen(node: &mut Bound) -> Multiaddr {
    let address = to_multiaddr(ip4(&node.shared));
    node.control.listen_on(ListenerId::next(), address.clone()).expect("our own address");
    match next(&mut node.control).await {
        TransportEvent::NewAddress { listen_addr, .. } => assert_eq!(listen_addr, address),
        other => panic!("{other:?}"),
    }
    address
}

async fn incoming(node: &mut Bound) -> (PeerId, u16) {
    match next(&mut node.control).await {
        TransportEvent::Incoming { send_back_addr, upgrade, .. } => {
            let (peer, _muxer) = upgrade.await.expect("already up");
            let (from, _) = from_multiaddr(&send_back_addr).expect("one of ours");
            (peer, from.port())
        }
        other => panic!("{other:?}"),
    }
}

const fn options(role: Endpoint, port_use: PortUse) -> DialOpts {
    DialOpts { role, port_use }
}

fn with_peer(address: &Multiaddr, seed: u8) -> Multiaddr {
    address.clone().with(Protocol::P2p(peer(seed)))
}

#[tokio::test]
async fn a_reusing_dialler_comes_from_its_own_port_and_a_new_one_does_not() {
    let (mut a, mut b) = (bind(1), bind(2));
    let address = listen(&mut b).await;
    for (port_use, same) in [(PortUse::Reuse, true), (PortUse::New, false)] {
        let dial = a
            .control
            .dial(with_peer(&address, 2), options(Endpoint::Dialer, port_use))
            .expect("an address of ours");
        let (dialled, (from, port)) = tokio::join!(soon("the dial", dial), incoming(&mut b));
        assert_eq!(dialled.expect("it connects").0, peer(2));
        assert_eq!(from, peer(1));
        assert_eq!(port == ip4(&a.shared).port(), same, "{port_use:?}");
    }
}

#[tokio::test]
async fn a_listening_dialler_waits_for_the_peer_and_makes_one_connection() {
    for port_use in [PortUse::Reuse, PortUse::New] {
        let (mut a, mut b) = (bind(1), bind(2));
        let (to_a, to_b) = (listen(&mut a).await, listen(&mut b).await);
        let punch = a
            .control
            .dial(with_peer(&to_b, 2), options(Endpoint::Listener, port_use))
            .expect("an address of ours");
        let dial = b
            .control
            .dial(with_peer(&to_a, 1), options(Endpoint::Dialer, PortUse::Reuse))
            .expect("an address of ours");
        let punch = tokio::spawn(punch);
        // A dial future does nothing until polled; so the punch must be waiting by now, or the
        // connection arrives as an ordinary one below.
        tokio::task::yield_now().await;
        let dialled = soon("the dial", dial).await.expect("it connects");
        let punched = soon("the punch", punch).await.expect("no panic").expect("it connects");
        assert_eq!((dialled.0, punched.0), (peer(1), peer(2)));
        // Neither transport reports a connection of its own.
        let admitted = a.shared.counters().handshakes_admitted;
        assert_eq!((admitted, b.shared.counters().handshakes_admitted), (1, 0));
    }
}

#[tokio::test]
async fn addresses_of_other_transports_are_left_to_them() {
    let mut a = bind(1);
    let own = to_multiaddr(ip4(&a.shared));
    let circuit = with_peer(&own, 2).with(Protocol::P2pCircuit);
    for address in [
        "/ip4/127.0.0.1/tcp/1".parse().expect("valid"),
        "/ip4/127.0.0.1/udp/0/quic-v1".parse().expect("valid"),
        "/ip4/0.0.0.0/udp/1/quic-v1".parse().expect("valid"),
        "/dns4/localhost/udp/1/quic-v1".parse().expect("valid"),
        circuit.clone(),
        circuit.with(Protocol::P2p(peer(3))),
    ] {
        let dial = a.control.dial(address.clone(), options(Endpoint::Dialer, PortUse::Reuse));
        let refused = matches!(dial, Err(TransportError::MultiaddrNotSupported(_)));
        assert!(refused, "{address}");
        if !address.to_string().contains("/udp/0/") {
            let listen = a.control.listen_on(ListenerId::next(), address.clone());
            let refused = matches!(listen, Err(TransportError::MultiaddrNotSupported(_)));
            assert!(refused, "{address}");
        }
    }
    // Nobody to wait for.
    let punch = a.control.dial(own, options(Endpoint::Listener, PortUse::Reuse));
    assert!(matches!(punch, Err(TransportError::MultiaddrNotSupported(_))));
}

#[tokio::test]
async fn the_wrong_peer_is_refused_in_tls() {
    let (mut a, mut b) = (bind(1), bind(2));
    let address = listen(&mut b).await;
    for port_use in [PortUse::Reuse, PortUse::New] {
        let dial = a
            .control
            .dial(with_peer(&address, 3), options(Endpoint::Dialer, port_use))
            .expect("an address of ours");
        let error = soon("the refusal", dial).await.err().expect("refused");
        let in_tls = matches!(error, Error::Connection(quinn::ConnectionError::TransportError(_)));
        assert!(in_tls, "{error}");
    }
}

#[tokio::test]
async fn nobody_comes_in_where_nobody_listens() {
    let (mut a, mut b) = (bind(1), bind(2));
    let address = to_multiaddr(ip4(&b.shared));
    let dial = a
        .control
        .dial(with_peer(&address, 2), options(Endpoint::Dialer, PortUse::Reuse))
        .expect("an address of ours");
    let (_, mut muxer) = soon("the dial", dial).await.expect("the handshake itself passes");
    let closed = poll_fn(|cx| Pin::new(&mut muxer).poll_inbound(cx));
    tokio::select! {
        event = next(&mut b.control) => panic!("{event:?}"),
        stream = soon("the close", closed) => assert!(stream.is_err(), "nobody serves it"),
    }
}
