//! One publisher: its RTP in, feedback for it out.
//!
//! Reception is reported (RR), and arrival times are fed back to its congestion control (TWCC), by
//! `rtc`'s interceptors, used here on their own. Which packets to ask for again (NACK) is decided
//! where they are put in order: by [`Ingest`](banyan_protocol::ingest::Ingest), in the node.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use banyan_protocol::coding::{Format, Track};
use banyan_protocol::ingest::RtpIn;
use bytes::{Buf, Bytes, BytesMut};
use rtc::interceptor::{
    AttributedPacket, BoxedInterceptor, Packet, RTCPFeedback, RTPHeaderExtension,
    ReceiverReportBuilder, Registry, Slot, StreamInfo, TaggedPacket, TwccReceiverBuilder,
};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::sender_report::SenderReport as RtcpSenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::marshal::Unmarshal;

use super::event::SenderReport;
use super::random;
use super::sdp::{Choice, Offer, TRANSPORT_CC};

/// Time between two congestion control reports. Spec: draft-holmer-rmcat-transport-wide-cc
/// section 4 has 50–250 ms.
const TWCC_INTERVAL: Duration = Duration::from_millis(50);

/// One track of a publisher.
struct Incoming {
    track: Track,
    choice: Choice,
    transport_cc: Option<u8>,
    clock_rate: u32,
    /// The source that sends it now.
    ssrc: Option<u32>,
}

/// What is counted about a publisher.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) nacked: u64,
    pub(crate) keyframe_requests: u64,
}

/// A publisher, without its transport.
pub(crate) struct Publisher {
    tracks: Vec<Incoming>,
    format: Format,
    feedback: BoxedInterceptor,
    /// Our own, in feedback.
    ssrc: u32,
    pub(crate) counters: Counters,
}

impl Publisher {
    /// A publisher that was told to send `choices` of its `offer`.
    pub(crate) fn new(offer: &Offer, choices: &[Choice], format: Format) -> Self {
        let tracks = choices
            .iter()
            .map(|choice| {
                let media = &offer.media[choice.media];
                let extension = media.extensions.iter().find(|e| e.uri == TRANSPORT_CC);
                let is_audio = choice.payload.channels > 0;
                Incoming {
                    track: if is_audio { Track::Audio } else { Track::Video },
                    choice: choice.clone(),
                    transport_cc: extension.map(|extension| extension.id),
                    clock_rate: choice.payload.clock_rate,
                    ssrc: None,
                }
            })
            .collect();
        let twcc = TwccReceiverBuilder::new().with_interval(TWCC_INTERVAL).build();
        let feedback = Registry::new()
            .with(Slot::TwccReceiver, twcc)
            .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
            .build();
        let feedback = Box::new(feedback);
        Self { tracks, format, feedback, ssrc: random_ssrc(), counters: Counters::default() }
    }

    /// What it was told to send.
    pub(crate) fn format(&self) -> &Format {
        &self.format
    }

    /// Takes an opened RTP packet. `None` where there is nothing for the session in it.
    ///
    /// # Errors
    /// If it is not RTP, or not of a payload type that was agreed on.
    pub(crate) fn handle_rtp(
        &mut self,
        now: Instant,
        mut packet: BytesMut,
    ) -> anyhow::Result<Option<RtpIn>> {
        self.counters.bytes += packet.len() as u64;
        self.counters.packets += 1;
        let packet = rtp::Packet::unmarshal(&mut packet)?;
        let number = packet.header.payload_type;
        let index = (self.tracks.iter())
            .position(|t| t.choice.payload.number == number || t.choice.rtx == Some(number))
            .with_context(|| format!("payload type {number} was not agreed on"))?;
        if self.tracks[index].choice.rtx != Some(number) {
            self.bind(index, packet.header.ssrc);
            self.feed(now, Packet::Rtp(packet.clone()))?;
            return Ok(Some(self.rtp_in(index, &packet)));
        }
        // A retransmission (RFC 4588): the congestion control counts it as what it is, all else
        // as the packet it repeats. One without content is a probe.
        self.feed(now, Packet::Rtp(packet.clone()))?;
        let (Some(ssrc), true) = (self.tracks[index].ssrc, packet.payload.len() > 2) else {
            return Ok(None);
        };
        let mut repeated = packet;
        repeated.header.ssrc = ssrc;
        repeated.header.payload_type = self.tracks[index].choice.payload.number;
        repeated.header.sequence_number = repeated.payload.get_u16();
        repeated.header.extensions.clear();
        repeated.header.extension = false;
        self.feed(now, Packet::Rtp(repeated.clone()))?;
        Ok(Some(self.rtp_in(index, &repeated)))
    }

