//! One viewer: what it gets next, and what it asks for.

use std::time::{Duration, Instant};

use banyan_protocol::coding::Track;
use bytes::Bytes;
use rtc::rtcp;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

use super::pace::Pace;
use super::stream::Stream;
use super::track::Outgoing;
use crate::gateway::connection::Connection;
use crate::gateway::limits;
use crate::gateway::network::Network;

/// What is counted about a viewer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) nacked: u64,
    pub(crate) retransmitted: u64,
    pub(crate) keyframe_requests: u64,
    pub(crate) replays: u64,
    pub(crate) lost: u64,
    pub(crate) fraction_lost: u8,
    pub(crate) round_trip: Option<Duration>,
}

/// What a viewer's feedback asks of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Nothing,
    /// A keyframe that the cache cannot give.
    Keyframe,
}

/// One viewer, without its transport.
#[derive(Debug)]
pub(crate) struct Viewer {
    video: Option<Outgoing>,
    audio: Option<Outgoing>,
    /// No video before the next keyframe.
    waiting: bool,
    pace: Pace,
    replayed: Option<Instant>,
    next_report: Instant,
    /// Retransmissions left until the next report.
    retransmissions: u32,
    backlog: bool,
    buffer: Vec<u8>,
    pub(crate) counters: Counters,
}

impl Viewer {
    pub(crate) fn new(now: Instant, video: Option<Outgoing>, audio: Option<Outgoing>) -> Self {
        Self {
            video,
            audio,
            waiting: true,
            pace: Pace::new(now),
            replayed: None,
            next_report: now,
            retransmissions: limits::RETRANSMISSIONS_PER_SECOND_MAX,
            backlog: false,
            buffer: Vec::with_capacity(1500),
            counters: Counters::default(),
        }
    }

    /// Packets and payload bytes sent, retransmissions not counted.
    pub(crate) fn sent(&self) -> (u64, u64) {
        let tracks = [&self.video, &self.audio].into_iter().flatten();
        tracks
            .fold((0, 0), |(packets, bytes), track| (packets + track.packets, bytes + track.bytes))
    }

    /// Starts: the picture with the cached keyframe, the sound with what is next.
    pub(crate) fn start(&mut self, now: Instant, stream: &Stream) -> Asks {
        if let Some(audio) = &mut self.audio {
            audio.jump(stream.ring(Track::Audio).head());
        }
        self.next_report = now;
        self.replay(now, stream)
    }

    fn replay(&mut self, now: Instant, stream: &Stream) -> Asks {
        let Some(video) = &mut self.video else { return Asks::Nothing };
        match stream.group() {
            Some(group) => {
                video.replay(group.video, stream.ring(Track::Video));
                self.waiting = false;
                self.replayed = Some(now);
                self.backlog = true;
                // A long group takes long to catch up with, and the viewer's sound would be held
                // back for its picture meanwhile: the next keyframe ends the replay.
                if group.is_short(now) { Asks::Nothing } else { Asks::Keyframe }
            }
            None => Asks::Keyframe,
        }
    }

    /// A group starts: who waits for a keyframe has it, and who still replays the last group can
    /// leave the rest of it out.
    pub(crate) fn new_group(&mut self, stream: &Stream) {
        let Some((video, group)) = self.video.as_mut().zip(stream.group()) else { return };
        if self.waiting || video.is_replaying() {
            video.jump(group.video);
            self.waiting = false;
        }
    }

