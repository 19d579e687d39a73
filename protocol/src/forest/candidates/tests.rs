//! Whom a full view keeps, whose word counts, and whom a node names to others.

use super::*;
use crate::forest::path::Tag;
use crate::forest::score::Wish;
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
        if peer.0 < 10_000 { peer.0 } else { 10_000 }
    }
}

const MAX: usize = 48;

fn view(seed: u8) -> Candidates {
    Candidates::new((Peer(0), Reach::Public), &[seed; 32], MAX, 4)
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
        spot: Default::default(),
    }
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_micros(1_000_000 + ms * 1_000)
}

/// `teller` praises a member.
fn hear(view: &mut Candidates, ms: u64, teller: u32, peer: u32) {
    view.learn(at(ms), &Links::default(), &Numbers, praised(peer), Told::by(Peer(teller)));
}

/// A member describes itself: no slots, far from the root.
fn meet(view: &mut Candidates, ms: u64, peer: u32) {
    let member = Member { slots_free: 0, delay_us: 90_000, ..praised(peer) };
    view.learn(at(ms), &Links::default(), &Numbers, member, Told::BY_ITSELF);
}

#[test]
fn a_silent_parent_is_named_to_nobody() {
    let mut view = view(1);
    (1..4).for_each(|peer| meet(&mut view, 0, peer));
    view.shun(at(0), Peer(2), false);
    let named = view.with_stripe(at(0), 1, 8, Reach::Public, |_| false);
    let named: Vec<u32> = named.iter().map(|member| member.contact.0).collect();
    assert!(named.len() == 2 && !named.contains(&2), "{named:?}");
    assert!(view.sample(at(0), 8, Peer(0)).iter().all(|member| member.contact != Peer(2)));
}

#[test]
fn who_is_named_ten_times_as_often_gets_no_more_of_a_view() {
    let mut liars = 0;
    for seed in 0..20 {
        let mut view = view(seed);
        for ms in 0..20 {
            for peer in 1..1_000_u32 {
                let times = if peer % 10 == 1 { 10 } else { 1 };
                // Each time by another.
                (0..times).for_each(|time| hear(&mut view, ms, 2_000 + peer * 10 + time, peer));
            }
        }
        assert_eq!(view.len(), MAX);
        liars += view.known().filter(|peer| peer.0 % 10 == 1).count();
    }
    let share = liars as f64 / (20 * MAX) as f64;
    assert!((0.05..0.15).contains(&share), "{share}");
}

#[test]
fn who_names_only_friends_fills_few_places_of_a_full_view() {
    let is_friend = |peer: &Peer| (5_000..6_000).contains(&peer.0);
    for seed in 0..10 {
        let mut view = view(seed);
        (1..500).for_each(|peer| hear(&mut view, 0, peer + 2_000, peer));
        (5_000..6_000).for_each(|friend| hear(&mut view, 1, 9, friend));
        let friends = view.known().filter(is_friend).count();
        assert!(friends <= PER_TELLER, "{friends}");
        // Also where it came first: its friends make way for those that others name.
        let mut view = Candidates::new((Peer(0), Reach::Public), &[seed; 32], MAX, 4);
        (5_000..6_000).for_each(|friend| hear(&mut view, 0, 9, friend));
        assert_eq!(view.known().filter(is_friend).count(), MAX);
        (1..500).for_each(|peer| hear(&mut view, 1, peer + 2_000, peer));
        let friends = view.known().filter(is_friend).count();
        assert!(friends <= PER_TELLER, "{friends} are left");
    }
}

#[test]
fn a_full_view_has_few_of_one_network_and_its_part_of_each_home() {
    for seed in 0..10 {
        let mut view = view(seed);
        (1..2_000).for_each(|peer| hear(&mut view, 0, peer + 2_000, peer));
        (10_000..12_000).for_each(|peer| meet(&mut view, 1, peer));
        let near = view.known().filter(|peer| peer.0 >= 10_000).count();
        assert!(near <= PER_NETWORK, "{near} Sybils");
        for home in 0..4 {
            let at_home = view.known().filter(|peer| Numbers.home(*peer) == home).count();
            assert!((6..=18).contains(&at_home), "{at_home} of home {home}");
        }
    }
}

#[test]
fn a_network_may_fill_a_view_that_has_room() {
    let mut view = view(1);
    (10_000..10_020).for_each(|peer| hear(&mut view, 0, 9, peer));
    assert_eq!(view.len(), 20, "nodes of one house are no Sybils");
}

#[test]
fn nobody_overrules_what_a_member_says_of_itself_until_that_is_old() {
    let mut view = view(1);
    let fresh_ms = FRESH.as_millis() as u64;
    let slots = |view: &Candidates, ms| view.member(at(ms), Peer(5)).map(|said| said.slots_free);
    meet(&mut view, 0, 5);
    hear(&mut view, fresh_ms - 1, 9, 5);
    assert_eq!(slots(&view, fresh_ms - 1), Some(0));
    hear(&mut view, fresh_ms, 9, 5);
    assert_eq!(slots(&view, fresh_ms), Some(58), "a younger word than an old one of its own");
    view.is_full(at(fresh_ms + 1), Peer(5));
    hear(&mut view, fresh_ms + 2, 9, 5);
    assert_eq!(slots(&view, fresh_ms + 2), Some(0), "a refusal is its own word too");
}

#[test]
fn only_what_members_said_themselves_is_passed_on() {
    let mut view = view(1);
    (1..10).for_each(|peer| hear(&mut view, 0, 99, peer));
    assert!(view.sample(at(0), 8, Peer(0)).is_empty());
    meet(&mut view, 0, 20);
    let named = view.sample(at(0), 8, Peer(0));
    assert_eq!(named.iter().map(|member| member.contact.0).collect::<Vec<_>>(), [20]);
}

