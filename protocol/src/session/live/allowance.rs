//! What each peer may have out of the ring: more than any repair needs, too little to live on.
//!
//! A child is fed what comes; that is bounded by the slots. Pulls and the current group for a
//! newcomer come on top, for the asking, so they are bounded here.

use crate::bucket::Bucket;
use crate::identity::NodeId;
use crate::limits::LINKS_MAX;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a peer may have at once, bytes. Derived: the whole ring once, which is what a newcomer that
/// takes every stripe here asks for.
const BURST: u64 = super::media::RING_BYTES as u64;
/// Said at most this often for one peer. Guess.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Whether a peer may have a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes.
    Send,
    /// It had too many lately.
    Shed {
        /// Whether that is news.
        tell: bool,
    },
}

struct Allowance {
    bytes: Bucket,
    told_at: Option<Timestamp>,
}

/// The allowance of each peer that asked lately, at most [`LINKS_MAX`]. Outlives their links, or
/// coming again would renew it.
pub(super) struct Allowances {
    bytes_per_second: u64,
    peers: BTreeMap<NodeId, Allowance>,
    /// When it was last told that all together ask for too much.
    told_at: Option<Timestamp>,
}

impl Allowances {
    /// For a session whose media takes `bitrate_bps`. Derived: a quarter of the stream in the long
    /// run; a repair pulls one stripe of six to twenty for a second.
    pub(super) const fn new(bitrate_bps: u64) -> Self {
        Self { bytes_per_second: bitrate_bps / 8 / 4, peers: BTreeMap::new(), told_at: None }
    }

    /// Decides on `bytes` for `peer`, and remembers them.
    pub(super) fn take(&mut self, now: Timestamp, peer: NodeId, bytes: usize) -> Verdict {
        if self.peers.len() >= LINKS_MAX && !self.peers.contains_key(&peer) {
            self.tidy(now);
            if self.peers.len() >= LINKS_MAX {
                return Verdict::Shed { tell: false };
            }
        }
        let allowance = self.peers.entry(peer).or_insert_with(|| Allowance {
            bytes: Bucket::full(now, BURST, self.bytes_per_second),
            told_at: None,
        });
        if allowance.bytes.take(now, bytes as u64) {
            return Verdict::Send;
        }
        let tell = allowance.told_at.is_none_or(|at| now.since(at) >= TELL_EVERY);
        if tell {
            allowance.told_at = Some(now);
        }
        Verdict::Shed { tell }
    }

    /// Whether it is news that there is no room on the uplink for what all ask for together.
    pub(super) fn tell(&mut self, now: Timestamp) -> bool {
        let tell = self.told_at.is_none_or(|at| now.since(at) >= TELL_EVERY);
        if tell {
            self.told_at = Some(now);
        }
        tell
    }

    /// Forgets those that took nothing which is still missing.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.peers.retain(|_, allowance| !allowance.bytes.is_full(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_comes_again_has_no_more_and_is_forgotten_when_it_is_quits() {
        let at = Timestamp::from_micros;
        let node = |i: u8| NodeId::from_bytes([i; 32]);
        let mut all = Allowances::new(8_000_000);
        assert_eq!(all.take(at(0), node(1), BURST as usize), Verdict::Send);
        assert_eq!(all.take(at(0), node(1), 1), Verdict::Shed { tell: true });
        assert_eq!(all.take(at(1), node(1), 1), Verdict::Shed { tell: false });
        assert_eq!(all.take(at(0), node(2), 1), Verdict::Send, "each has its own");
        assert_eq!(all.take(at(2_000_000), node(1), 500_000), Verdict::Send);
        assert_eq!(all.take(at(2_000_000), node(1), 500_000), Verdict::Shed { tell: true });
        all.tidy(at(2_000_000));
        assert_eq!(all.peers.len(), 1);
        all.tidy(at(100_000_000));
        assert!(all.peers.is_empty());
    }
}
