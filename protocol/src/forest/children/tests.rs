use super::slots::{DRAIN, DRAIN_STRONG};
use super::*;
use crate::rng::Rng;
use crate::wire::control::Graft;

fn node(i: u8) -> Peer {
    Peer(i.into())
}

fn graft(stripe: u8, slots: u16, repair_of: Option<Peer>) -> Graft<Peer> {
    let (channel, helper) = (9, slots > 0);
    let (request, resume, fed, insist, reach) = (1, 0, 4, false, Reach::Public);
    Graft { stripe, request, channel, slots, resume, repair_of, helper, fed, insist, reach }
}

#[test]
fn a_root_spreads_its_slots_and_helpers_preempt_leaves() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 2);
    children.spread_over(StripeSet::all(2));
    let admitted = Admission::Admitted(None);
    assert_eq!(children.admit(now, (node(1), 0), &graft(0, 0, None)), admitted);
    assert_eq!(children.admit(now, (node(2), 0), &graft(0, 0, None)), Admission::Full);
    assert_eq!(
        children.admit(now, (node(1), 0), &graft(0, 0, None)),
        admitted,
        "again is no new one"
    );
    assert_eq!(
        children.admit(now, (node(3), 0), &graft(0, 1, None)),
        Admission::Admitted(Some(Preempted {
            stripe: 0,
            child: node(1),
            successor: Some(node(3))
        }))
    );
    assert_eq!(children.of(0).count(), 2, "the victim is fed until it has another parent");
    assert_eq!(children.expire(now + DRAIN), [(0, node(1))]);
    assert_eq!(children.of(0).collect::<Vec<_>>(), [(node(3), 9)]);
    assert_eq!(children.slots_free(now), 1);
}

#[test]
fn a_stripe_without_its_share_gets_a_slot_of_one_with_too_many() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 2);
    children.admit(now, (node(1), 0), &graft(0, 0, None));
    children.admit(now, (node(2), 0), &graft(0, 6, None));
    children.spread_over(StripeSet::all(2));
    assert_eq!(
        children.admit(now, (node(3), 0), &graft(1, 0, None)),
        Admission::Admitted(Some(Preempted {
            stripe: 0,
            child: node(1),
            successor: Some(node(2))
        }))
    );
    assert_eq!(children.admit(now, (node(4), 0), &graft(1, 0, None)), Admission::Full);
}

#[test]
fn the_orphan_of_a_dead_child_takes_its_place_at_once() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 1);
    children.admit(now, (node(1), 0), &graft(0, 1, None));
    assert_eq!(children.admit(now, (node(2), 0), &graft(0, 0, None)), Admission::Full);
    assert_eq!(
        children.admit(now, (node(2), 0), &graft(0, 0, Some(node(1)))),
        Admission::Admitted(None)
    );
    assert_eq!(children.slots_free(now), 0);
}

#[test]
fn an_heir_is_fed_beyond_the_slots_and_gives_way_to_nobody() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 2);
    children.spread_over(StripeSet::all(2));
    let admitted = Admission::Admitted(None);
    for stripe in 0..2 {
        assert_eq!(children.admit(now, (node(1 + stripe), 0), &graft(stripe, 9, None)), admitted);
    }
    assert_eq!(children.admit(now, (node(7), 0), &graft(0, 0, None)), Admission::Full);
    children.set_heir(node(7));
    for stripe in 0..2 {
        assert_eq!(children.admit(now, (node(7), 0), &graft(stripe, 0, None)), admitted);
    }
    assert_eq!((children.len(), children.one_too_many(now)), (4, None));
    assert!(matches!(
        children.admit(now, (node(3), 0), &graft(0, 20, None)),
        Admission::Admitted(Some(Preempted { child, .. })) if child == node(1)
    ));
    assert!(children.len() <= children.max());
}

#[test]
fn false_reports_of_death_make_no_more_than_the_spare_slots() {
    let now = Timestamp::from_micros(1_000_000);
    // Few slots are of a small uplink, which does not carry many more.
    for (slots, most) in [(1, 2), (4, 5), (7, 8), (8, 10), (15, 17), (16, 18), (40, 45)] {
        let mut children = Children::new(4, slots);
        let admitted = |children: &mut Children, i| {
            let liar = graft(0, 0, Some(node(i - 1)));
            children.admit(now, (node(i), 0), &liar) != Admission::Full
        };
        let fed = (1..100).filter(|i| admitted(&mut children, *i)).count();
        assert_eq!((fed, children.of(0).count()), (most, most), "{slots} slots");
    }
}

#[test]
fn a_replaced_child_does_not_come_back_by_asking_again() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 1);
    children.admit(now, (node(1), 0), &graft(0, 1, None));
    let preempted = Preempted { stripe: 0, child: node(1), successor: Some(node(2)) };
    let admitted = Admission::Admitted(Some(preempted));
    assert_eq!(children.admit(now, (node(2), 0), &graft(0, 2, None)), admitted);
    assert_eq!(children.admit(now, (node(1), 0), &graft(0, 1, None)), Admission::Full);
    assert_eq!(children.expire(now + DRAIN_STRONG), [(0, node(1))]);
}

