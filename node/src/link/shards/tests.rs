use super::send::{LIFETIME, QUEUE_MAX};
use super::*;
use crate::link::LinkEvent;
use crate::peer;
use crate::transport::limits::LINK_UNI_STREAMS_MAX;
use crate::transport::{Bound, Config, SharedQuic};
use banyan_protocol::identity::NodeId;
use bytes::Bytes;
use quinn::{Connection, ReadError, ReadToEndError, VarInt};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

const NODE: NodeId = NodeId::from_bytes([1; 32]);

/// Two nodes and the connection between them, as the sender and the receiver have it. Tests run on
/// one thread: nothing leaves before the test waits for something.
struct Pair {
    from: Connection,
    to: Connection,
    _nodes: [Bound; 2],
}

async fn pair() -> Pair {
    let bind = |seed| {
        let config = Config { ip6: None, ..Config::loopback() };
        SharedQuic::bind(&peer::keypair([seed; 32]), &config).expect("loopback binds")
    };
    let (a, mut b) = (bind(1), bind(2));
    let (peer, address) = (b.shared.local_peer(), b.shared.local_addrs()[0]);
    let from = a.shared.dial_link(peer, address).await.expect("a link").connection;
    let to = b.links.recv().await.expect("a link").connection;
    // The acceptor allows streams only once it knows that it has a link.
    drop(from.open_uni().await.expect("a stream"));
    to.accept_uni().await.expect("a stream").read_to_end(0).await.expect("empty");
    Pair { from, to, _nodes: [a, b] }
}

/// Reads what comes on a connection, as a link does.
fn read(connection: Connection) -> mpsc::Receiver<LinkEvent> {
    let (events, queue) = mpsc::channel(1024);
    tokio::spawn(async move { receive(&connection, NODE, &events).await });
    queue
}

async fn shard(queue: &mut mpsc::Receiver<LinkEvent>) -> (u32, Bytes) {
    match queue.recv().await {
        Some(LinkEvent::Shard(NODE, channel, shard)) => (channel, shard),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_shard_comes_with_its_channel() {
    let pair = pair().await;
    let mut queue = read(pair.to.clone());
    let mut sender = ShardSender::start(pair.from.clone());
    for (channel, len) in [(7, 0), (7, 1), (u32::MAX, 2_100), (0, 200_000)] {
        let bytes = Bytes::from(vec![channel as u8; len]);
        sender.send(Instant::now(), channel, 1, bytes.clone());
        assert_eq!(shard(&mut queue).await, (channel, bytes));
    }
    assert_eq!(sender.shed(), 0);
}

#[tokio::test]
async fn older_blocks_go_first() {
    let pair = pair().await;
    let mut queue = read(pair.to.clone());
    let mut sender = ShardSender::start(pair.from.clone());
    for block in (0..100_u8).rev() {
        sender.send(Instant::now(), 0, block.into(), vec![block; 2_000].into());
    }
    // The congestion window lets some 7 of them go before anything is acknowledged.
    let (_, first) = shard(&mut queue).await;
    assert!(first[0] < 10, "block {} came first", first[0]);
    for _ in 1..100 {
        shard(&mut queue).await;
    }
}

#[tokio::test]
async fn a_late_shard_is_reset() {
    let pair = pair().await;
    let mut sender = ShardSender::start(pair.from.clone());
    let now = Instant::now();
    sender.send(now, 0, 1, vec![1; 2_000].into());
    sender.send(now + LIFETIME * 2, 0, 2, vec![2; 2_000].into());
    let mut late = pair.to.accept_uni().await.expect("a stream");
    let code = VarInt::from_u32(RESET_LATE);
    assert_eq!(late.read_to_end(4_000).await, Err(ReadToEndError::Read(ReadError::Reset(code))));
    let mut next = pair.to.accept_uni().await.expect("a stream");
    assert_eq!(next.read_to_end(4_000).await.expect("in time").len(), 2_004);
}

#[tokio::test]
async fn what_finds_the_queue_full_is_shed() {
    let pair = pair().await;
    let mut queue = read(pair.to.clone());
    let mut sender = ShardSender::start(pair.from.clone());
    let mut send = |count: usize| {
        (0..count).for_each(|block| sender.send(Instant::now(), 0, block as u64, Bytes::new()));
        sender.shed()
    };
    let streams = LINK_UNI_STREAMS_MAX as usize;
    let shed = send(streams + QUEUE_MAX + 10);
    // One stream was opened before, and leave for one more may have come.
    assert!((10..=11).contains(&shed), "{shed}");
    // The rest is delivered.
    for _ in 0..streams + QUEUE_MAX + 10 - shed as usize {
        shard(&mut queue).await;
    }
}

#[tokio::test]
async fn what_is_no_shard_disturbs_none() {
    let pair = pair().await;
    let mut queue = read(pair.to.clone());
    let mut short = pair.from.open_uni().await.expect("a stream");
    short.write_all(&[0, 0, 1]).await.expect("room");
    short.finish().expect("open");
    let mut unfinished = pair.from.open_uni().await.expect("a stream");
    unfinished.write_all(&[0; 100]).await.expect("room");
    let mut reset = pair.from.open_uni().await.expect("a stream");
    reset.write_all(&[0; 100]).await.expect("room");
    reset.reset(VarInt::from_u32(9)).expect("open");
    let mut long = pair.from.open_uni().await.expect("a stream");
    // Stopped by the reader as soon as it is too long.
    let _ = long.write_all(&vec![0; super::receive::STREAM_BYTES_MAX + 1]).await;
    let _ = long.finish();

    ShardSender::start(pair.from.clone()).send(Instant::now(), 5, 1, Bytes::from_static(b"good"));
    assert_eq!(shard(&mut queue).await, (5, Bytes::from_static(b"good")));
    assert!(queue.try_recv().is_err());
}

#[tokio::test]
async fn nothing_is_copied_per_child() {
    struct Owned(Vec<u8>, #[allow(dead_code)] Arc<()>); // the second tells when it is dropped
    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let pairs = [pair().await, pair().await];
    let alive = Arc::new(());
    let bytes = Bytes::from_owner(Owned(vec![7; 2_000], alive.clone()));
    let mut queues = pairs.each_ref().map(|pair| read(pair.to.clone()));
    let mut senders = pairs.each_ref().map(|pair| ShardSender::start(pair.from.clone()));
    for sender in &mut senders {
        sender.send(Instant::now(), 0, 1, bytes.clone());
    }
    drop(bytes);
    // What was not sent yet is held by QUIC: these very bytes.
    assert_eq!(Arc::strong_count(&alive), 2);
    for queue in &mut queues {
        assert_eq!(shard(queue).await.1.len(), 2_000);
    }
}
