//! Made-up reports and forests that look like those of a run, for tests and for the eye.

use super::{Axis, Figure, ForestPicture, Kind, Plot, Report, TreeNode, curve};
use banyan_protocol::rng::Rng;

/// Name, and coordinates in ms of one-way delay.
const CITIES: [(&str, f64, f64); 9] = [
    ("Frankfurt", 0.0, 0.0),
    ("London", -7.0, -3.0),
    ("Paris", -5.0, 2.0),
    ("Warsaw", 9.0, -2.0),
    ("Madrid", -10.0, 12.0),
    ("Stockholm", 6.0, -11.0),
    ("Milan", 1.0, 6.0),
    ("Athens", 14.0, 13.0),
    ("Dublin", -13.0, -5.0),
];

fn share(rng: &mut Rng) -> f64 {
    rng.below(1 << 30) as f64 / f64::from(1 << 30)
}

/// Uplinks log-uniform from 2 to 100 Mbit/s.
fn upload(rng: &mut Rng) -> f64 {
    2.0 * 50f64.powf(share(rng))
}

/// A tree of `n` nodes as stripe trees are: a tenth of the nodes carry it, the strong ones high
/// up, and each child took the best of sixteen candidates.
pub(super) fn forest(n: usize) -> ForestPicture {
    let mut rng = Rng::new(&[3; 32], "sample forest");
    let home = if n < 100 { 3 } else { 10 };
    let mut joining: Vec<(bool, f64, usize)> = (1..n)
        .map(|i| (i % home == 0, upload(&mut rng), rng.below(900) as usize % CITIES.len()))
        .collect();
    joining.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let root = TreeNode {
        label: "root".into(),
        upload_mbps: 10.0,
        role: "root".into(),
        place: "Frankfurt".into(),
        ..TreeNode::default()
    };
    let mut nodes = vec![root];
    let (mut at, mut free) = (vec![0], vec![0]);
    let mut slots = vec![if n < 100 { 3 } else { 2 }];
    for (inner, upload, city) in joining {
        free.retain(|&i| slots[i] > 0);
        let parent = (0..16)
            .map(|_| {
                let i = free[rng.below(free.len() as u64) as usize];
                (i, nodes[i].delay_ms + hop(at[i], city) + 3.0 * share(&mut rng))
            })
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        slots[parent.0] -= 1;
        let i = nodes.len();
        nodes.push(TreeNode {
            label: format!("{}{i}", if inner { "n" } else { "v" }),
            parent: Some(parent.0),
            delay_ms: parent.1 + 4.0 + 9.0 * share(&mut rng).powi(3),
            upload_mbps: upload,
            role: if rng.below(10) < 3 { "helper" } else { "gateway" }.into(),
            place: CITIES[city].0.into(),
        });
        at.push(city);
        free.push(i);
        let most = if n < 100 { 5.0 } else { 180.0 };
        slots.push(if inner { (upload * 1.8).min(most) as u64 } else { 0 });
    }
    ForestPicture { title: "Stripe 3 of 10 after 60 s".into(), nodes }
}

fn hop(a: usize, b: usize) -> f64 {
    let (a, b) = (CITIES[a], CITIES[b]);
    3.0 + (a.1 - b.1).hypot(a.2 - b.2)
}

/// Delays of `n` nodes with a tail, ms.
pub(super) fn delays(n: usize, scale: f64) -> Vec<f64> {
    let mut rng = Rng::new(&[5; 32], "sample delays");
    let sum = |rng: &mut Rng| (0..6).map(|_| share(rng)).sum::<f64>();
    (0..n).map(|_| scale * (0.4 + sum(&mut rng) / 4.0) + 6.0 / (0.02 + share(&mut rng))).collect()
}

