//! The media of one session on one node: made at the root, passed on, rebuilt at a gateway.

use super::Live;
use super::allowance::Verdict;
use crate::coding::{
    Block, Checker, Coder, Digest, Outcome, Push, Rebuilder, RebuilderConfig, Rebuilt, Ring, Shard,
};
use crate::context::Context;
use crate::identity::{MediaKey, NodeId};
use crate::ingest::Draft;
use crate::output::{Event, Output, ShardOut, Violation};
use crate::session::{Outline, end_message};
use crate::time::Timestamp;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How long shards are kept for pulls and newcomers. Derived: a repair takes well below 1 s, a
/// group mostly 1–2 s.
const RING_SPAN: Duration = Duration::from_secs(3);
/// Bytes of one session kept. Derived: three seconds of 20 Mbit/s.
pub(super) const RING_BYTES: usize = 8 << 20;

/// One in so many shards that no block needs any more is checked. Derived: costs a full receiver
/// 0.02 % of a core, and a parent that sends nothing true is found out within seconds.
const NEEDLESS_CHECKED: u64 = 16;
/// Most blocks looked up for one request. Derived: the ring's span at 60 blocks/s.
const RANGE_MAX: u64 = 180;

/// What a node keeps of the media.
pub(super) struct Media {
    checker: Checker,
    ring: Ring,
    part: Part,
}

enum Part {
    Root(Box<Root>),
    Gateway(Box<Gateway>),
    Helper,
}

struct Root {
    key: MediaKey,
    coder: Coder,
    made: u64,
    next: u64,
    group: u64,
    previous: Digest,
}

struct Gateway {
    rebuilder: Rebuilder<NodeId>,
    /// Shards that nobody asked for yet, so that nobody checked them one by one.
    unchecked: Ring,
    /// Shards so far that no block needed any more.
    needless: u64,
    /// The group of the newest block rebuilt.
    group: u64,
}

impl Media {
    pub(super) fn root(outline: &Outline, key: MediaKey, first_block: u64) -> Self {
        let coder = Coder::new(outline.session, 0, outline.k, outline.m, key.clone());
        let coder = coder.expect("the descriptor's k and m were checked");
        let root =
            Root { key, coder, made: 0, next: first_block, group: first_block, previous: [0; 32] };
        Self::new(outline, Part::Root(Box::new(root)))
    }

    pub(super) fn gateway(outline: &Outline) -> Self {
        let checker = Checker::new(outline.session, outline.media_key);
        let gateway = Gateway {
            rebuilder: Rebuilder::new(checker, RebuilderConfig::default()),
            unchecked: Ring::new(RING_SPAN, RING_BYTES, false),
            needless: 0,
            group: 0,
        };
        Self::new(outline, Part::Gateway(Box::new(gateway)))
    }

    pub(super) fn helper(outline: &Outline) -> Self {
        Self::new(outline, Part::Helper)
    }

    fn new(outline: &Outline, part: Part) -> Self {
        let checker = Checker::new(outline.session, outline.media_key);
        Self { checker, ring: Ring::new(RING_SPAN, RING_BYTES, true), part }
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match &self.part {
            Part::Gateway(gateway) => gateway.rebuilder.next_deadline(),
            Part::Root(_) | Part::Helper => None,
        }
    }

    pub(super) fn blocks(&self) -> u64 {
        match &self.part {
            Part::Root(root) => root.made,
            Part::Gateway(gateway) => gateway.rebuilder.stats().blocks_rebuilt,
            Part::Helper => 0,
        }
    }

    pub(super) fn parity_used(&self) -> u64 {
        match &self.part {
            Part::Gateway(gateway) => gateway.rebuilder.stats().parity_used,
            Part::Root(_) | Part::Helper => 0,
        }
    }

    pub(super) fn blocks_lost(&self) -> u64 {
        match &self.part {
            Part::Gateway(gateway) => gateway.rebuilder.stats().blocks_lost,
            Part::Root(_) | Part::Helper => 0,
        }
    }

    /// Root: the number of blocks and the signature that ends the session.
    pub(super) fn sign_end(&self, outline: &Outline) -> Option<(u64, [u8; 64])> {
        let Part::Root(root) = &self.part else { return None };
        let message = end_message(&outline.session, root.next);
        Some((root.next, root.key.sign(&message)))
    }

    /// Shards of a stripe that may be sent to others: `from` a block `until` another.
    fn range(&self, stripe: u8, from: u64, until: u64) -> Vec<Shard> {
        let unchecked = match &self.part {
            Part::Gateway(gateway) => Some(&gateway.unchecked),
            Part::Root(_) | Part::Helper => None,
        };
        let find = |block| match self.ring.get(stripe, block) {
            Some(shard) => Some(shard.clone()),
            None => unchecked?
                .get(stripe, block)
                .filter(|shard| self.checker.check(shard).is_ok())
                .cloned(),
        };
        (from..until).filter_map(find).collect()
    }