    fn rtp_in(&self, index: usize, packet: &rtp::Packet) -> RtpIn {
        RtpIn {
            track: self.tracks[index].track,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            // A copy: the packet shares its buffer with header and padding, and the payload lives
            // long in blocks.
            payload: Bytes::copy_from_slice(&packet.payload),
        }
    }

    /// Takes opened RTCP packets; returns what they say about clocks.
    ///
    /// # Errors
    /// If an interceptor does not like them.
    pub(crate) fn handle_rtcp(
        &mut self,
        now: Instant,
        packets: Vec<Box<dyn rtcp::Packet>>,
    ) -> anyhow::Result<Vec<SenderReport>> {
        let report = |report: &RtcpSenderReport| {
            let track = self.tracks.iter().find(|track| track.ssrc == Some(report.ssrc))?.track;
            Some(SenderReport { track, ntp: report.ntp_time, rtp: report.rtp_time, arrived: now })
        };
        let reports =
            packets.iter().filter_map(|packet| report(packet.as_any().downcast_ref()?)).collect();
        self.feed(now, Packet::Rtcp(packets))?;
        Ok(reports)
    }

    /// The tracks on which it can be asked for lost packets.
    pub(crate) fn nack_tracks(&self) -> Vec<Track> {
        let can = |incoming: &&Incoming| incoming.choice.payload.has_feedback("nack");
        self.tracks.iter().filter(can).map(|incoming| incoming.track).collect()
    }

    /// A request for lost packets, once the track has been seen.
    pub(crate) fn nack(
        &mut self,
        track: Track,
        sequences: &[u16],
    ) -> Option<Vec<Box<dyn rtcp::Packet>>> {
        let media_ssrc = self.tracks.iter().find(|incoming| incoming.track == track)?.ssrc?;
        self.counters.nacked += sequences.len() as u64;
        let nacks = nack_pairs_from_sequence_numbers(sequences);
        let sender_ssrc = self.ssrc;
        Some(vec![Box::new(TransportLayerNack { sender_ssrc, media_ssrc, nacks })])
    }

    /// Feedback for the publisher that is ready to be sent.
    pub(crate) fn poll_rtcp(&mut self) -> Option<Vec<Box<dyn rtcp::Packet>>> {
        while let Some(tagged) = self.feedback.poll_write() {
            if let Packet::Rtcp(packets) = tagged.message.packet {
                return Some(packets);
            }
        }
        None
    }

    /// Does what is due; the result waits in [`Publisher::poll_rtcp`].
    ///
    /// # Errors
    /// If an interceptor fails.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> anyhow::Result<()> {
        Ok(self.feedback.handle_timeout(now)?)
    }

    /// When [`Publisher::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        self.feedback.poll_timeout()
    }

    /// A request for a keyframe, once video has been seen.
    pub(crate) fn keyframe_request(&mut self) -> Option<Vec<Box<dyn rtcp::Packet>>> {
        let video = self.tracks.iter().find(|track| track.track == Track::Video)?;
        let media_ssrc = video.ssrc?;
        self.counters.keyframe_requests += 1;
        Some(vec![Box::new(PictureLossIndication { sender_ssrc: self.ssrc, media_ssrc })])
    }

    fn bind(&mut self, index: usize, ssrc: u32) {
        if self.tracks[index].ssrc == Some(ssrc) {
            return;
        }
        if let Some(old) = self.tracks[index].ssrc.replace(ssrc) {
            let info = self.stream_info(index, old);
            self.feedback.unbind_remote_stream(&info);
        }
        let info = self.stream_info(index, ssrc);
        self.feedback.bind_remote_stream(&info);
    }

    fn stream_info(&self, index: usize, ssrc: u32) -> StreamInfo {
        let incoming = &self.tracks[index];
        let payload = &incoming.choice.payload;
        let feedback = |value: &String| {
            let (typ, parameter) = value.split_once(' ').unwrap_or((value, ""));
            RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() }
        };
        StreamInfo {
            ssrc,
            payload_type: payload.number,
            clock_rate: incoming.clock_rate,
            rtp_header_extensions: (incoming.transport_cc.iter())
                .map(|id| RTPHeaderExtension { uri: TRANSPORT_CC.to_owned(), id: u16::from(*id) })
                .collect(),
            rtcp_feedback: payload.feedback.iter().map(feedback).collect(),
            ..StreamInfo::default()
        }
    }

    fn feed(&mut self, now: Instant, packet: Packet) -> anyhow::Result<()> {
        let (transport, message) = (TransportContext::default(), AttributedPacket::new(packet));
        self.feedback.handle_read(TaggedPacket { now, transport, message })?;
        while self.feedback.poll_read().is_some() {}
        Ok(())
    }
}

/// An SSRC of our own for reports: sources are told apart by it, nothing more.
pub(crate) fn random_ssrc() -> u32 {
    // 0 and 1 are what careless stacks use for "nobody".
    random::u32().max(2)
}
