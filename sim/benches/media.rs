//! How fast the media plane is: `name=value` lines, one thread.
//!
//! `cargo bench -p banyan-sim --bench media [SECONDS [NODES [probe]]]`. A forest as the control
//! plane builds it: each node forwards in its home stripe, as many children as four fifths of its
//! uplink feed, the strong ones near the root. Every shard is sent, with loss and jitter.
#![allow(clippy::disallowed_methods)] // a benchmark reads the clock

use banyan_protocol::rng::Rng;
use banyan_sim::media::{Joiner, Media, Net, Notice, Settings};
use std::collections::VecDeque;
use std::time::Instant;

/// Nodes on a plane.
struct Plane(Vec<(i32, i32)>);

impl Net for Plane {
    fn one_way_us(&self, from: u32, to: u32) -> u32 {
        let (a, b) = (self.0[from as usize], self.0[to as usize]);
        let (x, y) = (f64::from(a.0 - b.0), f64::from(a.1 - b.1));
        2_000 + libm::sqrt(x * x + y * y) as u32
    }

    fn loss_ppm(&self, _: u32, _: u32) -> u32 {
        5_000
    }

    fn reachable(&self, _: u32, _: u32) -> bool {
        true
    }
}

/// A node with children to come.
struct Slot {
    node: u32,
    depth: u32,
    free: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let mut number =
        |otherwise: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (seconds, nodes) = (number(20), number(10_000) as u32);
    let mut settings = Settings::reference(7);
    if std::env::args().any(|argument| argument == "probe") {
        settings.stream = settings.stream.as_probe();
    }
    let started = Instant::now();
    let mut media = Media::new(settings, nodes as usize).expect("possible settings");
    let net = build(&mut media, nodes);
    println!("build_s={:.2}", started.elapsed().as_secs_f64());

    let started = Instant::now();
    let mut notices: Vec<Notice> = Vec::new();
    let mut late = 0;
    loop {
        media.run(seconds * 1_000_000, &net, &mut notices);
        if notices.is_empty() {
            break;
        }
        late += notices.drain(..).count();
    }
    let took = started.elapsed().as_secs_f64();
    let figures = &media.figures;
    let delivered = figures.arrived + figures.duplicates;
    println!("deliveries={delivered}");
    println!("deliveries_per_s={:.0}", delivered as f64 / took);
    println!("simulated_per_real={:.1}", seconds as f64 / took);
    println!("overlay_p50_ms={:.2}", figures.delay.quantile_us(500_000) as f64 / 1e3);
    println!("overlay_p99_ms={:.2}", figures.delay.quantile_us(990_000) as f64 / 1e3);
    println!("overlay_p999_ms={:.2}", figures.delay.quantile_us(999_000) as f64 / 1e3);
    println!("missing_blocks={} of {}", figures.missing_blocks, figures.viewer_blocks);
    println!("repeated={} late_notices={late}", figures.repeated);
    println!("trace_hash={:016x}", media.trace_hash());
}

/// Joins all nodes and grafts them; node 0 is the root.
fn build(media: &mut Media, nodes: u32) -> Plane {
    let mut rng = Rng::new(&[7; 32], "bench");
    let place = |rng: &mut Rng| (rng.below(24_000) as i32, rng.below(24_000) as i32);
    let net = Plane((0..nodes).map(|_| place(&mut rng)).collect());
    // Log-uniform 2 to 100 Mbit/s.
    let upload = |rng: &mut Rng| {
        let unit = rng.below(1 << 32) as f64 / 4_294_967_296.0;
        (2e6 * libm::pow(50.0, unit)) as u64
    };
    let uploads: Vec<u64> =
        (0..nodes).map(|node| if node == 0 { 10_000_000 } else { upload(&mut rng) }).collect();
    for (node, upload_bps) in (0..nodes).zip(&uploads) {
        let (download_bps, bloat_us) = (None, 0);
        let joiner = Joiner { upload_bps: *upload_bps, download_bps, bloat_us, viewer: node > 0 };
        media.join(node, joiner, 0);
    }
    media.set_root(0);
    let stream = media.settings().stream;
    let stripes = stream.stripes() as u32;
    let mut depths = 0;
    for stripe in 0..stripes {
        let slots = |node: u32| uploads[node as usize] * 8 / 10 / stream.stripe_bps();
        let mut forwarders: Vec<u32> = (1..nodes).filter(|node| node % stripes == stripe).collect();
        forwarders.sort_by_key(|node| std::cmp::Reverse(slots(*node)));
        let mut leaves: Vec<u32> = (1..nodes).filter(|node| node % stripes != stripe).collect();
        let count = leaves.len();
        rng.sample(&mut leaves, count);
        // Forwarding children first, and only as many as feed the rest comfortably.
        let needed = u64::from(nodes) * 3 / 2;
        let mut reserve = 0;
        let strong = forwarders.iter().take_while(|node| {
            let take = reserve < needed;
            reserve += slots(**node);
            take
        });
        let strong = strong.count();
        leaves.extend(forwarders.drain(strong..));
        let mut open = VecDeque::from([Slot { node: 0, depth: 0, free: 1 }]);
        let mut done: Vec<Slot> = Vec::new();
        for node in forwarders {
            let parent = open.front_mut().expect("enough slots");
            media.graft(&net, (parent.node, node, stripe as u8), usize::MAX, None, 0);
            parent.free -= 1;
            let depth = parent.depth + 1;
            // A quarter of the slots at most for those who forward.
            if parent.free <= slots(parent.node) * 3 / 4 && parent.node != 0 || parent.free == 0 {
                done.extend(open.pop_front());
            }
            open.push_back(Slot { node, depth, free: slots(node) });
        }
        done.extend(open);
        done.retain(|slot| slot.node != 0 && slot.free > 0);
        for leaf in leaves {
            let at = rng.below(done.len() as u64) as usize;
            let parent = &mut done[at];
            media.graft(&net, (parent.node, leaf, stripe as u8), usize::MAX, None, 0);
            depths += u64::from(parent.depth) + 1;
            parent.free -= 1;
            if parent.free == 0 {
                done.swap_remove(at);
            }
        }
    }
    println!("leaf_depth_mean={:.2}", depths as f64 / f64::from(nodes * stripes));
    net
}
