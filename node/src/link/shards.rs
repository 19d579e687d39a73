//! Shards on a link: a unidirectional stream each, the child's channel first, then the shard.
//!
//! Loss on one stream delays no other shard. Older blocks have priority; a shard still on its way
//! when its time is up is reset, so that a slow link skips instead of falling behind.

use super::LinkEvent;
use banyan_protocol::identity::NodeId;
use banyan_protocol::limits::BLOCK_BYTES_MAX;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use quinn::{RecvStream, SendStream, VarInt};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Shards waiting for a stream. Derived: a second of 60 blocks/s in 8 stripes.
const QUEUE_MAX: usize = 512;
/// How long a shard is worth sending. Derived: a viewer's deadline is 400 ms, a pull takes one
/// round trip more, and the ring serves whoever comes later.
const LIFETIME: Duration = Duration::from_millis(1_000);
/// Longest shard with its channel. Derived: one data shard can be a whole block.
const STREAM_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1_024;
/// Streams read at once; further ones wait in QUIC. Derived: two seconds of 20 stripes.
const READS_MAX: usize = 1_024;
/// Application error code on a stream: too late to be of use. Spec: proto/SPEC.md#link.
const RESET_LATE: u32 = 1;

struct Outgoing {
    channel: u32,
    block: u64,
    shard: Bytes,
    queued: Instant,
}

/// Hands shards to the task that writes them.
pub(super) struct ShardSender {
    queue: mpsc::Sender<Outgoing>,
    shed: Arc<AtomicU64>,
}

impl ShardSender {
    pub(super) fn start(connection: quinn::Connection) -> Self {
        let (queue, outgoing) = mpsc::channel(QUEUE_MAX);
        let shed = Arc::new(AtomicU64::new(0));
        tokio::spawn(write(connection, outgoing, shed.clone()));
        Self { queue, shed }
    }

    /// Queues a shard; a full queue sheds it.
    pub(super) fn send(&self, channel: u32, block: u64, shard: Bytes) {
        let outgoing = Outgoing { channel, block, shard, queued: Instant::now() };
        if self.queue.try_send(outgoing).is_err() {
            self.shed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shards not sent because they were late or too many.
    pub(super) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }
}

async fn write(
    connection: quinn::Connection,
    mut outgoing: mpsc::Receiver<Outgoing>,
    shed: Arc<AtomicU64>,
) {
    // Streams that are written but perhaps not yet delivered, oldest first.
    let mut sent: VecDeque<(Instant, SendStream)> = VecDeque::new();
    while let Some(shard) = outgoing.recv().await {
        while sent.front().is_some_and(|(at, _)| at.elapsed() > LIFETIME) {
            if let Some((_, mut stream)) = sent.pop_front() {
                // An error means that it arrived long ago.
                let _ = stream.reset(VarInt::from_u32(RESET_LATE));
            }
        }
        let left = LIFETIME.saturating_sub(shard.queued.elapsed());
        match tokio::time::timeout(left, send_one(&connection, &shard)).await {
            Ok(Ok(stream)) => sent.push_back((shard.queued, stream)),
            Ok(Err(_)) => return, // the connection is gone, its reader says so
            Err(_) => {
                shed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Writes one shard on a stream of its own. Cancelled halfway, it resets the stream.
async fn send_one(
    connection: &quinn::Connection,
    shard: &Outgoing,
) -> Result<SendStream, quinn::ConnectionError> {
    let mut stream = ResetOnDrop(Some(connection.open_uni().await?));
    let mut channel = BytesMut::with_capacity(4);
    channel.put_u32(shard.channel);
    let mut chunks = [channel.freeze(), shard.shard.clone()];
    if let Some(open) = &mut stream.0 {
        let _ = open.set_priority(priority(shard.block));
        if let Err(quinn::WriteError::ConnectionLost(lost)) =
            open.write_all_chunks(&mut chunks).await
        {
            return Err(lost);
        }
        // Stopped by the child, who has it from elsewhere: as good as delivered.
        let _ = open.finish();
    }
    stream.0.take().ok_or(quinn::ConnectionError::LocallyClosed)
}

/// Dropping a quinn stream finishes it: a shard cut short must be reset instead.
struct ResetOnDrop(Option<SendStream>);

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        if let Some(stream) = &mut self.0 {
            let _ = stream.reset(VarInt::from_u32(RESET_LATE));
        }
    }
}

/// Older blocks first, all of them after control.
fn priority(block: u64) -> i32 {
    -((block & 0x3fff_ffff) as i32) - 1
}

/// Reads shards until the connection ends, and says why it did.
pub(super) async fn receive(
    connection: &quinn::Connection,
    node: NodeId,
    events: &mpsc::Sender<LinkEvent>,
) -> String {
    let mut reads = FuturesUnordered::new();
    loop {
        tokio::select! {
            stream = connection.accept_uni(), if reads.len() < READS_MAX => match stream {
                Ok(stream) => reads.push(read_one(stream)),
                Err(error) => return error.to_string(),
            },
            Some(read) = reads.next(), if !reads.is_empty() => {
                let Some((channel, shard)) = read else { continue };
                if events.send(LinkEvent::Shard(node, channel, shard)).await.is_err() {
                    return "the node shuts down".to_owned();
                }
            }
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
