//! Blocks and shards, and the window that rebuilds the one from the other.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;

use super::{Script, Target};
use crate::coding::sample::{SESSION, block, checker, key, publisher};
use crate::coding::{Block, Coder, Outcome, Push, Rebuilder, RebuilderConfig, Rebuilt, Shard};
use crate::limits::{BLOCK_NUMBER_MAX, STRIPES_MAX};
use crate::time::Timestamp;

pub(super) const BLOCK: Target = Target {
    name: "block",
    rounds: 3_000,
    run: |bytes| {
        let encoded = Bytes::copy_from_slice(bytes);
        if let Ok(block) = Block::decode(&encoded) {
            assert_eq!(block.encode(), Ok(encoded), "a block has one encoding");
        }
    },
    seeds: || (0..3).map(|n| block(n, 2, [n as u8; 32]).encode().expect("ours").to_vec()).collect(),
};

pub(super) const SHARD: Target = Target {
    name: "shard",
    rounds: 3_000,
    run: |bytes| {
        let Ok(shard) = Shard::decode(Bytes::copy_from_slice(bytes)) else { return };
        assert_eq!(shard.encoded(), bytes);
        assert!(shard.stripe() < shard.k() + shard.m() && shard.k() + shard.m() <= STRIPES_MAX);
        assert!(shard.group() <= shard.block() && shard.block() <= BLOCK_NUMBER_MAX);
        if checker().check(&shard).is_ok() {
            let known = |signed: &Shard| signed.encoded() == shard.encoded();
            assert!(first_shards().iter().any(known), "the publisher signed nothing else");
        }
    },
    seeds: || first_shards().iter().map(|shard| shard.encoded().to_vec()).collect(),
};

fn first_shards() -> &'static [Shard] {
    static SHARDS: LazyLock<Vec<Shard>> =
        LazyLock::new(|| publisher(4).take(1).flatten().collect());
    &SHARDS
}

/// A script of shards from honest nodes, from a forger, and from a publisher that lies.
pub(super) const REBUILD: Target = Target {
    name: "rebuild",
    rounds: 150,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let mut run = Run::new();
        while !script.is_over() {
            run.step(&mut script);
        }
        run.finish();
    },
    seeds: || {
        let step = |block: u8, stripe: u8| [0, block, stripe];
        let all = (0..24).flat_map(|b| (0..6).map(move |s| step(b, s))).flatten().collect();
        let bare = (0..24).flat_map(|b| (2..6).map(move |s| step(b, s))).flatten().collect();
        let holes = (0..24).filter(|b| b % 5 > 0);
        let holes = holes.flat_map(|b| (0..4).flat_map(move |s| step(b, s)).chain([0x0f, 0, 40]));
        let mixed = (0..96u8).flat_map(|i| [i % 16, i / 4, i % 6]).collect();
        vec![all, bare, holes.collect(), mixed]
    },
};

/// The publisher's blocks, as the streams that a script may mix.
struct Streams {
    /// What it should send.
    honest: Vec<Vec<Shard>>,
    /// Other blocks by the same numbers, signed too.
    twins: Vec<Vec<Shard>>,
    /// The same blocks in another code.
    recoded: Vec<Vec<Shard>>,
    /// Signed bytes that are no blocks.
    broken: Vec<Vec<Shard>>,
    /// Blocks far ahead.
    ahead: Vec<Vec<Shard>>,
}

const BLOCKS: u64 = 24;

static STREAMS: LazyLock<Streams> = LazyLock::new(|| {
    let coder = |k, m| Coder::new(SESSION, 0, k, m, key()).expect("a code");
    let twin = |n: u64| block(n, 6, [0xee; 32]).encode().expect("a block");
    let stream = |coder: &Coder, offset: u64, bytes: &dyn Fn(u64) -> Bytes| {
        let number = |n: u64| (offset + n, offset + n - n % 6);
        let shards = |n| coder.encode(number(n).0, number(n).1, &bytes(n));
        (0..BLOCKS).map(shards).collect::<Vec<_>>()
    };
    Streams {
        honest: publisher(6).take(BLOCKS as usize).collect(),
        twins: stream(&coder(4, 2), 0, &twin),
        recoded: stream(&coder(2, 4), 0, &twin),
        broken: stream(&coder(4, 2), 0, &|n| Bytes::from(vec![n as u8; 40])),
        ahead: stream(&coder(4, 2), 600, &|n| block(600 + n, 6, [0; 32]).encode().expect("one")),
    }
});

