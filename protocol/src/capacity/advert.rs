//! What a node says it has left to give, signed: soft state that others may pass on.
//!
//! The home stripe is not in it: everybody derives it from the node and the session's seed. Nothing
//! in it is believed further than [`Claim`](super::Claim) does, and admission is the parent's answer
//! to a graft.
//!
//! spec: proto/SPEC.md#signed-advert

use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use crate::forest::{Coordinate, Role};
use crate::identity::{Domain, NodeId, NodeKey, SessionId, Signature};
use crate::limits::{
    ADVERT_BYTES_MAX, ADVERT_LEEWAY_SECONDS, ADVERT_SECONDS, ADVERT_SECONDS_STABLE, CHILDREN_MAX,
    PATH_MAX,
};
use crate::time::UnixSeconds;
use crate::wire::DecodeError;
use crate::wire::fields::{array, require};
use crate::wire::proto::capacity as wire;

/// What a node has left to give in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The node.
    pub node: NodeId,
    /// The session.
    pub session: SessionId,
    /// What it is there.
    pub role: Role,
    /// Where it is; 0 is not said.
    pub region: u16,
    /// Children it can feed, one stripe each, at most [`CHILDREN_MAX`].
    pub slots_max: u16,
    /// Children it would still admit, at most `slots_max`.
    pub slots_free: u16,
    /// From the root to it, in the slowest stripe it passes on, ms.
    pub delay_ms: u16,
    /// Links from the root, the most over its stripes; below [`PATH_MAX`].
    pub depth: u8,
    /// Where it is in the network.
    pub coordinate: Coordinate,
    /// Seconds between its adverts on a topic, see [`AdvertInterval`](super::AdvertInterval); 0 is
    /// not said.
    pub interval: u16,
    /// Higher than in each earlier advert of the node for the session. A node that starts again
    /// begins at the Unix time in seconds.
    pub seq: u32,
    /// First second it no longer holds.
    pub expires: UnixSeconds,
}

/// Why an advert does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvertError {
    /// It is about another session.
    #[error("the capacity advert is for another session")]
    WrongSession,
    /// The node has said something newer, or the same before.
    #[error("a newer capacity advert of that node is known")]
    Superseded,
    /// Its time is over.
    #[error("the capacity advert has expired")]
    Expired,
    /// It wants to hold for longer than any may.
    #[error("the capacity advert holds too far into the future")]
    TooLong,
    /// It is not by the node it names, or was changed.
    #[error("the capacity advert was not signed by its node, or was changed since")]
    BadSignature,
}

impl Advert {
    /// When an advert made at `now` expires. `stable`: the node has said the same for long.
    #[must_use]
    pub const fn expiry(now: UnixSeconds, stable: bool) -> UnixSeconds {
        UnixSeconds(now.0.saturating_add(if stable {
            ADVERT_SECONDS_STABLE
        } else {
            ADVERT_SECONDS
        }))
    }

    /// Signs it with the key of its node.
    ///
    /// # Errors
    /// [`DecodeError`] names the first field out of its bounds.
    ///
    /// # Panics
    /// If `key` is another node's.
    pub fn sign(&self, key: &NodeKey) -> Result<SignedAdvert, DecodeError> {
        assert_eq!(key.id(), self.node, "a node speaks for itself only");
        let [x, y, height, error] = self.coordinate.to_wire();
        let role = match self.role {
            Role::Root => wire::Role::Root,
            Role::Gateway => wire::Role::Gateway,
            Role::Helper => wire::Role::Helper,
        };
        let message = wire::Advert {
            node: self.node.as_bytes().to_vec().into(),
            session: self.session.as_bytes().to_vec().into(),
            role: role.into(),
            region: self.region.into(),
            slots_max: self.slots_max.into(),
            slots_free: self.slots_free.into(),
            delay_ms: self.delay_ms.into(),
            depth: self.depth.into(),
            coordinate: Some(wire::Coordinate {
                x,
                y,
                height: height.unsigned_abs(),
                error: error.unsigned_abs(),
            }),
            interval: self.interval.into(),
            seq: self.seq,
            expires: self.expires.0,
        };
        let bytes = Bytes::from(message.encode_to_vec());
        // One set of rules for what we write and what we read.
        let advert = Self::decode(&bytes)?;
        let signature = key.sign_for(Domain::Advert, &bytes);
        Ok(SignedAdvert { advert, bytes, signature })
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message = wire::Advert::decode(bytes)
            .map_err(|_| DecodeError::field("advert", "not a protobuf message"))?;
        let role = match message.role() {
            wire::Role::Root => Role::Root,
            wire::Role::Gateway => Role::Gateway,
            wire::Role::Helper => Role::Helper,
            wire::Role::Unspecified => {
                return Err(DecodeError::field("role", "none that is known"));
            }
        };
        let at = message.coordinate.ok_or(DecodeError::Truncated("coordinate"))?;
        let small = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let coordinate = Coordinate::from_wire([at.x, at.y, small(at.height), small(at.error)])
            .ok_or(DecodeError::field("coordinate", "nowhere on Earth"))?;
        require(message.slots_max as usize <= CHILDREN_MAX, "slots_max", "above 1024")?;
        require(message.slots_free <= message.slots_max, "slots_free", "above slots_max")?;
        require((message.depth as usize) < PATH_MAX, "depth", "above 15")?;
        Ok(Self {
            node: NodeId::from_bytes(array("node", &message.node)?),
            session: SessionId::from_bytes(array("session", &message.session)?),
            role,
            region: short("region", message.region)?,
            slots_max: short("slots_max", message.slots_max)?,
            slots_free: short("slots_free", message.slots_free)?,
            delay_ms: short("delay_ms", message.delay_ms)?,
            depth: message.depth as u8,
            coordinate,
            interval: short("interval", message.interval)?,
            seq: message.seq,
            expires: UnixSeconds(message.expires),
        })
    }
}

