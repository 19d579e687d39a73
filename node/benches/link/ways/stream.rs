//! Shards on streams: one each, or one per stripe and group.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use quinn::{Connection, SendStream};
use tokio::sync::mpsc;

use super::Out;

const STREAM_BYTES_MAX: usize = 1 << 20;

fn priority(block: u64) -> i32 {
    -(block as i32) - 1
}

pub(super) async fn feed(connection: Connection, mut shards: mpsc::Receiver<Out>) {
    while let Some(shard) = shards.recv().await {
        let mut stream = connection.open_uni().await.expect("a stream");
        let _ = stream.set_priority(priority(shard.block));
        stream.write_chunk(shard.bytes).await.expect("room");
        let _ = stream.finish();
    }
}

pub(super) async fn take(connection: Connection, arrived: impl Fn(&[u8]) + Send + Sync + 'static) {
    let arrived = Arc::new(arrived);
    while let Ok(mut stream) = connection.accept_uni().await {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            arrived(&stream.read_to_end(STREAM_BYTES_MAX).await.expect("a shard"));
        });
    }
}

pub(super) async fn feed_groups(connection: Connection, mut shards: mpsc::Receiver<Out>) {
    let mut streams: BTreeMap<usize, SendStream> = BTreeMap::new();
    while let Some(shard) = shards.recv().await {
        if shard.block.is_multiple_of(crate::load::BLOCKS) {
            let stream = connection.open_uni().await.expect("a stream");
            let _ = stream.set_priority(priority(shard.block));
            // The stream of the group before ends where it is dropped.
            streams.insert(shard.stripe, stream);
        }
        let stream = streams.get_mut(&shard.stripe).expect("the first block starts a group");
        let length = Bytes::copy_from_slice(&(shard.bytes.len() as u32).to_be_bytes());
        stream.write_all_chunks(&mut [length, shard.bytes]).await.expect("room");
    }
}

pub(super) async fn take_groups(
    connection: Connection,
    arrived: impl Fn(&[u8]) + Send + Sync + 'static,
) {
    let arrived = Arc::new(arrived);
    while let Ok(mut stream) = connection.accept_uni().await {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            let mut length = [0; 4];
            while stream.read_exact(&mut length).await.is_ok() {
                let mut shard = vec![0; u32::from_be_bytes(length) as usize];
                stream.read_exact(&mut shard).await.expect("a shard");
                arrived(&shard);
            }
        });
    }
}
