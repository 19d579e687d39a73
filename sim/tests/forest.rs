//! The first stripe forest in virtual time: it forms, it carries, and deaths go unnoticed.

use banyan_protocol::identity::MediaKey;
use banyan_protocol::input::{Command, Input, JoinRole};
use banyan_protocol::output::Event;
use banyan_protocol::wire::control::{Body, Control};
use banyan_sim::stage::Stage;
use banyan_sim::world::Network;
use std::time::Duration;

const HOME: Network =
    Network { delay: Duration::from_millis(20), jitter: Duration::from_millis(5), loss_ppm: 0 };
const HELPER: JoinRole = JoinRole::Helper { stripes_max: 2 };

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A root with one slot per stripe, three helpers with one per stripe, two gateways in a row.
fn chain(seed: u64) -> Stage {
    let mut stage = Stage::new(6, seed, HOME, (4, 2), 6);
    for helper in 1..4 {
        stage.join(helper, HELPER, 2);
    }
    stage.publish(secs(3));
    stage.join(4, JoinRole::Gateway, 6);
    stage.publish(secs(1));
    stage.join(5, JoinRole::Gateway, 1);
    stage.publish(secs(2));
    stage
}

fn repro(seed: u64) -> String {
    format!("run again: cargo run -p banyan-sim -- close-up {seed} --events")
}

#[test]
fn two_nodes_deliver_every_block_in_order() {
    let mut stage = Stage::new(2, 1, HOME, (4, 2), 6);
    stage.join(1, JoinRole::Gateway, 0);
    stage.publish(secs(5));
    stage.world.run(secs(1));
    let delivered = &stage.world.hosts[1].delivered;
    let numbers: Vec<u64> = delivered.iter().map(|(_, block)| block.number).collect();
    assert_eq!(numbers, (0..stage.published()).collect::<Vec<_>>());
    assert_eq!(stage.world.hosts[0].delivered.len(), numbers.len(), "the root has them too");
}

#[test]
fn helpers_spread_over_the_stripes_and_every_way_has_three_links() {
    for seed in 1..=20 {
        let stage = chain(seed);
        let status = &stage.world.hosts[5].banyan.status()[0];
        let links: Vec<_> = status.stripes.iter().map(|stripe| stripe.links).collect();
        assert_eq!(links, [Some(3); 6], "seed {seed}; {}", repro(seed));
        assert_eq!((stage.lost(4), stage.lost(5)), (0, 0), "seed {seed}; {}", repro(seed));
    }
}

#[test]
fn everyone_is_fed_in_every_stripe_however_they_come_where_slots_are_just_enough() {
    let near =
        Network { delay: Duration::from_millis(1), jitter: Duration::from_millis(12), loss_ppm: 0 };
    for (network, seed) in (1..=12).flat_map(|seed| [(HOME, seed), (near, seed)]) {
        let mut stage = Stage::new(6, seed, network, (4, 2), 6);
        let pause = Duration::from_millis(seed * 17);
        for helper in 1..4 {
            stage.join(helper, HELPER, 2);
            stage.publish(pause);
        }
        stage.join(4, JoinRole::Gateway, 6);
        stage.publish(pause);
        stage.join(5, JoinRole::Gateway, 1);
        stage.publish(secs(8));
        for gateway in [4, 5] {
            let status = &stage.world.hosts[gateway].banyan.status()[0];
            for stripe in &status.stripes {
                let silent = stripe.silent.unwrap_or_default();
                assert!(
                    stripe.parent.is_some() && silent < Duration::from_millis(500),
                    "seed {seed}: gateway {gateway}, {stripe:?}; {}",
                    repro(seed)
                );
            }
            assert_eq!(stage.lost(gateway), 0, "seed {seed}; {}", repro(seed));
        }
    }
}

