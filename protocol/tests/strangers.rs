//! One node among strangers who say too much: what it must not pass on, dial, or keep.

use banyan_protocol::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet, tag};
use banyan_protocol::identity::{MediaKey, NodeId, PublisherKey, SessionId};
use banyan_protocol::input::{Command, Input, JoinRole};
use banyan_protocol::limits::{CONTROL_BURST, PEERS_MAX};
use banyan_protocol::output::{Farewell, Output};
use banyan_protocol::session::Outline;
use banyan_protocol::time::Timestamp;
use banyan_protocol::unit::Bitrate;
use banyan_protocol::wire::control::{Body, Control, Graft, PruneReason};
use banyan_protocol::wire::gossip::Gossip;
use banyan_protocol::{Banyan, Effects, step};
use std::net::SocketAddr;
use std::time::Duration;

const SESSION: SessionId = SessionId::from_bytes([7; 32]);
const STRIPES: u8 = 6;
const SECOND: Duration = Duration::from_secs(1);

fn me() -> NodeId {
    NodeId::from_bytes([0xff; 32])
}

/// Stranger number `number`.
fn stranger(number: u32) -> NodeId {
    let mut id = [0xee; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    NodeId::from_bytes(id)
}

fn address(number: u32) -> SocketAddr {
    let [a, b, c, d] = number.to_be_bytes();
    SocketAddr::from(([a | 11, b, c, d], 4433))
}

fn contact(number: u32) -> Contact {
    Contact::new(stranger(number), [address(number)])
}

fn describe(number: u32) -> Body {
    let member = Member {
        contact: contact(number),
        role: Role::Helper,
        carries: StripeSet::all(STRIPES),
        slots: 100,
        slots_free: 100,
        depth: 1,
        delay_us: 0,
        age_s: 0,
        reach: Reach::default(),
        spot: Spot::default(),
    };
    Body::Announce { member, reply: false }
}

fn encoded(body: Body) -> bytes::Bytes {
    Control { session: SESSION, body }.encode()
}

fn prune(stripe: u8, reason: PruneReason, successors: Vec<Contact>) -> Body {
    Body::Prune { stripe, reason, successors }
}

/// One node, and all it did.
struct Node {
    banyan: Banyan,
    now: Timestamp,
    wake: Option<Timestamp>,
    did: Vec<Output>,
}

struct Did<'a>(&'a mut Vec<Output>);

impl Effects for Did<'_> {
    fn carry_out(&mut self, output: Output) {
        self.0.push(output);
    }
}

impl Node {
    fn new(command: impl FnOnce(Box<Outline>, MediaKey) -> Command) -> Self {
        let key = MediaKey::from_seed(&[9; 32]);
        let outline = Outline {
            session: SESSION,
            k: 4,
            m: 2,
            bitrate: Bitrate::from_kbps(1_000),
            media_key: key.verifying_key(),
            publisher: PublisherKey::from_seed(&[8; 32]).id(),
            epoch_seed: [3; 32],
        };
        let banyan = Banyan::new(me(), [1; 32]);
        let mut node = Self { banyan, now: Timestamp::ZERO, wake: None, did: Vec::new() };
        node.input(Input::Addresses(vec![address(0xffff)]));
        node.input(Input::Command(command(Box::new(outline), key)));
        node
    }

    fn root() -> Self {
        Self::new(|outline, key| {
            let media_key = Box::new(key);
            Command::Publish { outline, media_key, slots: 60, first_block: 0 }
        })
    }

    /// A gateway that stranger 1 feeds in every stripe.
    fn below_a_stranger() -> Self {
        let mut node = Self::new(|outline, _| {
            let bootstraps = vec![contact(1)];
            Command::Join { outline, role: JoinRole::Gateway, slots: 60, bootstraps }
        });
        node.link(1);
        node.say(1, describe(1));
        let asked: Vec<_> = node.heard(1).collect();
        for message in asked {
            let Body::Graft(Graft { stripe, request, .. }) = message else { continue };
            let path = way(1, false);
            let backups = Vec::new();
            node.say(1, Body::Admitted { stripe, request, path, backups, displaced: None });
        }
        let stripes = &node.banyan.status()[0].stripes;
        assert!(stripes.iter().all(|s| s.parent == Some(stranger(1))), "{stripes:?}");
        node
    }

