//! How fast events go through the wheel: `cargo bench -p banyan-sim --bench wheel`.
//!
//! The hold model: with so many pending, each event that comes out puts one in. Delays are those
//! of a world: packets of 5–100 ms, and one timer of 1–60 s in eight.

use banyan_protocol::rng::Rng;
use banyan_sim::wheel::Wheel;
use std::time::Instant;

/// As large as the events of the large world may be: with its time 24 bytes.
type Event = (u64, u64);

fn delay_us(rng: &mut Rng) -> u64 {
    if rng.below(8) == 0 { rng.below(59_000_000) + 1_000_000 } else { rng.below(95_000) + 5_000 }
}

fn main() {
    for pending in [100_000_u64, 1_000_000, 4_000_000] {
        let mut rng = Rng::new(&[1; 32], "bench");
        let mut wheel: Wheel<Event> = Wheel::new();
        for i in 0..pending {
            wheel.push(delay_us(&mut rng), (i, 0));
        }
        // Long enough for the second wheel to turn a few times.
        let (mut events, start) = (0_u64, Instant::now());
        let rounds = (25 * pending).max(30_000_000);
        while let Some((at, event)) = wheel.pop(u64::MAX) {
            wheel.push(at + delay_us(&mut rng), event);
            events += 1;
            if events == rounds {
                break;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "pending={pending} events_per_s={:.1}M bytes_per_event={:.1} simulated_s={:.1}",
            events as f64 / seconds / 1e6,
            wheel.memory() as f64 / pending as f64,
            wheel.now() as f64 / 1e6
        );
    }
}