#[test]
fn a_helpers_death_goes_unnoticed_and_its_stripes_are_carried_again() {
    for seed in 1..=20 {
        let mut stage = chain(seed);
        let dead = stage.world.hosts[1].id;
        let carried: Vec<u8> = stage.world.hosts[4].banyan.status()[0]
            .stripes
            .iter()
            .filter(|stripe| stripe.parent == Some(dead))
            .map(|stripe| stripe.stripe)
            .collect();
        assert!(!carried.is_empty(), "seed {seed}: the helper carries something");
        let at = stage.world.now();
        stage.world.kill(1);
        stage.publish(secs(8));
        for gateway in [4, 5] {
            assert_eq!(stage.lost(gateway), 0, "seed {seed}; {}", repro(seed));
            let last = stage.world.hosts[gateway].delivered.last().expect("it plays").1.number;
            assert!(stage.published() - last < 10, "seed {seed}: gateway {gateway} is at {last}");
        }
        for stripe in carried {
            let again = stage.world.hosts[4].events.iter().find_map(|(then, event)| match event {
                Event::Grafted { stripe: s, parent, .. }
                    if *s == stripe && *then > at && *parent != dead =>
                {
                    Some(then.since(at))
                }
                _ => None,
            });
            let again =
                again.unwrap_or_else(|| panic!("seed {seed} stripe {stripe} {}", repro(seed)));
            assert!(again < Duration::from_millis(400), "seed {seed}: carried after {again:?}");
        }
    }
}

#[test]
fn a_leaving_helper_hands_its_children_over_without_a_pull() {
    let mut stage = chain(3);
    let session = stage.outline.session;
    stage.world.command(2, Command::Leave(session));
    stage.publish(secs(3));
    let gateway = &stage.world.hosts[4];
    assert_eq!((stage.lost(4), stage.lost(5)), (0, 0));
    let stripes = &gateway.banyan.status()[0].stripes;
    assert!(stripes.iter().all(|stripe| stripe.parent.is_some()), "{stripes:?}");
}

#[test]
fn everyone_hears_of_the_end_even_far_from_the_root() {
    let mut stage = chain(4);
    let session = stage.outline.session;
    stage.world.command(0, Command::Leave(session));
    stage.world.run(secs(2));
    for i in 1..6 {
        let ended = Event::Ended { session };
        assert!(stage.world.hosts[i].events.iter().any(|(_, e)| *e == ended), "node {i}");
    }
}

#[test]
fn the_end_of_an_earlier_run_ends_nothing() {
    let mut stage = chain(4);
    let session = stage.outline.session;
    let root = stage.world.hosts[0].id;
    // Somebody kept the end that the publisher signed before the session was reopened.
    let kept = {
        let mut earlier = Stage::new(2, 4, HOME, (4, 2), 6);
        earlier.join(1, JoinRole::Gateway, 0);
        earlier.publish(secs(1));
        earlier.world.command(0, Command::Leave(session));
        earlier.world.controls.back().cloned().expect("the end was sent")
    };
    stage.world.input(4, Input::Control(root, kept));
    stage.publish(secs(1));
    let ended = Event::Ended { session };
    assert!(stage.world.hosts.iter().all(|h| h.events.iter().all(|(_, e)| *e != ended)));
    assert_eq!(stage.lost(4), 0);
}

#[test]
fn a_keyframe_wish_reaches_the_root_at_most_twice_a_second() {
    let mut stage = chain(5);
    let session = stage.outline.session;
    for _ in 0..30 {
        stage.world.command(5, Command::Refresh(session));
        stage.world.command(4, Command::Refresh(session));
        stage.publish(Duration::from_millis(100));
    }
    let wishes = stage.world.hosts[0].events.iter();
    let wishes = wishes.filter(|(_, e)| *e == Event::KeyframeWanted { session }).count();
    assert!((3..=7).contains(&wishes), "{wishes} in 3 s");
}

