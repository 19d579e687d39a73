//! The DTLS association of one peer: keys for SRTP, checked against the fingerprint in the offer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_lc_rs::digest;
use bytes::BytesMut;
use rtc::crypto::RTCCryptoProvider;
use rtc::crypto::providers::AwsLcRsProvider;
use rtc::dtls::config::{
    ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig,
    VerifyPeerCertificateFn,
};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::error::Error as RtcError;
use rtc::shared::{TransportContext, TransportProtocol};

use super::srtp::Srtp;
use crate::gateway::sdp::Fingerprint;

/// What we like to protect media with: a third of the CPU of HMAC-SHA1.
const AEAD: [SrtpProtectionProfile; 2] =
    [SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm];
/// And what we bear: FFmpeg knows nothing else.
const ANY: [SrtpProtectionProfile; 3] = [
    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
];
/// Time between two tries as a client. Measured: FFmpeg takes a few milliseconds from its check to
/// listening for a ClientHello, so the first is always lost; `rtc` tries eight times in all, which
/// FFmpeg's 5 s must hold.
const CLIENT_FLIGHT_INTERVAL: Duration = Duration::from_millis(400);
/// First byte of a handshake record.
const HANDSHAKE: u8 = 22;

/// Most pieces of a ClientHello held. Derived: twice those of the longest seen, 1.8 kB.
const PIECES_MAX: usize = 4;

/// Who sends the ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DtlsRole {
    /// The peer, as browsers do.
    Server,
    /// We: FFmpeg's offer has `a=setup:passive`.
    Client,
}

/// The certificate that this gateway shows to all its peers, made anew at each start.
#[derive(Clone)]
pub(crate) struct Identity {
    certificate: Certificate,
    provider: Arc<dyn RTCCryptoProvider>,
    fingerprint: String,
}

impl Identity {
    /// Makes a certificate.
    ///
    /// # Errors
    /// If the crypto library cannot make a key.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let certificate =
            Certificate::generate_self_signed(vec!["banyan".to_owned()], provider.crypto())
                .context("making the DTLS certificate")?;
        let der = certificate.certificate.first().context("the DTLS certificate is empty")?;
        let fingerprint = colons(digest::digest(&digest::SHA256, der.as_ref()).as_ref());
        Ok(Self { certificate, provider, fingerprint })
    }

    /// The SHA-256 fingerprint as SDP writes it.
    #[must_use]
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Whether `certificate` (DER) is the one that the offer announced.
fn is_announced(certificate: &[u8], announced: &[Fingerprint]) -> bool {
    announced.iter().any(|fingerprint| {
        let algorithm = match fingerprint.algorithm.as_str() {
            "sha-256" => &digest::SHA256,
            "sha-384" => &digest::SHA384,
            "sha-512" => &digest::SHA512,
            _ => return false,
        };
        let shown = colons(digest::digest(algorithm, certificate).as_ref());
        shown.eq_ignore_ascii_case(&fingerprint.value)
    })
}

/// What happened in the association.
pub(crate) enum Event {
    /// The handshake is complete.
    Keys(Box<Srtp>),
    /// The peer said good-bye.
    Closed,
}

/// The DTLS association of one peer.
pub(crate) struct Dtls {
    endpoint: Endpoint,
    provider: Arc<dyn RTCCryptoProvider>,
    role: DtlsRole,
    config: Arc<HandshakeConfig>,
    /// For clients that offer AEAD; `rtc` would follow the client's order of preference.
    aead_config: Arc<HandshakeConfig>,
    /// Pieces of the first ClientHello, and how much of it they are.
    held: Vec<Vec<u8>>,
    held_length: usize,
    started: bool,
    closed: bool,
}

