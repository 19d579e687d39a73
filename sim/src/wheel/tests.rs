use super::*;
use banyan_protocol::rng::Rng;
use std::collections::BTreeMap;

/// The obvious: a map by time and order of pushing.
#[derive(Default)]
struct Model {
    events: BTreeMap<(u64, u64), u32>,
    pushed: u64,
}

impl Model {
    fn push(&mut self, at: u64, event: u32) {
        self.pushed += 1;
        self.events.insert((at, self.pushed), event);
    }

    fn pop(&mut self, until: u64) -> Option<(u64, u32)> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= until)?;
        Some((entry.key().0, entry.remove()))
    }
}

/// How far ahead: the same bucket, the same wheel, and each coarser one up to the end of time.
fn ahead(rng: &mut Rng) -> u64 {
    let bits = [0, 3, 6, 10, 18, 19, 30, 31, 42, 55][rng.below(10) as usize];
    rng.below(1 << bits)
}

#[test]
fn a_wheel_does_what_a_sorted_map_does() {
    for seed in 0..40 {
        let mut rng = Rng::new(&[seed; 32], "wheel");
        let (mut wheel, mut model) = (Wheel::new(), Model::default());
        for step in 0..4_000_u32 {
            // Crowds and droughts: each seed leans another way for a while.
            let pushes = if step / 500 % 2 == 0 { 6 } else { 3 };
            if rng.below(9) < pushes {
                let at = wheel.now() + ahead(&mut rng);
                wheel.push(at, step);
                model.push(at, step);
            } else {
                let until = wheel.now() + ahead(&mut rng);
                assert_eq!(wheel.pop(until), model.pop(until), "seed {seed}, step {step}");
            }
            assert_eq!(wheel.len(), model.events.len());
        }
        while let Some(expected) = model.pop(u64::MAX) {
            assert_eq!(wheel.pop(u64::MAX), Some(expected), "seed {seed}, at the end");
        }
        assert!(wheel.is_empty());
        assert_eq!(wheel.pop(u64::MAX), None);
    }
}

#[test]
fn a_crowd_at_one_time_comes_out_in_order_and_leaves_no_memory_behind() {
    let mut wheel = Wheel::new();
    for round in 0..20 {
        let at = wheel.now() + 70_000 * round;
        for i in 0..10_000_u32 {
            wheel.push(at, i);
        }
        for i in 0..10_000 {
            assert_eq!(wheel.pop(u64::MAX), Some((at, i)));
        }
    }
    // 10 000 entries of 16 bytes were pending at most, and are in two or three places on their way.
    assert!(wheel.memory() < 3_000_000, "{} bytes", wheel.memory());
}

#[test]
fn the_end_of_time_can_be_reached() {
    let mut wheel = Wheel::new();
    wheel.push(u64::MAX, 2_u8);
    wheel.push(0, 1);
    assert_eq!(wheel.pop(u64::MAX), Some((0, 1)));
    assert_eq!(wheel.pop(u64::MAX - 1), None);
    assert_eq!(wheel.pop(u64::MAX), Some((u64::MAX, 2)));
}

#[test]
#[should_panic(expected = "before now")]
fn the_past_stays_as_it_was() {
    let mut wheel = Wheel::new();
    wheel.push(100, ());
    wheel.pop(u64::MAX);
    wheel.push(99, ());
}
