//! Secret keys, one type per role. The caller brings the seed; nothing here draws randomness.
//!
//! Debug output shows the public half only, and the secret is wiped from memory on drop.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::domain::Domain;
use super::{NodeId, PublisherId};

/// Length of an Ed25519 signature. Spec: RFC 8032 section 5.1.6.
pub const SIGNATURE_BYTES: usize = 64;

/// An Ed25519 signature.
pub type Signature = [u8; SIGNATURE_BYTES];

/// A signature that is not by that key over those bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SigningKey);

        impl $name {
            /// The key that a 32-byte secret seed stands for (RFC 8032 private key).
            #[must_use]
            pub fn from_seed(seed: &[u8; 32]) -> Self {
                Self(SigningKey::from_bytes(seed))
            }

            /// The secret seed: for storing the key, and nothing else.
            #[must_use]
            pub fn seed(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }

            /// The public half.
            #[must_use]
            pub fn verifying_key(&self) -> VerifyingKey {
                self.0.verifying_key()
            }

            /// Signs a complete message. It must begin with the tag of its purpose, see
            /// `proto/SPEC.md#domains`, or be a JWT.
            #[must_use]
            pub fn sign(&self, message: &[u8]) -> Signature {
                self.0.sign(message).to_bytes()
            }

            /// Signs `body` for one purpose.
            pub(crate) fn sign_for(&self, domain: Domain, body: &[u8]) -> Signature {
                self.sign(&domain.message(body))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let public = self.0.verifying_key().to_bytes();
                write!(f, concat!(stringify!($name), "({})"), NodeId::from_bytes(public).short())
            }
        }
    };
}

key!(
    /// A node's key: the same that its libp2p PeerId is made of.
    NodeKey
);
key!(
    /// A publisher's key: names its sessions, signs descriptors, delegations and tickets.
    PublisherKey
);
key!(
    /// Signs the shards of one session, by permission of the publisher's key (a delegation). It
    /// lives on the root; the publisher's key may stay elsewhere.
    MediaKey
);

impl NodeKey {
    /// The node it identifies.
    #[must_use]
    pub fn id(&self) -> NodeId {
        NodeId::from_bytes(self.verifying_key().to_bytes())
    }
}

impl PublisherKey {
    /// The publisher it identifies.
    #[must_use]
    pub fn id(&self) -> PublisherId {
        PublisherId::from_bytes(self.verifying_key().to_bytes())
    }
}

impl PublisherId {
    /// Checks a signature over a complete message.
    ///
    /// Strict: small-order keys and points are refused, so a signature fits one message only.
    pub(crate) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = public_key(self.as_bytes()).ok_or(BadSignature)?;
        verify(&key, message, signature)
    }

    /// Checks a signature over `body` made for one purpose.
    pub(crate) fn verify_for(
        &self,
        domain: Domain,
        body: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        self.verify(&domain.message(body), signature)
    }
}

impl NodeId {
    /// Checks a signature over `body` that the node made for one purpose. Strict, as
    /// [`PublisherId::verify`].
    pub(crate) fn verify_for(
        &self,
        domain: Domain,
        body: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let key = public_key(self.as_bytes()).ok_or(BadSignature)?;
        verify(&key, &domain.message(body), signature)
    }
}

/// Checks a signature over a complete message, strictly.
pub(crate) fn verify(
    key: &VerifyingKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).map_err(|_| BadSignature)
}

/// Reads a public key: a point on the curve and not of small order, for which anybody could sign.
pub(crate) fn public_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_deterministic_and_hide_their_secret() {
        let seed = [0x5e; 32];
        let key = PublisherKey::from_seed(&seed);
        assert_eq!(key.seed(), &seed);
        assert_eq!(key.id(), PublisherKey::from_seed(&seed).id());
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("PublisherKey({})", key.id().short()));
        assert!(!shown.contains("5e5e"), "{shown}");
    }

    #[test]
    fn a_signature_fits_one_purpose_one_message_and_one_key() {
        let key = PublisherKey::from_seed(&[1; 32]);
        let signature = key.sign_for(Domain::Delegation, b"hello");
        let id = key.id();
        assert_eq!(id.verify_for(Domain::Delegation, b"hello", &signature), Ok(()));
        assert_eq!(id.verify_for(Domain::Descriptor, b"hello", &signature), Err(BadSignature));
        assert_eq!(id.verify_for(Domain::Delegation, b"hellp", &signature), Err(BadSignature));
        let other = PublisherKey::from_seed(&[2; 32]).id();
        assert_eq!(other.verify_for(Domain::Delegation, b"hello", &signature), Err(BadSignature));
    }

    #[test]
    fn small_order_and_off_curve_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        for bytes in [[0; 32], identity, [2; 32]] {
            let zero_signature = {
                let mut s = [0; 64];
                s[0] = 1;
                s
            };
            assert_eq!(public_key(&bytes), None);
            let id = PublisherId::from_bytes(bytes);
            assert_eq!(id.verify(b"anything", &zero_signature), Err(BadSignature));
        }
    }
}