impl Dtls {
    /// An association for the peer whose offer had `announced`.
    ///
    /// # Errors
    /// If the crypto library refuses the certificate.
    pub(crate) fn new(
        identity: &Identity,
        role: DtlsRole,
        announced: Vec<Fingerprint>,
    ) -> anyhow::Result<Self> {
        let verify: VerifyPeerCertificateFn =
            Arc::new(move |certificates, _| match certificates.first() {
                Some(first) if is_announced(first, &announced) => Ok(()),
                Some(_) => Err(RtcError::ErrNoMatchingCertificateFingerprint),
                None => Err(RtcError::ErrNonCertificate),
            });
        let config = |profiles: &[SrtpProtectionProfile]| {
            ConfigBuilder::default()
                .with_crypto_provider(identity.provider.clone())
                .with_certificates(vec![identity.certificate.clone()])
                .with_srtp_protection_profiles(profiles.to_vec())
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                // Certificates are self-signed on both sides: the fingerprint in the signalled
                // offer is what makes them trustworthy.
                .with_insecure_skip_verify(true)
                .with_verify_peer_certificate(Some(verify.clone()))
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                .with_flight_interval(match role {
                    DtlsRole::Server => Duration::from_secs(1),
                    DtlsRole::Client => CLIENT_FLIGHT_INTERVAL,
                })
                .build(role == DtlsRole::Client, None)
                .map(Arc::new)
                .context("configuring DTLS")
        };
        Ok(Self {
            endpoint: Endpoint::new(peer(), TransportProtocol::UDP, None),
            provider: identity.provider.clone(),
            role,
            config: config(&ANY)?,
            aead_config: config(&AEAD)?,
            held: Vec::new(),
            held_length: 0,
            started: false,
            closed: false,
        })
    }

    /// The peer can be reached: a client begins.
    ///
    /// # Errors
    /// If the ClientHello cannot be made.
    pub(crate) fn reachable(&mut self, now: Instant) -> anyhow::Result<()> {
        if self.role == DtlsRole::Client && !std::mem::replace(&mut self.started, true) {
            self.endpoint.connect(now, peer(), self.config.clone(), None)?;
        }
        Ok(())
    }

    /// A server chooses what it takes by what the first ClientHello offers, and holds its pieces
    /// until all are there: browsers shuffle their extensions, and keys that quantum computers do
    /// not break make it longer than a datagram. Returns what to read now.
    fn begin(&mut self, data: &[u8]) -> Vec<Vec<u8>> {
        if self.started || self.role == DtlsRole::Client {
            return vec![data.to_vec()];
        }
        let Some((length, whole)) = hello_piece(data) else { return Vec::new() };
        self.held.push(data.to_vec());
        self.held_length += length;
        let aead = self.held.iter().any(|piece| offers_aead(piece));
        let complete = self.held_length >= whole || self.held.len() >= PIECES_MAX;
        if !aead && !complete {
            return Vec::new();
        }
        self.started = true;
        let config = if aead { &self.aead_config } else { &self.config };
        self.endpoint.set_server_config(Some(config.clone()));
        std::mem::take(&mut self.held)
    }

    /// Takes a datagram.
    ///
    /// # Errors
    /// If the bytes are not what the handshake expects; the association may go on.
    pub(crate) fn read(&mut self, now: Instant, data: &[u8]) -> anyhow::Result<Option<Event>> {
        let mut event = None;
        if self.closed {
            return Ok(None);
        }
        for data in self.begin(data) {
            if let Some(happened) = self.read_one(now, &data)? {
                event = Some(happened);
            }
        }
        Ok(event)
    }

    fn read_one(&mut self, now: Instant, data: &[u8]) -> anyhow::Result<Option<Event>> {
        let mut event = None;
        for happened in self.endpoint.read(now, peer(), None, BytesMut::from(data))? {
            match happened {
                EndpointEvent::HandshakeComplete => {
                    let state = self
                        .endpoint
                        .get_connection_state(peer())
                        .context("a completed handshake has a state")?;
                    event = Some(Event::Keys(Box::new(Srtp::new(state, &self.provider)?)));
                }
                EndpointEvent::PeerClosed => {
                    self.closed = true;
                    event = Some(Event::Closed);
                }
                // Data channels are not offered, so there is nothing to read.
                _ => {}
            }
        }
        Ok(event)
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    /// When the handshake wants to repeat itself.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&peer())
    }