    /// The first block of the current group.
    fn group(&self) -> u64 {
        match &self.part {
            Part::Root(root) => root.group,
            Part::Gateway(gateway) => gateway.group,
            Part::Helper => 0,
        }
    }
}

impl Live {
    /// Root: codes one more block and sends it on its way.
    pub(crate) fn ingest(&mut self, cx: &mut Context<'_>, draft: Draft) {
        let Part::Root(root) = &mut self.media.part else { return };
        if draft.starts_group {
            root.group = root.next;
        }
        let block = draft.into_block(root.next, root.group, root.previous);
        let Ok(encoded) = block.encode() else {
            // Larger than any block may be: it is left out, and the next one chains to the last.
            let blocks = root.next..root.next + 1;
            cx.event(Event::BlocksLost { session: self.outline.session, blocks });
            return;
        };
        root.previous = Block::digest(&encoded);
        root.next += 1;
        root.made += 1;
        let shards = root.coder.encode(block.number, block.group, &encoded);
        self.head.on_shard(cx.now, block.number);
        cx.out.push(Output::Deliver(self.outline.session, Arc::new(block)));
        for shard in shards {
            self.forward(cx, shard);
        }
    }

    /// A shard came from `peer`.
    ///
    /// # Errors
    /// The rule the peer broke.
    pub(crate) fn on_shard(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        bytes: Bytes,
    ) -> Result<(), Violation> {
        self.received_bytes += bytes.len() as u64;
        let shard = Shard::decode(bytes).map_err(|_| Violation::Shard)?;
        let Outline { k, m, .. } = self.outline;
        if (shard.k(), shard.m(), shard.rendition()) != (k, m, 0) {
            return Err(Violation::Shard);
        }
        let (stripe, block) = (shard.stripe(), shard.block());
        // Nobody sends a root anything of use, nor anyone what was never asked for.
        let number = cx.peers.find(&peer);
        if !self.forest.wants(stripe) || number.is_none_or(|peer| self.forest.is_banned(peer)) {
            return Ok(());
        }
        let is_parent = self.is_parent(number, stripe);
        if self.media.ring.get(stripe, block).is_some() {
            self.came(cx.now, is_parent, stripe, block);
            return Ok(());
        }
        if block < self.media.ring.group() && self.head.is_past(cx.now, block) {
            return Ok(()); // a replay: it was passed on, or given up, long ago
        }
        // Who passes it on checks it first; who only rebuilds checks many at once, later.
        let passes_on = self.forest.has_children(stripe) || matches!(self.media.part, Part::Helper);
        if passes_on {
            self.media.checker.check(&shard).map_err(|_| Violation::Forged)?;
        }
        if let Part::Gateway(gateway) = &mut self.media.part {
            let push = gateway.rebuilder.push(cx.now, peer, shard.clone(), passes_on);
            match push {
                // Whose fault it is comes with the outcomes.
                Push::TooEarly | Push::Inconsistent(_) | Push::Bad => return Ok(()),
                Push::Kept | Push::Duplicate | Push::Surplus | Push::TooLate => {}
            }
            if !passes_on {
                let needless = matches!(push, Push::Surplus | Push::TooLate);
                gateway.needless += u64::from(needless);
                // The rebuild does not check what it does not need. A parent that sends rubbish
                // there shall be found out; anybody else could fill the places of true ones.
                let spot_check = gateway.needless.is_multiple_of(NEEDLESS_CHECKED);
                let held = gateway.unchecked.get(stripe, block);
                let again = held.is_some_and(|held| held.encoded() == shard.encoded());
                if needless && !again && (!is_parent || spot_check) {
                    if self.head.is_past(cx.now, block) {
                        return Ok(());
                    }
                    self.media.checker.check(&shard).map_err(|_| Violation::Forged)?;
                }
                gateway.unchecked.insert(cx.now, shard.clone());
            }
        }
        self.came(cx.now, is_parent, stripe, block);
        if passes_on {
            self.forward(cx, shard);
        }
        self.deliver(cx);
        Ok(())
    }

    /// Notes how far a stripe has come.
    fn came(&mut self, now: Timestamp, from_parent: bool, stripe: u8, block: u64) {
        self.head.on_shard(now, block);
        self.progress[usize::from(stripe)].on_any(block);
        if from_parent {
            self.progress[usize::from(stripe)].on_shard(now, block, &self.head);
        }
    }

