//! A publisher's permission for a media key to sign one session's media, for a while.
//!
//! spec: proto/SPEC.md#delegation

use ed25519_dalek::VerifyingKey;
use prost::Message;

use super::domain::Domain;
use super::keys::public_key;
use super::{PublisherId, PublisherKey, SessionId, Signature};
use crate::limits::{CLOCK_SKEW_SECONDS_MAX, SESSION_SECONDS_MAX};
use crate::time::UnixSeconds;
use crate::wire::DecodeError;
use crate::wire::fields::{array, require};
use crate::wire::proto::session as wire;

/// What a delegation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The key that may sign shards.
    pub media_key: VerifyingKey,
    /// The session it may sign for.
    pub session: SessionId,
    /// First second it is valid.
    pub not_before: UnixSeconds,
    /// First second it is no longer valid.
    pub expires: UnixSeconds,
}

/// Why a delegation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DelegationError {
    /// It is not by the publisher, or was changed.
    #[error("the permission to sign this session's media is not by its publisher")]
    BadSignature,
    /// It is for something else.
    #[error("the permission to sign media is for another session")]
    WrongSession,
    /// Its time has not come, by this node's clock.
    #[error("the permission to sign media is not valid yet: check this computer's clock")]
    NotYetValid,
    /// Its time is over, by this node's clock.
    #[error("the permission to sign media has expired: ask the publisher for a new link")]
    Expired,
}

/// A delegation with its signature: exactly the bytes the publisher signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDelegation {
    claims: Delegation,
    bytes: Vec<u8>,
    signature: Signature,
}

impl Delegation {
    /// Signs it with the publisher's key.
    #[must_use]
    pub fn issue(self, publisher: &PublisherKey) -> SignedDelegation {
        let message = wire::Delegation {
            media_key: self.media_key.to_bytes().to_vec().into(),
            session: self.session.as_bytes().to_vec().into(),
            not_before: self.not_before.0,
            expires: self.expires.0,
        };
        let bytes = message.encode_to_vec();
        let signature = publisher.sign_for(Domain::Delegation, &bytes);
        SignedDelegation { claims: self, bytes, signature }
    }
}

impl SignedDelegation {
    /// Checks it and gives what it says.
    ///
    /// # Errors
    /// [`DelegationError`] when `publisher` did not sign it, it is for another session than
    /// `session`, or `now` is outside its time. A clock up to [`CLOCK_SKEW_SECONDS_MAX`] behind
    /// the publisher's is forgiven.
    pub fn verify(
        &self,
        publisher: &PublisherId,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<&Delegation, DelegationError> {
        publisher
            .verify_for(Domain::Delegation, &self.bytes, &self.signature)
            .map_err(|_| DelegationError::BadSignature)?;
        if self.claims.session != *session {
            return Err(DelegationError::WrongSession);
        }
        if self.claims.not_before.0 > now.0.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
            return Err(DelegationError::NotYetValid);
        }
        if self.claims.expires <= now {
            return Err(DelegationError::Expired);
        }
        Ok(&self.claims)
    }

    /// What it says, unchecked.
    #[must_use]
    pub fn claims(&self) -> &Delegation {
        &self.claims
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a delegation. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message = wire::SignedDelegation::decode(bytes)
            .map_err(|_| DecodeError::field("delegation", "not a protobuf message"))?;
        Self::from_wire(&message)
    }

    pub(crate) fn to_wire(&self) -> wire::SignedDelegation {
        wire::SignedDelegation {
            delegation: self.bytes.clone().into(),
            signature: self.signature.to_vec().into(),
        }
    }

    pub(crate) fn from_wire(message: &wire::SignedDelegation) -> Result<Self, DecodeError> {
        let signature = array("delegation.signature", &message.signature)?;
        let inner = wire::Delegation::decode(message.delegation.as_ref())
            .map_err(|_| DecodeError::field("delegation", "not a protobuf message"))?;
        let media_key = public_key(&array("media_key", &inner.media_key)?)
            .ok_or(DecodeError::field("media_key", "not an Ed25519 public key"))?;
        require(inner.expires > inner.not_before, "expires", "not after not_before")?;
        require(
            inner.expires - inner.not_before <= SESSION_SECONDS_MAX,
            "expires",
            "further after not_before than a session may last",
        )?;
        let claims = Delegation {
            media_key,
            session: SessionId::from_bytes(array("session", &inner.session)?),
            not_before: UnixSeconds(inner.not_before),
            expires: UnixSeconds(inner.expires),
        };
        Ok(Self { claims, bytes: message.delegation.to_vec(), signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::MediaKey;

    fn signed() -> (PublisherKey, SessionId, SignedDelegation) {
        let publisher = PublisherKey::from_seed(&[1; 32]);
        let session = SessionId::derive(&publisher.id(), &[7; 16]);
        let delegation = Delegation {
            media_key: MediaKey::from_seed(&[2; 32]).verifying_key(),
            session,
            not_before: UnixSeconds(1_000),
            expires: UnixSeconds(2_000),
        };
        let signed = delegation.issue(&publisher);
        (publisher, session, signed)
    }

    #[test]
    fn holds_within_its_time_for_its_session_and_publisher() {
        let (publisher, session, signed) = signed();
        let id = publisher.id();
        let at = |now| signed.verify(&id, &session, UnixSeconds(now)).map(|_| ());
        assert_eq!(at(1_000 - CLOCK_SKEW_SECONDS_MAX - 1), Err(DelegationError::NotYetValid));
        assert_eq!(at(1_000 - CLOCK_SKEW_SECONDS_MAX), Ok(()));
        assert_eq!(at(1_999), Ok(()));
        assert_eq!(at(2_000), Err(DelegationError::Expired));
        assert_eq!(at(u64::MAX), Err(DelegationError::Expired));

        let other = SessionId::derive(&id, &[8; 16]);
        let error = signed.verify(&id, &other, UnixSeconds(1_500)).expect_err("other session");
        assert_eq!(error, DelegationError::WrongSession);
        let stranger = PublisherKey::from_seed(&[3; 32]).id();
        let error = signed.verify(&stranger, &session, UnixSeconds(1_500)).expect_err("stranger");
        assert_eq!(error, DelegationError::BadSignature);
    }

    #[test]
    fn any_changed_bit_and_any_truncation_is_noticed() {
        let (publisher, session, signed) = signed();
        let id = publisher.id();
        let bytes = signed.encode();
        assert_eq!(SignedDelegation::decode(&bytes), Ok(signed));
        let accepts = |bytes: &[u8]| {
            SignedDelegation::decode(bytes)
                .is_ok_and(|d| d.verify(&id, &session, UnixSeconds(1_500)).is_ok())
        };
        assert!(accepts(&bytes));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(&changed), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(!accepts(&bytes[..len]), "first {len} bytes");
        }
    }
}