const HONEST: u8 = 0;
const FORGER: u8 = 1;

struct Run {
    rebuilder: Rebuilder<u8>,
    now: Timestamp,
    /// The next number to come out, once something did.
    next: Option<u64>,
}

impl Run {
    fn new() -> Self {
        LazyLock::force(&STREAMS);
        let rebuilder = Rebuilder::new(checker(), RebuilderConfig::default());
        Self { rebuilder, now: Timestamp::ZERO, next: None }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let (what, number, stripe) = (script.u8(), script.u8(), script.u8());
        let stream = match what % 16 {
            0..=7 => &STREAMS.honest,
            8 => &STREAMS.twins,
            9 => &STREAMS.recoded,
            10 => &STREAMS.broken,
            11 => &STREAMS.ahead,
            12 | 13 => return self.forge(number, stripe),
            14 => return self.drain(),
            _ => {
                self.now = self.now + Duration::from_millis(u64::from(stripe) * 4);
                return self.drain();
            }
        };
        let shards = &stream[usize::from(number) % stream.len()];
        let shard = shards[usize::from(stripe) % shards.len()].clone();
        let push = self.rebuilder.push(self.now, HONEST, shard, what & 0x10 != 0);
        assert_ne!(push, Push::Bad, "a signed shard was taken for a forgery");
        if what & 0x20 == 0 {
            self.drain();
        }
    }

    /// A shard with one byte changed, wherever that leaves it a shard.
    fn forge(&mut self, number: u8, at: u8) {
        let shards = &STREAMS.honest[usize::from(number) % STREAMS.honest.len()];
        let mut bytes = shards[usize::from(number) % shards.len()].encoded().to_vec();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= 0x01;
        if let Ok(shard) = Shard::decode(bytes.into()) {
            self.rebuilder.push(self.now, FORGER, shard, false);
        }
    }

    fn drain(&mut self) {
        while let Some(rebuilt) = self.rebuilder.poll(self.now) {
            match rebuilt {
                Rebuilt::Block(block) => {
                    assert!(self.next.is_none_or(|next| next == block.number), "out of order");
                    assert!(self.next.is_some() || block.starts_group(), "begins inside a group");
                    self.next = Some(block.number + 1);
                }
                Rebuilt::Lost { blocks } => {
                    assert!(!blocks.is_empty());
                    assert_eq!(self.next, Some(blocks.start), "lost what was given out or skipped");
                    self.next = Some(blocks.end);
                }
            }
        }
        while let Some(outcome) = self.rebuilder.poll_outcome() {
            if let Outcome::Bad { source, .. } = outcome {
                assert_eq!(source, FORGER, "an honest node was blamed");
            }
        }
        let deadline = self.rebuilder.next_deadline();
        assert!(deadline.is_none_or(|at| at > self.now), "would wake for ever");
        let missing = self.rebuilder.missing(self.now, Duration::ZERO);
        let missing: BTreeSet<(u64, u8)> = missing.collect();
        assert!(missing.iter().all(|(block, _)| self.next.is_none_or(|next| *block >= next)));
        let lags = self.rebuilder.stripe_lag(self.now);
        assert!(lags.count() <= usize::from(STRIPES_MAX));
    }

    /// Whatever came, what is waited for ends.
    fn finish(&mut self) {
        // Twice, as the first may be what makes it start to play.
        for _ in 0..2 {
            self.now = self.now + Duration::from_secs(3600);
            self.drain();
        }
        assert_eq!(self.rebuilder.next_deadline(), None, "waits for ever");
    }
}