#[test]
fn who_lost_its_place_to_this_node_gets_one_though_it_is_full() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 2);
    children.admit(now, (node(1), 0), &graft(0, 0, None));
    children.expect(now, 0, node(3));
    assert_eq!(children.slots_free(now), 0, "a place is kept");
    assert_eq!(children.admit(now, (node(2), 0), &graft(0, 0, None)), Admission::Full);
    assert_eq!(children.admit(now, (node(3), 0), &graft(0, 0, None)), Admission::Admitted(None));
    let late = now + DRAIN_STRONG;
    children.expect(now, 0, node(4));
    assert_eq!(children.admit(late, (node(4), 0), &graft(0, 0, None)), Admission::Full, "too late");
    children.expect(late, 0, node(5));
    let way = Preempted { stripe: 0, child: node(1), successor: Some(node(5)) };
    let admitted = Admission::Admitted(Some(way));
    assert_eq!(children.admit(late, (node(5), 0), &graft(0, 0, None)), admitted);
}

#[test]
fn an_idle_child_keeps_nobody_out_that_feeds_others() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 1);
    let hard = |slots| Graft { reach: Reach::Hard, ..graft(0, slots, None) };
    let punchable = |slots| Graft { reach: Reach::Punchable, ..graft(0, slots, None) };
    children.admit(now, (node(1), 0), &hard(2));
    assert_eq!(
        children.admit(now, (node(2), 0), &punchable(7)),
        Admission::Full,
        "they cannot meet"
    );
    children.set_room(0, node(1), (2, 0), [].into_iter());
    let alone = Preempted { stripe: 0, child: node(1), successor: None };
    assert_eq!(children.admit(now, (node(2), 0), &punchable(7)), Admission::Admitted(Some(alone)));
}

#[test]
fn a_leaf_by_its_home_goes_at_once_where_there_are_too_many() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 1);
    for i in 1..=3 {
        let dead = (i > 1).then(|| node(i - 1));
        let gateway = Graft { helper: false, ..graft(0, 20, dead) };
        children.admit(now, (node(i), 0), &gateway);
    }
    assert_eq!(children.admit(now, (node(9), 0), &graft(0, 30, None)), Admission::Full);
    children.mark_leaves(|peer, _| peer == node(2));
    let ousted = Preempted { stripe: 0, child: node(2), successor: Some(node(9)) };
    assert_eq!(
        children.admit(now, (node(9), 0), &graft(0, 30, None)),
        Admission::Admitted(Some(ousted))
    );
    assert_eq!(children.expire(now), [(0, node(2))]);
}

#[test]
fn who_is_sent_on_is_named_a_place_that_it_can_meet() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 2);
    children.admit(now, (node(1), 0), &Graft { reach: Reach::Hard, ..graft(0, 5, None) });
    let mut rng = Rng::new(&[1; 32], "test");
    let mut named = |children: &mut Children, reach| -> Vec<Peer> {
        let places = children.with_room(0, node(9), reach, 3, &mut rng);
        places.into_iter().map(|place| place.peer).collect()
    };
    assert_eq!(named(&mut children, Reach::Public), [node(1)], "the child itself");
    assert!(named(&mut children, Reach::Punchable).is_empty(), "whom it cannot meet");
    let place = Place { peer: node(7), slots: 2, delay_us: 9, reach: Reach::Public };
    children.set_room(0, node(1), (2, 3), [place].into_iter());
    assert_eq!(named(&mut children, Reach::Punchable), [node(7)], "past the child");
    assert_eq!(named(&mut children, Reach::Public), [node(7)], "where there is a place for sure");
    assert_eq!(children.room_below(0), 0, "places that were named count as taken");
    assert!(named(&mut children, Reach::Public).is_empty());
}

#[test]
fn a_place_goes_to_whom_it_helps_most_be_it_nearer_or_stronger() {
    let now = Timestamp::from_micros(1_000_000);
    let takes = |(old_slots, old_ms): (u16, u32), (slots, ms): (u16, u32)| {
        let mut children = Children::new(4, 1);
        children.admit(now, (node(1), old_ms * 1000), &graft(0, old_slots, None));
        let later = now + DRAIN_STRONG;
        let answer = children.admit(later, (node(2), ms * 1000), &graft(0, slots, None));
        answer != Admission::Full
    };
    assert!(takes((35, 10), (70, 10)), "twice as strong");
    assert!(!takes((50, 10), (60, 10)), "hardly stronger");
    assert!(!takes((100, 10), (140, 10)), "stronger, but those below would hardly notice");
    assert!(takes((70, 30), (70, 5)), "as strong and near");
    assert!(!takes((70, 10), (100, 40)), "stronger and far");
    assert!(takes((0, 0), (1, 500)), "a leaf makes way for anybody that feeds others");
}

#[test]
fn who_claims_the_world_goes_before_nobody_who_has_much() {
    let now = Timestamp::from_micros(1_000_000);
    let takes = |old_slots: u16, slots: u16| {
        let mut children = Children::new(4, 1);
        children.admit(now, (node(1), 0), &graft(0, old_slots, None));
        let later = now + DRAIN_STRONG;
        children.admit(later, (node(2), 0), &graft(0, slots, None)) != Admission::Full
    };
    assert!(takes(30, 60), "it has twice");
    assert!(!takes(70, u16::MAX), "a claim counts only so far");
}

#[test]
fn the_strongest_that_can_be_met_is_the_heir() {
    let now = Timestamp::from_micros(1_000_000);
    let mut children = Children::new(4, 9);
    assert_eq!(children.strongest(0, Reach::Public), None);
    for (peer, slots, reach) in
        [(1, 0, Reach::Public), (2, 30, Reach::Public), (3, 60, Reach::Punchable)]
    {
        children.admit(now, (node(peer), 0), &Graft { reach, ..graft(0, slots, None) });
    }
    assert_eq!(children.strongest(0, Reach::Public), Some(node(3)));
    assert_eq!(children.strongest(0, Reach::Hard), Some(node(2)));
    assert_eq!(children.strongest(1, Reach::Public), None);
}
