//! Whose word it is that a node knows of a member.

use super::peer::Peer;

/// Who said it. A mark to tell tellers apart, not the name of a node that is still of interest: if
/// its number passes to another, that one is taken for the teller until the word is too old to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told(u32);

impl Told {
    /// The member itself, or the invite or discovery.
    pub(crate) const BY_ITSELF: Self = Self(u32::MAX);

    /// Another member: it may be as false as the teller.
    pub(crate) const fn by(teller: Peer) -> Self {
        Self(teller.0)
    }
}
