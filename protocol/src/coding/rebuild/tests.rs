use super::*;
use crate::coding::Coder;
use crate::coding::sample::{SESSION, block, checker, coder, key, publisher};
use crate::limits::WINDOW_BLOCKS;
use proptest::prelude::*;

const HONEST: u8 = 0;
const FORGER: u8 = 66;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_micros(ms * 1000)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn rebuilder() -> Rebuilder<u8> {
    Rebuilder::new(checker(), RebuilderConfig { grace: ms(0), ..RebuilderConfig::default() })
}

/// The shards of the first `count` blocks.
fn stream(count: usize, group_len: u64) -> Vec<Vec<Shard>> {
    publisher(group_len).take(count).collect()
}

/// The same shard with another payload.
fn forged(shard: &Shard) -> Shard {
    let mut encoded = shard.encoded().to_vec();
    *encoded.last_mut().expect("not empty") ^= 0xff;
    Shard::decode(encoded.into()).expect("a payload may be anything")
}

/// A shard of no key's making, for any place.
fn invented(number: u64, group: u64) -> Shard {
    let shards = coder().encode(number, group, &Bytes::from_static(b"not the publisher's"));
    forged(&shards[0])
}

/// What `poll` gave.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Played(u64),
    Lost(u64, u64),
}
use Got::{Lost, Played};

fn drain(rebuilder: &mut Rebuilder<u8>, now: Timestamp) -> Vec<Got> {
    std::iter::from_fn(|| rebuilder.poll(now))
        .map(|rebuilt| match rebuilt {
            Rebuilt::Block(block) => Played(block.number),
            Rebuilt::Lost { blocks } => Lost(blocks.start, blocks.end),
        })
        .collect()
}

fn outcomes(rebuilder: &mut Rebuilder<u8>) -> Vec<Outcome<u8>> {
    std::iter::from_fn(|| rebuilder.poll_outcome()).collect()
}

fn push_all(rebuilder: &mut Rebuilder<u8>, now: Timestamp, shards: &[Shard]) -> Vec<Push> {
    shards.iter().map(|shard| rebuilder.push(now, HONEST, shard.clone(), false)).collect()
}

#[test]
fn any_k_shards_give_the_block_and_the_rest_is_surplus() {
    let stream = stream(15, 5);
    let mut rebuilder = rebuilder();
    for (number, shards) in stream.iter().enumerate() {
        let mut shards = shards.clone();
        shards.rotate_left(number % 6);
        let pushes = push_all(&mut rebuilder, at(number as u64), &shards);
        assert_eq!(pushes[..4], [Push::Kept; 4]);
        assert_eq!(pushes[4..], [Push::Surplus; 2]);
        let number = number as u64;
        assert_eq!(drain(&mut rebuilder, at(number)), [Played(number)]);
        assert_eq!(rebuilder.push(at(number), HONEST, shards[0].clone(), false), Push::Surplus);
    }
    let stats = rebuilder.stats();
    assert_eq!((stats.blocks_rebuilt, stats.blocks_lost, stats.shards_surplus), (15, 0, 45));
    // The first four of a rotation by 0 to 5 hold 0, 1, 2, 2, 2, 1 parity shards.
    assert_eq!(stats.parity_used, 8 + 8 + 3);
    assert_eq!(outcomes(&mut rebuilder), []);
    assert_eq!(rebuilder.bytes, 0);
}

#[test]
fn blocks_come_out_in_order() {
    let stream = stream(6, 3);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[0]);
    assert_eq!(drain(&mut rebuilder, at(0)), [Played(0)]);
    for number in [3, 2, 5, 4] {
        push_all(&mut rebuilder, at(1), &stream[number]);
        assert_eq!(drain(&mut rebuilder, at(1)), []);
    }
    push_all(&mut rebuilder, at(2), &stream[1]);
    assert_eq!(
        drain(&mut rebuilder, at(2)),
        [Played(1), Played(2), Played(3), Played(4), Played(5)]
    );
}

