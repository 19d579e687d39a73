//! What is done about a stripe that is late, and when: one rule for the node and the simulator.
//!
//! A stripe is late when neither a block's shard nor a newer one has come by its [`Pace`]'s
//! patience. Its missing shards are then pulled from a backup, which is cheap and often all that
//! it takes. The parent is replaced only if it still sends nothing a [`grace`] later, or if what it
//! sends comes so far behind that no viewer can use it: a parent that is slow but there is better
//! than a search.
//!
//! [`Pace`]: super::Pace

use std::time::Duration;

/// From a stripe's being late to a look at its parent. Derived: a pull's round trip on one
/// continent, and two more shards of 30 blocks/s that should have come.
const GRACE: Duration = Duration::from_millis(80);
/// More for each link between the root and the parent. Guess: more than a message to a child, so that
/// of a branch that is cut off only the head replaces its parent, and those below hear of it first.
const GRACE_BELOW: Duration = Duration::from_millis(30);
/// The same when the parent says that it is repairing its own feed. Guess: its repair takes about
/// 200 ms, once per level above.
const GRACE_STALLED: Duration = Duration::from_millis(1000);
/// A parent that is so far behind does not feed any more. Guess: with one more hop its shards miss
/// the viewer's deadline of 400 ms.
pub(crate) const BEHIND: Duration = Duration::from_millis(300);
/// All stripes silent for this long beyond two intervals: the node wonders. Guess.
const SILENT_AFTER: Duration = Duration::from_millis(120);

/// How long a parent `depth` links from the root has from its stripe's being late until it is looked
/// at. `stalled`: it says that it is repairing its own feed.
#[must_use]
pub(crate) fn grace(depth: u8, stalled: bool) -> Duration {
    if stalled { GRACE_STALLED } else { GRACE + GRACE_BELOW * depth.into() }
}

/// Whether a parent whose grace is over is to be replaced. `news`: it sent something newer meanwhile.
/// `behind`: by how much what it sends now is behind what others have sent.
#[must_use]
pub fn is_given_up(news: bool, behind: Duration) -> bool {
    !news || behind >= BEHIND
}

/// How long after the last block nothing at all may come before backups are asked whether they have
/// more, with blocks that usually come each `interval`.
#[must_use]
pub fn silence(interval: Duration) -> Duration {
    interval * 2 + SILENT_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_or_a_long_way_behind_costs_a_parent_its_child() {
        let ms = Duration::from_millis;
        for (news, behind_ms, given_up) in [
            (true, 0, false),
            (true, 299, false),
            (true, 300, true),
            (false, 0, true),
            (false, 5_000, true),
        ] {
            assert_eq!(is_given_up(news, ms(behind_ms)), given_up, "{news} {behind_ms} ms");
        }
        assert!(grace(3, true) > grace(3, false) && grace(3, false) > grace(0, false));
        assert_eq!(silence(ms(33)), ms(186));
    }
}
