//! Reading ahead, for who drives very many forests in one process.

use super::machine::Forest;

impl Forest {
    /// Reads a little of each part, for its effect on the processor's caches alone: who looks at
    /// several forests before the first is fed an input waits for memory once, not for each. What it
    /// returns means nothing.
    #[must_use]
    pub fn glance(&self) -> u64 {
        let (parents, children) = (self.parents.feeds.len(), self.children.len());
        let lists = parents ^ children ^ self.candidates.len() ^ self.peers.len();
        lists as u64
            ^ self.announce_at.as_micros()
            ^ self.optimiser.glance()
            ^ u64::from(self.setup.k)
            ^ u64::from(self.leaving)
    }

    /// The same for what the parts refer to.
    #[must_use]
    pub fn glance_deeper(&self) -> u64 {
        let feeds = self.parents.feeds.iter().fold(0, |all, feed| all ^ u32::from(feed.refusals));
        u64::from(feeds ^ self.children.glance() ^ self.candidates.glance())
    }
}
