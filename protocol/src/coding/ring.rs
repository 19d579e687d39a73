//! The shards of the last second or so, for pulls and for those who come late.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Shard;
use crate::limits::RING_SHARDS_MAX;
use crate::time::Timestamp;

/// Recent shards by block and stripe. It keeps what is younger than a span and, on request, all of
/// the newest group, within a number of bytes that is never exceeded; the oldest blocks go first.
///
/// Insert only what [`Checker::check`] passed: whatever is in here may be sent to others.
///
/// [`Checker::check`]: super::Checker::check
#[derive(Debug)]
pub struct Ring {
    span: Duration,
    bytes_max: usize,
    keep_group: bool,
    shards: BTreeMap<(u64, u8), (Timestamp, Shard)>,
    bytes: usize,
    /// The newest group any shard was of.
    group: u64,
}

impl Ring {
    /// A ring of `span` (≥ 1 s is what pulls and new children count on) and at most `bytes_max`
    /// bytes. `keep_group`: shards of the newest group stay however old they are.
    #[must_use]
    pub const fn new(span: Duration, bytes_max: usize, keep_group: bool) -> Self {
        Self { span, bytes_max, keep_group, shards: BTreeMap::new(), bytes: 0, group: 0 }
    }

    /// Adds a checked shard; forgets what is too old or too much. Returns whether it is new.
    pub fn insert(&mut self, now: Timestamp, shard: Shard) -> bool {
        let place = (shard.block(), shard.stripe());
        if self.shards.contains_key(&place) {
            return false;
        }
        self.group = self.group.max(shard.group());
        self.bytes += shard.encoded().len();
        self.shards.insert(place, (now, shard));
        loop {
            let many = self.shards.len() > RING_SHARDS_MAX || self.bytes > self.bytes_max;
            let Some(oldest) = self.shards.first_entry() else { break };
            let ((block, _), (at, _)) = (oldest.key(), oldest.get());
            let stale = *at + self.span < now && !(self.keep_group && *block >= self.group);
            if !stale && !many {
                break;
            }
            let (_, shard) = oldest.remove();
            self.bytes -= shard.encoded().len();
        }
        self.shards.contains_key(&place)
    }

    /// The shard of `block` in `stripe`, if it is still here.
    #[must_use]
    pub fn get(&self, stripe: u8, block: u64) -> Option<&Shard> {
        self.shards.get(&(block, stripe)).map(|(_, shard)| shard)
    }

    /// The shards of `stripe` from the start of the newest group on, in order of their blocks.
    pub fn since_group_start(&self, stripe: u8) -> impl Iterator<Item = &Shard> {
        self.shards
            .range((self.group, 0)..)
            .map(|(_, (_, shard))| shard)
            .filter(move |shard| shard.stripe() == stripe)
    }

    /// The newest group any shard was of.
    #[must_use]
    pub const fn group(&self) -> u64 {
        self.group
    }

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::sample::publisher;

    fn ring(span_ms: u64, bytes_max: usize, keep_group: bool) -> Ring {
        Ring::new(Duration::from_millis(span_ms), bytes_max, keep_group)
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    #[test]
    fn a_new_child_gets_its_stripe_from_the_group_start() {
        let mut ring = ring(1000, 1 << 20, false);
        for (number, shards) in publisher(10).take(25).enumerate() {
            for shard in shards.into_iter().rev() {
                assert!(ring.insert(at(number as u64 * 33), shard.clone()));
                assert!(!ring.insert(at(number as u64 * 33), shard));
            }
        }
        let got: Vec<(u64, u8)> =
            ring.since_group_start(3).map(|shard| (shard.block(), shard.stripe())).collect();
        assert_eq!(got, [20, 21, 22, 23, 24].map(|block| (block, 3)));
        assert_eq!(ring.get(5, 7).map(Shard::block), Some(7));
        assert!(ring.get(9, 7).is_none() && ring.get(0, 25).is_none());
    }

    #[test]
    fn old_shards_go_but_the_newest_group_may_stay() {
        for (keep_group, oldest) in [(false, 90), (true, 50)] {
            let mut ring = ring(99, 1 << 20, keep_group);
            for (number, shards) in publisher(50).take(100).enumerate() {
                for shard in shards {
                    ring.insert(at(number as u64 * 10), shard);
                }
            }
            assert!(ring.get(0, oldest - 1).is_none(), "keep_group {keep_group}");
            assert!(ring.get(0, oldest).is_some(), "keep_group {keep_group}");
        }
    }

    #[test]
    fn the_bytes_are_never_exceeded() {
        let mut ring = ring(1000, 2000, true);
        for shards in publisher(1000).take(30) {
            for shard in shards {
                ring.insert(at(0), shard);
                assert!(ring.bytes() <= 2000);
                let held: usize =
                    ring.shards.values().map(|(_, shard)| shard.encoded().len()).sum();
                assert_eq!(ring.bytes(), held);
            }
        }
        assert!(ring.bytes() > 1000);
    }
}
