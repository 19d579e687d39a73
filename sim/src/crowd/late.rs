//! A stripe is late: what a node does about it, by the same rules as the core's hub.

use super::{Crowd, Event};
use crate::media::Notice;
use crate::plan::Media as Detail;
use banyan_protocol::capacity::is_behind;
use banyan_protocol::forest::{Peer, is_given_up};
use banyan_protocol::limits::STRIPES_MAX;
use std::time::Duration;

/// Where no media tell: how late a death is noticed, µs, beyond the next block. Derived: a shard
/// under way (15 ms), and the patience of a stripe (40 ms and its usual place behind the first).
const NOTICED_US: u64 = 70_000;

/// A pull that brought nothing is tried again with another after this, µs. Basis: the core's live
/// session.
const PULL_AGAIN_US: u64 = 80_000;
/// So often in a row. Derived: by then the parent is being replaced.
const PULLS_MAX: u8 = 4;

impl Crowd {
    /// Acts on what the media plane noticed.
    pub(super) fn heed(&mut self) {
        let mut notices = std::mem::take(&mut self.notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Late { node, stripe, .. } => self.late(node, stripe),
                Notice::Silent { node, .. } => {
                    for stripe in 0..self.stripes() {
                        self.pull(node, stripe);
                    }
                }
                Notice::Forged { node, from, .. } => self.forged(node, from),
            }
        }
        self.notices = notices;
    }

    /// `child` has lost its parent in a stripe and does not know it yet.
    pub(super) fn bereave(&mut self, child: u32, stripe: u8, parent: u32) {
        let host = &self.hosts[child as usize];
        if !host.alive || host.forest.parent(stripe) != Some(Peer(parent)) {
            return;
        }
        let life = host.life;
        self.measures.orphaned(child, stripe, self.now_us);
        if let Some(media) = &mut self.media {
            media.orphaned(child, stripe, self.now_us);
        }
        if self.plan.run.media != Detail::Every {
            let frame_us = 1_000_000 / u64::from(self.plan.stream.frame_rate);
            let at_us = self.now_us + self.rng.below(frame_us) + NOTICED_US;
            self.wheel.push(at_us, Event::Late { node: child, stripe, life });
        }
    }

    /// Pulls from a backup, and looks again whether the parent is to be replaced.
    pub(super) fn late(&mut self, node: u32, stripe: u8) {
        let host = &self.hosts[node as usize];
        if !host.alive || host.forest.parent(stripe).is_none() {
            return;
        }
        self.measures.late += 1;
        self.pull(node, stripe);
        let host = &self.hosts[node as usize];
        if host.forest.repairs(stripe) {
            return;
        }
        let wait_us = host.forest.grace(stripe).as_micros() as u64;
        let (life, patient) = (host.life, host.forest.is_stalled_above(stripe));
        let newest = self.newest(node, stripe);
        let event = Event::Promote { node, stripe, life, newest, patient };
        self.wheel.push(self.now_us + wait_us, event);
    }

    /// Pulls a stripe, for the first time in a row.
    fn pull(&mut self, node: u32, stripe: u8) {
        let newest = self.newest(node, stripe);
        self.pull_once(node, stripe, (newest, 0));
    }

    fn pull_once(&mut self, node: u32, stripe: u8, (newest, nth): (u32, u8)) {
        let host = &self.hosts[node as usize];
        let source = host.forest.source(&host.links, stripe, nth.into());
        let (Some(source), Some(media)) = (source, &mut self.media) else { return };
        self.measures.pulls += 1;
        media.pull(&self.registry, node, source.0, stripe, self.now_us);
        let life = host.life;
        let again = Event::Pulled { node, stripe, life, newest, nth: nth + 1 };
        self.wheel.push(self.now_us + PULL_AGAIN_US, again);
    }

    /// Pulls from another if nothing has come.
    pub(super) fn pull_again(&mut self, node: u32, stripe: u8, life: u8, (newest, nth): (u32, u8)) {
        let has_parent = || self.hosts[node as usize].forest.parent(stripe).is_some();
        if nth < PULLS_MAX
            && self.is(node, life)
            && has_parent()
            && self.newest(node, stripe) == newest
        {
            self.pull_once(node, stripe, (newest, nth));
        }
    }

    /// Replaces the parent unless it feeds again.
    pub(super) fn promote(
        &mut self,
        node: u32,
        stripe: u8,
        life: u8,
        (newest, patient): (u32, bool),
    ) {
        if !self.is(node, life) {
            return;
        }
        let forest = &self.hosts[node as usize].forest;
        let Some(parent) = forest.parent(stripe) else { return };
        if forest.repairs(stripe) {
            self.pull(node, stripe); // still looking for another
            return;
        }
        if self.feeds(parent.0, node, stripe, newest) {
            return;
        }
        if forest.is_stalled_above(stripe) && !patient {
            // It says so since the stripe was late: it gets the time for that.
            let wait_us = forest.grace(stripe).as_micros() as u64;
            let event = Event::Promote { node, stripe, life, newest, patient: true };
            self.wheel.push(self.now_us + wait_us, event);
            return;
        }
        self.measures.promotions += 1;
        self.pull(node, stripe);
        self.act(node, |forest, cx| forest.on_late(cx, stripe));
    }

    /// Whether shards come from a parent: it is there, it has newer ones, and it sends them.
    fn feeds(&self, parent: u32, child: u32, stripe: u8, newest: u32) -> bool {
        let host = &self.hosts[parent as usize];
        let there = host.alive
            && self.registry.is_reachable(parent, child)
            && host.forest.is_child(stripe, Peer(child))
            && !self.withholds(parent, stripe);
        let Some(media) = &self.media else { return there };
        let every = self.plan.run.media == Detail::Every;
        let news = self.newest(parent, stripe) > newest;
        let given_up = is_given_up(news, Duration::from_micros(media.queue_us(parent)));
        there && (!given_up || !every)
    }

    /// The newest block of a stripe that a node has, counted from 1; 0: none.
    fn newest(&self, node: u32, stripe: u8) -> u32 {
        let newest = self.media.as_ref().and_then(|media| media.newest(node, stripe));
        newest.map_or(0, |newest| newest + 1)
    }

    /// Nodes see how far each stripe comes behind the first.
    pub(super) fn tell_paces(&mut self) {
        if self.plan.run.media != Detail::Every {
            return; // too seldom to tell
        }
        for at in 0..self.living.len() {
            let Some(media) = &self.media else { return };
            let node = self.living[at];
            let mut behind_us = [None; STRIPES_MAX as usize];
            for (stripe, behind_us) in behind_us.iter_mut().enumerate().take(self.stripes().into())
            {
                *behind_us = media.pace(node, stripe as u8).offset_us();
            }
            self.act(node, |forest, cx| {
                forest.on_paces(cx, |stripe| behind_us[usize::from(stripe)]);
            });
        }
    }

    /// Nodes whose uplink is behind feed fewer.
    pub(super) fn look_at_uplinks(&mut self) {
        let Some(media) = &self.media else { return };
        let behind = |node: &u32| is_behind(Duration::from_micros(media.queue_us(*node)));
        for node in self.living.iter().copied().filter(behind).collect::<Vec<_>>() {
            self.act(node, |forest, cx| forest.on_congested(cx));
        }
    }
}
