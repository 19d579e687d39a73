//! Strangers who lie, flood and replay: each gets the right answer, and nobody else notices.

use banyan_protocol::coding::{Coder, Shard};
use banyan_protocol::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet, tag};
use banyan_protocol::identity::{MediaKey, NodeId, PublisherKey, SessionId};
use banyan_protocol::input::JoinRole;
use banyan_protocol::limits::CANDIDATES_MAX;
use banyan_protocol::output::{Event, Violation};
use banyan_protocol::wire::control::{Body, Graft, PruneReason, Refusal};
use banyan_sim::stage::{FRAME, Stage};
use banyan_sim::stranger::Stranger;
use banyan_sim::world::Network;
use bytes::Bytes;
use std::time::Duration;

const HOME: Network =
    Network { delay: Duration::from_millis(20), jitter: Duration::from_millis(5), loss_ppm: 0 };
const HELPER: JoinRole = JoinRole::Helper { stripes_max: 2 };
/// The first channel every node gives out.
const CHANNEL: u32 = 1;
const STRIPES: u8 = 6;
/// The root, a helper, a gateway with a child, and one without.
const VICTIMS: [usize; 4] = [0, 1, 4, 5];

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A root, three helpers, two gateways in a row, all settled.
fn evening() -> Stage {
    evening_on(HOME)
}

fn evening_on(network: Network) -> Stage {
    let mut stage = Stage::new(6, 11, network, (4, 2), 12);
    for helper in 1..4 {
        stage.join(helper, HELPER, 8);
    }
    stage.publish(secs(2));
    stage.join(4, JoinRole::Gateway, 6);
    stage.publish(secs(1));
    stage.join(5, JoinRole::Gateway, 6);
    stage.publish(secs(2));
    stage
}

/// Nobody missed a block, and nobody but strangers was accused of anything.
fn undisturbed(stage: &Stage, what: &str) {
    for gateway in [4, 5] {
        assert_eq!(stage.lost(gateway), 0, "{what}: gateway {gateway} lost blocks");
        let last = stage.world.hosts[gateway].delivered.last().expect("it plays").1.number;
        assert!(stage.published() - last < 10, "{what}: gateway {gateway} is at {last}");
    }
    for (i, host) in stage.world.hosts.iter().enumerate() {
        for (_, event) in &host.events {
            if let Event::Violated { peer, violation } = event {
                let honest = stage.world.who(peer).is_some();
                assert!(!honest, "{what}: node {i} accused an honest one: {violation}");
            }
        }
    }
}

/// The shards of the last `blocks` blocks, all stripes, got by asking the root.
fn tap(stage: &mut Stage, spy: &Stranger, blocks: u64) -> Vec<Shard> {
    let before = spy.shards(&stage.world).len();
    let (session, until) = (stage.outline.session, stage.published());
    for stripe in 0..STRIPES {
        let from = until.saturating_sub(blocks);
        spy.say(&mut stage.world, session, Body::Pull { stripe, channel: 9, from, until });
    }
    spy.shards(&stage.world).split_off(before)
}

fn spoilt(shard: &Shard) -> Bytes {
    let mut bytes = shard.encoded().to_vec();
    *bytes.last_mut().expect("a shard has a payload") ^= 1;
    bytes.into()
}

fn graft(stripe: u8, request: u32) -> Body {
    let (slots, resume, repair_of, helper) = (0, 0, None, false);
    let (channel, fed, insist, reach) = (9, 0, false, Reach::Public);
    let graft =
        Graft { stripe, request, channel, slots, resume, repair_of, helper, fed, insist, reach };
    Body::Graft(graft)
}

fn member(number: u16) -> Member {
    let [a, b] = number.to_be_bytes();
    let mut id = [0xdd; 32];
    (id[0], id[1]) = (a, b);
    Member {
        contact: Contact::new(NodeId::from_bytes(id), [([192, 1, a, b], 1).into()]),
        role: Role::Helper,
        carries: StripeSet::all(STRIPES),
        slots: 100,
        slots_free: 100,
        depth: 1,
        delay_us: 1_000,
        age_s: 0,
        reach: Reach::Public,
        spot: Spot::default(),
    }
}