    /// Keeps a checked shard and sends it to the children of its stripe.
    fn forward(&mut self, cx: &mut Context<'_>, shard: Shard) {
        if !self.media.ring.insert(cx.now, shard.clone()) {
            return; // older than all that is kept: whoever replays it shall not be echoed
        }
        let to = self.children(cx, shard.stripe());
        let owed = self.owed.of(cx.now, shard.stripe(), shard.block());
        let owed: Vec<_> =
            owed.into_iter().filter(|(peer, _)| to.iter().all(|(c, _)| c != peer)).collect();
        if !to.is_empty() {
            self.send_shard(cx, to, &shard);
        }
        for (peer, channel) in owed {
            self.send_asked(cx, (peer, channel), &shard, true);
        }
    }

    /// Hands out what is complete or lost.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>) {
        let session = self.outline.session;
        let Part::Gateway(gateway) = &mut self.media.part else { return };
        while let Some(rebuilt) = gateway.rebuilder.poll(cx.now) {
            match rebuilt {
                Rebuilt::Block(block) => {
                    gateway.group = block.group;
                    cx.out.push(Output::Deliver(session, block));
                }
                Rebuilt::Lost { blocks } => cx.event(Event::BlocksLost { session, blocks }),
            }
        }
        // Who joins in the middle of a long group need not wait for its end.
        if gateway.rebuilder.lacks_start() {
            self.refresh(cx);
        }
    }

    /// Nodes whose shards were found forged when a block was rebuilt.
    pub(crate) fn take_forgers(&mut self, cx: &mut Context<'_>) -> Vec<NodeId> {
        let session = self.outline.session;
        let Part::Gateway(gateway) = &mut self.media.part else { return Vec::new() };
        let mut forgers = Vec::new();
        while let Some(outcome) = gateway.rebuilder.poll_outcome() {
            match outcome {
                Outcome::Bad { source, .. } => forgers.push(source),
                Outcome::Violated { block, .. } => {
                    cx.event(Event::PublisherInconsistent { session, block });
                }
            }
        }
        forgers
    }

    /// Sends what the ring has of a stripe: `from` a block `until` another, or the current group.
    pub(super) fn send_ring(
        &mut self,
        cx: &mut Context<'_>,
        peer: NodeId,
        channel: u32,
        stripe: u8,
        from: u64,
        until: Option<u64>,
    ) {
        let newest = self.head.newest().map_or(0, |newest| newest + 1);
        let shards = match (until, &self.media.part) {
            (None, Part::Helper) if from == 0 => {
                self.media.ring.since_group_start(stripe).cloned().collect()
            }
            (None, _) if from == 0 => self.media.range(stripe, self.media.group(), newest),
            // Whoever asks for a block long gone gets what is left.
            _ => {
                let until = until.unwrap_or(newest).min(newest);
                self.media.range(stripe, from.max(until.saturating_sub(RANGE_MAX)), until)
            }
        };
        let pulled = until.is_some();
        if pulled && shards.is_empty() && self.forest.has_children(stripe) {
            self.owed.note(cx.now, (peer, channel), stripe, from);
        }
        for shard in shards {
            if !self.send_asked(cx, (peer, channel), &shard, pulled) {
                return;
            }
        }
    }

    /// Sends a shard to a peer that asked for it. False if it has had enough, or all together have.
    fn send_asked(
        &mut self,
        cx: &mut Context<'_>,
        (peer, channel): (NodeId, u32),
        shard: &Shard,
        pulled: bool,
    ) -> bool {
        let bytes = shard.encoded().len();
        let tell = match self.allowances.take(cx.now, peer, bytes) {
            // Children wait for what comes next: for requests there is only so much.
            Verdict::Send if pulled && !cx.uplink.take_pull(cx.now, bytes) => {
                self.allowances.tell(cx.now)
            }
            Verdict::Send => {
                self.send_shard(cx, vec![(peer, channel)], shard);
                return true;
            }
            Verdict::Shed { tell } => tell,
        };
        if tell {
            let (session, stripe) = (self.outline.session, shard.stripe());
            cx.event(Event::PullShed { session, stripe, peer });
        }
        false
    }

    fn send_shard(&mut self, cx: &mut Context<'_>, to: Vec<(NodeId, u32)>, shard: &Shard) {
        self.sent_bytes += (shard.encoded().len() * to.len()) as u64;
        cx.out.push(Output::Shard(ShardOut {
            to,
            session: self.outline.session,
            block: shard.block(),
            stripe: shard.stripe(),
            bytes: shard.encoded().clone(),
        }));
    }
}
