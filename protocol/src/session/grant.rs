//! Who is the root of a session, when it is no longer the node that began it.
//!
//! The publisher grants the place to another node, which was fed beforehand; so the first root can
//! move or die, and the session goes on. A higher term wins, and what lost cannot come back.
//!
//! spec: proto/SPEC.md#root-grant

use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use crate::identity::{
    Domain, NodeId, PublisherId, PublisherKey, SessionId, Signature, public_key,
};
use crate::limits::{BLOCK_NUMBER_MAX, GRANT_BYTES_MAX};
use crate::time::{Timestamp, UnixSeconds};
use crate::wire::DecodeError;
use crate::wire::fields::{array, require};
use crate::wire::proto::session as wire;

/// How long the old root feeds on beside the new one. Spec: `forest.md` 5.6.
const OVERLAP: Duration = Duration::from_secs(2);

/// The publisher makes another node the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootGrant {
    /// The session.
    pub session: SessionId,
    /// The root until now.
    pub from: NodeId,
    /// The root from now on.
    pub to: NodeId,
    /// First block that the new root numbers.
    pub from_block: u64,
    /// 1 or more. A higher term wins; the first root's is 0.
    pub term: u64,
    /// First second it can no longer be taken up.
    pub expires: UnixSeconds,
}

/// Why a grant does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is about another session.
    #[error("the grant of the root's place is for another session")]
    WrongSession,
    /// Its time is over.
    #[error("the grant of the root's place has expired")]
    Expired,
    /// It is not by the publisher, or was changed.
    #[error("the grant of the root's place was not signed by the publisher, or was changed since")]
    BadSignature,
}

impl RootGrant {
    /// Signs it with the publisher's key.
    ///
    /// # Errors
    /// [`DecodeError`] names the first field out of its bounds.
    pub fn sign(&self, publisher: &PublisherKey) -> Result<SignedRootGrant, DecodeError> {
        let message = wire::RootGrant {
            session: self.session.as_bytes().to_vec().into(),
            from: self.from.as_bytes().to_vec().into(),
            to: self.to.as_bytes().to_vec().into(),
            from_block: self.from_block,
            term: self.term,
            expires: self.expires.0,
        };
        let bytes = Bytes::from(message.encode_to_vec());
        // One set of rules for what we write and what we read.
        let grant = Self::decode(&bytes)?;
        let signature = publisher.sign_for(Domain::RootGrant, &bytes);
        Ok(SignedRootGrant { grant, bytes, signature })
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message = wire::RootGrant::decode(bytes)
            .map_err(|_| DecodeError::field("grant", "not a protobuf message"))?;
        let node = |field, bytes: &Bytes| {
            let bytes = array(field, bytes)?;
            require(public_key(&bytes).is_some(), field, "not an Ed25519 public key")?;
            Ok::<_, DecodeError>(NodeId::from_bytes(bytes))
        };
        let (from, to) = (node("from", &message.from)?, node("to", &message.to)?);
        require(from != to, "to", "the same node as from")?;
        require(message.from_block <= BLOCK_NUMBER_MAX, "from_block", "no number of a block")?;
        require(message.term > 0, "term", "0 is the first root's")?;
        Ok(Self {
            session: SessionId::from_bytes(array("session", &message.session)?),
            from,
            to,
            from_block: message.from_block,
            term: message.term,
            expires: UnixSeconds(message.expires),
        })
    }
}

/// A grant with its signature: exactly the bytes the publisher signed. What it says is well-formed,
/// but nothing of it is checked before [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRootGrant {
    grant: RootGrant,
    bytes: Bytes,
    signature: Signature,
}

