//! Blocks and shards as bytes, and shards in any order from anybody.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;

use super::{Script, Target};
use crate::coding::sample::{checker, publisher};
use crate::coding::{Block, Outcome, Rebuilder, RebuilderConfig, Rebuilt, Shard};
use crate::limits::{PAYLOAD_BYTES_MAX, WINDOW_BLOCKS};
use crate::time::Timestamp;

pub(super) const BLOCK: Target = Target {
    name: "block",
    run: |bytes| {
        let encoded = Bytes::copy_from_slice(bytes);
        let Ok(block) = Block::decode(&encoded) else { return };
        let packets = block.frames.iter().flat_map(|frame| &frame.packets);
        assert!(packets.clone().all(|packet| packet.payload.len() <= PAYLOAD_BYTES_MAX));
        assert_eq!(block.encode(), Ok(encoded), "every block has one encoding");
    },
    seeds: || {
        let mut rebuilder = Rebuilder::new(checker(), RebuilderConfig::default());
        for shard in stream().iter().flatten() {
            rebuilder.push(Timestamp::ZERO, (), shard.clone(), true);
        }
        std::iter::from_fn(|| rebuilder.poll(Timestamp::ZERO))
            .filter_map(|rebuilt| match rebuilt {
                Rebuilt::Block(block) => Some(block.encode().expect("it was decoded").to_vec()),
                Rebuilt::Lost { .. } => None,
            })
            .collect()
    },
};

pub(super) const SHARD: Target = Target {
    name: "shard",
    run: |bytes| {
        let encoded = Bytes::copy_from_slice(bytes);
        let Ok(shard) = Shard::decode(encoded.clone()) else { return };
        assert_eq!(shard.encoded(), &encoded);
        assert!(shard.stripe() < shard.k() + shard.m() && shard.group() <= shard.block());
        let all = shard.payload().len() * usize::from(shard.k());
        assert!(all >= shard.block_len() as usize);
        let genuine = stream().iter().flatten().any(|ours| *ours == shard);
        assert_eq!(checker().check(&shard).is_ok(), genuine, "{shard:?}");
    },
    seeds: || stream().iter().flatten().map(|shard| shard.encoded().to_vec()).collect(),
};

/// A script of shards, genuine, forged and raw, and of time.
pub(super) const REBUILD: Target = Target {
    name: "rebuild",
    run: |bytes| {
        let mut script = Script::new(bytes);
        let grace = Duration::from_millis(u64::from(script.u8()));
        let mut run = Run {
            rebuilder: Rebuilder::new(
                checker(),
                RebuilderConfig { grace, ..RebuilderConfig::default() },
            ),
            now: Timestamp::ZERO,
            next: None,
        };
        for _ in 0..STEPS_MAX {
            if script.is_over() {
                break;
            }
            run.step(&mut script);
        }
    },
    seeds: || {
        // In order; with stripes missing; with a silence and its deadline.
        let genuine = |block: u8, stripe: u8| [0, block, stripe];
        let whole = (0..BLOCKS).flat_map(|block| (0..6).flat_map(move |s| genuine(block, s)));
        let part = (1..BLOCKS).flat_map(|block| (1..5).flat_map(move |s| genuine(block, s)));
        let gap = [genuine(0, 0), genuine(0, 1), genuine(0, 2), genuine(0, 3), genuine(5, 0)];
        let late = gap.into_iter().flatten().chain([6, 2, 0]).chain(genuine(1, 0));
        [whole.collect::<Vec<u8>>(), part.collect(), late.collect()]
            .into_iter()
            .map(|script| [&[100], &script[..]].concat())
            .collect()
    },
};

/// Blocks of the stream the targets know.
const BLOCKS: u8 = 10;
/// Most steps of a script: each may cost a signature check.
const STEPS_MAX: usize = 256;

fn stream() -> &'static [Vec<Shard>] {
    static STREAM: OnceLock<Vec<Vec<Shard>>> = OnceLock::new();
    STREAM.get_or_init(|| publisher(4).take(usize::from(BLOCKS)).collect())
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    Honest,
    Forger,
}

struct Run {
    rebuilder: Rebuilder<Source>,
    now: Timestamp,
    /// The block that must come next.
    next: Option<u64>,
}

impl Run {
    fn step(&mut self, script: &mut Script<'_>) {
        let kind = script.u8() % 8;
        match kind {
            0..=4 => {
                let shard = pick(script);
                // Half of them say they are checked, as those that are passed on.
                self.rebuilder.push(self.now, Source::Honest, shard, kind % 2 == 1);
            }
            5 => {
                let mut encoded = pick(script).encoded().to_vec();
                let at = usize::from(script.u8()) % encoded.len();
                encoded[at] ^= script.u8();
                self.offer(encoded.into());
            }
            6 => self.now = self.now + Duration::from_millis(u64::from(script.u16() % 1000)),
            _ => {
                let len = usize::from(script.u8());
                self.offer(Bytes::copy_from_slice(script.bytes(len)));
            }
        }
        self.drain();
    }

    fn offer(&mut self, encoded: Bytes) {
        if let Ok(shard) = Shard::decode(encoded) {
            self.rebuilder.push(self.now, Source::Forger, shard, false);
        }
    }

    fn drain(&mut self) {
        while let Some(rebuilt) = self.rebuilder.poll(self.now) {
            let blocks = match rebuilt {
                Rebuilt::Block(block) => block.number..block.number + 1,
                Rebuilt::Lost { blocks } => blocks,
            };
            assert!(!blocks.is_empty() && self.next.is_none_or(|next| next == blocks.start));
            assert!(blocks.end <= u64::from(BLOCKS), "nothing is believed that was not signed");
            self.next = Some(blocks.end);
        }
        assert!(self.rebuilder.next_deadline().is_none_or(|deadline| deadline > self.now));
        while let Some(outcome) = self.rebuilder.poll_outcome() {
            let forger = matches!(outcome, Outcome::Bad { source: Source::Forger, .. });
            assert!(forger, "{outcome:?}");
        }
        let missing = self.rebuilder.missing(self.now, Duration::ZERO).count() as u64;
        assert!(missing <= WINDOW_BLOCKS * 6);
        assert!(self.rebuilder.stripe_lag(self.now).count() <= 6);
    }
}

fn pick(script: &mut Script<'_>) -> Shard {
    let block = &stream()[usize::from(script.u8() % BLOCKS)];
    block[usize::from(script.u8()) % block.len()].clone()
}