#[test]
fn who_comes_within_a_group_lacks_its_start_until_the_next() {
    let stream = stream(8, 5);
    let mut rebuilder = rebuilder();
    assert!(!rebuilder.lacks_start(), "nothing came at all");
    push_all(&mut rebuilder, at(0), &stream[2][..3]);
    assert_eq!(drain(&mut rebuilder, at(0)), []);
    assert!(!rebuilder.lacks_start(), "nothing is complete");
    push_all(&mut rebuilder, at(0), &stream[3]);
    assert_eq!(drain(&mut rebuilder, at(0)), []);
    assert!(rebuilder.lacks_start());
    push_all(&mut rebuilder, at(1), &stream[5]);
    assert_eq!(drain(&mut rebuilder, at(1)), [Played(5)]);
    assert!(!rebuilder.lacks_start());
}

#[test]
fn a_block_is_lost_at_its_deadline_and_the_stream_goes_on() {
    let stream = stream(8, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[0]);
    push_all(&mut rebuilder, at(30), &stream[1][..3]);
    assert_eq!(drain(&mut rebuilder, at(30)), [Played(0)]);
    // Nothing of 2 and 3 comes, so the first shard of 4 starts their clock.
    push_all(&mut rebuilder, at(130), &stream[4]);
    assert_eq!(rebuilder.next_deadline(), Some(at(430)));
    assert_eq!(drain(&mut rebuilder, at(429)), []);
    assert_eq!(drain(&mut rebuilder, at(430)), [Lost(1, 2)]);
    assert_eq!(rebuilder.next_deadline(), Some(at(530)));
    assert_eq!(push_all(&mut rebuilder, at(440), &stream[1]), [Push::TooLate; 6]);
    push_all(&mut rebuilder, at(529), &stream[2]);
    assert_eq!(drain(&mut rebuilder, at(529)), [Played(2)]);
    assert_eq!(drain(&mut rebuilder, at(530)), [Lost(3, 4), Played(4)]);
    assert_eq!(rebuilder.next_deadline(), None);
    let stats = rebuilder.stats();
    assert_eq!((stats.blocks_rebuilt, stats.blocks_lost, stats.shards_late), (3, 2, 6));
    assert_eq!(outcomes(&mut rebuilder), [], "a hole in the chain is no violation");
}

#[test]
fn it_starts_at_a_group_start() {
    let stream = stream(30, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[17]);
    assert_eq!(drain(&mut rebuilder, at(5000)), [], "no viewer can start at 17");
    assert_eq!(rebuilder.next_deadline(), None);
    assert_eq!(push_all(&mut rebuilder, at(0), &stream[9]), [Push::TooLate; 6]);
    for shards in &stream[11..17] {
        push_all(&mut rebuilder, at(0), shards);
    }
    assert_eq!(drain(&mut rebuilder, at(5000)), []);
    push_all(&mut rebuilder, at(5000), &stream[10]);
    let want: Vec<Got> = (10..=17).map(Played).collect();
    assert_eq!(drain(&mut rebuilder, at(5000)), want);
}

#[test]
fn a_newer_group_that_is_there_first_is_where_it_starts() {
    let stream = stream(30, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[15]);
    push_all(&mut rebuilder, at(0), &stream[20]);
    assert_eq!(drain(&mut rebuilder, at(0)), [Played(20)]);
    assert_eq!(push_all(&mut rebuilder, at(0), &stream[10]), [Push::TooLate; 6]);
    assert_eq!(rebuilder.stats().blocks_lost, 0, "nobody missed what came before the start");
    assert_eq!(rebuilder.bytes, 0);
}

#[test]
fn backlog_after_a_start_has_its_grace() {
    let stream = stream(5, 10);
    let config = RebuilderConfig { grace: ms(1000), ..RebuilderConfig::default() };
    let mut rebuilder = Rebuilder::new(checker(), config);
    push_all(&mut rebuilder, at(0), &stream[3]);
    push_all(&mut rebuilder, at(100), &stream[0]);
    assert_eq!(drain(&mut rebuilder, at(100)), [Played(0)]);
    assert_eq!(rebuilder.next_deadline(), Some(at(1100)));
    assert_eq!(drain(&mut rebuilder, at(1099)), []);
    assert_eq!(drain(&mut rebuilder, at(1100)), [Lost(1, 3), Played(3)]);
}

