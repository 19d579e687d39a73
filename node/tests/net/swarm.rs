//! Nodes of ours among themselves, on loopback. mDNS is not here: its packets would leave this
//! machine; `mdns.rs` tries it in a network namespace of its own.

use std::time::Duration;

use banyan_node::swarm::{Event, dialable};
use libp2p::PeerId;

use crate::node::{Node, SESSION};
use crate::support::{ip4, peer, soon};

/// A and C know B alone, as an invite would name it.
async fn around_b() -> (Node, Node, Node) {
    let (a, b, c) = (Node::start(1), Node::start(2), Node::start(3));
    for node in [&a, &c] {
        node.swarm.bootstrap(b.bootstrap()).await.expect("the swarm runs");
    }
    (a, b, c)
}

#[tokio::test]
async fn a_session_is_found_from_an_invite_alone() {
    let (mut a, _b, mut c) = around_b().await;
    a.swarm.provide(SESSION).await.expect("the swarm runs");
    // Asked at once, before anybody is connected.
    let addresses = c.finds(a.peer).await;
    let to = dialable(&addresses[0]).expect("an address for links");
    assert_eq!(to, ip4(&a.shared));
    let dialled = soon("the link", c.shared.dial_link(a.peer, to)).await.expect("it comes up");
    let accepted = soon("the link", a.links.recv()).await.expect("the transport lives");
    assert_eq!((dialled.peer, accepted.peer), (a.peer, c.peer));
}

#[tokio::test]
async fn what_is_no_longer_provided_is_not_announced() {
    let (a, mut late) = (Node::start(1), Node::start(2));
    a.swarm.provide(SESSION).await.expect("the swarm runs");
    a.swarm.stop_providing(SESSION).await.expect("the swarm runs");
    late.swarm.bootstrap(a.bootstrap()).await.expect("the swarm runs");
    late.swarm.find_providers(SESSION).await.expect("the swarm runs");
    let found = late.event("the end of the search", |event| match event {
        Event::SearchEnded { session: SESSION, found } => Some(found),
        _ => None,
    });
    assert_eq!(found.await, 0);
}

/// Publishes again and again, as adverts are, until `heard` is done.
async fn repeat<T>(from: &Node, advert: &'static str, heard: impl Future<Output = T>) -> T {
    let publish = async {
        let mut again = tokio::time::interval(Duration::from_millis(100));
        loop {
            again.tick().await;
            from.swarm.publish(SESSION, advert.into()).await.expect("the swarm runs");
        }
    };
    tokio::select! {
        value = heard => value,
        () = publish => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn gossip_reaches_all() {
    let (mut a, mut b, mut c) = around_b().await;
    for node in [&a, &b, &c] {
        node.swarm.subscribe(SESSION).await.expect("the swarm runs");
    }
    let heard = async { (b.hears(b"a").await, c.hears(b"a").await) };
    assert_eq!(repeat(&a, "a", heard).await, (peer(1), peer(1)));
    let heard = async { (b.hears(b"c").await, a.hears(b"c").await) };
    assert_eq!(repeat(&c, "c", heard).await, (peer(3), peer(3)));
}

#[tokio::test]
async fn peers_are_told_with_addresses_for_links() {
    let (mut a, mut b, _c) = around_b().await;
    let addresses = a.meets(b.peer).await;
    assert_eq!(dialable(&addresses[0]), Some(ip4(&b.shared)));
    assert!(addresses.iter().all(|address| dialable(address).is_some()), "{addresses:?}");
    // The other side learns the port of the node, not of the connection, for it is the same.
    let addresses = b.meets(a.peer).await;
    assert_eq!(dialable(&addresses[0]), Some(ip4(&a.shared)));
}

#[tokio::test]
async fn the_wrong_peer_is_unreachable() {
    let (mut a, b) = (Node::start(1), Node::start(2));
    let nobody = peer(9);
    a.swarm.dial(nobody, vec![b.address()]).await.expect("the swarm runs");
    let told = a
        .event("the failure", |event| match event {
            Event::Unreachable(peer) => Some(peer),
            _ => None,
        })
        .await;
    assert_eq!(told, nobody);
    a.swarm.dial(PeerId::random(), vec![]).await.expect("the swarm runs");
    a.event("the failure", |event| matches!(event, Event::Unreachable(_)).then_some(())).await;
    assert_eq!(a.swarm.connected_peers().await.expect("the swarm runs"), []);
}

#[tokio::test]
async fn shutting_down_tells_neighbours_and_ends() {
    let (mut a, b, _c) = around_b().await;
    a.meets(b.peer).await;
    soon("the shutdown", b.swarm.shutdown()).await;
    soon("the close", b.shared.close()).await;
    let gone = a.event("the goodbye", |event| match event {
        Event::Disconnected(peer) => Some(peer),
        _ => None,
    });
    assert_eq!(gone.await, b.peer);
    assert!(b.swarm.connected_peers().await.is_err(), "the swarm is gone");
}
