//! The same bytes by bare quinn: a uni stream per shard, nothing checked, nothing kept.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use quinn::{Connection, Endpoint};

use crate::process::{say, told};
use crate::{load, tls};

const STREAM_BYTES_MAX: usize = 4 << 20;

fn endpoint() -> Endpoint {
    tls::endpoint(&Arc::new(tls::transport()))
}

async fn dial(endpoint: &Endpoint, to: SocketAddr) -> Connection {
    endpoint.connect(to, "l").expect("an address").await.expect("a connection")
}

async fn accept(endpoint: &Endpoint) -> Connection {
    endpoint.accept().await.expect("open").await.expect("a connection")
}

async fn send(connection: &Connection, shard: Bytes) {
    let mut stream = connection.open_uni().await.expect("a stream");
    stream.write_chunk(shard).await.expect("room");
    let _ = stream.finish();
}

async fn receive(connection: &Connection) -> Bytes {
    let mut stream = connection.accept_uni().await.expect("a stream");
    stream.read_to_end(STREAM_BYTES_MAX).await.expect("a shard").into()
}

/// Sends one stripe to whoever connects, at live pace.
pub(crate) async fn root() {
    let endpoint = endpoint();
    say(endpoint.local_addr().expect("bound"));
    let child = accept(&endpoint).await;
    let blocks = load::shards(load::BLOCKS);
    let mut pace = load::pace();
    for shards in blocks.iter().cycle() {
        pace.tick().await;
        send(&child, shards[0].encoded().clone()).await;
    }
}

/// Takes one stripe and sends it to whoever connects.
pub(crate) async fn helper(root: SocketAddr) {
    let endpoint = endpoint();
    let root = dial(&endpoint, root).await;
    say(endpoint.local_addr().expect("bound"));
    let (joined, mut joining) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move { while joined.send(accept(&endpoint).await).await.is_ok() {} });
    let mut children = Vec::new();
    loop {
        let shard = receive(&root).await;
        while let Ok(child) = joining.try_recv() {
            children.push(child);
        }
        for child in &children {
            send(child, shard.clone()).await;
        }
    }
}

/// So many receivers, an endpoint each.
pub(crate) async fn children(helper: SocketAddr, count: usize) {
    let mut connections = Vec::new();
    for _ in 0..count {
        let endpoint = endpoint();
        let connection = dial(&endpoint, helper).await;
        connections.push((endpoint, connection.clone()));
        tokio::spawn(async move {
            loop {
                receive(&connection).await;
            }
        });
    }
    say("ready");
    std::future::pending().await
}

/// Takes so many shards, and says so.
pub(crate) async fn flat_receiver(count: usize) {
    let endpoint = endpoint();
    say(endpoint.local_addr().expect("bound"));
    let connection = accept(&endpoint).await;
    for _ in 0..count {
        receive(&connection).await;
    }
    say("done");
    std::future::pending().await
}

/// Sends so many shards as fast as it goes.
pub(crate) async fn flat_sender(to: SocketAddr, count: usize) {
    let endpoint = endpoint();
    let connection = dial(&endpoint, to).await;
    let blocks = load::shards(load::BLOCKS);
    say("ready");
    told().await;
    for shard in blocks.iter().flatten().cycle().take(count) {
        send(&connection, shard.encoded().clone()).await;
    }
    std::future::pending().await
}
