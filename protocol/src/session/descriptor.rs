//! What a publisher says about a session, signed.
//!
//! The signature covers the exact bytes that travel. They are kept and passed on as they came,
//! so fields that this version does not know survive it.
//!
//! spec: proto/SPEC.md#session-descriptor

use prost::Message;

use super::policy::Policy;
use crate::identity::{
    Delegation, DelegationError, Domain, PublisherId, PublisherKey, SESSION_NONCE_BYTES, SessionId,
    Signature, SignedDelegation, VerifyingKey, public_key,
};
use crate::limits::{
    BITRATE_BPS_MAX, CLOCK_SKEW_SECONDS_MAX, DESCRIPTOR_BYTES_MAX, K_MAX, M_MAX,
    SESSION_SECONDS_MAX, TITLE_CHARS_MAX,
};
use crate::time::UnixSeconds;
use crate::unit::Bitrate;
use crate::wire::DecodeError;
use crate::wire::fields::{array, require};
use crate::wire::proto::session as wire;

/// What a publisher says about a session. Every field is within its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// Whose session it is.
    pub publisher: PublisherId,
    /// With the publisher it makes the session's id.
    pub nonce: [u8; SESSION_NONCE_BYTES],
    /// For people: at most [`TITLE_CHARS_MAX`] characters on one line, perhaps none.
    pub title: String,
    /// Who signs the media.
    pub delegation: SignedDelegation,
    /// The largest rendition, audio included.
    pub bitrate: Bitrate,
    /// Data shards of a block.
    pub k: u8,
    /// Parity shards of a block.
    pub m: u8,
    /// When it was written.
    pub created: UnixSeconds,
    /// First second it is no longer valid.
    pub expires: UnixSeconds,
    /// What the publisher allows.
    pub policy: Policy,
    /// From which the home stripes of the first epoch are drawn.
    pub epoch_seed: [u8; 32],
}

/// Data and parity shards that suit a bitrate, with a picture or for sound alone.
///
/// Two parity stripes, because under churn one is not enough. Derived: DESIGN.md section 5.
#[must_use]
pub fn default_stripes(bitrate: Bitrate, video: bool) -> (u8, u8) {
    match bitrate.bps() {
        _ if !video => (1, 1),
        0..=2_000_000 => (4, 2),
        2_000_001..=5_000_000 => (8, 2),
        _ => (12, 2),
    }
}