#[test]
fn forged_shards_cut_their_sender_at_once_even_ahead_of_the_true_ones() {
    for victim in [1, 4, 5] {
        // Slow enough that what the spy has from the root is ahead of everyone's.
        let mut stage = evening_on(Network { delay: FRAME * 2, ..HOME });
        let spy = Stranger::link(&mut stage.world, 0, 1);
        let mut forgers = Vec::new();
        for number in 10..30 {
            // In one stripe after the other.
            let fresh = tap(&mut stage, &spy, 1);
            let stripe = number as usize % usize::from(STRIPES);
            let forger = Stranger::link(&mut stage.world, victim, number);
            forger.throw(&mut stage.world, CHANNEL, spoilt(&fresh[stripe]));
            forgers.push(forger);
            stage.publish(FRAME);
        }
        stage.publish(secs(1));
        undisturbed(&stage, &format!("forged, victim {victim}"));
        let accused = forgers.iter().filter(|forger| forger.accused(&stage.world) == 1);
        let accused = accused.count();
        // A helper has no use for other stripes than its own: it does not even look at them.
        assert!(accused >= if victim == 1 { 3 } else { 10 }, "{accused} of 20 at {victim}");
        let rules = forgers.iter().filter_map(|forger| forger.cut_for(&stage.world));
        assert!(rules.into_iter().all(|rule| rule == Violation::Forged));
    }
}

#[test]
fn replayed_shards_go_no_further_and_disturb_nobody() {
    let sent = |stage: &Stage| -> Vec<u64> {
        let hosts = stage.world.hosts.iter().skip(1);
        hosts.map(|host| host.banyan.status()[0].sent_bytes).collect()
    };
    let quiet = {
        let mut stage = evening();
        stage.publish(secs(6));
        sent(&stage)
    };
    let mut stage = evening();
    let spy = Stranger::link(&mut stage.world, 0, 1);
    let old = tap(&mut stage, &spy, 64);
    assert!(old.len() > 300, "{} shards to replay", old.len());
    let parrots = VICTIMS.map(|victim| Stranger::link(&mut stage.world, victim, 2));
    for round in 0..180 {
        let newest = tap(&mut stage, &spy, 2);
        for parrot in &parrots {
            for shard in newest.iter().chain(&newest).chain(old.iter().skip(round).step_by(7)) {
                parrot.throw(&mut stage.world, CHANNEL, shard.encoded().clone());
            }
        }
        stage.publish(FRAME);
    }
    undisturbed(&stage, "replayed");
    assert!(parrots.iter().all(|parrot| parrot.accused(&stage.world) == 0), "true is no lie");
    for (i, (with, without)) in sent(&stage).into_iter().zip(quiet).enumerate() {
        assert!(with <= without * 11 / 10, "node {}: {with} for {without} bytes", i + 1);
    }
}

