//! What happens by the clock: the forest's upkeep, stripes that lag, adverts.

use super::Live;
use crate::context::Context;
use crate::forest::{Need, Progress, need, need_at, pull_at};
use crate::limits::PULL_BLOCKS_MAX;
use crate::output::{Event, Output};
use crate::time::Timestamp;
use crate::wire::control::Body;
use crate::wire::gossip::Gossip;
use std::time::Duration;

/// Old allowances are cleared away this often.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// A silent session is probed at most this seldom. Guess.
const PROBE_MAX: Duration = Duration::from_secs(2);
/// The same shards are pulled again after this. Derived: a round trip on one continent.
const PULL_AGAIN: Duration = Duration::from_millis(80);
/// Blocks asked for when nothing comes at all.
const PROBE_BLOCKS: u64 = 8;

impl Live {
    /// Does what is due. Harmless when nothing is.
    pub(crate) fn on_time(&mut self, cx: &mut Context<'_>) {
        self.with_forest(cx, |forest, cx| forest.on_time(cx));
        if self.ended {
            return;
        }
        self.mend(cx);
        self.probe(cx);
        self.deliver(cx);
        if self.tidy_at <= cx.now {
            self.tidy_at = cx.now + TIDY_EVERY;
            self.allowances.tidy(cx.now);
            let paces: Vec<Option<u32>> = self.progress.iter().map(Progress::behind_us).collect();
            self.with_forest(cx, |forest, cx| {
                forest.on_paces(cx, |stripe| paces.get(usize::from(stripe)).copied().flatten());
            });
        }
        if self.adverts.deadline() <= cx.now && self.adverts.poll(cx.now) {
            self.advertise(cx);
        }
    }

    /// When [`Live::on_time`] is due next.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let forest = self.forest.deadline();
        if self.ended {
            return forest;
        }
        let lag = (0..self.outline.stripes()).filter_map(|stripe| self.mend_at(stripe)).min();
        [
            forest,
            Some(self.tidy_at),
            Some(self.adverts.deadline()),
            self.media.deadline(),
            self.probe_at(),
            lag,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn mend_at(&self, stripe: u8) -> Option<Timestamp> {
        let progress = &self.progress[usize::from(stripe)];
        self.forest.parent(stripe)?;
        if self.forest.repairs(stripe) {
            return pull_at(progress, &self.head);
        }
        need_at(progress, self.forest.grace(stripe), &self.head)
    }

    /// Pulls for stripes that lag behind their siblings, until another parent feeds them, and replaces
    /// the parents.
    fn mend(&mut self, cx: &mut Context<'_>) {
        let until = self.head.newest().map_or(0, |newest| newest + 1);
        for stripe in 0..self.outline.stripes() {
            if self.forest.parent(stripe).is_none() {
                continue;
            }
            let progress = &self.progress[usize::from(stripe)];
            let grace = self.forest.grace(stripe);
            let need = need(cx.now, progress, grace, &self.head);
            if need == Need::Nothing {
                continue;
            }
            self.pull(cx, stripe, until);
            if need == Need::Promote && !self.forest.repairs(stripe) {
                self.with_forest(cx, |forest, cx| forest.on_late(cx, stripe));
            }
        }
    }

    /// Asks for the shards of `stripe` from the newest one on, up to `until`: a backup first, and
    /// each time that brought nothing another.
    fn pull(&mut self, cx: &mut Context<'_>, stripe: u8, until: u64) {
        let (session, channel) = (self.session(), self.forest.channel());
        let progress = &mut self.progress[usize::from(stripe)];
        let from = progress.newest.max(progress.came).map_or(0, |newest| newest + 1);
        let until = until.min(from.saturating_add(PULL_BLOCKS_MAX));
        if progress.pull_after > cx.now {
            return;
        }
        progress.pull_after = cx.now + PULL_AGAIN;
        if until <= from {
            return; // others have sent all there is
        }
        let source = self.forest.source(cx.links, stripe, progress.pulls.into());
        progress.pulls = progress.pulls.saturating_add(1);
        if let Some(source) = source.and_then(|source| cx.peers.id(source)) {
            cx.send(source, session, Body::Pull { stripe, channel, from, until });
            cx.event(Event::Pulled { session, stripe, from: source, blocks: until - from });
        }
    }

    fn probe_at(&self) -> Option<Timestamp> {
        if self.is_root() || self.forest.fed().is_empty() {
            return None;
        }
        Some(self.head.silent_at()?.max(self.probed.0 + self.probed.1))
    }

    /// Everything is silent: asks the backups whether they have more.
    fn probe(&mut self, cx: &mut Context<'_>) {
        if self.probe_at().is_none_or(|at| at > cx.now) {
            return;
        }
        let silent_for = self.head.silent_at().map_or(Duration::ZERO, |at| cx.now.since(at));
        let wait = if silent_for < PULL_AGAIN { PULL_AGAIN } else { self.probed.1 * 2 };
        self.probed = (cx.now, wait.clamp(PULL_AGAIN, PROBE_MAX));
        let head = self.head.newest().unwrap_or(0);
        for stripe in self.forest.fed().iter() {
            self.pull(cx, stripe, head.saturating_add(PROBE_BLOCKS));
        }
    }

    /// Tells the whole session what this node has to give; nothing if it has nothing.
    fn advertise(&mut self, cx: &mut Context<'_>) {
        let member = self.member(cx);
        if member.slots_free > 0 && !member.carries.is_empty() {
            let session = self.session();
            let advert = Gossip { session, member, interval: self.adverts.interval() };
            cx.out.push(Output::Advertise(session, advert.encode()));
        }
    }
}
