//! Small worlds whose every time can be worked out by hand.

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
    assert_eq!(figures.under_way(), 0, "{figures:?}");
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
