//! From a plan that fails to a smaller one that still does.

use crate::plan::{Life, PlanFile, Share, Span};

/// Numbers are brought down to this part of what they could be, in percent. Guess: closer costs
/// more runs than it saves the reader.
const CLOSE_PCT: u64 = 10;
/// The shortest run that is tried, beyond the warm-up, µs.
const RUN_US_MIN: u64 = 1_000_000;

/// The smallest plan found that still `fails`: fewer faults, no liars, no churn, no loss, a shorter
/// run, fewer nodes. `fails` is asked a few dozen times; `plan` itself must fail.
pub fn shrink(plan: &PlanFile, fails: impl FnMut(&PlanFile) -> bool) -> PlanFile {
    let mut shrinker = Shrinker { least: plan.clone(), fails };
    loop {
        let before = shrinker.least.clone();
        shrinker.shorten();
        shrinker.thin_out();
        shrinker.calm();
        if shrinker.least == before {
            return before;
        }
    }
}

struct Shrinker<F> {
    least: PlanFile,
    fails: F,
}

impl<F: FnMut(&PlanFile) -> bool> Shrinker<F> {
    /// Keeps a change if the plan still fails with it.
    fn attempt(&mut self, change: impl FnOnce(&mut PlanFile)) -> bool {
        let mut plan = self.least.clone();
        change(&mut plan);
        let smaller = plan != self.least && (self.fails)(&plan);
        if smaller {
            self.least = plan;
        }
        smaller
    }

    fn calm(&mut self) {
        for index in (0..self.least.fault.len()).rev() {
            self.attempt(|plan| {
                plan.fault.remove(index);
            });
        }
        self.attempt(|plan| plan.liars.share = Share::percent(0));
        if self.least.liars.share != Share::percent(0) {
            for kind in self.least.liars.kinds.clone() {
                self.attempt(|plan| plan.liars.kinds = vec![kind]);
            }
        }
        self.attempt(|plan| plan.churn.mean_life = Life::Endless);
    }

    fn shorten(&mut self) {
        let floor = self.least.run.warm_up.0 + RUN_US_MIN;
        let seconds = |us: u64| us.next_multiple_of(1_000_000);
        let set = |plan: &mut PlanFile, us| plan.run.duration = Span(seconds(us));
        self.lower(floor, self.least.run.duration.0, set);
    }

    fn thin_out(&mut self) {
        let set = |plan: &mut PlanFile, nodes| plan.world.nodes = nodes as u32;
        self.lower(1, self.least.world.nodes.into(), set);
    }

    /// Brings a number down from `high` towards `low` by halving the gap.
    fn lower(&mut self, low: u64, high: u64, set: impl Fn(&mut PlanFile, u64)) {
        if low >= high || self.attempt(|plan| set(plan, low)) {
            return;
        }
        let (mut low, mut high) = (low, high);
        while high - low > (high * CLOSE_PCT / 100).max(1) {
            let middle = u64::midpoint(low, high);
            if self.attempt(|plan| set(plan, middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> PlanFile {
        "world.nodes = 10_000\nrun.duration = '10 min'\nrun.warm_up = '10 s'\nliars.share = '5 %'\n\
         [[fault]]\nkind = 'outage'\nat = '60 s'\nplace = 'GB'\n\
         [[fault]]\nkind = 'root-death'\nat = '90 s'"
            .parse()
            .expect("a plan")
    }

    /// It fails if the root dies before the end of a run of 100 s or more with 37 nodes or more.
    fn fails(plan: &PlanFile) -> bool {
        let dies = plan.fault.iter().any(|fault| fault.kind.name() == "root-death");
        dies && plan.run.duration.0 >= 100_000_000 && plan.world.nodes >= 37
    }

    #[test]
    fn what_does_not_matter_goes_and_what_does_stays() {
        let mut trials = 0;
        let small = shrink(&plan(), |plan| {
            trials += 1;
            fails(plan)
        });
        assert!(fails(&small) && trials < 60, "{trials}");
        assert!((37..=41).contains(&small.world.nodes), "{}", small.world.nodes);
        assert!(
            (100..=111).contains(&(small.run.duration.0 / 1_000_000)),
            "{}",
            small.run.duration
        );
        assert_eq!(small.fault.len(), 1);
        assert_eq!((small.liars.share, small.churn.mean_life), (Share::percent(0), Life::Endless));
    }

    #[test]
    fn a_failure_that_needs_everything_keeps_everything() {
        let whole = plan();
        assert_eq!(shrink(&whole, |plan| *plan == whole), whole);
    }
}
