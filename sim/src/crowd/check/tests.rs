//! Worlds that are broken on purpose.

use super::*;
use crate::plan::{Plan, PlanFile};
use banyan_protocol::forest::{Context, Peer};
use banyan_protocol::time::Timestamp;
use banyan_protocol::wire::control::{Body, PruneReason};

fn world() -> Crowd {
    let text = "[world]\nnodes = 80\n[run]\nduration = '30 s'\nwarm_up = '2 s'";
    let file: PlanFile = text.parse().expect("a plan");
    let plan = Plan::resolve("broken", &file, None).expect("a plan");
    let mut crowd = Crowd::new(&plan).expect("a world");
    while crowd.step(10_000_000) {
        assert_eq!(crowd.checks.violation, None);
    }
    crowd
}

/// Lets time pass in which nobody does anything.
fn look_on(crowd: &mut Crowd, for_us: u64) -> Option<String> {
    let until_us = crowd.now_us + for_us;
    while crowd.now_us < until_us && crowd.checks.violation.is_none() {
        crowd.now_us += CHECK_US;
        crowd.check();
    }
    crowd.checks.violation.as_ref().map(ToString::to_string)
}

#[test]
fn a_sound_world_breaks_no_rule() {
    assert_eq!(look_on(&mut world(), CHECK_US), None);
}

#[test]
fn a_parent_that_knows_nothing_of_its_child_is_found_and_the_message_says_how_to_see_it_again() {
    let mut crowd = world();
    // Of all that disagree for ever in a world that stands still, the root's are named first.
    crowd.checks.pairs = Grace::default();
    let parent = crowd.root;
    let fed = |node: &u32| crowd.hosts[*node as usize].forest.parent(0) == Some(Peer(parent));
    let child = crowd.living.iter().copied().filter(fed).min().expect("somebody is fed");
    let host = &mut crowd.hosts[parent as usize];
    let now = Timestamp::from_micros(crowd.now_us);
    let mut out = Vec::new();
    let mut cx = Context { now, links: &mut host.links, directory: &crowd.registry, out: &mut out };
    let (stripe, reason, successors) = (0, PruneReason::Leaving, Vec::new());
    host.forest.on_message(&mut cx, Peer(child), Body::Prune { stripe, reason, successors });
    let message = look_on(&mut crowd, 2 * DISAGREE_US).expect("it is seen");
    assert!(message.contains(&format!("node {child} ")), "{message}");
    assert!(message.contains(&format!("node {parent} ")), "{message}");
    assert!(message.contains("stripe 0") && message.contains("run again: "), "{message}");
}

#[test]
fn a_node_with_more_children_than_slots_is_found_at_once() {
    let mut crowd = world();
    let feeds = |node: &u32| crowd.hosts[*node as usize].forest.children_len() > 5;
    let node = crowd.living.iter().copied().find(feeds).expect("somebody feeds");
    crowd.hosts[node as usize].forest.set_slots(Timestamp::from_micros(crowd.now_us), 1);
    let message = look_on(&mut crowd, CHECK_US).expect("it is seen");
    assert!(message.contains("children, at most 4"), "{message}");
}

#[test]
fn copies_out_of_nothing_are_found_at_once() {
    let mut crowd = world();
    crowd.media.as_mut().expect("it has media").figures.arrived += 1_000_000;
    let message = look_on(&mut crowd, CHECK_US).expect("it is seen");
    assert!(message.contains("copies of shards are under way"), "{message}");
}
