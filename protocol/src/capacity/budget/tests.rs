use super::super::egress::tests::Line;
use super::*;
use crate::rng::Rng;

const STRIPE: Bitrate = Bitrate::from_kbps(550);

fn at(ms: u64) -> Timestamp {
    Timestamp::from_micros(ms * 1000)
}

fn means(limit_kbps: u64) -> Means {
    let limit = Bitrate::from_kbps(limit_kbps);
    Means { stripe: STRIPE, limit, place: Place::Below, vouched: false, entry: 0 }
}

fn load(used: u16, kbps: u64) -> Load {
    Load { used, uplink: Bitrate::from_kbps(kbps), saturated: false }
}

#[test]
fn a_newcomer_gives_four_and_twice_as_many_for_each_five_clean_seconds_in_use() {
    let mut budget = Budget::new(at(0), means(25_000));
    assert_eq!(budget.slots(), Slots { children: 4, repair: 0 });
    let mut totals = Vec::new();
    for second in 1..=30 {
        let used = budget.slots().children;
        if budget.update(at(second * 1000), &load(used, 25_000)) {
            totals.push((second, budget.slots().total()));
        }
    }
    // 36 is four fifths of 25 Mbit/s.
    assert_eq!(totals, [(5, 8), (10, 16), (15, 32), (20, 36)]);
    assert_eq!(budget.slots(), Slots { children: 32, repair: 4 });
    assert!(!budget.is_on_probation());
}

#[test]
fn an_idle_newcomer_shows_nothing() {
    let mut budget = Budget::new(at(0), means(25_000));
    for second in 1..60 {
        assert!(!budget.update(at(second * 1000), &load(1, 25_000)));
    }
    assert!(budget.is_on_probation());
}

#[test]
fn a_small_limit_is_given_whole() {
    for (kbps, total) in [(500, 0), (700, 1), (2_000, 2), (4_000, 4)] {
        let budget = Budget::new(at(0), means(kbps));
        assert_eq!(budget.slots(), Slots { children: total, repair: 0 }, "{kbps} kbit/s");
    }
}

#[test]
fn the_owners_word_skips_probation_and_the_root_keeps_more_free() {
    let vouched = Means { place: Place::Root, vouched: true, ..means(10_000) };
    let mut budget = Budget::new(at(0), vouched);
    assert_eq!(budget.slots().total(), 12, "seven tenths of 10 Mbit/s");
    let full = Load { saturated: true, ..load(11, 8_000) };
    assert!(budget.update(at(1_000), &full));
    assert_eq!(budget.slots().total(), 10, "it follows the line, and is not halved");
}

#[test]
fn a_full_line_halves_once_until_it_had_time_to_drain() {
    let mut budget = Budget::new(at(0), means(25_000));
    for second in 1..=20 {
        budget.update(at(second * 1000), &load(32, 25_000));
    }
    let full = Load { saturated: true, ..load(32, 25_000) };
    let halved = |budget: &mut Budget, ms| {
        budget.update(at(ms), &full);
        budget.slots().total()
    };
    assert_eq!(halved(&mut budget, 21_000), 16, "half of the 32 in use");
    assert_eq!(halved(&mut budget, 22_900), 16);
    assert_eq!(halved(&mut budget, 23_000), 8, "half of what there is, the others are leaving");
    for i in 0..100 {
        budget.update(at(25_000 + i * 2_000), &full);
    }
    assert_eq!(budget.slots().total(), 1);
}

#[test]
fn a_wavering_line_does_not_make_the_number_flap() {
    let mut rng = Rng::new(&[5; 32], "line");
    // 7.2, 7.5 and 7.0 slots, 5 % up and down: a third of a slot.
    for kbps in [4_950, 5_156, 4_813] {
        let mut budget = Budget::new(at(0), means(10_000));
        let changes = (1..600).filter(|second| {
            let uplink = kbps * (950 + rng.below(101)) / 1000;
            let used = budget.slots().children;
            let changed = budget.update(at(second * 1000), &load(used, uplink));
            changed && *second > 60
        });
        assert_eq!(changes.count(), 0, "{kbps} kbit/s");
        assert_eq!(budget.slots().total(), 7);
    }
}

/// Children take all slots there are; the line is measured; the budget follows.
#[test]
fn with_a_measured_line_the_slots_come_to_what_it_carries() {
    for (line_bps, claim_kbps) in [(10_000_000, 25_000), (3_000_000, 100_000), (50_000_000, 50_000)]
    {
        let mut line = Line::new(line_bps, claim_kbps * 1000);
        let mut budget = Budget::new(at(0), means(claim_kbps));
        let (mut changes, mut full, mut least, mut most) = (0, 0, u16::MAX, 0);
        for frame in 0..30 * 600_u64 {
            let used = budget.slots().total();
            line.step(u64::from(used) * STRIPE.bps(), 2);
            let settled = frame > 30 * 120;
            full += u64::from(settled && line.egress.is_saturated(line.now));
            if frame % 15 == 0 {
                let uplink = line.egress.uplink();
                let load = Load { used, uplink, saturated: line.egress.is_saturated(line.now) };
                changes += u32::from(budget.update(line.now, &load) && settled);
            }
            if settled {
                (least, most) = (least.min(used), most.max(used));
            }
        }
        let carries = line_bps / STRIPE.bps();
        println!(
            "{carries} carried: {least} to {most} given, {changes} changes, {full} frames full"
        );
        assert!(u64::from(most) <= carries + 2, "{most} given, {carries} carried");
        assert!(u64::from(least) >= carries / 4, "{least} given, {carries} carried");
        assert!(u64::from(budget.slots().total()) >= carries / 2, "{:?}", budget.slots());
        assert!(changes <= 40, "{changes} changes in 8 minutes");
        assert!(full <= 30 * 10, "full for {full} frames");
    }
}
