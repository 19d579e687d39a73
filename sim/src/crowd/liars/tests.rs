//! Small worlds with liars of one kind.

use super::super::Crowd;
use super::*;
use crate::plan::PlanFile;
use crate::progress::Progress;
use banyan_protocol::wire::control::Body;

fn world(kind: &str) -> Crowd {
    let text = format!(
        "[world]\nnodes = 100\n[run]\nduration = '12 s'\nwarm_up = '3 s'\n\
         [liars]\nshare = '20 %'\nkinds = ['{kind}']"
    );
    let file: PlanFile = text.parse().expect("a plan");
    Crowd::new(&Plan::resolve("liars", &file, None).expect("a plan")).expect("a world")
}

fn figure(kind: &str, name: &str) -> f64 {
    let mut crowd = world(kind);
    let report = crowd.run(Progress::new(12_000_000, true)).expect("no rule is broken");
    report.figure(name).and_then(|figure| figure.value.number()).expect(name)
}

#[test]
fn a_share_of_the_nodes_lies_but_never_the_publisher() {
    let mut crowd = world("depth");
    let lying = (1..10_000).filter(|node| crowd.liars.draw(*node).is_some()).count();
    assert!((1_800..2_200).contains(&lying), "{lying}");
    assert!((0..100).all(|_| crowd.liars.draw(super::super::ROOT).is_none()));
}

#[test]
fn a_polluter_is_cut_at_its_first_shard() {
    assert!(figure("polluter", "polluters_cut") > 10.0);
    assert!(figure("polluter", "polluter_cut_max_ms") < 1_000.0);
}

#[test]
fn a_forged_block_is_counted_where_nobody_checks_and_nowhere_else() {
    for checks in [true, false] {
        let mut crowd = world("polluter");
        if !checks {
            crowd.media.as_mut().expect("every shard is sent").leave_out_checks();
        }
        let report = crowd.run(Progress::new(12_000_000, true)).expect("no rule is broken");
        let accepted = report.figure("forged_blocks_accepted");
        let accepted = accepted.and_then(|figure| figure.value.number()).expect("a number");
        assert_eq!(accepted == 0.0, checks, "{accepted}");
    }
}

#[test]
fn black_holes_are_met_and_left() {
    assert!(figure("black-hole", "black_hole_grafts") > 10.0);
}

#[test]
fn a_depth_liar_says_that_it_is_below_the_root() {
    let mut crowd = world("depth");
    while crowd.step(10_000_000) {}
    let depth = |crowd: &Crowd, kind| {
        let of = |node: &u32| crowd.liars.lie(*node) == kind;
        crowd.living.iter().copied().find(of).expect("there are such")
    };
    let (liar, honest) = (depth(&crowd, Some(Lie::Depth)), depth(&crowd, None));
    for (node, lies) in [(liar, true), (honest, false)] {
        let host = &crowd.hosts[node as usize];
        let now = banyan_protocol::time::Timestamp::from_micros(crowd.now_us);
        let mut member = host.forest.member(now, &host.links);
        member.delay_us = 77_000;
        let said = crowd.falsify(node, Body::Announce { member, reply: false });
        let Body::Announce { member, .. } = said else { panic!("another message") };
        assert_eq!(member.delay_us == 0, lies);
    }
}