#[test]
fn forged_shards_are_pinned_on_their_source_and_do_no_harm() {
    let stream = stream(3, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[0]);
    drain(&mut rebuilder, at(0));
    // As the first of its block: checked at once.
    let first = forged(&stream[1][0]);
    assert_eq!(rebuilder.push(at(1), FORGER, first, false), Push::Bad);
    // Later ones take a place and are found with the k-th.
    assert_eq!(rebuilder.push(at(1), HONEST, stream[1][0].clone(), false), Push::Kept);
    for stripe in [1, 2, 3] {
        let forged = forged(&stream[1][stripe]);
        assert_eq!(rebuilder.push(at(1), FORGER, forged, false), Push::Kept);
        if stripe == 1 {
            // Two for one place: signatures decide.
            let honest = stream[1][1].clone();
            assert_eq!(rebuilder.push(at(1), HONEST, honest.clone(), false), Push::Kept);
            assert_eq!(rebuilder.push(at(1), HONEST, honest, false), Push::Duplicate);
        }
    }
    assert_eq!(drain(&mut rebuilder, at(1)), []);
    assert_eq!(push_all(&mut rebuilder, at(1), &stream[1][2..4]), [Push::Kept; 2]);
    assert_eq!(drain(&mut rebuilder, at(1)), [Played(1)]);
    let want: Vec<_> =
        (0..4).map(|stripe| Outcome::Bad { source: FORGER, block: 1, stripe }).collect();
    assert_eq!(outcomes(&mut rebuilder), want);
    assert_eq!(rebuilder.stats().shards_bad, 4);
}

#[test]
fn a_forged_header_does_not_make_honest_shards_look_wrong() {
    let stream = stream(2, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[0]);
    push_all(&mut rebuilder, at(0), &stream[1][..1]);
    let other = Coder::new(SESSION, 0, 2, 1, key()).expect("a code");
    let other = other.encode(1, 0, &Bytes::from_static(b"another block 1"));
    assert_eq!(rebuilder.push(at(0), FORGER, forged(&other[1]), false), Push::Bad);
    // Signed, it is the publisher's doing and nobody else's.
    let inconsistent = Push::Inconsistent(Inconsistency::Equivocation);
    assert_eq!(rebuilder.push(at(0), HONEST, other[1].clone(), false), inconsistent);
    assert_eq!(
        outcomes(&mut rebuilder),
        [
            Outcome::Bad { source: FORGER, block: 1, stripe: 1 },
            Outcome::Violated { block: 1, violation: Violation::Equivocation },
        ]
    );
    push_all(&mut rebuilder, at(0), &stream[1][1..4]);
    assert_eq!(drain(&mut rebuilder, at(0)), [Played(0), Played(1)]);
}

#[test]
fn a_lost_block_still_tells_who_forged() {
    let stream = stream(2, 10);
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &stream[0]);
    push_all(&mut rebuilder, at(0), &stream[1][..2]);
    rebuilder.push(at(0), FORGER, forged(&stream[1][5]), false);
    assert_eq!(drain(&mut rebuilder, at(400)), [Played(0), Lost(1, 2)]);
    assert_eq!(outcomes(&mut rebuilder), [Outcome::Bad { source: FORGER, block: 1, stripe: 5 }]);
    assert_eq!(rebuilder.bytes, 0);
}

#[test]
fn invented_numbers_move_nothing() {
    let stream = stream(3, 10);
    let mut rebuilder = rebuilder();
    // Not even where to start.
    assert_eq!(rebuilder.push(at(0), FORGER, invented(1 << 40, 1 << 40), false), Push::Bad);
    push_all(&mut rebuilder, at(0), &stream[0]);
    assert_eq!(drain(&mut rebuilder, at(0)), [Played(0)]);
    for number in [1, 5, 500, 511, 512, 513, 1 << 40, (1 << 62) - 1] {
        assert_eq!(rebuilder.push(at(1), FORGER, invented(number, 0), false), Push::Bad);
    }
    assert_eq!(rebuilder.window.range(), 1..1);
    assert_eq!(rebuilder.next_deadline(), None);
    assert_eq!(drain(&mut rebuilder, at(10_000)), []);
    push_all(&mut rebuilder, at(10_000), &stream[1]);
    assert_eq!(drain(&mut rebuilder, at(10_000)), [Played(1)]);
}

