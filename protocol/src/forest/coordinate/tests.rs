use super::*;
use crate::rng::Rng;

/// Nodes at random places of a continent behind access links of their own. µs of round trip.
struct World {
    places: Vec<(i64, i64, i64)>,
    liars: usize,
    rng: Rng,
}

const NODES: usize = 200;

impl World {
    fn new(seed: u8, liars: usize) -> Self {
        let mut rng = Rng::new(&[seed; 32], "world");
        let mut draw = |below| rng.below(below) as i64;
        // 3000 by 2500 km at 15 µs per km, and 2 to 22 ms of access link, more often short.
        let places = (0..NODES)
            .map(|_| (draw(45_000), draw(37_500), 2_000 + draw(20_000) * draw(1000) / 1000))
            .collect();
        Self { places, liars, rng }
    }

    fn rtt_us(&self, a: usize, b: usize) -> i64 {
        let ((ax, ay, ah), (bx, by, bh)) = (self.places[a], self.places[b]);
        length(ax - bx, ay - by) + ah + bh
    }

    /// What `at` says of itself, and how long it takes to answer `asker`, up to 5 % more than it
    /// must. A liar makes up both, a place of which it is very sure and a delay it adds.
    fn ask(&mut self, all: &[Coordinate], asker: usize, at: usize) -> (Coordinate, Duration) {
        let truth = self.rtt_us(asker, at) as u64;
        let jitter = self.rng.below(truth / 20 + 1);
        if at < self.liars {
            let mut draw = || self.rng.below(400_000) as i32 - 200_000;
            let lie = [draw(), draw(), draw().abs(), 1];
            let delay = self.rng.below(300_000);
            let said = Coordinate::from_wire(lie).expect("within bounds");
            return (said, Duration::from_micros(truth + delay));
        }
        (all[at], Duration::from_micros(truth + jitter))
    }

    /// Everyone measures `rounds` times, each time to somebody drawn at random. `growing`: they
    /// come one after the other, `growing` of them between two rounds, and ask who is there.
    fn settle(&mut self, rounds: usize, growing: Option<usize>) -> Vec<Coordinate> {
        let mut all = vec![Coordinate::default(); NODES];
        let mut order: Vec<usize> = (0..NODES).collect();
        self.rng.sample(&mut order, NODES);
        let mut measured = [0; NODES];
        let mut here = growing.unwrap_or(NODES).max(2);
        while measured.iter().any(|done| *done < rounds) {
            for at in 0..here {
                let peer = order[(at + 1 + self.rng.below(here as u64 - 1) as usize) % here];
                let node = order[at];
                if measured[node] < rounds {
                    measured[node] += 1;
                    let (said, rtt) = self.ask(&all, node, peer);
                    all[node].update(&said, rtt);
                }
            }
            here = (here + growing.unwrap_or(0)).min(NODES);
        }
        all
    }

    /// Median relative error among honest nodes, thousandths.
    fn error(&self, all: &[Coordinate]) -> i64 {
        let mut errors = Vec::new();
        for a in self.liars..NODES {
            for b in a + 1..NODES {
                let truth = self.rtt_us(a, b);
                let guess = 2 * i64::from(all[a].one_way_us(&all[b]));
                errors.push((guess - truth).abs() * 1000 / truth);
            }
        }
        errors.sort_unstable();
        errors[errors.len() / 2]
    }
}

/// The worst of several worlds.
fn worst(liars: usize, rounds: usize, growing: Option<usize>) -> i64 {
    let errors = (0..8).map(|seed| {
        let mut world = World::new(seed, liars);
        let all = world.settle(rounds, growing);
        world.error(&all)
    });
    errors.max().expect("some worlds")
}

#[test]
fn thirty_measurements_each_give_the_round_trip_to_anyone() {
    for growing in [1, 4] {
        let settled = worst(0, 30, Some(growing));
        println!("{growing} joins a round: median relative error {settled} of 1000");
        assert!(settled <= 150, "{settled} of 1000 with {growing} joins a round");
    }
}