#[test]
fn shards_of_another_shape_or_session_cut_their_sender() {
    let mut stage = evening();
    let session = stage.outline.session;
    let key = || MediaKey::from_seed(&[9; 32]);
    let number = stage.published() + 1_000;
    let coded = |session, rendition, k, m| {
        let coder = Coder::new(session, rendition, k, m, key()).expect("a code");
        coder.encode(number, number, &Bytes::from_static(&[1; 4000])).swap_remove(0)
    };
    let spy = Stranger::link(&mut stage.world, 0, 1);
    let whole = tap(&mut stage, &spy, 1).swap_remove(0).encoded().clone();
    let other = SessionId::from_bytes([8; 32]);
    let rows = [
        ("k+m", coded(session, 0, 3, 2).encoded().clone(), Violation::Shard),
        ("more stripes", coded(session, 0, 16, 4).encoded().clone(), Violation::Shard),
        ("rendition", coded(session, 1, 4, 2).encoded().clone(), Violation::Shard),
        ("session", coded(other, 0, 4, 2).encoded().clone(), Violation::Forged),
        ("empty", Bytes::new(), Violation::Shard),
        ("3 bytes", whole.slice(..3), Violation::Shard),
        ("cut short", whole.slice(..whole.len() - 1), Violation::Shard),
        ("too long", [&whole[..], &[0]].concat().into(), Violation::Shard),
        ("no shard", Bytes::from_static(&[0xff; 2_000]), Violation::Shard),
    ];
    let mut number = 10;
    for (what, bytes, rule) in rows {
        for victim in [4, 5] {
            let stranger = Stranger::link(&mut stage.world, victim, number);
            number += 1;
            for _ in 0..3 {
                stranger.throw(&mut stage.world, CHANNEL, bytes.clone());
            }
            assert_eq!(stranger.cut_for(&stage.world), Some(rule), "{what} at {victim}");
            assert_eq!(stranger.accused(&stage.world), 1, "{what} at {victim}: once is enough");
        }
        stage.publish(FRAME);
    }
    // On a channel nobody gave out, nothing is even looked at: it may be of a session just left.
    let stranger = Stranger::link(&mut stage.world, 4, number);
    stranger.throw(&mut stage.world, 77, Bytes::from_static(&[0xff; 2_000]));
    assert_eq!(stranger.accused(&stage.world), 0);
    stage.publish(secs(1));
    undisturbed(&stage, "of another shape");
}

#[test]
fn messages_that_break_a_rule_cut_their_sender() {
    let mut stage = evening();
    let session = stage.outline.session;
    let strange_tag = tag(&NodeId::from_bytes([1; 32]), &session);
    let path = Path { tags: vec![strange_tag].into(), ..Path::default() };
    let far = |stripe| Body::Pull { stripe, channel: 9, from: 1, until: 2 };
    let signature = [3; 64];
    let long = Path { tags: (0..17).collect(), ..Path::default() };
    let root = |i: usize| stage.world.contact(i);
    let grant = stage.grant(3, 1);
    let forger = PublisherKey::from_seed(&[66; 32]);
    let forged = grant.claims().sign(&forger).expect("within bounds").encode().into();
    let forged = Body::Grant { root: root(3), grant: forged };
    let misnamed = Body::Grant { root: root(2), grant: grant.encode().into() };
    let nothing = Body::Grant { root: root(3), grant: vec![1; 90].into() };
    let encoded = |body| banyan_protocol::wire::control::Control { session, body }.encode();
    let control = Violation::Control;
    let rows = [
        ("garbage", Bytes::from_static(&[0xff; 100]), control),
        ("nothing", Bytes::new(), control),
        ("graft of stripe 6", encoded(graft(6, 1)), control),
        ("graft of stripe 200", encoded(graft(200, 1)), control),
        ("pull of stripe 19", encoded(far(19)), control),
        (
            "pull of 65 blocks",
            encoded(Body::Pull { stripe: 0, channel: 9, from: 1, until: 66 }),
            control,
        ),
        (
            "pull of everything",
            encoded(Body::Pull { stripe: 0, channel: 9, from: 0, until: u64::MAX }),
            control,
        ),
        ("9 members", encoded(Body::Members((0..9).map(member).collect())), control),
        (
            "5 redirects",
            encoded(Body::Redirected {
                stripe: 0,
                request: 1,
                refusal: Refusal::Full,
                members: (0..5).map(member).collect(),
            }),
            control,
        ),
        ("17 tags", encoded(Body::PathUpdate { stripe: 0, path: long, above: None }), control),
        (
            "another's path",
            encoded(Body::PathUpdate { stripe: 0, path, above: None }),
            Violation::Path,
        ),
        ("forged grant", encoded(forged), Violation::ForgedGrant),
        ("grant to another", encoded(misnamed), Violation::ForgedGrant),
        ("no grant", encoded(nothing), control),
        ("forged end", encoded(Body::End { blocks: 1 << 40, signature }), Violation::ForgedEnd),
    ];
    let mut number = 10;
    for (what, bytes, rule) in rows {
        for victim in VICTIMS {
            let stranger = Stranger::link(&mut stage.world, victim, number);
            number += 1;
            for _ in 0..3 {
                stranger.babble(&mut stage.world, bytes.clone());
            }
            assert_eq!(stranger.cut_for(&stage.world), Some(rule), "{what} at {victim}");
            assert_eq!(stranger.accused(&stage.world), 1, "{what} at {victim}: once is enough");
        }
        stage.publish(FRAME);
    }
    stage.publish(secs(1));
    undisturbed(&stage, "rules broken");
}

