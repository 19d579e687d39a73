//! What may be known of a forest from outside, for those who check that it keeps its bounds.

use super::machine::Forest;
use super::peer::Peer;

impl Forest {
    /// Most children it ever feeds at once, over all stripes: its slots, and a few beyond them
    /// while they are being replaced.
    #[must_use]
    pub fn children_max(&self) -> usize {
        self.children.max()
    }

    /// The members it knows of.
    pub fn view(&self) -> impl Iterator<Item = Peer> + '_ {
        self.candidates.known()
    }
}
