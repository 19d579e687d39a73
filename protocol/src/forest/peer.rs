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

/// Where `peer` is in a list of some dozens. Sixteen are compared at once, and cache lines that are
/// read one after the other come together: half the time of a search by halves.
pub(crate) fn position(peers: &[Peer], peer: Peer) -> Option<usize> {
    let (sixteens, rest) = peers.as_chunks::<16>();
    let holds = |some: &[Peer; 16]| some.iter().fold(false, |any, other| any | (*other == peer));
    match sixteens.iter().position(holds) {
        Some(nth) => Some(nth * 16 + sixteens[nth].iter().position(|other| *other == peer)?),
        None => Some(peers.len() - rest.len() + rest.iter().position(|other| *other == peer)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_where_it_is_and_nobody_else() {
        for count in [0, 1, 15, 16, 17, 47, 64] {
            let peers: Vec<Peer> = (0..count).map(|i| Peer(i * 3)).collect();
            for (at, peer) in peers.iter().enumerate() {
                assert_eq!(position(&peers, *peer), Some(at));
                assert_eq!(position(&peers, Peer(peer.0 + 1)), None);
            }
        }
    }
}
