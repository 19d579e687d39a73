//! Checks a peer's certificate: the libp2p extension, the signature, and the expected PeerId.

use libp2p::PeerId;
use libp2p_tls::certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// Verifies either side's certificate.
#[derive(Debug)]
pub(super) struct Verifier {
    expected: Option<PeerId>,
}

impl Verifier {
    /// Accepts `expected` only, or any libp2p peer.
    pub(super) const fn new(expected: Option<PeerId>) -> Self {
        Self { expected }
    }

    fn check(&self, leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        // spec: libp2p TLS, "exactly one certificate"
        if !chain.is_empty() {
            return Err(rejected());
        }
        let peer = certificate::parse(leaf).map_err(|_| rejected())?.peer_id();
        match self.expected {
            Some(expected) if expected != peer => Err(rejected()),
            Some(_) | None => Ok(()),
        }
    }
}

fn rejected() -> Error {
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

fn signature(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    certificate::parse(leaf)
        .map_err(|_| rejected())?
        .verify_signature(signed.scheme, message, signed.signature())
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadSignature))?;
    Ok(HandshakeSignatureValid::assertion())
}

/// What stock libp2p offers, in its order.
fn schemes() -> Vec<SignatureScheme> {
    vec![
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ED25519,
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PSS_SHA384,
        SignatureScheme::RSA_PSS_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ]
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(leaf, chain).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(rejected())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, chain).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(rejected())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::keypair;
    use proptest::prelude::*;

    #[test]
    fn only_the_expected_peer_passes() {
        let (leaf, _) = certificate::generate(&keypair([1; 32])).expect("generates");
        let peer = keypair([1; 32]).public().to_peer_id();
        assert!(Verifier::new(None).check(&leaf, &[]).is_ok());
        assert!(Verifier::new(Some(peer)).check(&leaf, &[]).is_ok());
        assert!(Verifier::new(Some(PeerId::random())).check(&leaf, &[]).is_err());
        assert!(Verifier::new(None).check(&leaf, std::slice::from_ref(&leaf)).is_err());
    }

    proptest! {
        #[test]
        fn damaged_certificates_are_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let (leaf, _) = certificate::generate(&keypair([1; 32])).expect("generates");
            let mut bytes = leaf.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let peer = keypair([1; 32]).public().to_peer_id();
            // Any outcome but a panic, and never another identity.
            let passed = Verifier::new(None).check(&bytes.clone().into(), &[]).is_ok();
            let expected = Verifier::new(Some(peer)).check(&bytes.into(), &[]).is_ok();
            prop_assert_eq!(passed, expected);
        }
    }
}
