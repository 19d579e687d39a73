//! Other nodes as one node numbers them: four bytes instead of a key and addresses.

use super::path::Tag;

/// Another node, by the number its node gave it. Means nothing elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u32);

/// What is known of a node whatever it says: it follows from its key and its address.
pub trait Directory {
    /// The stripe in which it is at home in the session.
    fn home(&self, peer: Peer) -> u8;
    /// Its mark on paths of the session.
    fn tag(&self, peer: Peer) -> Tag;
    /// The network it is in: the same number for nodes that one owner may well have at once, such
    /// as those of one /24.
    fn network(&self, peer: Peer) -> u32;
}
