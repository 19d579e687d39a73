//! A WebRTC client made of `rtc`'s peer connection, on a socket of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::{
    Registry, register_default_interceptors,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use tokio::net::UdpSocket;

/// Drops datagrams that look like media, every n-th.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loss {
    pub(crate) inbound: Option<usize>,
    pub(crate) outbound: Option<usize>,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) video: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) payload: bytes::Bytes,
}

pub(crate) struct Client {
    pub(crate) connection: RTCPeerConnection,
    socket: UdpSocket,
    local: SocketAddr,
    senders: Vec<(RTCRtpSenderId, u32, u8)>,
    loss: Loss,
    counted: [usize; 2],
    pub(crate) state: RTCPeerConnectionState,
    pub(crate) received: Vec<Received>,
    /// DTLS alerts that came: a good-bye is one.
    pub(crate) alerts: usize,
}

fn codec(video: bool) -> RTCRtpCodec {
    let feedback =
        |parameter: &str| RTCPFeedback { typ: "nack".to_owned(), parameter: parameter.to_owned() };
    RTCRtpCodec {
        mime_type: if video { MIME_TYPE_VP8 } else { MIME_TYPE_OPUS }.to_owned(),
        clock_rate: if video { 90_000 } else { 48_000 },
        channels: if video { 0 } else { 2 },
        sdp_fmtp_line: String::new(),
        rtcp_feedback: if video { vec![feedback(""), feedback("pli")] } else { vec![] },
    }
}

