//! What carries media to and from one peer: ICE-lite, DTLS, SRTP.
//!
//! `rtc`'s own peer connection is built for applications that offer, answer, renegotiate and
//! gather. A gateway only ever answers, with one codec per track, on one port. So we take the
//! crates `rtc` is made of (DTLS, SRTP, RTCP, interceptors) and leave its SDP and ICE out.

pub(crate) mod dtls;
pub(crate) mod ice;
pub(crate) mod srtp;
pub(crate) mod stun;

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use rtc::rtcp;

use self::dtls::{Dtls, DtlsRole, Identity};
use self::ice::Ice;
use self::srtp::Srtp;
use super::limits;
use super::network::Network;
use super::sdp::{Credentials, Offer};

/// What a datagram brought.
pub(crate) enum Inbound {
    /// Nothing for anybody else.
    Nothing,
    /// The handshake is complete: media can flow.
    Connected,
    /// A whole RTP packet, checked and opened.
    Rtp(BytesMut),
    /// RTCP packets, checked and opened.
    Rtcp(Vec<Box<dyn rtcp::Packet>>),
    /// The peer said good-bye.
    Closed,
}

/// The transport of one peer.
pub(crate) struct Connection {
    pub(crate) ice: Ice,
    dtls: Dtls,
    srtp: Option<Srtp>,
    created: Instant,
    connected: Option<Instant>,
    heard: Instant,
}

impl Connection {
    /// A transport for the peer that made `offer`.
    ///
    /// # Errors
    /// If DTLS cannot be set up.
    pub(crate) fn new(now: Instant, identity: &Identity, offer: &Offer) -> anyhow::Result<Self> {
        let role = if offer.dtls_passive { DtlsRole::Client } else { DtlsRole::Server };
        let mut ice = Ice::new(Credentials::random(), offer.ufrag.clone());
        for candidate in &offer.candidates {
            ice.add_remote_candidate(now, *candidate);
        }
        Ok(Self {
            ice,
            dtls: Dtls::new(identity, role, offer.fingerprints.clone())?,
            srtp: None,
            created: now,
            connected: None,
            heard: now,
        })
    }

    /// Whether media can flow.
    pub(crate) fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    /// When the peer was admitted.
    pub(crate) fn created(&self) -> Instant {
        self.created
    }

    /// When the handshake was complete.
    pub(crate) fn connected(&self) -> Option<Instant> {
        self.connected
    }

    /// When something authentic last came.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// When the peer is given up unless something authentic comes.
    pub(crate) fn expires(&self) -> Instant {
        if self.is_connected() {
            self.heard + limits::CONSENT_TIMEOUT
        } else {
            self.created + limits::HANDSHAKE_TIMEOUT
        }
    }

    /// Takes a connectivity check and answers it. Returns whether `from` is a new address of this
    /// peer.
    ///
    /// # Errors
    /// If our part of the handshake cannot begin.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        from: SocketAddr,
        request: &stun::Request<'_>,
        network: &mut Network,
    ) -> anyhow::Result<bool> {
        let Some(checked) = self.ice.check(from, request) else { return Ok(false) };
        self.heard = now;
        network.send(&checked.answer, from);
        self.dtls.reachable(now)?;
        self.send_dtls(network);
        Ok(checked.new_path)
    }

    /// Takes a datagram from one of the peer's addresses that is not STUN.
    ///
    /// # Errors
    /// If it is not what it should be. The connection is as it was.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        data: &[u8],
        network: &mut Network,
    ) -> anyhow::Result<Inbound> {
        match data.first() {
            Some(20..=63) => {
                let event = self.dtls.read(now, data);
                self.send_dtls(network);
                Ok(match event? {
                    Some(dtls::Event::Keys(srtp)) => {
                        self.srtp = Some(*srtp);
                        self.connected = Some(now);
                        self.heard = now;
                        Inbound::Connected
                    }
                    Some(dtls::Event::Closed) => Inbound::Closed,
                    None => Inbound::Nothing,
                })
            }
            Some(128..=191) => {
                // Media that overtakes the end of the handshake is lost; NACK brings it back.
                let Some(srtp) = &mut self.srtp else { return Ok(Inbound::Nothing) };
                // spec: RFC 5761 section 4
                let is_rtcp = data.get(1).is_some_and(|kind| (192..=223).contains(kind));
                let inbound = if is_rtcp {
                    let mut opened = srtp.open_rtcp(data)?;
                    Inbound::Rtcp(rtcp::packet::unmarshal(&mut opened)?)
                } else {
                    Inbound::Rtp(srtp.open_rtp(data)?)
                };
                self.heard = now;
                Ok(inbound)
            }
            _ => Ok(Inbound::Nothing),
        }
    }

    /// Collects an RTP packet for sending.
    ///
    /// # Errors
    /// If there are no keys or no path yet.
    pub(crate) fn send_rtp(&mut self, packet: &[u8], network: &mut Network) -> anyhow::Result<()> {
        if let (Some(srtp), Some(to)) = (&mut self.srtp, self.ice.selected()) {
            network.collect(&srtp.seal_rtp(packet)?, to);
        }
        Ok(())
    }

    /// Sends RTCP packets as one compound packet.
    ///
    /// # Errors
    /// If they cannot be encoded.
    pub(crate) fn send_rtcp(
        &mut self,
        packets: &[Box<dyn rtcp::Packet>],
        network: &mut Network,
    ) -> anyhow::Result<()> {
        if let (Some(srtp), Some(to)) = (&mut self.srtp, self.ice.selected())
            && !packets.is_empty()
        {
            network.send(&srtp.seal_rtcp(&rtcp::packet::marshal(packets)?)?, to);
        }
        Ok(())
    }

    /// Does what is due.
    ///
    /// # Errors
    /// If the handshake failed for good.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        network: &mut Network,
    ) -> anyhow::Result<()> {
        while let Some((to, indication)) = self.ice.next_punch(now) {
            network.send(&indication, to);
        }
        let result = self.dtls.handle_timeout(now);
        self.send_dtls(network);
        result
    }

    /// When [`Connection::handle_timeout`] has something to do, or the peer expires.
    pub(crate) fn deadline(&self) -> Instant {
        [self.dtls.poll_timeout(), self.ice.next_punch_at()]
            .into_iter()
            .flatten()
            .fold(self.expires(), Instant::min)
    }

    /// Says good-bye.
    pub(crate) fn close(&mut self, now: Instant, network: &mut Network) {
        self.dtls.close(now);
        self.send_dtls(network);
    }

    fn send_dtls(&mut self, network: &mut Network) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            if let Some(to) = self.ice.selected() {
                network.send(&datagram, to);
            }
        }
    }
}
