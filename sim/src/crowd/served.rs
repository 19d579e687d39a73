//! Who is served when the run ends.

use super::Crowd;
use super::host::Host;
use banyan_protocol::forest::Role;

/// A node must be served once it has been there for this long, µs. Basis: issue of the forest, as
/// long as a join may take until it has failed.
const SETTLED_US: u64 = 10_000_000;
/// A viewer that misses more of its blocks than this, in millionths, is not served. Guess: a glitch
/// every three seconds is no broadcast.
const MISSING_PPM_MAX: u64 = 10_000;
/// Blocks after which the share of those missing says something.
const DUE_MIN: u32 = 50;

/// How many nodes that should be served are not, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unserved {
    /// Without the stripes that they need.
    pub(super) hungry: u32,
    /// With them, and yet too many blocks did not come in time.
    pub(super) patchy: u32,
}

impl Crowd {
    /// Looks at all nodes that have been there for ten seconds.
    pub(super) fn unserved(&self) -> Unserved {
        let mut unserved = Unserved::default();
        for node in &self.living {
            let host = &self.hosts[*node as usize];
            if host.joined_us + SETTLED_US > self.now_us {
                continue;
            }
            if host.forest.setup().role == Role::Root {
                continue;
            }
            if host.forest.fed().len() < self.needed(host) {
                unserved.hungry += 1;
            } else if self.is_patchy(*node, host) {
                unserved.patchy += 1;
            }
        }
        unserved
    }

    fn is_patchy(&self, node: u32, host: &Host) -> bool {
        let Some(media) = &self.media else { return false };
        let (due, missing, _) = media.seen(node);
        host.alive && is_patchy(due, missing)
    }
}

fn is_patchy(due: u32, missing: u32) -> bool {
    due >= DUE_MIN && u64::from(missing) * 1_000_000 > u64::from(due) * MISSING_PPM_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_of_a_hundred_may_be_missing() {
        assert!(!is_patchy(1_000, 10) && is_patchy(1_000, 11));
        assert!(!is_patchy(49, 49), "too few to tell");
    }
}
