//! Our node and a stock `libp2p-quic` node: everything of the control plane, whoever dials.

use banyan_node::swarm::{Event, PROTOCOL};
use libp2p::swarm::SwarmEvent;
use libp2p::{gossipsub, identify, kad, ping};

use crate::node::{Node, SESSION};
use crate::stock::{BehaviourEvent, Stock, record_key, topic};
use crate::support::{peer, soon};

async fn stock_dials_ours() -> (Node, Stock) {
    let (ours, mut stock) = (Node::start(1), Stock::start(2).await);
    let address = ours.address().with_p2p(ours.peer).expect("no peer yet");
    stock.swarm.dial(address).expect("an address of its own");
    (ours, stock)
}

async fn ours_dials_stock() -> (Node, Stock) {
    let (ours, stock) = (Node::start(1), Stock::start(2).await);
    ours.swarm.dial(stock.peer, vec![stock.address.clone()]).await.expect("the swarm runs");
    (ours, stock)
}

async fn identify_and_ping((mut ours, mut stock): (Node, Stock)) {
    let (mut identified, mut pinged) = (false, false);
    let (own, address) = (ours.peer, ours.address());
    let stock_side = stock.event("identify and ping", |event| {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                assert_eq!((peer_id, info.protocol_version.as_str()), (own, PROTOCOL));
                assert!(info.listen_addrs.contains(&address), "{:?}", info.listen_addrs);
                identified = true;
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { result, .. })) => {
                result.expect("a pong");
                pinged = true;
            }
            _ => {}
        }
        (identified && pinged).then_some(())
    });
    let ((), addresses) = tokio::join!(stock_side, ours.meets(peer(2)));
    assert_eq!(addresses.first(), Some(&stock.address));
}

async fn provider_records((mut ours, mut stock): (Node, Stock)) {
    // Ours provides, stock finds: from when it knows whom to ask.
    ours.swarm.provide(SESSION).await.expect("the swarm runs");
    let peer = ours.peer;
    stock
        .event("a neighbour", |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::RoutingUpdated { .. })) => {
                Some(())
            }
            _ => None,
        })
        .await;
    stock.swarm.behaviour_mut().kad.get_providers(record_key());
    let search = async {
        loop {
            let found = stock.until(found_providers).await;
            if found.contains(&peer) {
                return;
            }
            if found.is_empty() {
                // Ended without: ours may not have announced itself yet.
                stock.swarm.behaviour_mut().kad.get_providers(record_key());
            }
        }
    };
    soon("the provider", search).await;
    // Stock provides, ours finds, with an address.
    stock.swarm.behaviour_mut().kad.start_providing(record_key()).expect("room");
    let addresses = {
        let peer = stock.peer;
        stock.serve_while(ours.finds(peer)).await
    };
    assert_eq!(addresses.first(), Some(&stock.address));
}

/// Providers found, none at the end of a search.
fn found_providers(event: crate::stock::Event) -> Option<Vec<libp2p::PeerId>> {
    match event {
        SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
            result: kad::QueryResult::GetProviders(result),
            ..
        })) => match result {
            Ok(kad::GetProvidersOk::FoundProviders { providers, .. }) if !providers.is_empty() => {
                Some(providers.into_iter().collect())
            }
            Ok(kad::GetProvidersOk::FinishedWithNoAdditionalRecord { .. }) | Err(_) => Some(vec![]),
            Ok(kad::GetProvidersOk::FoundProviders { .. }) => None,
        },
        _ => None,
    }
}

/// Waits until stock knows that ours listens to the topic.
async fn subscribed(ours: &Node, stock: &mut Stock) {
    ours.swarm.subscribe(SESSION).await.expect("the swarm runs");
    stock
        .event("the subscription", |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Subscribed {
                ..
            })) => Some(()),
            _ => None,
        })
        .await;
}