impl Client {
    /// A client that sends, or one that watches, VP8 and Opus.
    pub(crate) async fn new(sends: bool, loss: Loss) -> Self {
        let now = Instant::now();
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let local = socket.local_addr().expect("bound");
        let mut engine = MediaEngine::default();
        for (video, payload_type, kind) in
            [(true, 96, RtpCodecKind::Video), (false, 111, RtpCodecKind::Audio)]
        {
            let parameters = RTCRtpCodecParameters { rtp_codec: codec(video), payload_type };
            engine.register_codec(parameters, kind).expect("a codec");
        }
        let registry =
            register_default_interceptors(Registry::new(), &mut engine).expect("interceptors");
        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(true)
            // As browsers have: a whole group comes at once, and its gaps are filled afterwards.
            .with_srtp_replay_protection_window(1024)
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .build();
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_setting_engine(settings)
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .build(now)
            .expect("a connection");
        let mut senders = Vec::new();
        for (video, ssrc, payload_type) in [(true, 1111, 96), (false, 2222, 111)] {
            let kind = if video { RtpCodecKind::Video } else { RtpCodecKind::Audio };
            if sends {
                let name = if video { "video" } else { "audio" };
                let encoding = RTCRtpEncodingParameters {
                    rtp_coding_parameters: RTCRtpCodingParameters {
                        ssrc: Some(ssrc),
                        ..Default::default()
                    },
                    codec: codec(video),
                    ..Default::default()
                };
                let track = MediaStreamTrack::new(
                    "stream".to_owned(),
                    name.to_owned(),
                    name.to_owned(),
                    kind,
                    vec![encoding],
                );
                senders.push((connection.add_track(track).expect("a track"), ssrc, payload_type));
            } else {
                connection.add_transceiver_from_kind(kind, None).expect("a transceiver");
            }
        }
        let host = CandidateHostConfig {
            base_config: CandidateConfig {
                network: "udp".to_owned(),
                address: local.ip().to_string(),
                port: local.port(),
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        let host = host.new_candidate_host().expect("a candidate");
        let host = RTCIceCandidate::from(&host).to_json().expect("a candidate");
        connection.add_local_candidate(host).expect("a candidate");
        let (counted, received) = ([0; 2], Vec::new());
        let state = RTCPeerConnectionState::New;
        Self { connection, socket, local, senders, loss, counted, state, received, alerts: 0 }
    }

    pub(crate) fn offer(&mut self) -> String {
        let offer = self.connection.create_offer(None).expect("an offer");
        self.connection.set_local_description(Instant::now(), offer).expect("our own offer");
        self.connection.local_description().expect("just set").sdp
    }

    pub(crate) fn accept(&mut self, answer: String) {
        let answer = RTCSessionDescription::answer(answer).expect("an answer");
        self.connection.set_remote_description(Instant::now(), answer).expect("acceptable");
    }

    /// Runs until something happens or the next timeout; sends what is ready.
    pub(crate) async fn turn(&mut self) {
        self.flush().await;
        let longest = Instant::now() + Duration::from_millis(20);
        let due = self.connection.poll_timeout().unwrap_or(longest).min(longest);
        let mut buffer = [0; 2000];
        tokio::select! {
            received = self.socket.recv_from(&mut buffer) => {
                let (len, from) = received.expect("a datagram");
                self.take(&buffer[..len], from);
                while let Ok((len, from)) = self.socket.try_recv_from(&mut buffer) {
                    self.take(&buffer[..len], from);
                }
            }
            () = tokio::time::sleep_until(due.into()) => {}
        }
        self.connection.handle_timeout(Instant::now()).expect("alive");
        self.flush().await;
    }

    fn take(&mut self, data: &[u8], from: SocketAddr) {
        if is_rtp(data) && drops(&mut self.counted[0], self.loss.inbound) {
            return;
        }
        self.alerts += usize::from(data.first() == Some(&21));
        let datagram = TaggedBytesMut {
            now: Instant::now(),
            transport: TransportContext {
                local_addr: self.local,
                peer_addr: from,
                ecn: None,
                transport_protocol: TransportProtocol::UDP,
            },
            message: BytesMut::from(data),
        };
        // A datagram that comes too early or twice is an error that the client survives.
        drop(self.connection.handle_read(datagram));
        while let Some(event) = self.connection.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.state = state;
            }
        }
        while let Some(message) = self.connection.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = message.message {
                self.received.push(Received {
                    video: packet.header.payload_type == 96,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    payload: packet.payload,
                });
            }
        }
    }

    /// Sends one RTP packet.
    pub(crate) fn send(
        &mut self,
        video: bool,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        data: &[u8],
    ) {
        let (id, ssrc, payload_type) = self.senders[usize::from(!video)];
        let header = rtc::rtp::Header {
            version: 2,
            marker,
            payload_type,
            sequence_number: sequence,
            timestamp,
            ssrc,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload: bytes::Bytes::copy_from_slice(data) };
        let mut sender = self.connection.rtp_sender(id).expect("a sender");
        sender.write_rtp(Instant::now(), packet).expect("sent");
    }

    /// Asks for a keyframe.
    pub(crate) fn ask_for_keyframe(&mut self) {
        let receivers: Vec<_> = self.connection.get_receivers().collect();
        for id in receivers {
            let Some(mut receiver) = self.connection.rtp_receiver(id) else { continue };
            if receiver.track().kind() != RtpCodecKind::Video {
                continue;
            }
            let media_ssrc = receiver.track().ssrcs().last().expect("media came");
            let request = PictureLossIndication { sender_ssrc: 1, media_ssrc };
            receiver.write_rtcp(Instant::now(), vec![Box::new(request)]).expect("sent");
        }
    }

    /// Sends `to` what looks like media, handshakes and checks, and is none, from the address that
    /// the gateway knows.
    pub(crate) async fn babble(&self, to: SocketAddr) {
        for n in 0..1000_u32 {
            let first = [128, 144, 191, 20, 21, 22, 23, 0][n as usize % 8];
            let mut data = vec![first, [200, 96, 201, 0xfe][n as usize % 4]];
            data.extend(n.wrapping_mul(0x9e37_79b9).to_be_bytes());
            data.resize(2 + n as usize % 1400, n as u8);
            self.socket.send_to(&data, to).await.expect("sent");
        }
    }

    pub(crate) async fn flush(&mut self) {
        while let Some(datagram) = self.connection.poll_write() {
            let data = &datagram.message;
            if is_rtp(data) && drops(&mut self.counted[1], self.loss.outbound) {
                continue;
            }
            self.socket.send_to(data, datagram.transport.peer_addr).await.expect("sent");
        }
    }
}

fn is_rtp(data: &[u8]) -> bool {
    matches!(data, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

fn drops(counted: &mut usize, every: Option<usize>) -> bool {
    *counted += 1;
    every.is_some_and(|every| (*counted).is_multiple_of(every))
}
