//! What a link does to packets: loses some, alone or in bursts, and delays each a little.

use super::{Distribution, WHOLE_PPM};
use banyan_protocol::rng::Rng;

/// Whether packets of one link are lost, one after the other: Gilbert's model of two states, in
/// one of which everything is lost (Gilbert 1960, with Elliott's probabilities at 0 and 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Of 2^32 packets that follow a received one, these are lost.
    begin: u32,
    /// Of 2^32 packets that follow a lost one, these are lost too.
    stay: u32,
    in_burst: bool,
}

impl Loss {
    /// Loses `ppm` millionths of all packets, each for itself.
    #[must_use]
    pub fn random(ppm: u32) -> Self {
        let part = of_2_32(f64::from(ppm.min(WHOLE_PPM)) / f64::from(WHOLE_PPM));
        Self { begin: part, stay: part, in_burst: false }
    }

    /// Loses `ppm` millionths of all packets in runs of `burst` on average. A run of one packet or
    /// less than chance makes means [`random`](Self::random).
    #[must_use]
    pub fn bursts(ppm: u32, burst: u32) -> Self {
        let mean = f64::from(ppm.min(WHOLE_PPM)) / f64::from(WHOLE_PPM);
        let end = 1.0 / f64::from(burst.max(1));
        if end >= 1.0 - mean {
            return Self::random(ppm);
        }
        // In balance: received · begin = lost · end.
        let begin = end * mean / (1.0 - mean);
        Self { begin: of_2_32(begin), stay: of_2_32(1.0 - end), in_burst: false }
    }

    /// Whether the next packet is lost.
    pub fn lost(&mut self, rng: &mut Rng) -> bool {
        let bar = if self.in_burst { self.stay } else { self.begin };
        self.in_burst = (rng.next_u64() >> 32) as u32 <= bar && bar > 0;
        self.in_burst
    }
}

fn of_2_32(share: f64) -> u32 {
    (share * f64::from(u32::MAX)) as u32
}

/// Delay that packets meet beyond the way itself, lognormal, drawn from a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jitter {
    /// What a packet meets, in µs; each entry is equally likely.
    table: Vec<u32>,
}

/// Entries of the table. Guess: the worst packet in a thousand is still there.
const ENTRIES: usize = 4096;

/// Spread of the natural logarithm. Guess: one packet in a hundred waits ten medians.
const SIGMA: f64 = 1.0;

impl Jitter {
    /// Half of the packets are delayed by less than `median_us`.
    #[must_use]
    pub fn new(median_us: u32) -> Self {
        let distribution = Distribution::LogNormal { median: f64::from(median_us), sigma: SIGMA };
        // The same table in every world: the seed is not the world's.
        let mut rng = Rng::new(&[0; 32], "jitter table");
        let mut table: Vec<_> = (0..ENTRIES).map(|_| distribution.draw(&mut rng) as u32).collect();
        table.sort_unstable();
        Self { table }
    }

    /// The delay of the next packet, in µs.
    pub fn draw(&self, rng: &mut Rng) -> u32 {
        self.table[rng.below(ENTRIES as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promised_share_is_lost_in_runs_of_the_promised_length() {
        for (ppm, burst, run) in [(5_000, 1, 1.005), (5_000, 4, 4.0), (200_000, 10, 10.0)] {
            let mut rng = Rng::new(&[1; 32], "loss");
            let mut loss = Loss::bursts(ppm, burst);
            let (mut lost, mut runs, mut before) = (0, 0, false);
            for _ in 0..2_000_000 {
                let now = loss.lost(&mut rng);
                lost += u32::from(now);
                runs += u32::from(now && !before);
                before = now;
            }
            let share = f64::from(lost) / 2.0;
            assert!((share / f64::from(ppm) - 1.0).abs() < 0.06, "{ppm} ppm: {share}");
            let mean = f64::from(lost) / f64::from(runs);
            assert!((mean / run - 1.0).abs() < 0.06, "runs of {burst}: {mean}");
        }
    }

    #[test]
    fn nothing_and_everything_can_be_lost() {
        let mut rng = Rng::new(&[1; 32], "loss");
        let mut count = |mut loss: Loss| (0..10_000).filter(|_| loss.lost(&mut rng)).count();
        assert_eq!(count(Loss::random(0)), 0);
        assert_eq!(count(Loss::bursts(0, 5)), 0);
        assert_eq!(count(Loss::random(WHOLE_PPM)), 10_000);
        assert_eq!(count(Loss::bursts(WHOLE_PPM, 5)), 10_000);
    }

    #[test]
    fn jitter_is_mostly_small_and_sometimes_large() {
        let jitter = Jitter::new(500);
        let mut rng = Rng::new(&[1; 32], "jitter");
        let mut drawn: Vec<_> = (0..10_001).map(|_| jitter.draw(&mut rng)).collect();
        drawn.sort_unstable();
        assert!((450..550).contains(&drawn[5_000]), "{}", drawn[5_000]);
        assert!((4_000..7_000).contains(&drawn[9_900]), "{}", drawn[9_900]);
        assert_eq!(Jitter::new(0).draw(&mut rng), 0);
    }
}