/// Why a descriptor cannot be made as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session cannot be described: {0}")]
pub struct InvalidDescriptor(#[from] DecodeError);

/// Collects what the caller chooses about a new session; the rest has defaults.
#[derive(Clone, Debug)]
pub struct DescriptorBuilder {
    nonce: [u8; SESSION_NONCE_BYTES],
    epoch_seed: [u8; 32],
    media_key: VerifyingKey,
    bitrate: Bitrate,
    created: UnixSeconds,
    expires: UnixSeconds,
    title: String,
    video: bool,
    stripes: Option<(u8, u8)>,
    policy: Policy,
}

/// Life of a session unless the builder is told otherwise, seconds: one day. Guess: longer than an
/// event, so a link posted in the morning works in the evening.
const SESSION_SECONDS_DEFAULT: u64 = 24 * 60 * 60;

impl DescriptorBuilder {
    /// A session from `created` for one day, media signed by `media_key`. The caller draws `nonce`
    /// and `epoch_seed` at random.
    #[must_use]
    pub fn new(
        nonce: [u8; SESSION_NONCE_BYTES],
        epoch_seed: [u8; 32],
        media_key: VerifyingKey,
        bitrate: Bitrate,
        created: UnixSeconds,
    ) -> Self {
        Self {
            nonce,
            epoch_seed,
            media_key,
            bitrate,
            created,
            expires: UnixSeconds(created.0.saturating_add(SESSION_SECONDS_DEFAULT)),
            title: String::new(),
            video: true,
            stripes: None,
            policy: Policy::default(),
        }
    }

    /// A title for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The first second the session is no longer valid.
    #[must_use]
    pub fn expires(mut self, expires: UnixSeconds) -> Self {
        self.expires = expires;
        self
    }

    /// Sound alone.
    #[must_use]
    pub fn audio_only(mut self) -> Self {
        self.video = false;
        self
    }

    /// Data and parity shards, instead of [`default_stripes`].
    #[must_use]
    pub fn stripes(mut self, k: u8, m: u8) -> Self {
        self.stripes = Some((k, m));
        self
    }

    /// What the publisher allows.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Checks everything, delegates to the media key for the session's life, and signs.
    ///
    /// # Errors
    /// [`InvalidDescriptor`] names the first value out of its bounds.
    pub fn sign(self, key: &PublisherKey) -> Result<SignedDescriptor, InvalidDescriptor> {
        let publisher = key.id();
        let (k, m) = self.stripes.unwrap_or_else(|| default_stripes(self.bitrate, self.video));
        let delegation = Delegation {
            media_key: self.media_key,
            session: SessionId::derive(&publisher, &self.nonce),
            not_before: self.created,
            expires: self.expires,
        };
        let message = wire::Descriptor {
            publisher: publisher.as_bytes().to_vec().into(),
            nonce: self.nonce.to_vec().into(),
            title: self.title,
            delegation: Some(delegation.issue(key).to_wire()),
            bitrate: self.bitrate.bps(),
            k: k.into(),
            m: m.into(),
            created: self.created.0,
            expires: self.expires.0,
            policy: Some(self.policy.to_wire()),
            epoch_seed: self.epoch_seed.to_vec().into(),
        };
        // One set of rules for what we write and what we read.
        let bytes = message.encode_to_vec();
        let descriptor = Descriptor::decode(&bytes)?;
        let signature = key.sign_for(Domain::Descriptor, &bytes);
        Ok(SignedDescriptor { descriptor, bytes, signature })
    }
}

impl Descriptor {
    /// The session's id.
    #[must_use]
    pub fn session(&self) -> SessionId {
        SessionId::derive(&self.publisher, &self.nonce)
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message = wire::Descriptor::decode(bytes)
            .map_err(|_| DecodeError::field("descriptor", "not a protobuf message"))?;
        let publisher = array("publisher", &message.publisher)?;
        require(public_key(&publisher).is_some(), "publisher", "not an Ed25519 public key")?;
        let delegation = message.delegation.as_ref().ok_or(DecodeError::Truncated("delegation"))?;
        let policy = message.policy.as_ref().ok_or(DecodeError::Truncated("policy"))?;
        check_title(&message.title)?;
        require(
            (1..=BITRATE_BPS_MAX).contains(&message.bitrate),
            "bitrate",
            "not within 1 bit/s and 100 Mbit/s",
        )?;
        let within = |value: u32, min: u8, max: u8| {
            u8::try_from(value).ok().filter(|v| (min..=max).contains(v))
        };
        let k =
            within(message.k, 1, K_MAX).ok_or(DecodeError::field("k", "not within 1 and 16"))?;
        let m = within(message.m, 0, M_MAX).ok_or(DecodeError::field("m", "not within 0 and 4"))?;
        require(message.expires > message.created, "expires", "not after created")?;
        require(
            message.expires - message.created <= SESSION_SECONDS_MAX,
            "expires",
            "more than 31 days after created",
        )?;
        Ok(Self {
            publisher: PublisherId::from_bytes(publisher),
            nonce: array("nonce", &message.nonce)?,
            delegation: SignedDelegation::from_wire(delegation)?,
            bitrate: Bitrate::from_bps(message.bitrate),
            k,
            m,
            created: UnixSeconds(message.created),
            expires: UnixSeconds(message.expires),
            policy: Policy::from_wire(policy)?,
            epoch_seed: array("epoch_seed", &message.epoch_seed)?,
            title: message.title,
        })
    }
}

/// A title is one line of text that cannot disguise what is around it.
fn check_title(title: &str) -> Result<(), DecodeError> {
    // Bidirectional controls reorder the page around them, and are not in `is_control`.
    let disguises = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    require(title.chars().count() <= TITLE_CHARS_MAX, "title", "more than 80 characters")?;
    require(!title.chars().any(|c| breaks(c) || disguises(c)), "title", "has a control character")
}

/// Why a session's description does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It is not by the publisher it names, or was changed.
    #[error("this session's description was not signed by its publisher, or was changed since")]
    BadSignature,
    /// Its time has not come, by this node's clock.
    #[error("this session's description is dated in the future: check this computer's clock")]
    NotYetValid,
    /// Its time is over, by this node's clock.
    #[error("this session has ended: its link has expired, ask the publisher for a new one")]
    Expired,
    /// The media key may not sign for it.
    #[error(transparent)]
    Delegation(#[from] DelegationError),
}

/// A descriptor with its signature: exactly the bytes the publisher signed. What it says is
/// well-formed, but nothing of it is checked before [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDescriptor {
    descriptor: Descriptor,
    bytes: Vec<u8>,
    signature: Signature,
}