#[test]
fn after_a_long_silence_it_starts_again_at_a_group() {
    let coder = coder();
    let shards = |number: u64| {
        let block = block(number, 50, [0; 32]);
        coder.encode(number, block.group, &block.encode().expect("a block"))
    };
    let mut rebuilder = rebuilder();
    push_all(&mut rebuilder, at(0), &shards(0));
    push_all(&mut rebuilder, at(0), &shards(2));
    assert_eq!(drain(&mut rebuilder, at(0)), [Played(0)]);
    push_all(&mut rebuilder, at(60_000), &shards(1 + WINDOW_BLOCKS + 60));
    assert_eq!(drain(&mut rebuilder, at(70_000)), [], "mid-group: no viewer can start there");
    push_all(&mut rebuilder, at(70_000), &shards(600));
    let got = drain(&mut rebuilder, at(70_000));
    assert_eq!(got, [Lost(1, 600), Played(600)]);
    assert_eq!(rebuilder.stats().blocks_lost, 599);
    // Replayed, signed and old: of no use and no harm.
    assert_eq!(push_all(&mut rebuilder, at(70_000), &shards(0)), [Push::TooLate; 6]);
    assert_eq!(rebuilder.bytes, 0);
}

#[test]
fn the_publishers_faults_are_reported_and_survived() {
    let coder = coder();
    let mut rebuilder = rebuilder();
    let send = |rebuilder: &mut Rebuilder<u8>, number: u64, encoded: Bytes| {
        push_all(rebuilder, at(number), &coder.encode(number, 0, &encoded));
        drain(rebuilder, at(number))
    };
    let good = |number, previous| block(number, 100, previous).encode().expect("a block");
    let zero = good(0, [9; 32]);
    assert_eq!(send(&mut rebuilder, 0, zero.clone()), [Played(0)]);
    assert_eq!(send(&mut rebuilder, 1, good(1, [1; 32])), [Played(1)]);
    assert_eq!(send(&mut rebuilder, 2, good(3, [0; 32])), [Lost(2, 3)]);
    assert_eq!(send(&mut rebuilder, 3, Bytes::from_static(b"no block")), [Lost(3, 4)]);
    assert_eq!(send(&mut rebuilder, 4, good(4, Block::digest(&zero))), [Played(4)]);
    let violated = |block, violation| Outcome::Violated { block, violation };
    let unknown = DecodeError::field("version", "unknown");
    assert_eq!(
        outcomes(&mut rebuilder),
        [
            violated(0, Violation::Chain),
            violated(1, Violation::Chain),
            violated(2, Violation::Misnumbered),
            violated(3, Violation::Malformed(unknown)),
        ]
    );
}

#[test]
fn missing_shards_and_lagging_stripes_are_named() {
    let stream = stream(20, 10);
    let mut rebuilder = rebuilder();
    for (number, shards) in stream.iter().enumerate().take(10) {
        // Stripes 1, 4 and 5 stop after block 4.
        let stalled = [1, 4, 5];
        let shards: Vec<Shard> = shards
            .iter()
            .filter(|shard| number < 5 || !stalled.contains(&shard.stripe()))
            .cloned()
            .collect();
        push_all(&mut rebuilder, at(number as u64 * 10), &shards);
        drain(&mut rebuilder, at(number as u64 * 10));
    }
    let missing: Vec<(u64, u8)> = rebuilder.missing(at(140), ms(80)).collect();
    assert_eq!(missing, [(5, 1), (5, 4), (5, 5), (6, 1), (6, 4), (6, 5)]);
    assert_eq!((rebuilder.needed(5), rebuilder.needed(4), rebuilder.needed(77)), (1, 0, 0));
    let lags: Vec<StripeLag> = rebuilder.stripe_lag(at(140)).collect();
    assert_eq!(lags.len(), 6);
    for lag in lags {
        let (last, blocks, behind) = match lag.stripe {
            1 | 4 | 5 => ((4, at(40)), 5, ms(90)),
            _ => ((9, at(90)), 0, ms(0)),
        };
        assert_eq!((lag.last, lag.blocks, lag.lag), (Some(last), blocks, behind));
    }
    // One pulled shard per block is enough.
    let pulled: Vec<Shard> = (5..10).map(|number| stream[number][1].clone()).collect();
    push_all(&mut rebuilder, at(150), &pulled);
    assert_eq!(
        drain(&mut rebuilder, at(150)),
        [Played(5), Played(6), Played(7), Played(8), Played(9)]
    );
    assert_eq!(rebuilder.missing(at(1000), ms(0)).count(), 0);
    let lags: Vec<StripeLag> = rebuilder.stripe_lag(at(150)).collect();
    assert_eq!((lags[1].lag, lags[1].blocks), (ms(0), 0));
    assert_eq!((lags[4].lag, lags[4].blocks), (ms(100), 5));
}

