//! Bare quinn's endpoints: the same cipher and key exchange as ours, nothing checked, and quinn's
//! defaults for everything but the number of streams.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, ServerConfig, TransportConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// Accepts and dials. `transport`: quinn's settings.
pub(crate) fn endpoint(transport: &Arc<TransportConfig>) -> Endpoint {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut endpoint =
        Endpoint::server(server(transport), local).expect("loopback has a free port");
    endpoint.set_default_client_config(client(transport));
    endpoint
}

/// quinn's defaults, with room for a stream per shard.
pub(crate) fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.max_concurrent_uni_streams(4096_u32.into());
    transport
}

pub(crate) fn server(transport: &Arc<TransportConfig>) -> ServerConfig {
    let keypair = banyan_node::peer::keypair([9; 32]);
    let (certificate, key) = libp2p_tls::certificate::generate(&keypair).expect("a certificate");
    let key = provider().key_provider.load_private_key(key).expect("a key");
    let certificate = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    let crypto = QuicServerConfig::try_from(config).expect("AES-128-GCM");
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(transport.clone());
    config
}

pub(crate) fn client(transport: &Arc<TransportConfig>) -> ClientConfig {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let crypto = QuicClientConfig::try_from(config).expect("AES-128-GCM");
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport.clone());
    config
}

fn provider() -> CryptoProvider {
    use aws_lc_rs::{cipher_suite::TLS13_AES_128_GCM_SHA256, kx_group::X25519};
    CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![X25519],
        ..aws_lc_rs::default_provider()
    }
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
