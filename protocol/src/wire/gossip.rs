//! What a member tells those it has no link with, by gossip.
//!
//! spec: proto/SPEC.md#capacity-adverts

use super::DecodeError;
use super::control::{decode_member, encode_member};
use super::fields::array;
use super::proto::link as pb;
use crate::forest::Member;
use crate::identity::SessionId;
use crate::limits::GOSSIP_BYTES_MAX;
use bytes::Bytes;
use prost::Message;
use std::time::Duration;

/// One gossip message: a member's own description. The carrier signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// The session.
    pub session: SessionId,
    /// The author.
    pub member: Member,
    /// How long the author waits between its messages on the topic, on average, whole seconds up to
    /// 65535. Zero: it does not say.
    pub interval: Duration,
}

impl Gossip {
    /// Encodes it: a `Frame` with an `Announce`, so that whoever knows nothing of intervals reads it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let announce = pb::Announce {
            session: Bytes::copy_from_slice(self.session.as_bytes()),
            member: Some(encode_member(&self.member)),
            reply: false,
            interval: self.interval.as_secs().min(u64::from(u16::MAX)) as u32,
        };
        pb::Frame { body: Some(pb::frame::Body::Announce(announce)) }.encode_to_vec().into()
    }

    /// Decodes one message.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not such a message, or break a bound.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.len() > GOSSIP_BYTES_MAX {
            return Err(DecodeError::field("advert", "longer than a gossip message may be"));
        }
        let frame = pb::Frame::decode(bytes)
            .map_err(|_| DecodeError::field("advert", "not a protobuf message"))?;
        let Some(pb::frame::Body::Announce(announce)) = frame.body else {
            return Err(DecodeError::field("advert", "not an announcement"));
        };
        let member = announce.member.ok_or(DecodeError::Truncated("member"))?;
        Ok(Self {
            session: SessionId::from_bytes(array("session", &announce.session)?),
            member: decode_member(member)?,
            interval: Duration::from_secs(announce.interval.min(u16::MAX.into()).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::{Contact, Reach, Role, Spot, StripeSet};
    use crate::identity::NodeId;
    use crate::wire::control::{Body, Control};

    fn gossip(seconds: u64) -> Gossip {
        let contact = Contact::new(NodeId::from_bytes([2; 32]), [([192, 0, 2, 1], 4433).into()]);
        let member = Member {
            contact,
            role: Role::Helper,
            carries: StripeSet::all(3),
            slots: 9,
            slots_free: 5,
            depth: 2,
            delay_us: 40_000,
            age_s: 0,
            reach: Reach::Public,
            spot: Spot::default(),
        };
        let interval = Duration::from_secs(seconds);
        Gossip { session: SessionId::from_bytes([1; 32]), member, interval }
    }

    #[test]
    fn what_is_written_is_read_and_others_read_an_announcement() {
        for seconds in [0, 1, 83, 65_535] {
            let gossip = gossip(seconds);
            assert_eq!(Gossip::decode(gossip.encode()), Ok(gossip.clone()));
            let body = Body::Announce { member: gossip.member, reply: false };
            let control = Control { session: gossip.session, body };
            assert_eq!(Control::decode(self::gossip(seconds).encode()), Ok(control.clone()));
            assert_eq!(Gossip::decode(control.encode()), Ok(self::gossip(0)), "says no interval");
        }
        assert_eq!(Gossip::decode(gossip(1 << 40).encode()), Ok(gossip(65_535)));
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        let session = SessionId::from_bytes([1; 32]);
        let other = Control { session, body: Body::Refresh }.encode();
        assert!(Gossip::decode(other).is_err());
        let whole = gossip(83).encode();
        assert!((0..whole.len()).all(|len| Gossip::decode(whole.slice(..len)).is_err()));
        assert!(Gossip::decode(vec![0; GOSSIP_BYTES_MAX + 1].into()).is_err());
    }
}
