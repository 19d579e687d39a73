//! Media between publishers, the node and viewers.

use std::collections::BTreeSet;
use std::time::Instant;

use banyan_protocol::coding::{Block, Track};
use banyan_protocol::identity::SessionId;
use rtc::rtcp;

use super::{Channel, Engine, Peer, Role};
use crate::gateway::event::{GatewayEvent, Gone};
use crate::gateway::limits;
use crate::gateway::playback::stream::Stream;
use crate::gateway::playback::viewer::Asks;

impl Engine {
    /// Serves the next block of a session to its viewers.
    pub(crate) fn deliver(&mut self, now: Instant, session: SessionId, block: &Block) {
        if !self.channels.contains_key(&session) {
            if self.channels.len() >= limits::STREAMS_MAX {
                tracing::warn!(session = %session.short(), "too many sessions; not served");
                return;
            }
            let (stream, viewers) = (Stream::new(now), BTreeSet::new());
            self.channels.insert(session, Channel { stream, viewers, keyframe_wanted: None });
        }
        let Some(channel) = self.channels.get_mut(&session) else { return };
        let delivered = channel.stream.deliver(now, block);
        let viewers: Vec<u64> = channel.viewers.iter().copied().collect();
        if delivered.gap && !delivered.new_group {
            self.want_keyframe(now, session);
        }
        for id in viewers {
            self.with_peer(now, id, |engine, peer| {
                if delivered.new_format {
                    return Ok(Some(Gone::Ended));
                }
                if delivered.new_group
                    && let Role::Viewer(viewer) = &mut peer.role
                    && let Some(channel) = engine.channels.get(&session)
                {
                    viewer.new_group(&channel.stream);
                }
                engine.serve(now, peer)?;
                Ok(None)
            });
        }
    }

    /// A block of a session is given up.
    pub(crate) fn lost(&mut self, now: Instant, session: SessionId, number: u64) {
        let Some(channel) = self.channels.get_mut(&session) else { return };
        if channel.stream.lost(now, number) {
            self.want_keyframe(now, session);
        }
    }

    /// A session is over: its viewers are told.
    pub(crate) fn ended(&mut self, now: Instant, session: SessionId) {
        let Some(channel) = self.channels.remove(&session) else { return };
        for id in channel.viewers {
            self.with_peer(now, id, |_, _| Ok(Some(Gone::Ended)));
        }
    }

    /// Asks the session's publisher, if it is here, for a keyframe.
    pub(crate) fn request_keyframe(&mut self, now: Instant, session: SessionId) {
        let Some(&id) = self.publishers.get(&session) else { return };
        self.with_peer(now, id, |engine, peer| {
            if let Role::Publisher(publisher) = &mut peer.role
                && let Some(request) = publisher.keyframe_request()
            {
                peer.connection.send_rtcp(&request, &mut engine.network)?;
            }
            Ok(None)
        });
    }

    /// Asks the session's publisher, if it is here, for packets again.
    pub(crate) fn nack(&mut self, now: Instant, session: SessionId, track: Track, lost: &[u16]) {
        let Some(&id) = self.publishers.get(&session) else { return };
        self.with_peer(now, id, |engine, peer| {
            if let Role::Publisher(publisher) = &mut peer.role
                && let Some(request) = publisher.nack(track, lost)
            {
                peer.connection.send_rtcp(&request, &mut engine.network)?;
            }
            Ok(None)
        });
    }

    /// A peer's handshake is complete.
    pub(super) fn connected(
        &mut self,
        now: Instant,
        id: u64,
        peer: &mut Peer,
    ) -> anyhow::Result<()> {
        let session = peer.session;
        let took = now.saturating_duration_since(peer.connection.created());
        match &mut peer.role {
            Role::Publisher(publisher) => {
                let (format, nack) = (publisher.format().clone(), publisher.nack_tracks());
                tracing::info!(session = %session.short(), took_ms = took.as_millis() as u64,
                    "publisher connected");
                self.tell(GatewayEvent::PublisherConnected { session, format, nack });
            }
            Role::Viewer(viewer) => {
                self.tell(GatewayEvent::ViewerConnected { session, viewer: id, took });
                let Some(channel) = self.channels.get(&session) else { return Ok(()) };
                if viewer.start(now, &channel.stream) == Asks::Keyframe {
                    self.want_keyframe(now, session);
                }
                self.serve(now, peer)?;
            }
        }
        Ok(())
    }

    pub(super) fn handle_rtcp(
        &mut self,
        now: Instant,
        peer: &mut Peer,
        packets: Vec<Box<dyn rtcp::Packet>>,
    ) -> anyhow::Result<()> {
        let session = peer.session;
        match &mut peer.role {
            Role::Publisher(publisher) => {
                for report in publisher.handle_rtcp(now, packets)? {
                    self.tell(GatewayEvent::SenderReport { session, report });
                }
            }
            Role::Viewer(viewer) => {
                let Some(channel) = self.channels.get(&session) else { return Ok(()) };
                let (stream, connection) = (&channel.stream, &mut peer.connection);
                let asks =
                    viewer.handle_rtcp(now, &packets, stream, connection, &mut self.network)?;
                if asks == Asks::Keyframe {
                    self.want_keyframe(now, session);
                }
                self.serve(now, peer)?;
            }
        }
        Ok(())
    }

    /// Sends a peer what is ready for it.
    pub(super) fn serve(&mut self, now: Instant, peer: &mut Peer) -> anyhow::Result<()> {
        let connection = &mut peer.connection;
        if !connection.is_connected() {
            return Ok(());
        }
        match &mut peer.role {
            Role::Publisher(publisher) => {
                publisher.handle_timeout(now)?;
                while let Some(packets) = publisher.poll_rtcp() {
                    connection.send_rtcp(&packets, &mut self.network)?;
                }
            }
            Role::Viewer(viewer) => {
                let Some(channel) = self.channels.get(&peer.session) else { return Ok(()) };
                let asks = viewer.pump(now, &channel.stream, connection, &mut self.network)?;
                if let Some(reports) = viewer.poll_reports(now, &channel.stream) {
                    connection.send_rtcp(&reports, &mut self.network)?;
                }
                if asks == Asks::Keyframe {
                    self.want_keyframe(now, peer.session);
                }
            }
        }
        Ok(())
    }

    fn want_keyframe(&mut self, now: Instant, session: SessionId) {
        let Some(channel) = self.channels.get_mut(&session) else { return };
        let interval = limits::KEYFRAME_REQUEST_INTERVAL;
        let recent = |at| now.saturating_duration_since(at) < interval;
        if !channel.keyframe_wanted.is_some_and(recent) {
            channel.keyframe_wanted = Some(now);
            self.tell(GatewayEvent::KeyframeWanted { session });
        }
    }
}