async fn gossip((mut ours, mut stock): (Node, Stock)) {
    subscribed(&ours, &mut stock).await;
    let gossip = &mut stock.swarm.behaviour_mut().gossip;
    gossip.publish(topic(), b"from stock").expect("a subscriber");
    let from = stock.serve_while(ours.hears(b"from stock")).await;
    assert_eq!(from, stock.peer);
    // The other way: ours knows of stock's subscription by now, it came with the connection.
    ours.swarm.publish(SESSION, "from ours".into()).await.expect("the swarm runs");
    let (source, data) = stock
        .event("the advert", |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                message,
                ..
            })) => Some((message.source, message.data)),
            _ => None,
        })
        .await;
    assert_eq!((source, data), (Some(ours.peer), b"from ours".to_vec()));
}

#[tokio::test]
async fn identify_and_ping_when_stock_dials() {
    identify_and_ping(stock_dials_ours().await).await;
}

#[tokio::test]
async fn identify_and_ping_when_ours_dials() {
    identify_and_ping(ours_dials_stock().await).await;
}

#[tokio::test]
async fn provider_records_when_stock_dials() {
    provider_records(stock_dials_ours().await).await;
}

#[tokio::test]
async fn provider_records_when_ours_dials() {
    provider_records(ours_dials_stock().await).await;
}

#[tokio::test]
async fn gossip_when_stock_dials() {
    gossip(stock_dials_ours().await).await;
}

#[tokio::test]
async fn gossip_when_ours_dials() {
    gossip(ours_dials_stock().await).await;
}

#[tokio::test]
async fn a_link_to_a_stock_node_fails_cleanly() {
    let (mut ours, mut stock) = ours_dials_stock().await;
    let peer = stock.peer;
    stock.serve_while(ours.meets(peer)).await;
    let (to, _) = banyan_node::transport::from_multiaddr(&stock.address).expect("one of ours");
    let dial = ours.shared.dial_link(peer, to);
    let error = stock.serve_while(dial).await.expect_err("it knows no links");
    let banyan_node::transport::Error::Connection(quinn::ConnectionError::ConnectionClosed(close)) =
        error
    else {
        panic!("{error}")
    };
    // TLS alert 120, no_application_protocol.
    assert_eq!(u64::from(close.error_code), 0x100 + 120, "{close}");
    // Control does not mind.
    assert_eq!(ours.swarm.connected_peers().await.expect("the swarm runs"), [peer]);
}

#[tokio::test]
async fn long_adverts_and_other_topics_are_not_passed_on() {
    let (mut ours, mut stock) = stock_dials_ours().await;
    subscribed(&ours, &mut stock).await;
    let gossip = &mut stock.swarm.behaviour_mut().gossip;
    gossip.publish(topic(), vec![0; 1025]).expect("a subscriber");
    gossip.publish(topic(), vec![1; 1024]).expect("a subscriber");
    let first = ours.event("an advert", |event| match event {
        Event::Advert { bytes, .. } => Some(bytes),
        _ => None,
    });
    let first = stock.serve_while(first).await;
    assert!(first == vec![1; 1024], "{} bytes", first.len());
    let other = gossipsub::IdentTopic::new("/other/topic");
    let gossip = &mut stock.swarm.behaviour_mut().gossip;
    gossip.subscribe(&other).expect("no filter on its side");
    gossip.publish(topic(), b"after").expect("a subscriber");
    assert_eq!(stock.serve_while(ours.hears(b"after")).await, stock.peer);
}

#[tokio::test]
async fn commands_are_served_while_nobody_takes_events() {
    let (ours, mut stock) = stock_dials_ours().await;
    subscribed(&ours, &mut stock).await;
    for number in 0..2000u32 {
        let advert = number.to_be_bytes().to_vec();
        // A full queue on its side is fine: enough get through.
        let _ = stock.swarm.behaviour_mut().gossip.publish(topic(), advert);
        if number % 50 == 0 {
            let answer = stock.serve_while(ours.swarm.connected_peers());
            let alive = soon("an answer", answer).await;
            assert_eq!(alive.expect("the swarm runs"), [stock.peer]);
        }
    }
}