/// A report with every kind of plot and figure.
pub(super) fn report(nodes: usize) -> Report {
    let mut rng = Rng::new(&[9; 32], "sample report");
    let (small, large) = (delays(nodes, 72.0), delays(nodes, 52.0));
    let uploads: Vec<f64> = (0..nodes).map(|_| upload(&mut rng) - 2.0).collect();
    let picture = forest(nodes);
    let (lorenz, gini) = curve::lorenz(&uploads);
    let mut report = Report::new(
        "reference-10k",
        42,
        "Ten thousand nodes on one continent, uplinks of 2 to 100 Mbit/s, and a publisher with \
         10 Mbit/s. Everybody leaves without a word.",
    );
    report.figures = vec![
        Figure::lower("overlay_p50_ms", curve::quantile(&small, 0.5)).bar(95.0),
        Figure::lower("overlay_p99_ms", curve::quantile(&small, 0.99)).bar(130.0),
        Figure::lower("publisher_upload_ratio", 1.7312).bar(1.75),
        Figure::lower("control_share_pct", 0.6184).bar(1.0),
        Figure::lower("glitches_per_viewer_hour", 0.00231).bar(0.01),
        Figure::lower("repair_p99_ms", 238.0).bar(250.0),
        Figure::lower("join_failures", 0.0).bar(0.0),
        Figure::lower("depth_mean", 3.2218).bar(3.5),
        Figure::higher("blocks_delivered_pct", 99.9984),
        Figure::lower("join_p99_ms", 812.5),
        Figure::count("shards_sent", 183_204_117.0),
        Figure::count("gini", gini),
        Figure::lower("rejoin_p99_ms", f64::NAN),
        Figure::text("trace_hash", "9f3c2b7de1a04455"),
    ];
    let settings = [
        ("nodes", "10 000"),
        ("bitrate", "4 Mbit/s"),
        ("coding", "8+2"),
        ("mean life", "10 min, all departures abrupt"),
        ("uplinks", "log-uniform, 2–100 Mbit/s"),
        ("loss", "0.5 %"),
        ("simulated", "10 min"),
    ];
    report.config = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let percent = || Axis::linear("nodes, %");
    let course = |rng: &mut Rng, level: f64| -> Vec<(f64, f64)> {
        (0..3600).map(|s| (f64::from(s), level * (0.8 + 0.4 * share(rng)))).collect()
    };
    let depths: Vec<f64> =
        (0..nodes).map(|_| (1.0 + share(&mut rng) * 2.0 + share(&mut rng) * 3.0).floor()).collect();
    report.plots = vec![
        Plot::new("Overlay delay", Axis::linear("delay until the block is complete, ms"), percent())
            .note("At each delay, the share of nodes that have the block by then; further left is better.")
            .series("10 Mbit/s publisher", curve::cdf(&small))
            .series("40 Mbit/s publisher", curve::cdf(&large))
            .mark(95.0, "p50 bar")
            .mark(130.0, "p99 bar"),
        Plot::new("The tail of the delay", Axis::linear("delay, ms"), Axis::log("nodes later, %"))
            .note("The share of nodes that are still waiting; each gridline is ten times fewer.")
            .series("delay", curve::tail(&small)),
        Plot::new("Depth", Axis::linear("edges from the root"), Axis::linear("nodes"))
            .note("How many nodes are how far down, all stripes together.")
            .kind(Kind::Bars)
            .series("nodes", curve::histogram(&depths, 10)),
        Plot::new("Glitches over time", Axis::linear("simulated time, s"), Axis::linear("glitches per second"))
            .note("Flat is good: a forest that rots climbs.")
            .series("glitches", curve::course(&course(&mut rng, 0.4))),
        Plot::new("Who gives how much", Axis::linear("nodes, %, the least giving first"), Axis::linear("of all upload, %"))
            .note("The closer to the diagonal, the more alike all give.")
            .series(format!("uplink given, Gini {gini:.2}"), lorenz)
            .series("all alike", vec![(0.0, 0.0), (100.0, 100.0)]),
        Plot::new("Control traffic by size", Axis::log("nodes"), Axis::linear("control bytes per node and second"))
            .note("Flat is what the gossip promises.")
            .series("adverts", vec![(1e3, 412.0), (1e4, 431.0), (1e5, 428.0), (1e6, 440.0)])
            .series("views", vec![(1e3, 212.0), (1e4, 231.0), (1e5, 218.0), (1e6, 240.0)])
            .series("path updates and beacons", vec![(1e3, 92.0), (1e4, 91.0), (1e5, 98.0), (1e6, 99.0)]),
        Plot::new("Repair time", Axis::linear("ms"), Axis::linear("repairs"))
            .note("From the death of a parent until the stripe's shards flow again.")
            .kind(Kind::Bars)
            .series("backup", curve::histogram(&delays(3000, 90.0), 24))
            .series("rejoin", curve::histogram(&delays(900, 120.0), 24)),
        Plot::new("Views caught by liars", Axis::linear("time, s"), percent()).kind(Kind::Step)
            .note("The share of membership views that liars hold.")
            .series("5 % liars", vec![(0.0, 5.0), (20.0, 5.2), (60.0, 5.1), (120.0, 5.3)])
            .series("20 % liars", vec![(0.0, 20.0), (20.0, 21.4), (60.0, 22.0), (120.0, 21.8)]),
        Plot::new("Nothing here", Axis::linear("x"), Axis::linear("y")).series("none", Vec::new()),
    ];
    report.forest = Some(picture);
    report
}
