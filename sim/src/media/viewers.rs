//! Who saw which block, in time or not.

use super::arrivals::{Arrivals, LANES, UNIT_US};
use super::figures::Figures;
use super::lanes::complete;

/// A viewer that has not seen a block yet.
const NOT_YET: u32 = u32::MAX;

/// What one viewer saw.
#[derive(Clone, Copy, Debug)]
struct Viewer {
    joined_us: u64,
    /// The first block that counts.
    from: u32,
    due: u32,
    missing: u32,
    glitches: u32,
    /// Blocks of the present glitch.
    run: u32,
    present: bool,
}

const ABSENT: Viewer =
    Viewer { joined_us: 0, from: NOT_YET, due: 0, missing: 0, glitches: 0, run: 0, present: false };

/// All viewers, by node number.
#[derive(Clone, Debug)]
pub(crate) struct Viewers {
    viewers: Vec<Viewer>,
}

/// What a block is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) block: u32,
    pub(crate) made_us: u64,
    /// Shards of a block, and how many of them are parity.
    pub(crate) stripes: usize,
    pub(crate) parity: usize,
    pub(crate) deadline_us: u64,
    pub(crate) interval_us: u64,
    /// Blocks after its first complete one from which a viewer counts.
    pub(crate) settle: u32,
}

impl Viewers {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { viewers: vec![ABSENT; capacity] }
    }

    pub(crate) fn join(&mut self, node: u32, now_us: u64) {
        self.viewers[node as usize] = Viewer { joined_us: now_us, present: true, ..ABSENT };
    }

    /// The node is no viewer any more. A glitch that lasts ends here.
    pub(crate) fn leave(&mut self, node: u32, interval_us: u64, figures: &mut Figures) {
        let viewer = &mut self.viewers[node as usize];
        if viewer.run > 0 {
            figures.glitch.add(u64::from(viewer.run) * interval_us);
        }
        (viewer.present, viewer.run) = (false, 0);
    }

    /// What was seen so far does not count any more.
    pub(crate) fn forget_seen(&mut self) {
        for viewer in &mut self.viewers {
            (viewer.due, viewer.missing, viewer.glitches) = (0, 0, 0);
        }
    }

    /// Blocks due, blocks missing and glitches of the node's present or last life, as far as they
    /// count.
    pub(crate) fn seen(&self, node: u32) -> (u32, u32, u32) {
        let viewer = &self.viewers[node as usize];
        (viewer.due, viewer.missing, viewer.glitches)
    }

    /// The deadline of a block has passed: judges it at all viewers. Returns a number for the trace.
    pub(crate) fn judge(
        &mut self,
        arrivals: &Arrivals,
        verdict: Verdict,
        figures: &mut Figures,
    ) -> u64 {
        let deadline = (verdict.deadline_us / UNIT_US) as u16;
        let rows: Vec<&[u16]> =
            (0..verdict.stripes).map(|stripe| arrivals.row(verdict.block, stripe)).collect();
        let mut trace = 0_u64;
        for (chunk, viewers) in self.viewers.chunks_exact_mut(LANES).enumerate() {
            let complete = complete(&rows, chunk * LANES, verdict.parity);
            for (viewer, at) in viewers.iter_mut().zip(complete) {
                if viewer.present {
                    let at = Some(at).filter(|at| *at <= deadline);
                    viewer.judge(at, &verdict, figures);
                    trace = trace.wrapping_add(at.map_or(1 << 32, u64::from));
                }
            }
        }
        trace
    }
}

impl Viewer {
    fn judge(&mut self, complete: Option<u16>, verdict: &Verdict, figures: &mut Figures) {
        let after_us = complete.map(|at| u64::from(at) * UNIT_US);
        if self.from == NOT_YET {
            let Some(after_us) = after_us else { return };
            self.from = verdict.block.saturating_add(verdict.settle);
            figures.startup.add((verdict.made_us + after_us).saturating_sub(self.joined_us));
        }
        if verdict.block < self.from {
            return;
        }
        self.due += 1;
        figures.viewer_blocks += 1;
        if let Some(after_us) = after_us {
            figures.delay.add(after_us);
            if self.run > 0 {
                figures.glitch.add(u64::from(self.run) * verdict.interval_us);
                self.run = 0;
            }
        } else {
            self.missing += 1;
            figures.missing_blocks += 1;
            let begins = u32::from(self.run == 0);
            self.glitches += begins;
            figures.glitches += u64::from(begins);
            self.run += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges blocks of 2+1 of which `came[i]` says how many shards came at node 3 in time.
    fn watch(came: &[u32], settle: u32) -> (Figures, (u32, u32, u32)) {
        let (mut viewers, mut figures) = (Viewers::new(64), Figures::default());
        let mut arrivals = Arrivals::new(64, 3, 2);
        viewers.join(3, 0);
        for shards in came {
            let block = arrivals.make();
            let made_us = u64::from(block) * 33_000;
            for stripe in 0..3_u8 {
                // Out of order: 30, 20 and 10 ms; late ones come after 500 ms.
                let late = u32::from(stripe) >= *shards;
                let after = if late { 500_000 } else { 30_000 - 10_000 * u64::from(stripe) };
                arrivals.record(3, stripe, block, after);
            }
            let (stripes, parity, deadline_us, interval_us) = (3, 1, 400_000, 33_000);
            let verdict =
                Verdict { block, made_us, stripes, parity, deadline_us, interval_us, settle };
            viewers.judge(&arrivals, verdict, &mut figures);
        }
        viewers.leave(3, 33_000, &mut figures);
        (figures, viewers.seen(3))
    }

    #[test]
    fn a_run_of_missing_blocks_is_one_glitch() {
        // The first three never count; then: 3 good, 2 missing, 1 good, 1 missing.
        let (figures, seen) = watch(&[0, 1, 3, 2, 3, 2, 1, 0, 3, 1], 1);
        assert_eq!(seen, (7, 3, 2));
        let counts = (figures.viewer_blocks, figures.missing_blocks, figures.glitches);
        assert_eq!(counts, (7, 3, 2));
        assert_eq!(figures.glitch.bins().collect::<Vec<_>>(), [(33_000, 1), (66_000, 1)]);
        assert_eq!((figures.startup.count(), figures.startup.max_us()), (1, 66_000 + 20_000));
    }

    #[test]
    fn what_was_seen_is_counted_anew_after_it_was_forgotten() {
        let mut viewers = Viewers::new(64);
        viewers.join(3, 0);
        let viewer = &mut viewers.viewers[3];
        (viewer.from, viewer.due, viewer.missing, viewer.glitches) = (2, 10, 5, 1);
        viewers.forget_seen();
        assert_eq!((viewers.seen(3), viewers.viewers[3].from), ((0, 0, 0), 2));
    }

    #[test]
    fn a_block_is_complete_with_its_kth_shard() {
        let (figures, _) = watch(&[3, 3, 3], 0);
        // 10, 20 and 30 ms: with two of three it is there at 20 ms (to 16 µs).
        assert_eq!((figures.delay.count(), figures.delay.max_us()), (3, 20_000));
        let (figures, _) = watch(&[3, 2], 1);
        assert_eq!(figures.delay.max_us(), 30_000);
    }
}