#[test]
fn what_is_held_is_bounded() {
    let coder = Coder::new(SESSION, 0, 4, 2, key()).expect("a code");
    let large = Bytes::from(vec![1; 4 << 20]);
    let mut rebuilder = rebuilder();
    let mut early = 0;
    for number in 1..60 {
        for shard in &coder.encode(number, 0, &large)[..2] {
            early +=
                u64::from(rebuilder.push(at(0), HONEST, shard.clone(), true) == Push::TooEarly);
            assert!(rebuilder.bytes <= WINDOW_BYTES_MAX);
        }
    }
    assert!(early > 80, "{early}");
    // A newer group is worth more than what waits for a start that never comes.
    let newer = coder.encode(70, 65, &large).remove(0);
    assert_eq!(rebuilder.push(at(0), HONEST, newer, true), Push::Kept);
    assert_eq!(rebuilder.window.range(), 65..71);
}

#[test]
fn another_rendition_is_not_mixed_in() {
    let coder = Coder::new(SESSION, 3, 4, 2, key()).expect("a code");
    let shard = coder.encode(0, 0, &Bytes::from_static(b"x")).remove(0);
    let want = Push::Inconsistent(Inconsistency::Rendition);
    assert_eq!(rebuilder().push(at(0), HONEST, shard, false), want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Shards lost, doubled, reordered and forged at will: blocks come out in order, each once,
    /// verbatim; all that k honest shards came for are there; only the forger is blamed.
    #[test]
    fn whatever_the_network_does(
        mess in prop::collection::vec((0_u8..10, 0_u8..10, 0_u64..90, any::<bool>()), 40 * 6),
    ) {
        let stream = stream(40, 8);
        let mut arrivals = Vec::new();
        let mut arrived = [0; 40];
        for (shards, (number, shard)) in stream
            .iter()
            .enumerate()
            .flat_map(|(number, shards)| shards.iter().map(move |shard| (number, shard)))
            .enumerate()
        {
            let (fate, forge, delay, checked) = mess[shards];
            let time = number as u64 * 33 + delay;
            // The start is kept whole, or it may be anywhere.
            if fate < 8 || number == 0 {
                arrivals.push((if number == 0 { 0 } else { time }, HONEST, shard.clone(), checked));
                arrived[number] += 1;
            }
            if fate == 0 {
                arrivals.push((time + 20, HONEST, shard.clone(), false));
            }
            if forge == 0 {
                arrivals.push((time.saturating_sub(15).max(1), FORGER, forged(shard), false));
            }
        }
        arrivals.sort_by_key(|(time, ..)| *time);

        let mut rebuilder = rebuilder();
        let mut next = 0;
        let mut lost = Vec::new();
        let ends = arrivals.into_iter().map(|(time, source, shard, checked)| {
            (time, Some((source, shard, checked)))
        });
        for (time, arrival) in ends.chain([(10_000, None)]) {
            // Deadlines on the way, as a driver would.
            let mut now = rebuilder.next_deadline().unwrap_or(at(time)).min(at(time));
            loop {
                while let Some(rebuilt) = rebuilder.poll(now) {
                    match rebuilt {
                        Rebuilt::Block(block) => {
                            prop_assert_eq!(block.number, next);
                            next += 1;
                        }
                        Rebuilt::Lost { blocks } => {
                            prop_assert_eq!(blocks.start, next);
                            prop_assert!(!blocks.is_empty());
                            next = blocks.end;
                            lost.extend(blocks);
                        }
                    }
                }
                match rebuilder.next_deadline() {
                    Some(deadline) if deadline <= at(time) => now = deadline,
                    _ => break,
                }
            }
            if let Some((source, shard, checked)) = arrival {
                let pushed = rebuilder.push(at(time), source, shard, checked);
                prop_assert!(source == FORGER || pushed != Push::Bad, "{:?}", pushed);
            }
            for outcome in outcomes(&mut rebuilder) {
                let is_forger = matches!(outcome, Outcome::Bad { source: FORGER, .. });
                prop_assert!(is_forger, "{:?}", outcome);
            }
        }
        for (number, arrived) in arrived.into_iter().enumerate() {
            prop_assert_eq!(lost.contains(&(number as u64)), arrived < 4 && number as u64 <= next);
        }
        prop_assert_eq!(rebuilder.bytes, 0);
        prop_assert_eq!(rebuilder.stats().blocks_lost, lost.len() as u64);
    }
}
