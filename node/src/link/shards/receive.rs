//! Receiving: each stream to its end, whichever ends first.

use crate::link::LinkEvent;
use banyan_protocol::identity::NodeId;
use banyan_protocol::limits::BLOCK_BYTES_MAX;
use bytes::{Buf, Bytes};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use quinn::RecvStream;
use tokio::sync::mpsc;

/// Longest shard with its channel. Derived: one data shard can be a whole block.
pub(super) const STREAM_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1_024;
/// Streams read at once; further ones wait in QUIC. Derived: two seconds of 20 stripes.
const READS_MAX: usize = 1_024;

/// Reads shards until the connection ends, and says why it did.
pub(in crate::link) async fn receive(
    connection: &quinn::Connection,
    node: NodeId,
    events: &mpsc::Sender<LinkEvent>,
) -> String {
    let mut reads = FuturesUnordered::new();
    loop {
        let read = tokio::select! {
            stream = connection.accept_uni(), if reads.len() < READS_MAX => match stream {
                Ok(stream) => {
                    // Mostly all of it is there by now, and nothing has to wait.
                    let mut read = read_one(stream).boxed();
                    match (&mut read).now_or_never() {
                        Some(read) => read,
                        None => {
                            reads.push(read);
                            continue;
                        }
                    }
                }
                Err(error) => return error.to_string(),
            },
            Some(read) = reads.next(), if !reads.is_empty() => read,
        };
        let Some((channel, shard)) = read else { continue };
        if events.send(LinkEvent::Shard(node, channel, shard)).await.is_err() {
            return "the node shuts down".to_owned();
        }
    }
}

/// One stream's channel and shard; nothing if it was reset, or too long or short for a shard.
async fn read_one(mut stream: RecvStream) -> Option<(u32, Bytes)> {
    let mut bytes = Bytes::from(stream.read_to_end(STREAM_BYTES_MAX).await.ok()?);
    let channel = u32::from_be_bytes(*bytes.first_chunk()?);
    bytes.advance(4);
    Some((channel, bytes))
}
