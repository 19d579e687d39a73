//! Small worlds whose every time can be worked out by hand.

use super::arrivals::units;
use super::stream::Stream;
use super::*;

/// Everybody is 10 ms from everybody; packets are lost at random.
struct Flat {
    loss_ppm: u32,
    /// Nodes from this one on are cut off.
    cut: u32,
}

const CALM: Flat = Flat { loss_ppm: 0, cut: u32::MAX };

impl Net for Flat {
    fn one_way_us(&self, _: u32, _: u32) -> u32 {
        10_000
    }

    fn loss_ppm(&self, _: u32, _: u32) -> u32 {
        self.loss_ppm
    }

    fn reachable(&self, from: u32, to: u32) -> bool {
        (from < self.cut) == (to < self.cut)
    }
}

/// 2+1, 25 blocks/s, all blocks alike, shards of 1100 bytes, no jitter.
fn settings() -> Settings {
    let stream = Stream {
        bitrate_bps: 400_000,
        blocks_per_s: 25,
        every: 1,
        k: 2,
        m: 1,
        keyframe_every: 25,
        keyframe_pct: 100,
    };
    assert_eq!(stream.shard_bytes(0), 1100);
    Settings { stream, jitter_us: 0, settle_us: 0, ..Settings::reference(1) }
}

const NODE: Joiner =
    Joiner { upload_bps: 8_800_000, download_bps: None, bloat_us: 0, viewer: true };

/// `count` nodes of 8.8 Mbit/s (a shard each ms), the root first.
fn world(settings: Settings, count: u32) -> Media {
    let mut media = Media::new(settings, count as usize).expect("possible");
    (0..count).for_each(|node| media.join(node, Joiner { viewer: node > 0, ..NODE }, 0));
    media.set_root(0);
    media
}

/// Runs to `until_us`; what was noticed.
fn run(media: &mut Media, net: &Flat, until_us: u64) -> Vec<Notice> {
    let (mut all, mut notices) = (Vec::new(), Vec::new());
    loop {
        media.run(until_us, net, &mut notices);
        if notices.is_empty() {
            assert_eq!(media.now_us(), until_us);
            return all;
        }
        all.append(&mut notices);
    }
}

fn late(notices: &[Notice]) -> Vec<(u32, u8, u64)> {
    let late = notices.iter().filter_map(|notice| match *notice {
        Notice::Late { node, stripe, at_us } => Some((node, stripe, at_us)),
        Notice::Silent { .. } | Notice::Forged { .. } => None,
    });
    late.collect()
}

/// To units of 16 µs, as arrivals are kept.
fn kept(us: u64) -> u64 {
    us / UNIT_US * UNIT_US
}

/// 0 sends to 1 and 1 to 2, all stripes.
fn chain(settings: Settings) -> Media {
    let mut media = world(settings, 3);
    for stripe in 0..3 {
        media.graft(&CALM, (0, 1, stripe), 0, None, 0);
        media.graft(&CALM, (1, 2, stripe), 0, None, 0);
    }
    media
}

#[test]
fn a_chain_takes_its_time() {
    let mut media = chain(settings());
    assert!(run(&mut media, &CALM, 2_000_000).is_empty());
    // Stripe s leaves the root at (s + 1) ms, is at 1 after 10 ms more, ready 1 ms later, leaves
    // 1 ms after that and is at 2 after 10 ms more.
    for stripe in 0..3 {
        let at_1 = 11_000 + 1_000 * u64::from(stripe);
        for (node, us) in [(1, at_1), (2, at_1 + 12_000)] {
            let came = media.arrivals.came(node, stripe, 40).expect("it came");
            assert_eq!(u64::from(came) * UNIT_US, kept(us), "node {node}, stripe {stripe}");
        }
    }
    // With two of three shards a block is complete: 12 and 24 ms.
    let delay = &media.figures.delay;
    assert_eq!(delay.bins().map(|bin| bin.0).collect::<Vec<_>>(), [12_000, 24_000]);
    assert_eq!((delay.max_us(), media.figures.glitches), (kept(24_000), 0));
    assert_eq!(media.sent_bytes(0), 51 * 3 * 1100);
    assert!(media.uplink_use_bps(1).abs_diff(25 * 3 * 8800) < 3 * 8800);
}