impl SignedRootGrant {
    /// Checks it and gives what it says.
    ///
    /// # Errors
    /// The first of [`GrantError`], in its order, that applies.
    pub fn verify(
        &self,
        publisher: &PublisherId,
        session: &SessionId,
        now: UnixSeconds,
    ) -> Result<&RootGrant, GrantError> {
        if self.grant.session != *session {
            return Err(GrantError::WrongSession);
        }
        if self.grant.expires <= now {
            return Err(GrantError::Expired);
        }
        publisher
            .verify_for(Domain::RootGrant, &self.bytes, &self.signature)
            .map_err(|_| GrantError::BadSignature)?;
        Ok(&self.grant)
    }

    /// What it says, unchecked.
    #[must_use]
    pub const fn claims(&self) -> &RootGrant {
        &self.grant
    }

    /// Its bytes, at most [`GRANT_BYTES_MAX`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let signature = Bytes::copy_from_slice(&self.signature);
        wire::SignedRootGrant { grant: self.bytes.clone(), signature }.encode_to_vec()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a grant. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        require(bytes.len() <= GRANT_BYTES_MAX, "grant", "more than 256 bytes")?;
        let message = wire::SignedRootGrant::decode(bytes)
            .map_err(|_| DecodeError::field("grant", "not a protobuf message"))?;
        Ok(Self {
            grant: RootGrant::decode(&message.grant)?,
            signature: array("grant.signature", &message.signature)?,
            bytes: message.grant,
        })
    }

    /// Whether it takes the place of `other`. A publisher signs one grant for a term; should it sign
    /// two, everybody keeps the same one.
    fn beats(&self, other: &Self) -> bool {
        (self.grant.term, &other.bytes) > (other.grant.term, &self.bytes)
    }
}

/// Keeps the highest valid grant of a session: who is the root.
#[derive(Clone, Debug)]
pub struct Terms {
    session: SessionId,
    publisher: PublisherId,
    first: Option<NodeId>,
    held: Option<SignedRootGrant>,
    /// The root before, and until when it may feed.
    before: Option<(NodeId, Timestamp)>,
}

impl Terms {
    /// For a session without a grant. `first` is the node that began it, if known.
    #[must_use]
    pub const fn new(session: SessionId, publisher: PublisherId, first: Option<NodeId>) -> Self {
        Self { session, publisher, first, held: None, before: None }
    }

    /// Takes up a grant. True if there is another root now, which the caller tells others; false if
    /// it is known already or a higher one is.
    ///
    /// # Errors
    /// [`GrantError`] if it would win but does not hold.
    pub fn offer(
        &mut self,
        now: Timestamp,
        clock: UnixSeconds,
        grant: &SignedRootGrant,
    ) -> Result<bool, GrantError> {
        if grant.grant.session == self.session
            && self.held.as_ref().is_some_and(|held| !grant.beats(held))
        {
            return Ok(false);
        }
        let said = grant.verify(&self.publisher, &self.session, clock)?;
        let old = self.root().unwrap_or(said.from);
        self.before = (old != said.to).then_some((old, now + OVERLAP));
        self.held = Some(grant.clone());
        Ok(true)
    }

    /// The root, if known.
    #[must_use]
    pub fn root(&self) -> Option<NodeId> {
        self.held.as_ref().map(|held| held.grant.to).or(self.first)
    }

    /// Which node numbers `block`, if known: the root before up to the grant's first block.
    #[must_use]
    pub fn root_of(&self, block: u64) -> Option<NodeId> {
        match &self.held {
            Some(held) if block < held.grant.from_block => Some(held.grant.from),
            _ => self.root(),
        }
    }

    /// The term of the root: 0 for the first.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.grant.term)
    }

    /// Whether `node` may be the source of stripes at `now`: the root, and for two seconds the one
    /// before it.
    #[must_use]
    pub fn may_feed(&self, now: Timestamp, node: &NodeId) -> bool {
        self.root() == Some(*node)
            || self.before.is_some_and(|(before, until)| before == *node && now < until)
    }

    /// The grant in force, to pass on.
    #[must_use]
    pub const fn grant(&self) -> Option<&SignedRootGrant> {
        self.held.as_ref()
    }
}

#[cfg(test)]
mod tests;