#[test]
fn a_lost_shard_in_a_hundred_loses_no_block() {
    let network = Network { loss_ppm: 10_000, ..HOME };
    let mut stage = Stage::new(4, 6, network, (8, 2), 20);
    for gateway in 1..4 {
        stage.join(gateway, JoinRole::Gateway, 20);
    }
    stage.publish(secs(20));
    for gateway in 1..4 {
        assert!(stage.world.hosts[gateway].delivered.len() > 550);
        assert!(stage.lost(gateway) <= 1, "{} lost", stage.lost(gateway));
    }
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let hash = |seed| {
        let mut stage = chain(seed);
        stage.world.kill(1);
        stage.publish(secs(2));
        stage.world.trace_hash()
    };
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

#[test]
fn a_root_that_comes_back_is_followed_without_counting_what_it_never_sent() {
    let mut stage = chain(9);
    let before = stage.world.hosts[5].delivered.len();
    stage.world.kill(0);
    stage.world.run(secs(7));
    stage.reopen(0, 6, 1_000_000);
    stage.publish(secs(20));
    for gateway in [4, 5] {
        let delivered = &stage.world.hosts[gateway].delivered;
        let again = delivered.iter().filter(|(_, block)| block.number >= 1_000_000).count();
        assert!(again > 60, "gateway {gateway} has {again} blocks after {before}");
        assert!(stage.lost(gateway) <= 1, "{} ranges lost", stage.lost(gateway));
    }
}

#[test]
fn a_polluter_is_cut_at_its_first_shard_and_nothing_forged_is_shown() {
    let mut stage = chain(10);
    let polluter = stage.world.hosts[1].id;
    stage.world.forge(1);
    stage.publish(secs(4));
    for gateway in [4, 5] {
        assert_eq!(stage.lost(gateway), 0);
        let shown =
            stage.world.hosts[gateway].delivered.iter().map(|(_, block)| block.frames.len());
        assert!(shown.into_iter().all(|frames| frames == 1));
    }
    let events = &stage.world.hosts[4].events;
    let cut = events
        .iter()
        .filter(|(_, e)| matches!(e, Event::Violated { peer, .. } if *peer == polluter));
    assert_eq!(cut.count(), 1, "banned at one strike, and not let in again");
    let stripes = &stage.world.hosts[4].banyan.status()[0].stripes;
    assert!(stripes.iter().all(|s| s.parent.is_some() && s.parent != Some(polluter)));
}

#[test]
fn a_standby_takes_the_place_of_a_root_that_died_and_the_session_goes_on() {
    let mut stage = chain(6);
    let session = stage.outline.session;
    stage.world.kill(0);
    stage.take_over(4, 12, 1);
    stage.publish(secs(4));
    let new = stage.world.hosts[4].id;
    for i in [1, 2, 3, 5] {
        let granted = Event::RootGranted { session, root: new };
        let heard = stage.world.hosts[i].events.iter().filter(|(_, e)| *e == granted).count();
        assert_eq!(heard, 1, "node {i}; {}", repro(6));
    }
    let delivered = &stage.world.hosts[5].delivered;
    let last = delivered.last().expect("it plays").0;
    assert!(stage.world.now().since(last) < Duration::from_millis(200), "{}", repro(6));
    let seconds = delivered.iter().filter(|(at, _)| stage.world.now().since(*at) < secs(2)).count();
    assert!(seconds > 50, "{seconds} blocks in the last two seconds; {}", repro(6));
}

#[test]
fn a_grant_of_an_earlier_term_and_a_grant_to_another_change_nothing() {
    let mut stage = chain(7);
    let session = stage.outline.session;
    let (early, to_five) = (stage.grant(3, 1), stage.grant(5, 3));
    stage.take_over(4, 12, 2);
    stage.publish(secs(1));
    // Replayed by an honest node, which nobody holds against it.
    let root = stage.world.contact(3);
    let body = Body::Grant { root, grant: early.encode().into() };
    let replay = Control { session, body }.encode();
    let teller = stage.world.hosts[1].id;
    for i in [0, 4, 5] {
        stage.world.input(i, Input::Control(teller, replay.clone()));
    }
    // Not node 2's to take up.
    let (grant, media_key) = (Box::new(to_five), MediaKey::from_seed(&[9; 32]).into());
    stage.world.command(2, Command::TakeOver { session, grant, media_key, slots: 9 });
    stage.publish(secs(2));
    let new = stage.world.hosts[4].id;
    for (i, host) in stage.world.hosts.iter().enumerate() {
        for (_, event) in &host.events {
            assert!(!matches!(event, Event::Violated { .. }), "node {i}: {event:?}");
            if let Event::RootGranted { root, .. } = event {
                assert_eq!(*root, new, "node {i}");
            }
        }
    }
}