impl SignedDescriptor {
    /// Its bytes, at most [`DESCRIPTOR_BYTES_MAX`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a descriptor, or a value is out of its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        require(bytes.len() <= DESCRIPTOR_BYTES_MAX, "descriptor", "more than 1024 bytes")?;
        let message = wire::SignedDescriptor::decode(bytes)
            .map_err(|_| DecodeError::field("descriptor", "not a protobuf message"))?;
        Self::from_wire(&message)
    }

    /// Checks signature, time and delegation.
    ///
    /// # Errors
    /// [`DescriptorError`] says in words for people what does not hold. A clock up to
    /// [`CLOCK_SKEW_SECONDS_MAX`] behind the publisher's is forgiven.
    pub fn verify(&self, now: UnixSeconds) -> Result<Session, DescriptorError> {
        let d = &self.descriptor;
        d.publisher
            .verify_for(Domain::Descriptor, &self.bytes, &self.signature)
            .map_err(|_| DescriptorError::BadSignature)?;
        if d.created.0 > now.0.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
            return Err(DescriptorError::NotYetValid);
        }
        if d.expires <= now {
            return Err(DescriptorError::Expired);
        }
        let id = d.session();
        let media_key = d.delegation.verify(&d.publisher, &id, now)?.media_key;
        Ok(Session { id, media_key, signed: self.clone() })
    }

    /// The session it claims to describe, unchecked.
    #[must_use]
    pub fn claimed_session(&self) -> SessionId {
        self.descriptor.session()
    }

    /// What it claims, unchecked.
    #[must_use]
    pub fn claims(&self) -> &Descriptor {
        &self.descriptor
    }

    pub(crate) fn to_wire(&self) -> wire::SignedDescriptor {
        wire::SignedDescriptor {
            descriptor: self.bytes.clone().into(),
            signature: self.signature.to_vec().into(),
        }
    }

    pub(crate) fn from_wire(message: &wire::SignedDescriptor) -> Result<Self, DecodeError> {
        require(
            message.encoded_len() <= DESCRIPTOR_BYTES_MAX,
            "descriptor",
            "more than 1024 bytes",
        )?;
        Ok(Self {
            descriptor: Descriptor::decode(&message.descriptor)?,
            signature: array("descriptor.signature", &message.signature)?,
            bytes: message.descriptor.to_vec(),
        })
    }
}

/// A session whose descriptor was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    id: SessionId,
    media_key: VerifyingKey,
    signed: SignedDescriptor,
}

impl Session {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The key that signs its shards.
    #[must_use]
    pub fn media_key(&self) -> &VerifyingKey {
        &self.media_key
    }

    /// What its publisher says about it.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.signed.descriptor
    }

    /// The signed descriptor, to pass on.
    #[must_use]
    pub fn signed(&self) -> &SignedDescriptor {
        &self.signed
    }

    /// Stripes of a rendition: data and parity.
    #[must_use]
    pub fn stripes(&self) -> u8 {
        self.signed.descriptor.k + self.signed.descriptor.m
    }
}

#[cfg(test)]
mod tests;
