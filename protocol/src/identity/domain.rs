//! What a signature or hash is for, so that none can stand in for another.

/// Purpose of a signature or hash. Its tag and a zero byte come before the message, and no tag is
/// a prefix of another with its zero, so a signature for one purpose never verifies for another.
///
/// Tickets have no tag: a JWT's signed text starts with base64url of `{`, which no tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Hash: a session's id.
    SessionId,
    /// Hash: the checksum of an invite.
    Invite,
    /// Signature by a publisher's key.
    Delegation,
    /// Signature by a publisher's key.
    Descriptor,
    /// Signature by a media key.
    Shard,
    /// Hash: how a block names the one before it.
    Block,
    /// Signature by a media key: the session is over.
    End,
    /// Signature by a media key: the publisher is there.
    Beacon,
    /// Signature by a publisher's key: another node is the root.
    RootGrant,
    /// Signature by a node's key: what it has left to give.
    Advert,
}

impl Domain {
    /// The tag, zero byte included. spec: proto/SPEC.md#domains
    pub(crate) const fn tag(self) -> &'static [u8] {
        match self {
            Self::SessionId => b"banyan/v1/session-id\0",
            Self::Invite => b"banyan/v1/invite\0",
            Self::Delegation => b"banyan/v1/delegation\0",
            Self::Descriptor => b"banyan/v1/descriptor\0",
            Self::Shard => b"banyan/v1/shard\0",
            Self::Block => b"banyan/v1/block\0",
            Self::End => b"banyan/v1/end\0",
            Self::Beacon => b"banyan/v1/beacon\0",
            Self::RootGrant => b"banyan/v1/root-grant\0",
            Self::Advert => b"banyan/v1/advert\0",
        }
    }

    /// The bytes to sign: tag and message.
    pub(crate) fn message(self, body: &[u8]) -> Vec<u8> {
        [self.tag(), body].concat()
    }

    /// BLAKE3 over tag and message.
    pub(crate) fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.tag());
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_is_a_prefix_of_another() {
        let all = [
            Domain::SessionId,
            Domain::Invite,
            Domain::Delegation,
            Domain::Descriptor,
            Domain::Shard,
            Domain::Block,
            Domain::End,
            Domain::Beacon,
            Domain::RootGrant,
            Domain::Advert,
        ];
        for a in all {
            for b in all {
                assert!(a == b || !a.tag().starts_with(b.tag()), "{a:?} {b:?}");
            }
            assert!(!a.tag().starts_with(b"ey"), "{a:?} looks like a JWT");
        }
    }
}
