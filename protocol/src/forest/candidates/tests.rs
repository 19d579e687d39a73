//! What a full view keeps, and whom a search asks last.

use super::*;
use crate::forest::path::Tag;
use crate::forest::stripe::StripeSet;

/// Nodes of four stripes; those from 10 000 on are in one network.
struct Numbers;

impl Directory for Numbers {
    fn home(&self, peer: Peer) -> u8 {
        (peer.0 % 4) as u8
    }
    fn tag(&self, peer: Peer) -> Tag {
        peer.0
    }
    fn network(&self, peer: Peer) -> u32 {
        if peer.0 >= 10_000 { 0 } else { peer.0 + 1 }
    }
}

const MAX: usize = 48;

fn view(seed: u8) -> Candidates {
    Candidates::new(Peer(0), &[seed; 32], MAX, 4)
}

fn praised(peer: u32) -> Member<Peer> {
    Member {
        contact: Peer(peer),
        role: Role::Gateway,
        carries: StripeSet::all(4),
        slots: 58,
        slots_free: 58,
        depth: 1,
        delay_us: 0,
        age_s: 0,
        reach: Default::default(),
    }
}

fn hear(view: &mut Candidates, ms: u64, peer: u32) {
    let now = Timestamp::from_micros(1_000_000 + ms * 1_000);
    view.learn(now, &Links::default(), &Numbers, praised(peer), Told::ByOthers);
}

#[test]
fn whoever_is_praised_without_end_gets_no_more_of_a_view_than_others() {
    let mut liars = 0;
    for seed in 0..20 {
        let mut view = view(seed);
        for round in 0..20_u64 {
            // Of 1000 nodes, 100 lie; each of them is named ten times as often as an honest one.
            (1..1_000).filter(|peer| peer % 10 != 1).for_each(|peer| hear(&mut view, round, peer));
            for _ in 0..10 {
                (1..1_000).filter(|peer| peer % 10 == 1).for_each(|p| hear(&mut view, round, p));
            }
        }
        assert_eq!(view.len(), MAX);
        liars += view.known().filter(|peer| peer.0 % 10 == 1).count();
    }
    let share = liars as f64 / (20 * MAX) as f64;
    assert!((0.05..0.15).contains(&share), "{share}");
}

#[test]
fn a_full_view_has_few_of_one_network_and_its_part_of_each_home() {
    for seed in 0..10 {
        let mut view = view(seed);
        (1..2_000).for_each(|peer| hear(&mut view, 0, peer));
        (10_000..12_000).for_each(|peer| hear(&mut view, 1, peer));
        let near = view.known().filter(|peer| peer.0 >= 10_000).count();
        assert!(near <= PER_NETWORK, "{near} Sybils");
        for home in 0..4 {
            let at_home = view.known().filter(|peer| Numbers.home(*peer) == home).count();
            assert!((8..=16).contains(&at_home), "{at_home} of home {home}");
        }
    }
}

#[test]
fn a_network_may_fill_a_view_that_has_room() {
    let mut view = view(1);
    (10_000..10_020).for_each(|peer| hear(&mut view, 0, peer));
    assert_eq!(view.len(), 20, "nodes of one house are no Sybils");
}

#[test]
fn a_silent_parent_is_named_to_nobody() {
    let now = Timestamp::from_micros(1_000_000);
    let mut view = view(1);
    (1..4).for_each(|peer| hear(&mut view, 0, peer));
    view.shun(now, Peer(2), false);
    let named: Vec<u32> =
        view.with_stripe(now, 1, 8, |_| false).iter().map(|member| member.contact.0).collect();
    assert!(named.len() == 2 && !named.contains(&2), "{named:?}");
    assert!(view.sample(now, 8, Peer(0)).iter().all(|member| member.contact != Peer(2)));
}