#[test]
fn every_copy_ends_once() {
    let net = Flat { loss_ppm: 100_000, cut: u32::MAX };
    let mut media = world(settings(), 40);
    for (node, stripe) in (1..40).flat_map(|node| (0..3).map(move |stripe| (node, stripe))) {
        media.graft(&net, ((node - 1) / 3, node, stripe), usize::MAX, None, 0);
    }
    run(&mut media, &net, 1_005_000);
    media.kill(1, 1_005_000);
    run(&mut media, &net, 1_500_000);
    media.set_conduct(2, Conduct::Spoils);
    run(&mut media, &net, 2_000_000);
    media.network_changed(&Flat { cut: 30, ..net });
    run(&mut media, &net, 2_500_000);
    media.kill(0, 2_500_000);
    run(&mut media, &net, 5_000_000);
    let figures = &media.figures;
    assert!(figures.repeated > 500 && figures.void > 100 && figures.forged_received > 10);
    let ended = figures.arrived + figures.duplicates + figures.void + figures.forged_received;
    assert_eq!(figures.sent, ended, "{figures:?}");
}

#[test]
fn a_repeat_that_a_full_uplink_sheds_ends_there() {
    let net = Flat { loss_ppm: 300_000, cut: u32::MAX };
    let mut media = world(settings(), 3);
    for stripe in 0..3 {
        media.graft(&net, (0, 1, stripe), 0, None, 0);
        media.graft(&net, (1, 2, stripe), 0, None, 0);
    }
    media.set_upload(1, 300_000); // 660 kbit/s are asked of it
    run(&mut media, &net, 10_000_000);
    assert!(media.figures.shed > 50, "{}", media.figures.shed);
    media.kill(0, 10_000_000);
    run(&mut media, &net, 15_000_000);
    assert_eq!((media.figures.under_way(), media.figures.repeated > 100), (0, true));
}

#[test]
fn same_seed_same_trace() {
    let hash = |seed| {
        let settings = Settings { seed, jitter_us: 1000, ..settings() };
        let mut media = world(settings, 40);
        let net = Flat { loss_ppm: 10_000, cut: u32::MAX };
        for (node, stripe) in (1..40).flat_map(|node| (0..3).map(move |stripe| (node, stripe))) {
            media.graft(&net, ((node - 1) / 3, node, stripe), usize::MAX, None, 0);
        }
        run(&mut media, &net, 1_000_000);
        media.kill(2, 1_000_000);
        let notices = run(&mut media, &net, 2_000_000);
        (media.trace_hash(), late(&notices).len(), media.figures.arrived)
    };
    assert_eq!(hash(5), hash(5));
    assert_ne!(hash(5).0, hash(6).0);
}

/// Five nodes, each of 1, 2 and 3 interior in one stripe: 1 sends stripe 0 to 2, 3 and 4, and so on.
fn disjoint() -> Media {
    let mut media = world(settings(), 5);
    for stripe in 0..3 {
        let interior = u32::from(stripe) + 1;
        media.graft(&CALM, (0, interior, stripe), 0, None, 0);
        for child in (1..5).filter(|child| *child != interior) {
            media.graft(&CALM, (interior, child, stripe), usize::MAX, None, 0);
        }
    }
    media
}

/// When a stripe is late that usually is `usual_us` behind the making of a block whose first
/// shard usually comes after `first_us`, and now after `now_us`.
fn late_us(made_us: u64, first_us: u64, usual_us: u64, now_us: u64) -> u64 {
    made_us + kept(now_us) + kept(usual_us) - kept(first_us) + 40_000
}

#[test]
fn a_death_makes_its_stripe_late_below_it_and_nothing_else() {
    let mut media = disjoint();
    assert!(run(&mut media, &CALM, 1_005_000).is_empty());
    // Block 25, made at 1 s, is under way to 1.
    media.kill(1, 1_005_000);
    // First shards: at 2 its own stripe at 12 ms, at 3 its own at 13; at 4 that of 1 at 25, now that
    // of 2 at 26. Stripe 0 usually comes at 23, 24 and 25 ms.
    let expected = [
        (2, 0, late_us(1_000_000, 12_000, 23_000, 12_000)),
        (3, 0, late_us(1_000_000, 13_000, 24_000, 13_000)),
        (4, 0, late_us(1_000_000, 25_000, 25_000, 26_000)),
    ];
    let notices = run(&mut media, &CALM, 1_400_000);
    assert_eq!(late(&notices), expected, "once each");
    assert_eq!(notices.len(), 3, "nothing but late stripes");
    assert!((2..5).all(|node| media.still_late(node, 0) && !media.still_late(node, 1)));
    assert_eq!(media.figures.missing_blocks, 0, "two of three stripes do");
}

