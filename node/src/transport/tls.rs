//! TLS 1.3 as libp2p does it: self-signed certificates that carry the node's key, mutual, with
//! our ALPNs and our order of ciphers.
//!
//! Differs from `libp2p_tls::make_*_config` on purpose: AES first (half the CPU of ChaCha20 where
//! the processor has AES), X25519 alone (the hybrid post-quantum share does not fit one
//! datagram), one certificate per process, the expected peer checked before our own certificate
//! is shown, and no `SSLKEYLOGFILE`.

use std::sync::Arc;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use libp2p_tls::certificate;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::verifier::Verifier;

/// libp2p's control connections. Spec: libp2p TLS handshake.
pub const ALPN_CONTROL: &[u8] = b"libp2p";
/// Links. Spec: `proto/SPEC.md#transport`.
pub const ALPN_LINK: &[u8] = b"banyan-link/1";

/// The node's certificate and how it speaks TLS.
pub(super) struct Identity {
    provider: Arc<CryptoProvider>,
    // Not `with_single_cert`: that runs webpki, which rejects libp2p's critical extension.
    certificate: Arc<SingleCertAndKey>,
}

impl Identity {
    /// Makes a certificate that vouches for `keypair`.
    pub(super) fn new(keypair: &Keypair) -> Self {
        let provider = Arc::new(provider());
        let (certificate, key) =
            certificate::generate(keypair).expect("a certificate for a key we hold can be made");
        let key = provider
            .key_provider
            .load_private_key(key)
            .expect("the provider reads the key format it has just been given");
        let certificate = Arc::new(CertifiedKey::new(vec![certificate], key).into());
        Self { provider, certificate }
    }

    /// Accepts control connections and links alike.
    pub(super) fn server(&self) -> Arc<QuicServerConfig> {
        let mut config = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider's suites are all TLS 1.3")
            .with_client_cert_verifier(Arc::new(Verifier::new(None)))
            .with_cert_resolver(self.certificate.clone());
        config.alpn_protocols = vec![ALPN_CONTROL.to_vec(), ALPN_LINK.to_vec()];
        // AES-first also against stock clients, which put ChaCha20 first.
        config.ignore_client_order = true;
        config.send_tls13_tickets = 0;
        let config = QuicServerConfig::try_from(config);
        Arc::new(config.expect("AES-128-GCM, which QUIC starts with, is among the suites"))
    }

    /// Dials with one ALPN, and only `expected` if given.
    pub(super) fn client(&self, alpn: &[u8], expected: Option<PeerId>) -> Arc<QuicClientConfig> {
        let mut config = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider's suites are all TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(expected)))
            .with_client_cert_resolver(self.certificate.clone());
        config.alpn_protocols = vec![alpn.to_vec()];
        // The cache would be keyed by the server name, which all peers share.
        config.resumption = rustls::client::Resumption::disabled();
        let config = QuicClientConfig::try_from(config);
        Arc::new(config.expect("AES-128-GCM, which QUIC starts with, is among the suites"))
    }
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
        ],
        // rustls offers a share of the first only; the others answer peers without X25519.
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}

/// Whom a finished connection is with. The verifier has checked the certificate already.
pub(super) fn peer(connection: &quinn::Connection) -> Option<PeerId> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    Some(certificate::parse(chain.first()?).ok()?.peer_id())
}

/// The ALPN a finished connection agreed on.
pub(super) fn alpn(connection: &quinn::Connection) -> Option<Vec<u8>> {
    connection.handshake_data()?.downcast::<HandshakeData>().ok()?.protocol
}