    fn input(&mut self, input: Input) {
        self.wake = step(&mut self.banyan, self.now, input, &mut Did(&mut self.did));
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.wake.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.input(Input::Wake);
        }
        self.now = until;
    }

    fn link(&mut self, number: u32) {
        let (address, rtt) = (address(number), Duration::from_millis(1));
        self.input(Input::LinkUp { peer: stranger(number), address, rtt });
    }

    fn say(&mut self, number: u32, body: Body) {
        self.input(Input::Control(stranger(number), encoded(body)));
    }

    /// A stranger asks to be fed a stripe.
    fn graft(&mut self, number: u32, stripe: u8, helper: bool) {
        let (request, channel, resume, fed) = (1, 9, 0, 0);
        let (slots, repair_of, insist) = (u16::from(helper), None, false);
        self.say(
            number,
            Body::Graft(Graft {
                stripe,
                request,
                channel,
                slots,
                resume,
                repair_of,
                helper,
                fed,
                insist,
                reach: Reach::Public,
            }),
        );
    }

    /// What a stranger was told.
    fn heard(&self, number: u32) -> impl Iterator<Item = Body> {
        let messages = self.did.iter().filter_map(move |output| match output {
            Output::Control(to, bytes) if *to == stranger(number) => Some(bytes.clone()),
            _ => None,
        });
        messages.map(|bytes| Control::decode(bytes).expect("what is sent can be read").body)
    }

    /// How often a stranger was told a path.
    fn paths(&self, number: u32) -> usize {
        self.heard(number).filter(|body| matches!(body, Body::PathUpdate { .. })).count()
    }

    /// Whom the node dialled.
    fn dialled(&self) -> Vec<NodeId> {
        let dialled = self.did.iter().filter_map(|output| match output {
            Output::Connect(contact) => Some(contact.node),
            _ => None,
        });
        dialled.collect()
    }
}

/// A way from a root to a stranger.
fn way(number: u32, stalled: bool) -> Path {
    Path { tags: vec![1, tag(&stranger(number), &SESSION)].into(), stalled, ..Path::default() }
}

#[test]
fn made_up_adverts_close_the_door_to_nobody() {
    let mut node = Node::root();
    for number in 0..PEERS_MAX as u32 + 100 {
        node.input(Input::Advert(stranger(number), encoded(describe(number))));
    }
    node.link(1 << 20);
    let refused = node.did.iter().any(|o| matches!(o, Output::Disconnect(_, Farewell::Full)));
    assert!(!refused, "there is no room for a link");
    // And whom a member speaks of is heard of again in a moment.
    node.pass(SECOND);
    node.did.clear();
    let parent = 1 << 20;
    node.say(parent, Body::Members(Vec::new()));
    assert!(node.banyan.linked().any(|peer| peer == stranger(parent)));
}

#[test]
fn who_hears_a_crowd_speaks_less_often() {
    let adverts = |members: u32| {
        let mut node = Node::root();
        node.pass(SECOND * 120);
        let mut since = 0;
        for second in 0..1_200 {
            // Members that speak every 100 s, each in its turn.
            for number in (0..members).filter(|number| number % 100 == second % 100) {
                let Body::Announce { member, .. } = describe(number) else { unreachable!() };
                let gossip = Gossip { session: SESSION, member, interval: SECOND * 100 };
                node.input(Input::Advert(stranger(number), gossip.encode()));
            }
            node.pass(SECOND);
            if second < 600 {
                node.did.clear(); // it learns
            }
            since = node.did.iter().filter(|o| matches!(o, Output::Advertise(..))).count();
        }
        since
    };
    let (alone, crowd) = (adverts(0), adverts(100));
    assert!((50..=70).contains(&alone), "{alone} adverts in ten minutes");
    assert!((2..=15).contains(&crowd), "{crowd} adverts in ten minutes");
}

#[test]
fn who_comes_and_goes_is_no_news_to_the_children_of_others() {
    let mut node = Node::root();
    node.link(1);
    (0..STRIPES).for_each(|stripe| node.graft(1, stripe, false));
    node.did.clear();
    for _ in 0..100 {
        node.link(2);
        node.input(Input::LinkDown(stranger(2)));
    }
    assert_eq!(node.paths(1), 0);
}