#[test]
fn a_full_view_keeps_those_that_the_node_can_meet() {
    let now = Timestamp::from_micros(1_000_000);
    let mut view = Candidates::new((Peer(0), Reach::Hard), &[1; 32], 16, 4);
    let mut meet = |peer, reach| {
        let member = Member { reach, ..praised(peer) };
        view.learn(now, &Links::default(), &Numbers, member, Told::BY_ITSELF);
        (view.contains(Peer(peer)), view.len())
    };
    (1..16).for_each(|peer| _ = meet(peer, Reach::Public));
    assert_eq!(meet(16, Reach::Punchable), (true, 16), "there is room");
    assert_eq!(meet(17, Reach::Punchable), (false, 16));
    assert_eq!(meet(18, Reach::Public), (true, 16));
    assert!(!view.contains(Peer(16)), "it made room though it spoke itself, too");
}

#[test]
fn a_full_node_at_home_is_named_before_one_that_stands_in() {
    let now = Timestamp::from_micros(30_000_000);
    let mut view = view(1);
    // The first of each pair is at home in stripe 1, and the second nearer to the root.
    for (peer, slots_free, delay_us) in [(1, 0, 90), (2, 5, 10), (5, 5, 95), (6, 0, 5)] {
        let member = Member { slots_free, delay_us, ..praised(peer) };
        view.learn(now, &Links::default(), &Numbers, member, Told::BY_ITSELF);
    }
    let named = view.with_stripe(now, 1, 8, Reach::Public, |_| false);
    let named: Vec<u32> = named.iter().map(|member| member.contact.0).collect();
    assert_eq!(named, [5, 1, 2, 6]);
}

#[test]
fn whoever_asks_hears_of_the_parents_that_are_best_for_it() {
    let mut view = view(1);
    let spot = |ms: i32| crate::forest::Spot::from_wire([ms * 10, 0, 20, 5]).expect("on Earth");
    // Peers 4, 8, 12, … are at home in stripe 0, further and further away; each is as near the root.
    for peer in 1..41 {
        let member = Member { delay_us: 50_000, spot: spot(5 * peer as i32), ..praised(peer) };
        view.learn(at(0), &Links::default(), &Numbers, member, Told::BY_ITSELF);
    }
    let asker = Member { spot: spot(60), ..praised(99) };
    for _ in 0..20 {
        let named = view.fitting(at(0), 8, &asker);
        let named: Vec<u32> = named.iter().map(|member| member.contact.0).collect();
        assert_eq!(named.len(), 8, "{named:?}");
        assert!(named[..4].iter().all(|peer| (10..=14).contains(peer)), "the nearest: {named:?}");
        let homes: std::collections::BTreeSet<u32> = named[..4].iter().map(|p| p % 4).collect();
        assert_eq!(homes.len(), 4, "one for each stripe: {named:?}");
    }
    let full = Member { slots_free: 0, delay_us: 0, spot: spot(60), ..praised(12) };
    view.learn(at(0), &Links::default(), &Numbers, full, Told::BY_ITSELF);
    let named = view.fitting(at(0), 8, &asker);
    assert!(named[..4].iter().all(|member| member.contact != Peer(12)), "it has no place");
}

/// Whom a search in stripe 1 asks first.
fn asked(view: &mut Candidates, ms: u64) -> Option<Peer> {
    let wish = Wish {
        stripe: 1,
        not: &|_| false,
        shared: &|_| 0,
        ask_full: false,
        lost: false,
        strong: false,
        urgent: false,
        below_us: None,
        reach: Reach::Public,
        small: false,
        spot: Default::default(),
    };
    view.best(at(ms), &Links::default(), &wish).ok()
}

#[test]
fn praise_is_worth_less_than_a_good_word_of_its_own() {
    let mut view = view(1);
    hear(&mut view, 0, 9, 5);
    assert_eq!(asked(&mut view, 0), Some(Peer(5)));
    let near = Member { delay_us: 30_000, ..praised(13) };
    view.learn(at(0), &Links::default(), &Numbers, near, Told::BY_ITSELF);
    assert_eq!(asked(&mut view, 0), Some(Peer(13)));
}

#[test]
fn who_came_later_than_promised_is_asked_later_until_that_is_forgotten() {
    let mut view = view(1);
    let say = |view: &mut Candidates, ms, peer, delay_us| {
        let member = Member { delay_us, ..praised(peer) };
        view.learn(at(ms), &Links::default(), &Numbers, member, Told::BY_ITSELF);
    };
    say(&mut view, 0, 5, 30_000);
    say(&mut view, 0, 13, 50_000);
    assert_eq!(asked(&mut view, 0), Some(Peer(5)));
    view.found_late(Peer(5), 40_000);
    assert_eq!(asked(&mut view, 0), Some(Peer(13)));
    (1..10).for_each(|ms| say(&mut view, ms, 5, 30_000));
    assert_eq!(asked(&mut view, 10), Some(Peer(5)));
}

#[test]
fn who_is_shunned_makes_room_first_and_comes_back_by_nobodys_word() {
    let mut view = view(1);
    (1..49).for_each(|peer| meet(&mut view, 0, peer));
    view.shun(at(0), Peer(7), false);
    hear(&mut view, 1, 99, 60);
    assert!(!view.contains(Peer(7)) && view.contains(Peer(60)) && view.len() == MAX);
    hear(&mut view, 2, 98, 7);
    assert!(!view.contains(Peer(7)), "others praise it");
}
