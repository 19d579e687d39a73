//! One connection of a link: its tasks, and the handle the driver sends through.

use super::control::{self, ControlSender};
use super::shards::{self, ShardSender};
use super::{LinkEvent, LinkStats};
use crate::transport::{self, congestion::Outgo};
use banyan_protocol::capacity::Sent;
use banyan_protocol::identity::NodeId;
use bytes::Bytes;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A connection and its send queues.
pub(super) struct Connection {
    quinn: quinn::Connection,
    control: ControlSender,
    shards: ShardSender,
    reader: JoinHandle<()>,
    /// Bytes acknowledged when it was last looked at.
    acked_bytes: u64,
}

impl Connection {
    /// Starts the tasks that read and write. They end with the connection, and the reader's last
    /// word is [`LinkEvent::Down`].
    pub(super) fn start(link: transport::Link, events: mpsc::Sender<LinkEvent>) -> Self {
        let transport::Link { node, connection, .. } = link;
        let (control, outgoing) = control::queue();
        let shards = ShardSender::start(connection.clone());
        let reader = tokio::spawn(read(connection.clone(), node, events, outgoing));
        Self { quinn: connection, control, shards, reader, acked_bytes: 0 }
    }

    pub(super) fn id(&self) -> usize {
        self.quinn.stable_id()
    }

    pub(super) fn rtt(&self) -> Duration {
        self.quinn.rtt()
    }

    /// What the connection took since this was last asked.
    pub(super) fn sent(&mut self, now: Instant) -> Option<Sent> {
        let outgo = Outgo::of(&self.quinn)?;
        let acked = outgo.acked_bytes.saturating_sub(self.acked_bytes);
        self.acked_bytes = outgo.acked_bytes;
        Some(Sent { acked, queue: outgo.queue(now) })
    }

    pub(super) fn send_control(&mut self, message: Bytes) {
        if self.control.send(message).is_err() {
            // It has not read for a long time: whatever is sent now would be stale.
            self.quinn.close(transport::link::CLOSE_BUSY.into(), b"control queue full");
        }
    }

    pub(super) fn send_shard(&mut self, now: Instant, channel: u32, block: u64, shard: Bytes) {
        self.shards.send(now, channel, block, shard);
    }

    pub(super) fn close(&self, code: u32, reason: &[u8]) {
        self.quinn.close(code.into(), reason);
    }

    /// Closes the connection once the peer has what was said, or has had its time.
    pub(super) async fn finish(self) {
        let Self { control, shards, reader, .. } = self;
        drop((control, shards));
        let _ = reader.await;
    }

    pub(super) fn stats(&self, node: NodeId) -> LinkStats {
        let stats = self.quinn.stats();
        LinkStats {
            node,
            address: self.quinn.remote_address(),
            rtt: self.quinn.rtt(),
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            lost_packets: stats.path.lost_packets,
            shards_shed: self.shards.shed(),
        }
    }
}

async fn read(
    connection: quinn::Connection,
    node: NodeId,
    events: mpsc::Sender<LinkEvent>,
    outgoing: control::Outgoing,
) {
    let cause = tokio::select! {
        cause = control::run(&connection, node, &events, outgoing) => cause,
        cause = shards::receive(&connection, node, &events) => cause,
        error = connection.closed() => error.to_string(),
    };
    tracing::debug!(peer = %node.short(), cause, "connection down");
    connection.close(transport::link::CLOSE_DONE.into(), b"");
    let _ = events.send(LinkEvent::Down(node, connection.stable_id(), cause)).await;
}