#[test]
fn grafting_and_pruning_without_end_makes_the_root_no_flood_for_its_children() {
    for helper in [false, true] {
        let mut node = Node::root();
        node.link(1);
        node.link(2);
        (0..STRIPES).for_each(|stripe| node.graft(1, stripe, false));
        node.did.clear();
        // As much as a node may say without being cut.
        for round in 0..CONTROL_BURST / 2 - 10 {
            let stripe = (round % u64::from(STRIPES)) as u8;
            node.graft(2, stripe, helper);
            node.say(2, prune(stripe, PruneReason::Replaced, Vec::new()));
        }
        let most = CONTROL_BURST as usize / 4;
        assert!(node.paths(1) <= most, "{} paths at once, helper: {helper}", node.paths(1));
        node.did.clear();
        for _ in 0..10 * 20 {
            for stripe in 0..STRIPES {
                node.graft(2, stripe, helper);
                node.say(2, prune(stripe, PruneReason::Replaced, Vec::new()));
            }
            node.pass(SECOND / 20);
        }
        // Of 256 per second, for 20 stripes, not 6.
        let most = 10 * 256 * usize::from(STRIPES) / 20;
        assert!(node.paths(1) <= most, "{} paths in 10 s, helper: {helper}", node.paths(1));
    }
}

#[test]
fn a_parent_that_changes_its_path_without_end_makes_its_child_no_flood_for_others() {
    let mut node = Node::below_a_stranger();
    node.link(2);
    (0..STRIPES).for_each(|stripe| node.graft(2, stripe, false));
    node.did.clear();
    for round in 0..CONTROL_BURST / 2 {
        let path = way(1, round.is_multiple_of(2));
        node.say(1, Body::PathUpdate { stripe: 0, path, above: None });
    }
    assert!(node.paths(2) > 0, "the first is told at once");
    let most = CONTROL_BURST as usize / 20;
    assert!(node.paths(2) <= most, "{} paths at once", node.paths(2));
    // The last word arrives all the same.
    let path = way(1, true);
    node.say(1, Body::PathUpdate { stripe: 0, path, above: None });
    node.pass(SECOND * 2);
    let last = node.heard(2).filter_map(|body| match body {
        Body::PathUpdate { stripe: 0, path, .. } => Some(path.stalled),
        _ => None,
    });
    assert_eq!(last.last(), Some(true));
}

#[test]
fn nobody_is_talked_into_a_link_to_itself() {
    for reason in [PruneReason::Leaving, PruneReason::Dry] {
        let mut node = Node::below_a_stranger();
        let mine = Contact::new(me(), [address(5)]);
        for stripe in 0..STRIPES {
            let (path, above) = (way(1, false), Some(mine.clone()));
            node.say(1, Body::PathUpdate { stripe, path, above });
        }
        node.pass(SECOND * 10);
        for stripe in 0..STRIPES {
            node.say(1, prune(stripe, reason, vec![mine.clone()]));
        }
        node.pass(SECOND * 3);
        assert!(!node.dialled().contains(&me()), "{reason:?}");
    }
}

#[test]
fn a_parent_that_leaves_again_and_again_makes_its_child_dial_few() {
    let mut node = Node::below_a_stranger();
    node.did.clear();
    for round in 0..CONTROL_BURST as u32 / 2 {
        let successors = vec![contact(100 + 2 * round), contact(101 + 2 * round)];
        node.say(1, prune(0, PruneReason::Leaving, successors));
    }
    let dialled = node.dialled().len();
    assert!((1..=4).contains(&dialled), "{dialled} dialled");
}

#[test]
fn who_breaks_a_rule_again_and_again_clears_nobody_else() {
    let mut node = Node::root();
    let unreadable = |node: &mut Node, number| {
        node.link(number);
        node.input(Input::Control(stranger(number), bytes::Bytes::from_static(&[0xff; 9])));
    };
    unreadable(&mut node, 1);
    (0..200).for_each(|_| unreadable(&mut node, 2));
    node.did.clear();
    node.link(1);
    node.graft(1, 0, false);
    assert_eq!(node.heard(1).count(), 0, "it is still banned");
}
