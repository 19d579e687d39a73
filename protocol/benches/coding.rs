//! What coding, signing, checking and rebuilding cost: `name=value` lines, one thread.
//!
//! `cargo bench -p banyan-protocol --bench coding`. Blocks of 16.7 kB are the mean of 4 Mbit/s at
//! 30 blocks/s; 8+2 cuts them into shards of 2.1 kB.
#![allow(clippy::disallowed_methods)] // a benchmark reads the clock

use std::hint::black_box;
use std::time::{Duration, Instant};

use banyan_protocol::coding::{
    Block, Checker, Code, Coder, Frame, Packet, Rebuilder, RebuilderConfig, Rebuilt, Ring, Shard,
    Track,
};
use banyan_protocol::identity::{MediaKey, SessionId};
use banyan_protocol::time::Timestamp;
use bytes::Bytes;

const SESSION: SessionId = SessionId::from_bytes([7; 32]);
const BLOCK_LEN: usize = 16_700;
const BLOCKS_PER_SECOND: f64 = 30.0;

/// Median of the µs that one call takes, over runs of `count` calls. Keep runs below a millisecond:
/// then few of them are interrupted by other work of the machine, and the median is of none.
fn time_us(count: usize, mut call: impl FnMut(usize)) -> f64 {
    median((0..301).map(|_| {
        let start = Instant::now();
        (0..count).for_each(&mut call);
        start.elapsed().as_secs_f64() * 1e6 / count as f64
    }))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// Coding a block, and rebuilding it with the first 1 to `m` pieces lost.
fn code(k: u8, m: u8) {
    let code = Code::new(k, m).expect("a code");
    let block = noise(BLOCK_LEN);
    let len = code.piece_len(block.len());
    let mut parity = vec![vec![0; len]; usize::from(m)];
    let encode = time_us(100, |_| {
        for (row, out) in parity.iter_mut().enumerate() {
            code.piece(black_box(&block), k + row as u8, out);
        }
    });
    println!("rs_encode_{k}_{m}_us={encode:.2}");
    let data = block.chunks(len).map(|chunk| {
        let mut piece = chunk.to_vec();
        piece.resize(len, 0);
        piece
    });
    let pieces: Vec<Vec<u8>> = data.chain(parity).collect();
    for lost in 1..=m {
        let kept: Vec<(u8, &[u8])> =
            (lost..k + m).map(|i| (i, pieces[usize::from(i)].as_slice())).collect();
        let decode = time_us(100, |_| {
            black_box(code.rebuild(black_box(BLOCK_LEN), &kept)).expect("enough");
        });
        assert_eq!(code.rebuild(BLOCK_LEN, &kept).as_deref(), Some(&block[..]));
        println!("rs_decode_{k}_{m}_{lost}_lost_us={decode:.2}");
    }
}

/// `count` blocks of 14 packets, 15 in a group, as bytes, with number and group.
fn stream(count: u64) -> Vec<(u64, u64, Bytes)> {
    let payload = Bytes::from(noise(1170));
    let mut previous = [0; 32];
    (0..count)
        .map(|number| {
            let packets = (0..14).map(|i| Packet { marker: i == 13, payload: payload.clone() });
            let frame = Frame {
                track: Track::Video,
                timestamp: 0,
                capture_us: number,
                packets: packets.collect(),
            };
            let group = number - number % 15;
            let format = (number == group).then(Default::default);
            let block =
                Block { number, group, previous, closed_us: number, format, frames: vec![frame] };
            let encoded = block.encode().expect("within bounds");
            previous = Block::digest(&encoded);
            (number, group, encoded)
        })
        .collect()
}

/// µs per block, the median, of a receiver that gets all shards but those of `lost` stripes, in an
/// order that differs from block to block.
fn receive(checker: &Checker, stream: &[Vec<Shard>], lost: &[u8]) -> f64 {
    let mut rebuilder = Rebuilder::new(checker.clone(), RebuilderConfig::default());
    let mut blocks = 0;
    let us = median(stream.iter().enumerate().map(|(number, shards)| {
        let start = Instant::now();
        let now = Timestamp::from_micros(number as u64 * 33_333);
        let (late, early) = shards.split_at(number % shards.len());
        for shard in early.iter().chain(late).filter(|shard| !lost.contains(&shard.stripe())) {
            // As it comes from a link: bytes.
            let shard = Shard::decode(shard.encoded().clone()).expect("ours");
            rebuilder.push(now, 0_u32, shard, false);
            while let Some(rebuilt) = rebuilder.poll(now) {
                blocks += usize::from(matches!(rebuilt, Rebuilt::Block(_)));
            }
        }
        start.elapsed().as_secs_f64() * 1e6
    }));
    assert_eq!(blocks, stream.len());
    us
}

fn main() {
    for (k, m) in [(4, 2), (8, 2), (12, 2), (16, 4)] {
        code(k, m);
    }

    let key = MediaKey::from_seed(&[1; 32]);
    let checker = Checker::new(SESSION, key.verifying_key());
    let coder = Coder::new(SESSION, 0, 8, 2, key.clone()).expect("a code");
    let blocks = stream(300);
    let sign = time_us(10, |_| {
        black_box(key.sign(black_box(&[5; 104])));
    });
    println!("sign_us={sign:.2}");
    let encode = time_us(3, |i| {
        let (number, group, block) = &blocks[i];
        black_box(coder.encode(*number, *group, block));
    });
    println!("encode_and_sign_8_2_us_per_block={encode:.2}");

    let shards: Vec<Vec<Shard>> =
        blocks.iter().map(|(number, group, block)| coder.encode(*number, *group, block)).collect();
    let single = time_us(10, |i| checker.check(black_box(&shards[i][0])).expect("ours"));
    println!("verify_us={single:.2}");
    for count in [4, 7, 8, 16] {
        let some: Vec<&Shard> = shards.iter().flatten().take(count).collect();
        let batch = time_us(3, |_| checker.check_batch(black_box(&some)).expect("ours"));
        println!("verify_batch_{count}_us_per_sig={:.2}", batch / count as f64);
    }
    let parse = time_us(150, |i| {
        black_box(Shard::decode(shards[i][3].encoded().clone())).expect("ours");
    });
    println!("shard_decode_us={parse:.3}");
    let parse = time_us(150, |i| {
        black_box(Block::decode(&blocks[i].2)).expect("ours");
    });
    println!("block_decode_us={parse:.2}");
    let mut ring = Ring::new(Duration::from_secs(2), 8 << 20, true);
    let mut number = 0;
    let insert = time_us(1500, |i| {
        number += 1;
        let shard = &shards[i / 10][i % 10];
        ring.insert(Timestamp::from_micros(number), shard.clone());
    });
    println!("ring_insert_us={insert:.3}");

    for lost in [&[][..], &[0], &[0, 5]] {
        let block = receive(&checker, &shards, lost);
        let lost = lost.len();
        println!("receiver_{lost}_lost_us_per_block={block:.1}");
        println!("receiver_{lost}_lost_core_pct={:.3}", block * BLOCKS_PER_SECOND / 1e4);
    }
}
