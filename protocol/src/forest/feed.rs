//! One stripe as a child sees it: who feeds it, who is asked next.

use super::parents::RETRY;
use super::path::Path;
use super::peer::Peer;
use super::stripe::StripeSet;
use super::summed::{Summary, Summed};
use crate::time::Timestamp;
use std::time::Duration;

/// Changes of a path that are passed on at once, per second: a parent that changes its path without
/// end must not make its children a flood for theirs. Derived: for 20 stripes that is below two
/// thirds of `CONTROL_PER_SECOND`; a path changes twice when a parent is replaced.
const NEWS_PER_SECOND: u8 = 8;

/// Who has more stripes than a block needs pauses in the search for another after so many refusals,
/// and then every so many: where slots are scarce all would ask all, without end. Guess: more than it
/// takes to insist.
const PAUSE_AFTER: u8 = 8;
const PAUSE_EVERY: u8 = 4;
/// Pauses double up to this. Guess.
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// A break above may be blamed on those between for so long, seconds. Derived: a second of patience
/// with a parent that repairs its own feed, twice, and the answers.
const CALM_AFTER_S: u32 = 3;

/// The parent of a stripe.
#[derive(Debug)]
pub(crate) struct Parent {
    pub peer: Peer,
    /// Its path, as it says.
    pub path: Path,
    /// Its own parent, as it says: asked when it dies.
    pub above: Option<Peer>,
    /// It said it stops feeding; it is gone at this time at the latest.
    pub draining_until: Option<Timestamp>,
}

/// The search for a parent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// None runs.
    Idle,
    /// Nobody to ask just now.
    Waiting { until: Timestamp },
    /// A link to the next one to ask is coming up.
    Connecting { peer: Peer, deadline: Timestamp },
    /// An answer is awaited.
    Asking { peer: Peer, request: u32, deadline: Timestamp },
}

impl Search {
    /// When it needs attention.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        match *self {
            Self::Idle => None,
            Self::Waiting { until: deadline }
            | Self::Connecting { deadline, .. }
            | Self::Asking { deadline, .. } => Some(deadline),
        }
    }

    /// The node it waits for.
    pub(crate) fn peer(&self) -> Option<Peer> {
        match *self {
            Self::Connecting { peer, .. } | Self::Asking { peer, .. } => Some(peer),
            Self::Idle | Self::Waiting { .. } => None,
        }
    }
}

/// The last few nodes that sent a search on: it does not go round in a circle. Most feeds are not
/// searched for, so those that are keep it elsewhere.
#[derive(Debug)]
pub(crate) struct Asked(Option<Box<[Option<Peer>; 6]>>);

impl Asked {
    pub(crate) const NOBODY: Self = Self(None);

    pub(crate) fn note(&mut self, peer: Peer) {
        let asked = self.0.get_or_insert_default();
        asked.rotate_right(1);
        asked[0] = Some(peer);
    }

    pub(crate) fn contains(&self, peer: Peer) -> bool {
        self.peers().any(|asked| asked == peer)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.0.iter().flat_map(|asked| asked.iter().flatten()).copied()
    }
}

/// One stripe of a session on a node that is not its root.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Whether this node wants the stripe at all.
    pub wanted: bool,
    /// How often in a row somebody could not or would not feed it.
    pub refusals: u8,
    pub parent: Option<Parent>,
    pub search: Search,
    /// A move: the delay that a new parent must promise, or the present one is kept, µs.
    pub hope_us: Option<u32>,
    /// Whom the search asks before anyone else.
    pub prefer: Vec<Peer>,
    /// How often in a row it was sent on.
    pub followed: u8,
    /// Who sent it on lately.
    pub asked: Asked,
    /// The silent parent that the search replaces.
    pub repair_of: Option<Peer>,
    /// A node with the stripe and slots to give, with a warm link.
    pub backup: Option<Peer>,
    /// Since when nobody feeds it.
    pub hungry_since: Timestamp,
    /// By how much it comes later than the parent promised, µs.
    pub late_us: u32,
    /// Whether that was held against the parent.
    pub blamed: bool,
    /// When the parent was taken, seconds.
    adopted_s: u32,
    /// When it was last known to be broken here or above, seconds.
    troubled_s: u32,
    /// Changes of the parent's path in this second, and which second that is.
    news: (u8, u32),
    /// Whether the children were not told of the last one.
    pub untold: bool,
    /// What the parent knows of the room here.
    pub told: super::room::Told,
}

impl Feed {
    pub(crate) const fn new(wanted: bool, now: Timestamp) -> Self {
        Self {
            wanted,
            refusals: 0,
            parent: None,
            search: Search::Idle,
            hope_us: None,
            prefer: Vec::new(),
            followed: 0,
            asked: Asked::NOBODY,
            repair_of: None,
            backup: None,
            hungry_since: now,
            late_us: 0,
            blamed: false,
            adopted_s: 0,
            troubled_s: 0,
            news: (0, 0),
            untold: false,
            told: super::room::Told::offered(0),
        }
    }

    /// The parent's path changed: whether the children are told at once, or by and by.
    pub(crate) fn is_told_at_once(&mut self, now: Timestamp) -> bool {
        let second = seconds(now);
        let before = if self.news.1 == second { self.news.0 } else { 0 };
        self.untold = before >= NEWS_PER_SECOND;
        self.news = (before.saturating_add(1), second);
        !self.untold
    }