    /// Repeats what was not answered.
    ///
    /// # Errors
    /// If the handshake has been repeated too often.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> anyhow::Result<()> {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.endpoint.handle_timeout(peer(), now)?;
        }
        Ok(())
    }

    /// Says good-bye; the datagram waits in [`Dtls::poll_transmit`].
    pub(crate) fn close(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.closed, true) {
            // Closing is best effort: a peer that misses it notices by silence.
            let _ = self.endpoint.close(now);
        }
    }
}

/// If `data` begins with a piece of a ClientHello: its length, and that of the whole.
/// spec: RFC 6347 sections 4.1 and 4.2.2.
fn hello_piece(data: &[u8]) -> Option<(usize, usize)> {
    const RECORD_HEADER: usize = 13;
    const CLIENT_HELLO: u8 = 1;
    let header = data.get(RECORD_HEADER..RECORD_HEADER + 12)?;
    let u24 = |at: usize| {
        usize::from(header[at]) << 16
            | usize::from(header[at + 1]) << 8
            | usize::from(header[at + 2])
    };
    (data[0] == HANDSHAKE && header[0] == CLIENT_HELLO).then(|| (u24(9), u24(1)))
}

/// Whether a ClientHello offers AEAD for SRTP. Looks for the extension by its shape, as the hello
/// may be in fragments; where it is not found, what every client can do is taken.
/// spec: RFC 5764 section 4.1.1, RFC 7714 section 14.2.
fn offers_aead(hello: &[u8]) -> bool {
    const USE_SRTP: [u8; 2] = [0x00, 0x0e];
    let is_offer = |extension: &[u8]| {
        let profiles = usize::from(extension[5]);
        // Type, length, length of the list, the list, length of the (empty) key identifier.
        extension[..2] == USE_SRTP
            && extension[2] == 0
            && usize::from(extension[3]) == profiles + 3
            && extension[4] == 0
            && profiles % 2 == 0
            && extension.get(6..6 + profiles).is_some_and(|list| {
                list.chunks_exact(2).any(|profile| matches!(profile, [0x00, 0x07 | 0x08]))
            })
    };
    (0..hello.len().saturating_sub(6)).any(|at| is_offer(&hello[at..]))
}

/// The association is one, whatever path its datagrams take, so its endpoint knows one address.
fn peer() -> SocketAddr {
    TransportContext::default().peer_addr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aead_is_found_where_it_is_offered() {
        let hello = |profiles: &[u8]| {
            let mut hello = vec![HANDSHAKE, 0xfe, 0xff, 0x00, 0x17, 0x00, 0x00];
            let len = profiles.len() as u8;
            hello.extend([0x00, 0x0e, 0x00, len + 3, 0x00, len]);
            hello.extend(profiles);
            hello.extend([0x00, 0xff, 0x01]);
            hello
        };
        assert!(offers_aead(&hello(&[0x00, 0x01, 0x00, 0x08, 0x00, 0x07])));
        assert!(!offers_aead(&hello(&[0x00, 0x01, 0x00, 0x02])));
        assert!(!offers_aead(&hello(&[])));
        let whole = hello(&[0x00, 0x01, 0x00, 0x07]);
        for len in 0..whole.len() - 4 {
            assert!(!offers_aead(&whole[..len]), "{len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(data: Vec<u8>) {
            offers_aead(&data);
            let identity = Identity::generate().expect("a certificate");
            let mut dtls =
                Dtls::new(&identity, DtlsRole::Server, Vec::new()).expect("a configuration");
            let mut hello = vec![HANDSHAKE; 14];
            hello[13] = 1;
            hello.extend(data);
            drop(dtls.read(Instant::now(), &hello));
        }
    }
}
