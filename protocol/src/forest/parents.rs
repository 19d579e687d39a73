//! Choosing a parent for each stripe, in parallel: ask, follow redirects, replace, give up.
//!
//! [`asking`] says who is asked next, [`answers`] what is done with what they say.

mod answers;
mod asking;

pub(super) use asking::RETRY;

use super::candidates::Candidates;
use super::children::Children;
use super::context::Context;
use super::feed::{Feed, Feeds, Search};
use super::member::Reach;
use super::path::{Path, Tag};
use super::peer::Peer;
use super::promise::BROKEN_US;
use super::score::{FORWARD_US, RTT_UNKNOWN};
use super::stripe::StripeSet;
use crate::links::Links;
use crate::time::Timestamp;
use crate::wire::control::{Body, PruneReason};

/// After so many refusals a child asks to be taken by whoever carries the stripe. Guess.
const INSIST_AFTER: u8 = 4;

/// Facts about this node in the session that every search needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub tag: Tag,
    pub channel: u32,
    pub helper: bool,
    pub home: u8,
    pub slots: u16,
    /// Stripes a block needs.
    pub k: u8,
    /// How it is reached from outside.
    pub reach: Reach,
}

/// Whom a search may ask, and whom not.
pub(crate) struct Roster<'a> {
    pub candidates: &'a mut Candidates,
    pub children: &'a Children,
}

/// The parents of a node in one session.
#[derive(Debug)]
pub(crate) struct Parents {
    asker: Asker,
    pub feeds: Feeds,
    /// The root, once it is known.
    pub root: Option<Peer>,
    request: u32,
}

impl Parents {
    pub(crate) fn new(now: Timestamp, asker: Asker, n: u8, wanted: StripeSet) -> Self {
        let feeds = (0..n).map(|stripe| Feed::new(wanted.contains(stripe), now)).collect();
        Self { asker, feeds: Feeds::new(feeds), root: None, request: 0 }
    }

    pub(crate) fn feed(&self, stripe: u8) -> Option<&Feed> {
        self.feeds.get(usize::from(stripe))
    }

    /// A feed whose parent and search stay as they are.
    pub(crate) fn feed_aside(&mut self, stripe: u8) -> Option<&mut Feed> {
        self.feeds.aside().get_mut(usize::from(stripe))
    }

    pub(crate) fn set_slots(&mut self, slots: u16) {
        self.asker.slots = slots;
    }

    /// What parents write in front of this node's shards.
    pub(crate) fn channel(&self) -> u32 {
        self.asker.channel
    }

    /// The stripes this node wants.
    pub(crate) fn wanted(&self) -> StripeSet {
        let mut wanted = StripeSet::EMPTY;
        for (stripe, _) in self.feeds.iter().enumerate().filter(|(_, feed)| feed.wanted) {
            wanted.insert(stripe as u8);
        }
        wanted
    }

    /// The stripes that come regularly.
    pub(crate) fn fed(&self) -> StripeSet {
        self.feeds.summary().fed
    }

    /// Of these, the stripes that come to the parents too: others may be taken in.
    pub(crate) fn carried(&self) -> StripeSet {
        let mut carried = self.fed();
        for stripe in self.fed().iter() {
            let parent = self.feed(stripe).and_then(|feed| feed.parent.as_ref());
            if parent.is_some_and(|parent| parent.path.stalled) {
                carried.remove(stripe);
            }
        }
        carried
    }

    /// The stripes without any parent.
    pub(crate) fn orphans(&self) -> StripeSet {
        self.feeds.summary().orphans
    }

    /// Whether fewer stripes come than a block needs.
    fn is_hungry(&self) -> bool {
        self.fed().len() < u32::from(self.asker.k).min(self.wanted().len())
    }

