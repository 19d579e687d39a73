//! The control stream of a link: messages with their length before them.

use super::LinkEvent;
use banyan_protocol::identity::NodeId;
use banyan_protocol::limits::CONTROL_BYTES_MAX;
use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages waiting to be written. Derived: a full announcement round of 20 stripes to one peer is
/// below 100; a peer that is further behind is gone.
const QUEUE_MAX: usize = 512;
/// The dialler opens the stream at once. Derived: two retransmissions at a poor round trip.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Last words are waited for at most this long. Derived: two round trips of a slow path.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(600);
/// Control goes before any shard: shards have priorities below zero.
const PRIORITY: i32 = 1;

/// The sending end of the queue.
pub(super) type ControlSender = Sender;
/// The messages to write.
pub(super) type Outgoing = mpsc::Receiver<Bytes>;

/// Hands messages to the task that writes them.
pub(super) struct Sender(mpsc::Sender<Bytes>);

impl Sender {
    /// Queues a message.
    ///
    /// # Errors
    /// If the peer reads too slowly.
    pub(super) fn send(&self, message: Bytes) -> Result<(), ()> {
        match self.0.try_send(message) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(()),
            // Closed: the connection's end is reported by its reader.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }
}

pub(super) fn queue() -> (ControlSender, Outgoing) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    (Sender(sender), receiver)
}

/// Reads and writes control messages until the connection ends, and says why it did.
pub(super) async fn run(
    connection: &quinn::Connection,
    node: NodeId,
    events: &mpsc::Sender<LinkEvent>,
    outgoing: Outgoing,
) -> String {
    let opened = match connection.side() {
        quinn::Side::Client => open(connection).await,
        quinn::Side::Server => tokio::time::timeout(OPEN_TIMEOUT, connection.accept_bi())
            .await
            .map_err(|_| "no control stream".to_owned())
            .and_then(|opened| opened.map_err(|error| error.to_string())),
    };
    let (send, receive) = match opened {
        Ok(streams) => streams,
        Err(cause) => return cause,
    };
    let _ = send.set_priority(PRIORITY);
    tokio::select! {
        cause = write(send, outgoing) => cause,
        cause = read(receive, node, events) => cause,
    }
}

async fn open(connection: &quinn::Connection) -> Result<(SendStream, RecvStream), String> {
    let (mut send, receive) = connection.open_bi().await.map_err(|error| error.to_string())?;
    // The other end sees a stream only once something came on it.
    send.write_all(&[0, 0]).await.map_err(|error| error.to_string())?;
    Ok((send, receive))
}

async fn write(mut send: SendStream, mut outgoing: Outgoing) -> String {
    while let Some(message) = outgoing.recv().await {
        let length = (message.len() as u16).to_be_bytes();
        let mut chunks = [Bytes::copy_from_slice(&length), message];
        if let Err(error) = send.write_all_chunks(&mut chunks).await {
            return error.to_string();
        }
    }
    // Nothing more will be said; what was said shall arrive.
    let _ = send.finish();
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, send.stopped()).await;
    "left".to_owned()
}

async fn read(mut receive: RecvStream, node: NodeId, events: &mpsc::Sender<LinkEvent>) -> String {
    loop {
        let mut length = [0; 2];
        if let Err(error) = receive.read_exact(&mut length).await {
            return error.to_string();
        }
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            continue;
        }
        if length > CONTROL_BYTES_MAX {
            // The core cuts whoever sends what is no message, in every session: no bytes are none.
            if events.send(LinkEvent::Control(node, Bytes::new())).await.is_err() {
                return "the node shuts down".to_owned();
            }
            return std::future::pending().await;
        }
        let mut message = vec![0; length];
        if let Err(error) = receive.read_exact(&mut message).await {
            return error.to_string();
        }
        if events.send(LinkEvent::Control(node, message.into())).await.is_err() {
            return "the node shuts down".to_owned();
        }
    }
}
