//! Shards in datagrams: cut to size, numbered, and asked for again by number when one is missing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use quinn::Connection;
use tokio::sync::mpsc;

use super::Out;

/// Sequence number, piece, pieces of the shard.
const HEADER: usize = 4 + 1 + 1;
/// Pieces kept for repair: a second of ten stripes.
const KEPT: u32 = 1_024;
/// How often the receiver looks for what is missing.
const TICK: Duration = Duration::from_millis(5);
/// A piece is given up after this.
const LIFETIME: Duration = Duration::from_secs(1);

/// Every datagram has the next number; a repair has the old one.
pub(super) async fn feed(connection: Connection, mut shards: mpsc::Receiver<Out>) {
    let mut kept: BTreeMap<u32, Bytes> = BTreeMap::new();
    let mut next = 0_u32;
    loop {
        tokio::select! {
            shard = shards.recv() => {
                let Some(shard) = shard else { return };
                let size = connection.max_datagram_size().expect("datagrams") - HEADER;
                let count = shard.bytes.len().div_ceil(size);
                let size = shard.bytes.len().div_ceil(count);
                for (piece, bytes) in shard.bytes.chunks(size).enumerate() {
                    let mut datagram = BytesMut::with_capacity(HEADER + size);
                    datagram.put_u32(next);
                    datagram.put_u8(piece as u8);
                    datagram.put_u8(count as u8);
                    datagram.put_slice(bytes);
                    let datagram = datagram.freeze();
                    let _ = connection.send_datagram(datagram.clone());
                    kept.insert(next, datagram);
                    next += 1;
                    kept.remove(&next.wrapping_sub(KEPT));
                }
            }
            asked = connection.read_datagram() => {
                let Ok(asked) = asked else { return };
                for number in asked.chunks_exact(4) {
                    let number = u32::from_be_bytes(*number.first_chunk().expect("four"));
                    if let Some(datagram) = kept.get(&number) {
                        let _ = connection.send_datagram(datagram.clone());
                    }
                }
            }
        }
    }
}

/// What the receiver knows of pieces.
#[derive(Default)]
struct Pieces {
    /// The number after the highest seen.
    next: u32,
    /// Missing numbers: since when, and when to ask.
    missing: BTreeMap<u32, (Instant, Instant)>,
    /// By the number of a shard's first piece: the pieces here, and how many it has.
    shards: BTreeMap<u32, (BTreeMap<u8, Bytes>, u8)>,
}

impl Pieces {
    /// Takes a piece; returns the shard that it completes.
    fn take(&mut self, now: Instant, datagram: &Bytes) -> Option<Vec<u8>> {
        let number = u32::from_be_bytes(*datagram.first_chunk()?);
        let (piece, count) = (datagram[4], datagram[5]);
        let first = number - u32::from(piece);
        let last = first + u32::from(count) - 1;
        let is_new = number >= self.next;
        for number in self.next..number {
            self.missing.insert(number, (now, now));
        }
        // The rest of the shard is due: it was sent at the same time.
        for number in self.next.max(number + 1)..=last {
            self.missing.insert(number, (now, now + TICK));
        }
        self.next = self.next.max(last + 1);
        let was_missing = self.missing.remove(&number).is_some();
        if !is_new && !was_missing {
            return None; // came twice
        }
        let (pieces, _) = self.shards.entry(first).or_insert_with(|| (BTreeMap::new(), count));
        pieces.insert(piece, datagram.slice(HEADER..));
        if pieces.len() < usize::from(count) {
            return None;
        }
        let (pieces, _) = self.shards.remove(&first)?;
        Some(pieces.into_values().flatten().collect())
    }

    /// What to ask for.
    fn ask(&mut self, now: Instant, rtt: Duration) -> BytesMut {
        self.missing.retain(|_, (since, _)| now.duration_since(*since) < LIFETIME);
        let mut ask = BytesMut::new();
        for (number, (_, at)) in &mut self.missing {
            if *at <= now && ask.len() < 1_000 {
                *at = now + rtt * 5 / 4 + TICK;
                ask.put_u32(*number);
            }
        }
        ask
    }
}

pub(super) async fn take(connection: Connection, arrived: impl Fn(&[u8]) + Send + Sync + 'static) {
    let mut pieces = Pieces::default();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            datagram = connection.read_datagram() => {
                let Ok(datagram) = datagram else { return };
                if let Some(shard) = pieces.take(Instant::now(), &datagram) {
                    arrived(&shard);
                }
            }
            _ = tick.tick(), if !pieces.missing.is_empty() => {}
        }
        let ask = pieces.ask(Instant::now(), connection.rtt());
        if !ask.is_empty() {
            let _ = connection.send_datagram(ask.freeze());
        }
    }
}