    /// Sends what may go now.
    ///
    /// # Errors
    /// If a packet cannot be sealed.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        stream: &Stream,
        connection: &mut Connection,
        network: &mut Network,
    ) -> anyhow::Result<Asks> {
        self.pace.fill(now, stream.bps());
        self.backlog = false;
        let mut asks = Asks::Nothing;
        // Sound first: it is small, and a gap in it is heard before a late picture is seen.
        if let Some(audio) = &mut self.audio {
            let ring = stream.ring(Track::Audio);
            if audio.next_packet() < ring.tail() {
                audio.jump(ring.tail());
            }
            while let Some(stored) = ring.get(audio.next_packet()) {
                if let Some(header) = audio.advance(stored) {
                    header.write(&stored.payload, &mut self.buffer);
                    self.pace.take(self.buffer.len());
                    connection.send_rtp(&self.buffer, network)?;
                }
            }
        }
        if let (Some(video), false) = (&mut self.video, self.waiting) {
            let ring = stream.ring(Track::Video);
            while let Some(stored) = ring.get(video.next_packet()) {
                if !self.pace.take(stored.payload.len()) {
                    self.backlog = true;
                    break;
                }
                if let Some(header) = video.advance(stored) {
                    header.write(&stored.payload, &mut self.buffer);
                    connection.send_rtp(&self.buffer, network)?;
                }
            }
            if video.next_packet() < ring.tail() {
                // Fell behind by more than is kept: only a keyframe helps.
                self.waiting = true;
                asks = self.replay(now, stream);
            }
        }
        network.flush();
        Ok(asks)
    }

    /// Takes the viewer's RTCP.
    ///
    /// # Errors
    /// If a packet cannot be sealed.
    pub(crate) fn handle_rtcp(
        &mut self,
        now: Instant,
        packets: &[Box<dyn rtcp::Packet>],
        stream: &Stream,
        connection: &mut Connection,
        network: &mut Network,
    ) -> anyhow::Result<Asks> {
        let mut asks = Asks::Nothing;
        for packet in packets {
            let packet = packet.as_any();
            if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                self.retransmit(nack, stream, connection, network)?;
            } else if packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>() {
                self.counters.keyframe_requests += 1;
                let recent = self
                    .replayed
                    .is_some_and(|at| now.saturating_duration_since(at) < limits::REPLAY_INTERVAL);
                asks = match stream.group() {
                    // A browser asks until the first keyframe is whole: it is on its way.
                    _ if recent => asks,
                    Some(group) if group.is_short(now) => {
                        self.counters.replays += 1;
                        self.replay(now, stream)
                    }
                    _ => Asks::Keyframe,
                };
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                self.note(now, &report.reports);
            } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
                self.note(now, &report.reports);
            }
        }
        network.flush();
        Ok(asks)
    }

    fn retransmit(
        &mut self,
        nack: &TransportLayerNack,
        stream: &Stream,
        connection: &mut Connection,
        network: &mut Network,
    ) -> anyhow::Result<()> {
        let tracks = [(&self.video, Track::Video), (&self.audio, Track::Audio)];
        let asked = tracks.into_iter().find_map(|(outgoing, track)| {
            let outgoing = outgoing.as_ref().filter(|o| o.ssrc() == nack.media_ssrc)?;
            Some((outgoing, stream.ring(track)))
        });
        let Some((outgoing, ring)) = asked else { return Ok(()) };
        for sequence in nack.nacks.iter().flat_map(|pair| pair.packet_list()) {
            self.counters.nacked += 1;
            if self.retransmissions == 0 {
                break;
            }
            if let Some((header, stored)) = outgoing.find(sequence, ring) {
                self.retransmissions -= 1;
                self.counters.retransmitted += 1;
                header.write(&stored.payload, &mut self.buffer);
                connection.send_rtp(&self.buffer, network)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, now: Instant, reports: &[ReceptionReport]) {
        for report in reports {
            let tracks = [&self.video, &self.audio].into_iter().flatten();
            let Some(track) = tracks.into_iter().find(|track| track.ssrc() == report.ssrc) else {
                continue;
            };
            if let Some(sent) = track.reported_at(report.last_sender_report) {
                // spec: RFC 3550 section 6.4.1, DLSR counts 1/65536 s.
                let held = Duration::from_micros(u64::from(report.delay) * 1_000_000 / 65_536);
                let since = now.saturating_duration_since(sent);
                self.counters.round_trip = Some(since.saturating_sub(held));
            }
            if self.video.as_ref().is_some_and(|video| video.ssrc() == report.ssrc) {
                self.counters.lost = u64::from(report.total_lost);
                self.counters.fraction_lost = report.fraction_lost;
            }
        }
    }

    /// The sender reports, if they are due.
    pub(crate) fn poll_reports(
        &mut self,
        now: Instant,
        stream: &Stream,
    ) -> Option<Vec<Box<dyn rtcp::Packet>>> {
        if now < self.next_report {
            return None;
        }
        if self.video.as_ref().is_some_and(Outgoing::is_replaying) {
            // A viewer that knew the tracks' one clock now would hold back its sound, for long,
            // to match a picture that is about to catch up.
            self.next_report = now + limits::PACE_INTERVAL;
            return None;
        }
        self.next_report = now + limits::REPORT_INTERVAL;
        self.retransmissions = limits::RETRANSMISSIONS_PER_SECOND_MAX;
        let mut packets: Vec<Box<dyn rtcp::Packet>> = Vec::new();
        let tracks = [(&mut self.video, Track::Video), (&mut self.audio, Track::Audio)];
        for (outgoing, track) in tracks {
            let (Some(outgoing), Some(moment)) = (outgoing, stream.ring(track).last()) else {
                continue;
            };
            let (ntp_time, rtp_time) = outgoing.report(now, moment);
            packets.push(Box::new(SenderReport {
                ssrc: outgoing.ssrc(),
                ntp_time,
                rtp_time,
                packet_count: outgoing.packets as u32,
                octet_count: outgoing.bytes as u32,
                ..SenderReport::default()
            }));
            packets.push(Box::new(SourceDescription {
                chunks: vec![SourceDescriptionChunk {
                    source: outgoing.ssrc(),
                    items: vec![SourceDescriptionItem {
                        sdes_type: SdesType::SdesCname,
                        text: Bytes::from_static(b"banyan"),
                    }],
                }],
            }));
        }
        (!packets.is_empty()).then_some(packets)
    }

    /// The good-bye to the viewer's tracks.
    pub(crate) fn goodbye(&self) -> Vec<Box<dyn rtcp::Packet>> {
        let tracks = [&self.video, &self.audio].into_iter().flatten();
        let sources = tracks.map(Outgoing::ssrc).collect();
        vec![Box::new(Goodbye { sources, reason: Bytes::from_static(b"ended") })]
    }

    /// When there is something to do next.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        if self.backlog { now + limits::PACE_INTERVAL } else { self.next_report }
    }
}

#[cfg(test)]
mod tests;
