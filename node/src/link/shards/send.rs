//! Sending: at once where the link takes it, else through a bounded queue.

use super::RESET_LATE;
use bytes::Bytes;
use futures::FutureExt;
use quinn::{ConnectionError, SendStream, VarInt, WriteError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Shards waiting for a stream. Derived: a second of 60 blocks/s in 8 stripes.
pub(super) const QUEUE_MAX: usize = 512;
/// How long a shard is worth sending. Derived: a viewer's deadline is 400 ms, a pull takes one
/// round trip more, and the ring serves whoever comes later.
pub(super) const LIFETIME: Duration = Duration::from_millis(1_000);

/// Sends shards to one child. The driver's own call does it; a task that waits exists only for a
/// link that does not take more just now, since waking one per child and shard costs as much as
/// sending.
pub(in crate::link) struct ShardSender {
    connection: quinn::Connection,
    queue: mpsc::Sender<Unsent>,
    counts: Arc<Counts>,
    sent: Sent,
    /// The last channel as it goes on a stream.
    channel: (u32, Bytes),
}

#[derive(Default)]
struct Counts {
    /// Shards in the queue or with its task: the next one must not overtake them.
    waiting: AtomicUsize,
    shed: AtomicU64,
}

/// A shard that is not, or not completely, with QUIC yet.
struct Unsent {
    queued: Instant,
    block: u64,
    stream: Option<OpenStream>,
    /// The channel and the shard, or what is left of them.
    chunks: [Bytes; 2],
}

impl ShardSender {
    pub(in crate::link) fn start(connection: quinn::Connection) -> Self {
        let (queue, outgoing) = mpsc::channel(QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        tokio::spawn(write(connection.clone(), outgoing, counts.clone()));
        let channel = (0, Bytes::from_static(&[0; 4]));
        Self { connection, queue, counts, sent: Sent::default(), channel }
    }

    /// Sends a shard, of which nothing is copied; one that finds the queue full is shed.
    pub(in crate::link) fn send(&mut self, now: Instant, channel: u32, block: u64, shard: Bytes) {
        self.sent.reset_late(now);
        if self.channel.0 != channel {
            self.channel = (channel, Bytes::copy_from_slice(&channel.to_be_bytes()));
        }
        let chunks = [self.channel.1.clone(), shard];
        let mut unsent = Unsent { queued: now, block, stream: None, chunks };
        if self.counts.waiting.load(Ordering::Acquire) == 0 {
            match unsent.advance(&self.connection).now_or_never() {
                Some(Ok(stream)) => return self.sent.push(now, stream),
                // The connection is gone, as its reader says.
                Some(Err(_)) => return,
                None => {}
            }
        }
        self.counts.waiting.fetch_add(1, Ordering::AcqRel);
        if self.queue.try_send(unsent).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::AcqRel);
            self.counts.shed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shards not sent because they were late or too many.
    pub(in crate::link) fn shed(&self) -> u64 {
        self.counts.shed.load(Ordering::Relaxed)
    }
}

impl Unsent {
    /// Opens its stream and writes what is left. Cancelled, it goes on where it stopped.
    async fn advance(
        &mut self,
        connection: &quinn::Connection,
    ) -> Result<SendStream, ConnectionError> {
        if self.stream.is_none() {
            let stream = connection.open_uni().await?;
            let _ = stream.set_priority(priority(self.block));
            self.stream = Some(OpenStream(Some(stream)));
        }
        let open = self.stream.as_mut().and_then(|stream| stream.0.as_mut());
        let open = open.ok_or(ConnectionError::LocallyClosed)?;
        if let Err(WriteError::ConnectionLost(lost)) = open.write_all_chunks(&mut self.chunks).await
        {
            return Err(lost);
        }
        // Else it was stopped by the child, who has the shard from elsewhere: as good as delivered.
        let _ = open.finish();
        self.stream.take().and_then(|mut stream| stream.0.take()).ok_or(ConnectionError::Reset)
    }
}

/// Dropping a quinn stream finishes it: a shard cut short must be reset instead.
struct OpenStream(Option<SendStream>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        if let Some(stream) = &mut self.0 {
            let _ = stream.reset(VarInt::from_u32(RESET_LATE));
        }
    }
}

/// Streams that are written but perhaps not yet delivered, oldest first.
#[derive(Default)]
struct Sent(VecDeque<(Instant, SendStream)>);

impl Sent {
    fn push(&mut self, queued: Instant, stream: SendStream) {
        self.0.push_back((queued, stream));
    }

    /// Gives up what has been on its way for too long.
    fn reset_late(&mut self, now: Instant) {
        let is_late = |(at, _): &mut (Instant, _)| now.saturating_duration_since(*at) > LIFETIME;
        while let Some((_, mut stream)) = self.0.pop_front_if(is_late) {
            // An error means that it arrived long ago.
            let _ = stream.reset(VarInt::from_u32(RESET_LATE));
        }
    }
}

async fn write(
    connection: quinn::Connection,
    mut outgoing: mpsc::Receiver<Unsent>,
    counts: Arc<Counts>,
) {
    let mut sent = Sent::default();
    while let Some(mut shard) = outgoing.recv().await {
        sent.reset_late(Instant::now());
        let left = LIFETIME.saturating_sub(shard.queued.elapsed());
        match tokio::time::timeout(left, shard.advance(&connection)).await {
            Ok(Ok(stream)) => sent.push(shard.queued, stream),
            Ok(Err(_)) => return, // the connection is gone, its reader says so
            Err(_) => {
                counts.shed.fetch_add(1, Ordering::Relaxed);
            }
        }
        counts.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Older blocks first, all of them after control.
fn priority(block: u64) -> i32 {
    -((block & 0x3fff_ffff) as i32) - 1
}