#[test]
fn what_had_not_left_dies_with_its_sender() {
    let mut media = disjoint();
    // 1 has block 25 at 11 ms and sends it from 12 on: the copy to 2 leaves at 13, that to 3 at 14.
    run(&mut media, &CALM, 1_013_500);
    assert_eq!(media.arrivals.made(), 26);
    let void = media.figures.void;
    media.kill(1, 1_013_500);
    assert_eq!(media.figures.void, void + 2);
    let notices = run(&mut media, &CALM, 1_400_000);
    let expected = [
        (3, 0, late_us(1_000_000, 13_000, 24_000, 13_000)),
        (4, 0, late_us(1_000_000, 25_000, 25_000, 26_000)),
        (2, 0, late_us(1_040_000, 12_000, 23_000, 12_000)),
    ];
    assert_eq!(late(&notices), expected);
    assert_eq!((media.newest(2, 0), media.newest(3, 0)), (Some(25), Some(24)));
}

#[test]
fn a_pull_and_a_new_parent_fill_the_gap() {
    let mut media = disjoint();
    run(&mut media, &CALM, 1_013_500);
    media.kill(1, 1_013_500);
    (2..5).for_each(|node| media.orphaned(node, 0, 1_013_500));
    run(&mut media, &CALM, 1_070_000);
    assert!(media.still_late(3, 0) && media.still_broken() == 3);
    media.pull(&CALM, 3, 2, 0, 1_070_000);
    run(&mut media, &CALM, 1_090_900);
    assert_eq!(media.newest(3, 0), Some(24));
    run(&mut media, &CALM, 1_091_000); // 10 ms there, 1 ms to send, 10 ms back
    assert_eq!((media.newest(3, 0), media.still_late(3, 0)), (Some(25), false));
    // The root has blocks 26 and 27 (made at 1.04 and 1.08 s), of which 3 gets the first at once.
    media.prune(1, 3, 0);
    media.graft(&CALM, (0, 3, 0), 0, Some(26), 1_095_000);
    run(&mut media, &CALM, 1_106_000);
    assert_eq!(media.newest(3, 0), Some(26));
    run(&mut media, &CALM, 1_200_000);
    // The second one's turn is 26.7 ms later (40 ms of stream at 1.5 times its rate), at 1.1217 s,
    // when four copies of block 28 are before it, made at 1.12 s: it leaves at 1.125 s.
    assert_eq!(media.arrivals.came(3, 0, 27), Some(units(1_135_000 - 1_080_000)));
    run(&mut media, &CALM, 2_000_000);
    assert_eq!(media.still_broken(), 2, "2 and 4 found nobody");
    let repair = &media.figures.repair;
    assert_eq!((repair.count(), repair.max_us()), (1, 1_091_000 - 1_013_500 - 1_091_000 % 16));
    let came = |block| media.arrivals.came(3, 0, block).is_some();
    assert!((0..media.made() - 1).all(came), "nothing is missing at 3");
}

#[test]
fn a_leaf_may_become_a_parent_while_a_shard_is_on_its_way_to_it() {
    let mut media = world(settings(), 3);
    media.graft(&CALM, (0, 1, 0), 0, None, 0);
    run(&mut media, &CALM, 1_005_000);
    assert_eq!(media.newest(1, 0), Some(24), "25 is written down, and has not come");
    media.graft(&CALM, (1, 2, 0), 0, None, 1_005_000);
    run(&mut media, &CALM, 1_300_000);
    let came: Vec<_> = (22..30).map(|block| media.arrivals.came(2, 0, block)).collect();
    assert_eq!(came[..3], [None; 3], "only what is new");
    assert!(came[3..].iter().all(|came| *came == Some(units(23_000))), "{came:?}");
}

#[test]
fn a_node_without_anything_wonders_only_if_it_had_something() {
    let mut media = world(settings(), 3);
    (0..3).for_each(|stripe| media.graft(&CALM, (0, 1, stripe), 0, None, 0));
    run(&mut media, &CALM, 1_010_000);
    media.graft(&CALM, (1, 2, 0), 0, None, 1_010_000);
    media.kill(0, 1_010_000);
    // 1 had block 25 first at 11 ms, 2 at 23; then for two intervals and 120 ms nothing.
    let silent = |node, after_us| Notice::Silent { node, at_us: 1_000_000 + after_us };
    let expected = [silent(1, kept(11_000) + 200_000), silent(2, kept(23_000) + 200_000)];
    assert_eq!(run(&mut media, &CALM, 3_000_000), expected);
    assert!(media.still_silent(1) && media.still_silent(2));
    media.join(0, NODE, 3_000_000);
    media.graft(&CALM, (0, 2, 1), 0, None, 3_000_000);
    // Now 2 has something to compare stripe 0 with.
    let notices = run(&mut media, &CALM, 3_300_000);
    assert_eq!(late(&notices).iter().map(|late| (late.0, late.1)).collect::<Vec<_>>(), [(2, 0)]);
    assert!(notices.len() == 1 && !media.still_silent(2));
}

