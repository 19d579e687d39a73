//! Small worlds whose root goes.

use super::super::super::Crowd;
use crate::plan::{Plan, PlanFile};
use crate::progress::Progress;
use crate::report::Report;

fn after(fault: &str) -> Report {
    let text = format!(
        "[world]\nnodes = 150\nloss = '0 %'\n[churn]\nmean_life = 'endless'\n[run]\nduration = '28 s'\n\
         warm_up = '14 s'\n[[fault]]\nkind = '{fault}'\nat = '20 s'"
    );
    let file: PlanFile = text.parse().expect("a plan");
    let plan = Plan::resolve("goes", &file, None).expect("a plan");
    let mut crowd = Crowd::new(&plan).expect("a world");
    let report = crowd.run(Progress::new(plan.run.duration_us, true)).expect("no rule is broken");
    assert_ne!(crowd.root, super::ROOT, "another has its place");
    assert!(!crowd.hosts[0].alive);
    report
}

fn figure(report: &Report, name: &str) -> f64 {
    let figure = report.figures.iter().find(|figure| figure.name == name).expect("it is told");
    figure.value.to_string().parse().expect("a number")
}

// The forest is young here: how well a settled one does is for the plans to say.

#[test]
fn a_planned_hand_over_is_hardly_seen() {
    let report = after("root-handover");
    assert!(figure(&report, "healed_ms") <= 1_000.0);
    let lost = figure(&report, "blocks_lost");
    assert!(lost < 10.0 * 150.0, "{lost}");
}

#[test]
fn a_standby_heals_the_death_of_the_root() {
    let report = after("root-death");
    assert!(figure(&report, "healed_ms") <= 3_000.0);
    let lost = figure(&report, "blocks_lost");
    assert!(lost > 20.0 * 150.0, "for a while there is nobody to send any: {lost}");
}
