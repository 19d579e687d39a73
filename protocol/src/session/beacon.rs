//! The publisher is there, though it sends no media; and what a node makes of hearing nothing.
//!
//! A shard is a beacon itself. While the publisher pauses, it signs a [`Beacon`] each second, which
//! parents pass on. A node whose parent lives, but through whom nothing new of either kind comes, is
//! on an island: a part of the forest that hangs together and has lost the root. Its head rejoins at
//! once; who is below it waits, each level longer, since the head's rejoining saves them all.
//!
//! spec: proto/SPEC.md#beacon

use std::time::Duration;

use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use prost::Message;

use crate::identity::{BadSignature, Domain, MediaKey, SessionId, Signature, verify};
use crate::limits::{BEACON_BYTES_MAX, BLOCK_NUMBER_MAX};
use crate::time::Timestamp;
use crate::wire::DecodeError;
use crate::wire::fields::{array, require};
use crate::wire::proto::session as wire;

/// How often the publisher signs a beacon while it sends no shards. Spec: `proto/SPEC.md#beacon`.
pub const BEACON_EVERY: Duration = Duration::from_secs(1);
/// Without news for this long a node is on an island. Spec: `proto/SPEC.md#beacon`; one beacon
/// may be lost and the next be late.
const STALE_AFTER: Duration = Duration::from_secs(3);
/// What each level below the head of an island waits longer. Spec: `proto/SPEC.md#beacon`; a rejoin
/// and its first shard take about 200 ms.
const WAIT_PER_LEVEL: Duration = Duration::from_millis(300);

/// The publisher says that it is there. The session it speaks of is under the signature, and named
/// by the message it travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Higher than in each earlier beacon of the session. A root that starts again begins at the
    /// Unix time in seconds.
    pub seq: u64,
    /// Number of the newest block there is.
    pub newest_block: u64,
    /// When it was signed: microseconds since the Unix epoch, by the publisher's clock.
    pub time_us: u64,
}

impl Beacon {
    /// Signs it with the media key of `session`.
    ///
    /// # Errors
    /// [`DecodeError`] if `newest_block` is no number of a block.
    pub fn sign(self, session: &SessionId, key: &MediaKey) -> Result<SignedBeacon, DecodeError> {
        self.check()?;
        let signature = key.sign_for(Domain::Beacon, &self.body(session));
        Ok(SignedBeacon { beacon: self, signature })
    }

    fn check(&self) -> Result<(), DecodeError> {
        require(self.newest_block <= BLOCK_NUMBER_MAX, "newest_block", "no number of a block")
    }

    /// What is signed, after the tag.
    fn body(&self, session: &SessionId) -> Vec<u8> {
        let numbers = [self.seq, self.newest_block, self.time_us].map(u64::to_be_bytes).concat();
        [session.as_bytes().as_slice(), &numbers].concat()
    }
}

/// A beacon with its signature. Nothing is checked before [`Self::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedBeacon {
    beacon: Beacon,
    signature: Signature,
}

impl SignedBeacon {
    /// Checks that the media key of `session` signed it, and gives what it says.
    ///
    /// # Errors
    /// [`BadSignature`] if not: whoever sent it is at fault.
    pub fn verify(&self, session: &SessionId, key: &VerifyingKey) -> Result<Beacon, BadSignature> {
        let message = Domain::Beacon.message(&self.beacon.body(session));
        verify(key, &message, &self.signature)?;
        Ok(self.beacon)
    }

    /// What it says, unchecked.
    #[must_use]
    pub const fn claims(&self) -> &Beacon {
        &self.beacon
    }

    /// Its bytes, at most [`BEACON_BYTES_MAX`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        wire::Beacon {
            seq: self.beacon.seq,
            newest_block: self.beacon.newest_block,
            time_us: self.beacon.time_us,
            signature: Bytes::copy_from_slice(&self.signature),
        }
        .encode_to_vec()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a beacon. Nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        require(bytes.len() <= BEACON_BYTES_MAX, "beacon", "more than 120 bytes")?;
        let message = wire::Beacon::decode(bytes)
            .map_err(|_| DecodeError::field("beacon", "not a protobuf message"))?;
        let beacon = Beacon {
            seq: message.seq,
            newest_block: message.newest_block,
            time_us: message.time_us,
        };
        beacon.check()?;
        Ok(Self { beacon, signature: array("beacon.signature", &message.signature)? })
    }
}

/// What a node should do, as far as news from the publisher goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: the publisher was heard lately.
    Fresh,
    /// It is on an island, below its head: wait for the head to rejoin, until then.
    Wait(Timestamp),
    /// Look for another parent.
    Rejoin,
}

/// Watches for news of the publisher.
#[derive(Clone, Debug)]
pub struct BeaconWatch {
    session: SessionId,
    key: VerifyingKey,
    newest: Option<SignedBeacon>,
    newest_block: Option<u64>,
    fresh_at: Timestamp,
}

impl BeaconWatch {
    /// Starts at `now`, as if the publisher had just been heard.
    #[must_use]
    pub const fn new(now: Timestamp, session: SessionId, media_key: VerifyingKey) -> Self {
        Self { session, key: media_key, newest: None, newest_block: None, fresh_at: now }
    }

    /// A beacon came. True if it is news, to be passed on; false if it is known or older, which is
    /// not checked.
    ///
    /// # Errors
    /// [`BadSignature`] if it would be news, but not the media key's: the sender is at fault.
    pub fn on_beacon(
        &mut self,
        now: Timestamp,
        signed: &SignedBeacon,
    ) -> Result<bool, BadSignature> {
        if self.newest.is_some_and(|newest| signed.beacon.seq <= newest.beacon.seq) {
            return Ok(false);
        }
        let beacon = signed.verify(&self.session, &self.key)?;
        self.newest = Some(*signed);
        self.newest_block = self.newest_block.max(Some(beacon.newest_block));
        self.fresh_at = now;
        Ok(true)
    }

    /// A shard of `block` came and its signature holds.
    pub fn on_shard(&mut self, now: Timestamp, block: u64) {
        // An old one proves nothing: anybody may send it again.
        if self.newest_block < Some(block) {
            self.newest_block = Some(block);
            self.fresh_at = now;
        }
    }

    /// The newest beacon, to pass on to a new child.
    #[must_use]
    pub const fn newest(&self) -> Option<&SignedBeacon> {
        self.newest.as_ref()
    }

    /// The newest block that the publisher is known to have made.
    #[must_use]
    pub const fn newest_block(&self) -> Option<u64> {
        self.newest_block
    }

    /// When the node is on an island unless there is news before.
    #[must_use]
    pub fn stale_at(&self) -> Timestamp {
        self.fresh_at + STALE_AFTER
    }

    /// What a node should do whose parent lives and that is `levels` below the head of its part of
    /// the forest; the head itself, which has no living parent, is level 0.
    #[must_use]
    pub fn standing(&self, now: Timestamp, levels: u8) -> Standing {
        let rejoin_at = self.stale_at() + WAIT_PER_LEVEL * u32::from(levels);
        if now < self.stale_at() {
            Standing::Fresh
        } else if now < rejoin_at {
            Standing::Wait(rejoin_at)
        } else {
            Standing::Rejoin
        }
    }

    /// The node has rejoined: it waits for news afresh.
    pub const fn rejoined(&mut self, now: Timestamp) {
        self.fresh_at = now;
    }
}

#[cfg(test)]
mod tests;