#[test]
fn spoilt_shards_are_noticed_and_go_no_further() {
    let mut media = chain(settings());
    run(&mut media, &CALM, 1_000_000);
    media.set_conduct(0, Conduct::Spoils);
    let notices = run(&mut media, &CALM, 1_052_500);
    let forged = |stripe, at_us| Notice::Forged { node: 1, from: 0, stripe, at_us };
    assert_eq!(notices, [forged(0, 1_051_000), forged(1, 1_052_000)]);
    run(&mut media, &CALM, 1_190_000);
    assert_eq!((media.newest(1, 0), media.newest(2, 0)), (Some(25), Some(25)));
    assert_eq!(media.figures.under_way(), 0);
}

#[test]
fn spoilt_shards_are_accepted_and_passed_on_where_nobody_checks() {
    for checks in [true, false] {
        let mut media = chain(Settings { checks, ..settings() });
        media.set_conduct(0, Conduct::Spoils);
        run(&mut media, &CALM, 190_000);
        assert_eq!(media.figures.forged_received > 0, checks);
        // Blocks 0 to 4 at both nodes of the chain, the second fed by an honest one.
        assert_eq!(media.forged_blocks(), if checks { 0 } else { 10 });
    }
}

#[test]
fn a_black_hole_makes_its_stripes_late() {
    let mut media = disjoint();
    run(&mut media, &CALM, 1_000_000);
    media.set_conduct(1, Conduct::Withholds(1));
    let stripes: Vec<_> = late(&run(&mut media, &CALM, 1_300_000));
    assert_eq!(
        stripes.iter().map(|late| (late.0, late.1)).collect::<Vec<_>>(),
        [(2, 0), (3, 0), (4, 0)]
    );
}

#[test]
fn a_number_may_be_used_again_while_things_are_on_their_way_to_it() {
    let mut media = chain(settings());
    run(&mut media, &CALM, 1_005_000);
    media.kill(1, 1_005_000);
    media.join(1, NODE, 1_006_000);
    run(&mut media, &CALM, 1_200_000);
    assert_eq!(media.newest(1, 0), None, "what was sent to the dead is not for its heir");
    media.graft(&CALM, (0, 1, 0), 0, None, 1_200_000);
    media.prune(0, 1, 0); // of the dead one
    run(&mut media, &CALM, 1_300_000);
    assert_eq!(media.newest(1, 0), Some(32));
    assert_eq!(media.newest(2, 0), Some(24), "nor are its children");
}

#[test]
fn a_full_uplink_makes_blocks_late_and_then_glitches() {
    let mut media = chain(settings());
    run(&mut media, &CALM, 1_000_000);
    assert_eq!(media.queue_us(1), 0);
    media.set_upload(1, 600_000); // 660 kbit/s are asked of it
    run(&mut media, &CALM, 8_000_000);
    assert!(media.queue_us(1) > 400_000);
    assert_eq!((media.seen(1).2, media.seen(2).2), (0, 1));
    media.set_upload(1, 8_800_000);
    run(&mut media, &CALM, 12_000_000);
    let (due, missing, glitches) = media.seen(2);
    assert!(glitches == 1 && missing > 20 && due > 250, "{due} {missing} {glitches}");
    assert_eq!(media.figures.glitch.count(), 1);
}

#[test]
fn a_probe_notices_a_death_with_its_next_block() {
    let mut settings = settings();
    settings.stream = settings.stream.as_probe();
    let mut media = world(settings, 5);
    for (parent, child, stripe) in [(0, 1, 0), (0, 1, 1), (0, 2, 1), (1, 2, 0), (1, 3, 0)] {
        media.graft(&CALM, (parent, child, stripe), 9, None, 0);
    }
    assert!(run(&mut media, &CALM, 3_500_000).is_empty());
    media.kill(1, 3_500_000);
    let notices = run(&mut media, &CALM, 6_000_000);
    // Stripe 1 is at 2 after 13 ms, as the third copy; stripe 0 used to be there after 23.
    let (first, usual) = (13_000, 23_000);
    let at_us = late_us(4_000_000, first, usual, first) + 150_000;
    assert_eq!(late(&notices), [(2, 0, at_us)]);
    let silent: Vec<_> = notices.iter().filter(|n| matches!(n, Notice::Silent { .. })).collect();
    assert!(
        matches!(silent[..], [Notice::Silent { node: 3, at_us: 4_400_000..4_440_000 }]),
        "{silent:?}"
    );
}

#[test]
fn figures_may_be_cleared_at_any_time() {
    let mut media = disjoint();
    run(&mut media, &CALM, 1_013_500);
    media.figures = Figures::default();
    media.kill(1, 1_013_500); // takes back two arrivals
    run(&mut media, &CALM, 1_014_000);
    assert_eq!((media.figures.void, media.figures.under_way()), (2, 0));
}