#[test]
fn what_was_never_asked_for_changes_nothing() {
    let mut stage = evening();
    let session = stage.outline.session;
    for (number, victim) in (10..).zip(VICTIMS) {
        let host = |stage: &Stage| stage.world.hosts[victim].banyan.status().swap_remove(0);
        let parents = |stage: &Stage| -> Vec<_> {
            host(stage).stripes.iter().map(|s| (s.parent, s.links, s.children.clone())).collect()
        };
        let before = parents(&stage);
        let stranger = Stranger::link(&mut stage.world, victim, number);
        let its = tag(&stranger.id, &session);
        let victims = tag(&stage.world.hosts[victim].id, &session);
        let ways = [vec![its], vec![victims, its], vec![7, victims, its]];
        for stripe in 0..STRIPES {
            for tags in &ways {
                let path = Path { tags: tags.clone().into(), ..Path::default() };
                let backups = vec![member(1).contact];
                stranger.say(
                    &mut stage.world,
                    session,
                    Body::PathUpdate { stripe, path: path.clone(), above: None },
                );
                stranger.say(
                    &mut stage.world,
                    session,
                    Body::Admitted {
                        stripe,
                        request: u32::from(stripe),
                        path,
                        backups,
                        displaced: Some(member(1).contact),
                    },
                );
            }
            for reason in [PruneReason::Leaving, PruneReason::Dry, PruneReason::Preempted] {
                let successors = vec![member(1).contact];
                stranger.say(&mut stage.world, session, Body::Prune { stripe, reason, successors });
            }
            let (request, refusal, members) = (1, Refusal::Loop, vec![]);
            stranger.say(
                &mut stage.world,
                session,
                Body::Redirected { stripe, request, refusal, members },
            );
        }
        assert_eq!(parents(&stage), before, "victim {victim}");
        let heard = stranger.heard(&stage.world);
        let pruned = |body: &Body| matches!(body, Body::Prune { .. });
        assert!(heard.iter().all(pruned), "only that it is no parent: {heard:?}");
        // A member speaks for itself alone.
        let members = host(&stage).members;
        stranger.say(&mut stage.world, session, Body::Announce { member: member(5), reply: false });
        assert_eq!(host(&stage).members, members, "victim {victim}");
        // Of a session that is not here nobody says anything but that.
        let other = SessionId::from_bytes([8; 32]);
        for body in [graft(19, 5), Body::Refresh, Body::Members(vec![member(6)])] {
            stranger.say(&mut stage.world, other, body);
        }
        let unknown =
            Body::Redirected { stripe: 19, request: 5, refusal: Refusal::Unknown, members: vec![] };
        assert_eq!(stranger.heard(&stage.world).split_off(heard.len()), [unknown]);
        assert_eq!(stranger.accused(&stage.world), 0);
        stage.publish(secs(1));
    }
    undisturbed(&stage, "never asked for");
}

