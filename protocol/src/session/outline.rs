//! What the forest and the coder must know of a session: the checked descriptor, boiled down.

use super::Session;
use crate::identity::{Domain, PublisherId, SessionId};
use crate::unit::Bitrate;
use ed25519_dalek::VerifyingKey;

/// The facts of a session.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Which.
    pub session: SessionId,
    /// Data shards per block.
    pub k: u8,
    /// Parity shards per block.
    pub m: u8,
    /// Expected bitrate of the media.
    pub bitrate: Bitrate,
    /// The delegated key that signs shards.
    pub media_key: VerifyingKey,
    /// The publisher: its word says who the root is.
    pub publisher: PublisherId,
    /// Decides who is at home in which stripe.
    pub epoch_seed: [u8; 32],
}

impl Outline {
    /// Stripes of the rendition.
    #[must_use]
    pub fn stripes(&self) -> u8 {
        self.k + self.m
    }

    /// What one stripe takes of a link, headers and signatures included.
    #[must_use]
    pub fn stripe_bitrate(&self) -> Bitrate {
        // Derived: `forest.md` 3.9, header and signature are about a tenth.
        Bitrate::from_bps(self.bitrate.bps() * 11 / 10 / u64::from(self.k.max(1)))
    }

    /// Children that `upload` can feed, one stripe each, at four fifths of it.
    #[must_use]
    pub fn slots(&self, upload: Bitrate) -> u16 {
        let usable = upload.bps() * 4 / 5;
        (usable / self.stripe_bitrate().bps().max(1)).min(u64::from(u16::MAX)) as u16
    }
}

impl From<&Session> for Outline {
    fn from(session: &Session) -> Self {
        let descriptor = session.descriptor();
        Self {
            session: session.id(),
            k: descriptor.k,
            m: descriptor.m,
            bitrate: descriptor.bitrate,
            media_key: *session.media_key(),
            publisher: descriptor.publisher,
            epoch_seed: descriptor.epoch_seed,
        }
    }
}

/// The bytes that the media key signs to end a session.
///
/// spec: proto/SPEC.md#end
pub(crate) fn end_message(session: &SessionId, blocks: u64) -> Vec<u8> {
    Domain::End.message(&[session.as_bytes().as_slice(), &blocks.to_be_bytes()].concat())
}
