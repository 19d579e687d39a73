//! Strangers on links: what is no message cuts them, what is no shard leads nowhere.

use banyan_node::config::Watch;
use banyan_node::link::CLOSE_VIOLATION;
use banyan_node::transport::Link;
use banyan_protocol::limits::{BLOCK_BYTES_MAX, CONTROL_BYTES_MAX};
use quinn::{ConnectionError, VarInt};

use crate::evening::{Evening, Target, soon, stranger};

/// The first channel a node gives out.
const CHANNEL: [u8; 4] = [0, 0, 0, 1];

/// Opens the control stream with these bytes. Dropping the stream would end it.
async fn babble(link: &Link, bytes: &[u8]) -> (quinn::SendStream, quinn::RecvStream) {
    let (mut send, receive) = link.connection.open_bi().await.expect("a stream");
    send.write_all(bytes).await.expect("there is room");
    (send, receive)
}

async fn shard(link: &Link, bytes: &[u8]) {
    let mut send = link.connection.open_uni().await.expect("a stream");
    send.write_all(bytes).await.expect("there is room");
    send.finish().expect("once");
}

/// The code the node closed the link with.
async fn closed(link: &Link) -> u64 {
    match soon("the end", link.connection.closed()).await {
        ConnectionError::ApplicationClosed(close) => close.error_code.into(),
        other => panic!("not closed by the node: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_breaks_the_rules_of_a_link_is_cut_and_the_viewer_misses_nothing() {
    let evening = Evening::start("links-cut", Watch::Open).await;
    let garbage = [&[0, 200][..], &[0xff; 200]].concat();
    let too_long = ((CONTROL_BYTES_MAX + 1) as u16).to_be_bytes();
    let whole_channel = [&CHANNEL[..], &[0xff; 2_000]].concat();
    for (number, target) in [&evening.root, &evening.viewer].into_iter().enumerate() {
        let bound = stranger(10 + number as u8);
        for bytes in [&[0xff, 0xff][..], &too_long, &garbage, &[0, 0, 0, 1, 0]] {
            let link = target.link(&bound).await;
            let _streams = babble(&link, bytes).await;
            assert_eq!(closed(&link).await, u64::from(CLOSE_VIOLATION), "{bytes:?}");
        }
        for bytes in [&whole_channel[..], &CHANNEL] {
            let link = target.link(&bound).await;
            let _streams = babble(&link, &[0, 0]).await;
            shard(&link, bytes).await;
            assert_eq!(closed(&link).await, u64::from(CLOSE_VIOLATION), "{} bytes", bytes.len());
        }
    }
    evening.undisturbed().await;
}

/// Everything that is not worth a cut, all at once and held open.
async fn nuisance(target: &Target, link: &Link) -> Vec<quinn::SendStream> {
    // Messages of no length, then half of one.
    let (control, _) = babble(link, &[[0; 2_000].as_slice(), &[0, 100, 1, 2]].concat()).await;
    let mut held = vec![control];
    for bytes in [&[][..], &[1, 2, 3], &[9, 9, 9, 9], &[9, 9, 9, 9, 1, 2, 3]] {
        shard(link, bytes).await;
    }
    // More than any shard, in a stream that would never end: the node stops it.
    let mut endless = link.connection.open_uni().await.expect("a stream");
    let chunk = vec![7; 64 << 10];
    let mut sent = 0;
    let stopped = loop {
        match soon("room", endless.write(&chunk)).await {
            Ok(written) => sent += written,
            Err(error) => break error,
        }
    };
    assert!(matches!(stopped, quinn::WriteError::Stopped(_)), "{stopped}");
    assert!(sent <= BLOCK_BYTES_MAX + (2 << 20), "{sent} bytes were taken");
    for _ in 0..300 {
        let mut send = link.connection.open_uni().await.expect("a stream");
        send.write_all(&CHANNEL).await.expect("there is room");
        send.reset(VarInt::from_u32(1)).expect("still open");
    }
    // Streams without end, as many as there may be.
    let opened = async {
        for _ in 0..4_000 {
            let mut send = link.connection.open_uni().await.expect("a stream");
            send.write_all(&[0]).await.expect("there is room");
            held.push(send);
        }
    };
    // The node reads a thousand at once; whether it takes the rest is its own affair.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), opened).await;
    target.plays(1).await;
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_messages_and_endless_streams_disturb_nobody() {
    let evening = Evening::start("links-nuisance", Watch::Open).await;
    let (to_root, to_viewer) = (stranger(20), stranger(21));
    let (a, b) = (evening.root.link(&to_root).await, evening.viewer.link(&to_viewer).await);
    let held = (nuisance(&evening.root, &a).await, nuisance(&evening.viewer, &b).await);
    // One that never says anything is let go.
    let mute = stranger(22);
    let silent = evening.viewer.link(&mute).await;
    assert_eq!(closed(&silent).await, 0);
    evening.undisturbed().await;
    drop(held);
}