    /// Whether the parent said already that it stops feeding.
    pub(crate) fn is_left(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.draining_until.is_some())
    }

    /// Whether a search for it pauses before it asks the next, if the node can do without it.
    pub(crate) fn pauses(&self) -> bool {
        !self.is_fed() && self.refusals >= PAUSE_AFTER && self.refusals.is_multiple_of(PAUSE_EVERY)
    }

    /// How long a search for a stripe that no block needs pauses.
    pub(crate) fn pause(&self) -> Duration {
        (RETRY * (1 << (self.refusals / PAUSE_EVERY).min(6))).min(PAUSE_MAX)
    }

    /// Whether it comes regularly: it has a parent that neither leaves nor is being replaced.
    pub(crate) fn is_fed(&self) -> bool {
        self.wanted
            && self.repair_of.is_none()
            && self.parent.as_ref().is_some_and(|parent| parent.draining_until.is_none())
    }

    /// Whether the parent is the first node of its stripe below the root: all others hang from it, and
    /// it alone knows who gets its place.
    pub(crate) fn is_below_first(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.path.depth() == 1)
    }

    pub(crate) fn is_parent(&self, peer: Peer) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.peer == peer)
    }

    /// It is broken, here or above.
    pub(crate) fn troubled(&mut self, now: Timestamp) {
        self.troubled_s = seconds(now);
    }

    /// Whether it has come without a break long enough for those below not to blame each other for
    /// one above.
    pub(crate) fn is_calm(&self, now: Timestamp) -> bool {
        self.is_fed() && self.troubled_s + CALM_AFTER_S <= seconds(now)
    }

    /// Whether it came without a break by the same parent for so many seconds.
    pub(crate) fn is_settled(&self, now: Timestamp, for_s: u32) -> bool {
        self.adopted_s.max(self.troubled_s) + for_s <= seconds(now)
    }

    /// Takes a new parent, which believes that there is room for `offered` children here.
    pub(crate) fn adopt(&mut self, now: Timestamp, parent: Parent, offered: u16) -> Duration {
        let waited = now.since(self.hungry_since);
        if self.parent.is_none() || self.repair_of.is_some() {
            self.troubled(now);
        }
        (self.late_us, self.blamed, self.adopted_s) = (0, false, seconds(now));
        self.parent = Some(parent);
        self.search = Search::Idle;
        self.repair_of = None;
        self.refusals = 0;
        self.prefer = Vec::new();
        (self.asked, self.followed) = (Asked::NOBODY, 0);
        self.hope_us = None;
        self.told = super::room::Told::offered(offered);
        waited
    }

    /// The parent is gone.
    pub(crate) fn orphan(&mut self, now: Timestamp) -> Option<Peer> {
        let parent = self.parent.take()?;
        if self.repair_of.is_none() {
            self.hungry_since = now;
        }
        Some(parent.peer)
    }
}

/// The feeds of all stripes.
pub(crate) type Feeds = Summed<Feed, Upkeep>;

/// What feeds need, and which of them come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upkeep {
    /// When a search, or a parent that leaves, needs attention.
    pub deadline: Option<Timestamp>,
    /// Whether some stripe has neither a parent nor a search for one.
    pub is_forsaken: bool,
    /// Whether some search waits for a link.
    pub is_connecting: bool,
    /// The stripes without any parent.
    pub orphans: StripeSet,
    /// The stripes that come regularly.
    pub fed: StripeSet,
    /// Links from the root, the largest over the stripes.
    pub depth: u8,
}

impl Summary<Feed> for Upkeep {
    fn of(feeds: &[Feed]) -> Self {
        let (mut orphans, mut fed) = (StripeSet::EMPTY, StripeSet::EMPTY);
        let (mut deadline, mut depth) = (None, 0);
        let (mut is_forsaken, mut is_connecting) = (false, false);
        let wanted = feeds.iter().enumerate().filter(|(_, feed)| feed.wanted);
        for (stripe, feed) in wanted {
            let draining = feed.parent.as_ref().and_then(|parent| parent.draining_until);
            let due = feed.search.deadline().into_iter().chain(draining);
            deadline = due.chain(deadline).min();
            if let Some(parent) = &feed.parent {
                depth = depth.max(parent.path.depth() + 1);
            } else {
                orphans.insert(stripe as u8);
                is_forsaken |= feed.search == Search::Idle;
            }
            is_connecting |= matches!(feed.search, Search::Connecting { .. });
            if feed.is_fed() {
                fed.insert(stripe as u8);
            }
        }
        Self { deadline, is_forsaken, is_connecting, orphans, fed, depth }
    }
}

fn seconds(now: Timestamp) -> u32 {
    (now.as_micros() / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_in_vain_pauses_now_and_then_and_longer_each_time() {
        let mut feed = Feed::new(true, Timestamp::ZERO);
        let pauses: Vec<(u8, u64)> = (0..60)
            .filter_map(|refusals| {
                feed.refusals = refusals;
                feed.pauses().then(|| (refusals, feed.pause().as_millis() as u64))
            })
            .collect();
        assert_eq!(pauses[..4], [(8, 1_000), (12, 2_000), (16, 4_000), (20, 8_000)]);
        assert!(pauses[4..].iter().all(|(_, ms)| *ms == 8_000) && pauses.len() == 13);
    }
}
