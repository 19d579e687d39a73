//! Parents whose shards did not come: how long each is asked by nobody who knows it.
//!
//! Only what this node has seen itself counts, so nobody can be slandered here. The first time costs
//! seconds, as an honest node may have had a bad one; who does it again and again is left alone for
//! longer each time. What a member says of itself, and what others say of it, changes nothing.

use super::peer::Peer;
use crate::time::Timestamp;
use std::time::Duration;

/// For so long at first, doubled each time. Guess: who promises much and sends nothing is then tried
/// seldom enough to go unnoticed.
const SILENT: Duration = Duration::from_secs(30);
/// The same for a parent that said it was repairing its own feed. Guess: its parent is to blame, or
/// it is a lie that is found out a few times later.
const STALLED: Duration = Duration::from_secs(1);
/// Doubled so often at most. Derived: `SILENT` is then eight minutes.
const DOUBLED_MAX: u8 = 4;
/// Most remembered. Guess: more than a view holds.
const ENTRIES_MAX: usize = 96;

/// From the second time on it is not asked at all for one in so many parts of the time, then last.
/// Guess. Not the first time: when a stripe is silent far and wide, many are blamed who are not to
/// blame, and with nobody to ask a search waits for seconds.
const ALTOGETHER: u32 = 8;

/// How a node is shunned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shun {
    /// It is asked when nobody else is left.
    Last,
    /// It is not asked.
    Altogether,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Entry {
    peer: Peer,
    /// How often, 0 for the first time.
    times: u8,
    /// Since when it is shunned, seconds.
    since_s: u32,
    /// Until when it is shunned, seconds.
    until_s: u32,
    /// Until when how often is remembered, seconds.
    remembered_s: u32,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Shunned(Vec<Entry>);

impl Shunned {
    /// The shards of a parent did not come; `stalled`: it had said that it repairs its own feed.
    pub(crate) fn note(&mut self, now: Timestamp, peer: Peer, stalled: bool) {
        let now_s = seconds(now);
        self.0.retain(|entry| entry.remembered_s > now_s);
        let before = self.0.iter().position(|entry| entry.peer == peer);
        let before = before.map(|at| self.0.swap_remove(at));
        let times = before.map_or(0, |entry| (entry.times + 1).min(DOUBLED_MAX));
        let wait = if stalled { STALLED } else { SILENT } * (1 << times);
        let until_s = (now_s + wait.as_secs() as u32).max(before.map_or(0, |entry| entry.until_s));
        let remembered_s = until_s + (until_s - now_s).max(SILENT.as_secs() as u32);
        if self.0.len() == ENTRIES_MAX
            && let Some(at) = (0..ENTRIES_MAX).min_by_key(|at| self.0[*at].remembered_s)
        {
            self.0.swap_remove(at);
        }
        self.0.push(Entry { peer, times, since_s: now_s, until_s, remembered_s });
    }

    /// How a node is shunned, if it is.
    pub(crate) fn how(&self, now: Timestamp, peer: Peer) -> Option<Shun> {
        let now_s = seconds(now);
        let entry = self.0.iter().find(|entry| entry.peer == peer && entry.until_s > now_s)?;
        let all_s = entry.until_s - entry.since_s;
        let altogether = entry.times > 0 && now_s < entry.since_s + all_s / ALTOGETHER;
        Some(if altogether { Shun::Altogether } else { Shun::Last })
    }

    /// Whether a node is shunned at all.
    pub(crate) fn holds(&self, now: Timestamp, peer: Peer) -> bool {
        self.how(now, peer).is_some()
    }

    /// All that are remembered.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.0.iter().map(|entry| entry.peer)
    }
}

fn seconds(now: Timestamp) -> u32 {
    (now.as_micros() / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Timestamp {
        Timestamp::from_micros(s * 1_000_000)
    }

    #[test]
    fn who_is_silent_again_is_shunned_for_twice_as_long() {
        let mut shunned = Shunned::default();
        let mut now = 100;
        for lasts in [30, 60, 120, 240, 480, 480] {
            shunned.note(at(now), Peer(1), false);
            assert!(shunned.holds(at(now + lasts - 1), Peer(1)), "{lasts}");
            assert!(!shunned.holds(at(now + lasts), Peer(1)), "{lasts}");
            now += lasts + 5;
        }
        now += 1_000;
        shunned.note(at(now), Peer(1), false);
        assert!(!shunned.holds(at(now + 30), Peer(1)), "forgiven");
    }

    #[test]
    fn whoever_was_silent_once_is_asked_last_and_then_not_at_all_for_a_while() {
        let mut shunned = Shunned::default();
        shunned.note(at(100), Peer(1), false);
        assert_eq!(shunned.how(at(100), Peer(1)), Some(Shun::Last));
        shunned.note(at(110), Peer(1), false);
        assert_eq!(shunned.how(at(116), Peer(1)), Some(Shun::Altogether));
        assert_eq!(shunned.how(at(117), Peer(1)), Some(Shun::Last));
        assert_eq!(shunned.how(at(170), Peer(1)), None);
    }

    #[test]
    fn who_repairs_its_own_feed_is_blamed_little_and_cannot_hide_behind_it() {
        let mut shunned = Shunned::default();
        shunned.note(at(100), Peer(1), true);
        assert!(shunned.holds(at(100), Peer(1)) && !shunned.holds(at(101), Peer(1)));
        shunned.note(at(102), Peer(1), false);
        assert!(shunned.holds(at(161), Peer(1)));
        shunned.note(at(103), Peer(1), true);
        assert!(shunned.holds(at(161), Peer(1)), "a claim makes it no shorter");
    }

    #[test]
    fn it_remembers_a_bounded_number() {
        let mut shunned = Shunned::default();
        (0..1_000)
            .for_each(|peer| shunned.note(at(100 + u64::from(peer) / 100), Peer(peer), false));
        assert_eq!(shunned.peers().count(), ENTRIES_MAX);
        assert!(shunned.holds(at(110), Peer(999)));
    }
}