#[test]
fn pulling_and_grafting_without_end_gives_the_ring_once_and_a_trickle() {
    for victim in VICTIMS {
        let mut stage = evening();
        let session = stage.outline.session;
        let stranger = Stranger::link(&mut stage.world, victim, 10);
        for round in 0..60 {
            let until = stage.published();
            for stripe in 0..STRIPES {
                let from = until - 64;
                let pull = Body::Pull { stripe, channel: 9, from, until };
                stranger.say(&mut stage.world, session, pull);
                stranger.say(&mut stage.world, session, graft(stripe, round));
            }
            // Coming again renews nothing.
            if round % 10 == 0 {
                Stranger::link(&mut stage.world, victim, 10);
            }
            stage.publish(FRAME);
        }
        let bytes: usize = stranger.shards(&stage.world).iter().map(|s| s.encoded().len()).sum();
        // The ring; a quarter of 1 Mbit/s; and as a child of some stripes, what every child gets.
        let most = (8 << 20) + 2 * 1_000_000 / 8 / 4 + 2 * 1_000_000 / 8 * 2;
        assert!(bytes > 1 << 20 && bytes <= most, "{bytes} bytes at {victim}");
        let shed = |(_, event): &&(_, Event)| matches!(event, Event::PullShed { .. });
        let shed = stage.world.hosts[victim].events.iter().filter(shed).count();
        assert!((1..=3).contains(&shed), "said {shed} times at {victim}");
        assert_eq!(stranger.accused(&stage.world), 0);
        let status = stage.world.hosts[victim].banyan.status().swap_remove(0);
        let children: usize = status.stripes.iter().map(|s| s.children.len()).sum();
        assert!(children <= usize::from(status.slots) + 2 + usize::from(status.slots / 8));
        undisturbed(&stage, &format!("pulled, victim {victim}"));
    }
}

#[test]
fn a_flood_of_messages_cuts_its_sender_and_wishes_are_gathered() {
    for victim in VICTIMS {
        let mut stage = evening();
        let session = stage.outline.session;
        let stranger = Stranger::link(&mut stage.world, victim, 10);
        for _ in 0..30 {
            for _ in 0..300 {
                stranger.say(&mut stage.world, session, Body::Refresh);
            }
            stage.publish(FRAME);
        }
        assert_eq!(stranger.cut_for(&stage.world), Some(Violation::Flood), "victim {victim}");
        assert_eq!(stranger.accused(&stage.world), 1);
        let wanted = |(_, event): &&(_, Event)| matches!(event, Event::KeyframeWanted { .. });
        let wanted = stage.world.hosts[0].events.iter().filter(wanted).count();
        assert!((1..=3).contains(&wanted), "{wanted} wishes in a second");
        undisturbed(&stage, &format!("flooded, victim {victim}"));
    }
}

#[test]
fn invented_members_crowd_nobody_out_who_is_there() {
    let mut stage = evening();
    let session = stage.outline.session;
    let victims = [1, 4, 5];
    let strangers = victims.map(|victim| Stranger::link(&mut stage.world, victim, 10));
    let honest: Vec<Member> = (0..6)
        .map(|i| Member { contact: Contact::new(stage.world.hosts[i].id, []), ..member(0) })
        .map(|liar| Member { carries: StripeSet::EMPTY, slots_free: 0, depth: 16, ..liar })
        .collect();
    for round in 0..60 {
        for stranger in &strangers {
            for batch in 0..5 {
                let first = (round * 5 + batch) * 8;
                let members = (first..first + 8).map(member).collect();
                stranger.say(&mut stage.world, session, Body::Members(members));
            }
            // And that those who are there have nothing to give.
            stranger.say(&mut stage.world, session, Body::Members(honest.clone()));
        }
        stage.publish(FRAME);
    }
    for victim in victims {
        let members = stage.world.hosts[victim].banyan.status()[0].members;
        assert!(members <= CANDIDATES_MAX, "{members} at {victim}");
    }
    // Whoever is needed in an emergency is still known.
    let dead = stage.world.hosts[2].id;
    stage.world.kill(2);
    stage.publish(secs(6));
    undisturbed(&stage, "crowded");
    for gateway in [4, 5] {
        let stripes = &stage.world.hosts[gateway].banyan.status()[0].stripes;
        assert!(stripes.iter().all(|s| s.parent.is_some() && s.parent != Some(dead)));
    }
    assert!(strangers.iter().all(|stranger| stranger.accused(&stage.world) == 0));
}