fn short(field: &'static str, value: u32) -> Result<u16, DecodeError> {
    u16::try_from(value).map_err(|_| DecodeError::field(field, "above 65535"))
}

/// An advert with its signature: exactly the bytes its node signed. What it says is within bounds,
/// but nothing of it is checked before [`Self::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAdvert {
    advert: Advert,
    bytes: Bytes,
    signature: Signature,
}

impl SignedAdvert {
    /// Checks everything, the cheap first. `newest` is the highest `seq` known of the node in the
    /// session. `now` is best the publisher's clock, as its blocks and beacons tell it; clocks may
    /// differ by [`ADVERT_LEEWAY_SECONDS`].
    ///
    /// # Errors
    /// The first of [`AdvertError`], in its order, that applies.
    pub fn verify(
        &self,
        session: &SessionId,
        now: UnixSeconds,
        newest: Option<u32>,
    ) -> Result<&Advert, AdvertError> {
        let advert = &self.advert;
        if advert.session != *session {
            return Err(AdvertError::WrongSession);
        }
        if newest.is_some_and(|newest| advert.seq <= newest) {
            return Err(AdvertError::Superseded);
        }
        if now.0 >= advert.expires.0.saturating_add(ADVERT_LEEWAY_SECONDS) {
            return Err(AdvertError::Expired);
        }
        let latest = now.0.saturating_add(ADVERT_SECONDS_STABLE + ADVERT_LEEWAY_SECONDS);
        if advert.expires.0 > latest {
            return Err(AdvertError::TooLong);
        }
        advert
            .node
            .verify_for(Domain::Advert, &self.bytes, &self.signature)
            .map_err(|_| AdvertError::BadSignature)?;
        Ok(advert)
    }

    /// How much longer it may be kept, whatever the clocks say: at most a minute.
    #[must_use]
    pub fn keep_for(&self, now: UnixSeconds) -> Duration {
        let left = self.advert.expires.0.saturating_sub(now.0).min(ADVERT_SECONDS_STABLE);
        Duration::from_secs(left)
    }

    /// What it says, unchecked.
    #[must_use]
    pub const fn claims(&self) -> &Advert {
        &self.advert
    }

    /// Its bytes, at most [`ADVERT_BYTES_MAX`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let signature = Bytes::copy_from_slice(&self.signature);
        wire::SignedAdvert { advert: self.bytes.clone(), signature }.encode_to_vec()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not an advert, or a value is out of its bounds. Nothing is
    /// verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        require(bytes.len() <= ADVERT_BYTES_MAX, "advert", "more than 200 bytes")?;
        let message = wire::SignedAdvert::decode(bytes)
            .map_err(|_| DecodeError::field("advert", "not a protobuf message"))?;
        Ok(Self {
            advert: Advert::decode(&message.advert)?,
            signature: array("advert.signature", &message.signature)?,
            bytes: message.advert,
        })
    }
}

#[cfg(test)]
mod tests;