/// Where nobody knows anything, the map must first unfold.
#[test]
fn a_crowd_that_starts_together_needs_twice_as_many() {
    let after = [10, 30, 60, 120].map(|rounds| worst(0, rounds, None));
    println!("starting together: median relative error {after:?} of 1000");
    assert!(after.is_sorted_by(|a, b| a > b), "{after:?} of 1000");
    assert!(after[1] <= 190 && after[2] <= 150 && after[3] <= 100, "{after:?} of 1000");
}

#[test]
fn a_tenth_of_liars_does_not_bend_the_map_of_the_others() {
    for (rounds, bound) in [(30, 190), (60, 150)] {
        let honest = worst(0, rounds, Some(1));
        let lied_to = worst(NODES / 10, rounds, Some(1));
        println!("after {rounds}: {honest} of 1000, with a tenth of liars {lied_to}");
        assert!(lied_to <= bound, "{lied_to} of 1000, without liars {honest}");
    }
}

#[test]
fn one_lie_moves_a_settled_node_by_a_step() {
    let mut world = World::new(1, 0);
    let before = world.settle(60, None)[7];
    let step = STEP_US_MIN.max(STEP_US_MAX * i64::from(before.error) / 1000);
    for lie in [[1_000_000, -1_000_000, 0, 1], [0, 0, 1_000_000, 1], [-1_000_000, 0, 0, 1]] {
        let lie = Coordinate::from_wire(lie).expect("within bounds");
        for rtt in [1, 2_000_000] {
            let mut node = before;
            node.update(&lie, Duration::from_micros(rtt));
            let (x, y) = node.offset(&before);
            assert!(length(x, y) <= step, "{} µs", length(x, y));
            assert!(i64::from((node.height_us - before.height_us).abs()) <= step);
            assert!(node.error <= 3 * before.error + 50);
        }
    }
}

#[test]
fn what_cannot_be_is_ignored() {
    let mut node = Coordinate::default();
    node.update(&Coordinate::default(), Duration::ZERO);
    node.update(&Coordinate::default(), Duration::from_secs(3));
    assert_eq!(node, Coordinate::default());
    for bad in [
        [1_000_001, 0, 0, 10],
        [0, i32::MIN, 0, 10],
        [0, 0, -1, 10],
        [0, 0, i32::MAX, 10],
        [0, 0, 0, 0],
        [0, 0, 0, 1001],
    ] {
        assert_eq!(Coordinate::from_wire(bad), None, "{bad:?}");
    }
}

#[test]
fn any_measurements_leave_it_in_bounds_and_it_travels_unchanged() {
    let mut rng = Rng::new(&[3; 32], "any");
    let mut node = Coordinate::default();
    for _ in 0..20_000 {
        let mut draw = |span: u64| rng.below(span) as i32;
        let wire = [draw(2_000_001) - 1_000_000, draw(2_000_001) - 1_000_000, draw(1_000_001)];
        let other = Coordinate::from_wire([wire[0], wire[1], wire[2], 1 + draw(1000)]);
        let rtt = Duration::from_micros(rng.below(2_000_001));
        node.update(&other.expect("within bounds"), rtt);
        assert_eq!(Coordinate::from_wire(node.to_wire()), Some(node));
    }
    assert!(size_of::<Coordinate>() <= 16);
}

#[test]
fn two_alone_agree_on_the_way_between_them() {
    let (mut a, mut b) = (Coordinate::default(), Coordinate::default());
    for _ in 0..30 {
        let seen = a;
        a.update(&b, Duration::from_millis(20));
        b.update(&seen, Duration::from_millis(20));
    }
    assert!((9_000..=11_000).contains(&a.one_way_us(&b)), "{}", a.one_way_us(&b));
}