    /// From the root to this node in a stripe, µs, if it is fed.
    pub(crate) fn delay_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let late_us = self.feed(stripe)?.late_us;
        // Only what is far off is passed on: were small errors, which all make, each would add to those
        // of the others, who compare with each other.
        let far_off_us = if late_us >= BROKEN_US { late_us } else { 0 };
        Some(self.promised_us(links, stripe)?.saturating_add(far_off_us))
    }

    /// The same as this node sees it.
    pub(crate) fn seen_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let late_us = self.feed(stripe)?.late_us;
        Some(self.promised_us(links, stripe)?.saturating_add(late_us))
    }

    /// The same as far as the parent promises.
    pub(crate) fn promised_us(&self, links: &Links, stripe: u8) -> Option<u32> {
        let parent = self.feed(stripe)?.parent.as_ref()?;
        let rtt = links.rtt(parent.peer).unwrap_or(RTT_UNKNOWN);
        Some(parent.path.delay_us.saturating_add(rtt.as_micros() as u32 / 2 + FORWARD_US))
    }

    /// This node's own path in a stripe, if it is fed.
    pub(crate) fn path(&self, links: &Links, stripe: u8) -> Option<Path> {
        let feed = self.feed(stripe).filter(|feed| feed.wanted)?;
        let Some(parent) = &feed.parent else {
            // Adrift: those below are told, so that they neither trust it nor take others in.
            return Some(Path {
                tags: [self.asker.tag].as_slice().into(),
                stalled: true,
                ..Path::default()
            });
        };
        let mut path = parent.path.child(self.asker.tag)?;
        path.stalled |= feed.repair_of.is_some();
        path.delay_us = self.delay_us(links, stripe)?;
        Some(path)
    }

    /// Links from the root, the largest over the stripes.
    pub(crate) fn depth(&self) -> u8 {
        self.feeds.summary().depth
    }

    /// Every node that some stripe needs a link to.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.feeds.iter().filter(|feed| feed.wanted).flat_map(|feed| {
            let parent = feed.parent.as_ref().map(|parent| parent.peer);
            parent.into_iter().chain(feed.search.peer()).chain(feed.backup)
        })
    }

    /// Every node that is named here.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = Peer> + '_ {
        let more = self.feeds.iter().flat_map(|feed| {
            let above = feed.parent.as_ref().and_then(|parent| parent.above);
            above
                .into_iter()
                .chain(feed.repair_of)
                .chain(feed.prefer.iter().copied())
                .chain(feed.asked.peers())
        });
        self.peers().chain(more).chain(self.root)
    }

    /// Looks for nobody any more.
    pub(crate) fn stay(&mut self) {
        for feed in self.feeds.iter_mut() {
            feed.search = Search::Idle;
            feed.prefer.clear();
        }
    }

    /// Goes on with searches whose time is up. Says in which stripes a leaving parent is gone.
    pub(crate) fn on_time(&mut self, cx: &mut Context<'_>, who: &mut Roster<'_>) -> StripeSet {
        let mut orphaned = StripeSet::EMPTY;
        self.feeds.settle();
        let upkeep = self.feeds.summary();
        if !upkeep.is_forsaken && upkeep.deadline.is_none_or(|at| at > cx.now) {
            return orphaned;
        }
        for stripe in 0..self.feeds.len() as u8 {
            let feed = &mut self.feeds[usize::from(stripe)];
            if !feed.wanted {
                continue;
            }
            if feed.parent.as_ref().is_some_and(|p| p.draining_until.is_some_and(|t| t <= cx.now)) {
                feed.orphan(cx.now);
                orphaned.insert(stripe);
            }
            let due = feed.search.deadline().is_some_and(|deadline| deadline <= cx.now);
            match feed.search {
                Search::Connecting { peer, .. } if due => who.candidates.unreachable(cx.now, peer),
                Search::Asking { peer, .. } if due => who.candidates.refused(cx.now, peer),
                Search::Waiting { .. } if due => {}
                Search::Idle if feed.parent.is_none() => {}
                _ => continue,
            }
            feed.refusals = feed.refusals.checked_add(1).unwrap_or(INSIST_AFTER);
            self.ask_next(cx, who, stripe);
        }
        orphaned
    }

    /// When [`Parents::on_time`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.feeds.summary().deadline
    }

    /// Wants a stripe from now on, or no more.
    pub(crate) fn want(&mut self, cx: &mut Context<'_>, stripe: u8, wanted: bool) {
        let Some(feed) = self.feeds.get_mut(usize::from(stripe)) else { return };
        if wanted && !feed.wanted {
            *feed = Feed::new(true, cx.now);
        } else if !wanted && feed.wanted {
            if let Some(parent) = &feed.parent {
                cx.send(parent.peer, prune(stripe, PruneReason::Replaced));
            }
            *feed = Feed::new(false, cx.now);
        }
    }
}

fn prune(stripe: u8, reason: PruneReason) -> Body<Peer, Peer> {
    Body::Prune { stripe, reason, successors: Vec::new() }
}
