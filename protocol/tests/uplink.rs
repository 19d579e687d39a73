//! One node and its uplink: how many children it feeds by what the uplink is measured to carry, how
//! several sessions share it, and what requests may take of it.

use banyan_protocol::capacity::Sent;
use banyan_protocol::coding::{Format, Frame, Packet, Track, TrackFormat, VideoCodec};
use banyan_protocol::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet, tag};
use banyan_protocol::identity::{MediaKey, NodeId, PublisherKey, SessionId};
use banyan_protocol::ingest::Draft;
use banyan_protocol::input::{Command, Input, JoinRole};
use banyan_protocol::output::{Event, Output};
use banyan_protocol::session::{Outline, SessionStatus};
use banyan_protocol::time::Timestamp;
use banyan_protocol::unit::Bitrate;
use banyan_protocol::wire::control::{Body, Control, Graft};
use banyan_protocol::{Banyan, Effects, step};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

const STRIPES: u8 = 6;
/// Of a session of 1 Mbit/s in 4 + 2, headers included.
const STRIPE_KBPS: u64 = 275;
const SAMPLE: Duration = Duration::from_millis(100);

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 32])
}

fn peer(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([11, 0, number, 1], 4433))
}

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
    /// A node whose owner gives `give_kbps`; 0: it is not said.
    fn new(give_kbps: u64) -> Self {
        let banyan = Banyan::new(peer(0xff), [1; 32]);
        let mut node = Self { banyan, now: Timestamp::ZERO, wake: None, did: Vec::new() };
        if give_kbps > 0 {
            node.input(Input::Command(Command::Give(Bitrate::from_kbps(give_kbps))));
        }
        node
    }

    fn outline(number: u8) -> (Box<Outline>, Box<MediaKey>) {
        let key = MediaKey::from_seed(&[9; 32]);
        let outline = Outline {
            session: session(number),
            k: 4,
            m: 2,
            bitrate: Bitrate::from_kbps(1_000),
            media_key: key.verifying_key(),
            publisher: PublisherKey::from_seed(&[8; 32]).id(),
            epoch_seed: [3; 32],
        };
        (Box::new(outline), Box::new(key))
    }

    fn publish(&mut self, number: u8) {
        let (outline, media_key) = Self::outline(number);
        let command = Command::Publish { outline, media_key, slots: 60, first_block: 0 };
        self.input(Input::Command(command));
    }

    /// Joins a session in which stranger 1 feeds it every stripe.
    fn join(&mut self, number: u8) {
        let (outline, _) = Self::outline(number);
        let contact = Contact::new(peer(1), [address(1)]);
        let bootstraps = vec![contact.clone()];
        let role = JoinRole::Gateway;
        self.input(Input::Command(Command::Join { outline, role, slots: 60, bootstraps }));
        self.link(1);
        let member = Member {
            contact,
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
        self.say(1, number, Body::Announce { member, reply: false });
        let asked = self.did.iter().filter_map(|output| match output {
            Output::Control(to, bytes) if *to == peer(1) => Control::decode(bytes.clone()).ok(),
            _ => None,
        });
        let asked: Vec<Body> =
            asked.filter(|message| message.session == session(number)).map(|m| m.body).collect();
        for message in asked {
            let Body::Graft(Graft { stripe, request, .. }) = message else { continue };
            let path =
                Path { tags: vec![1, tag(&peer(1), &session(number))].into(), ..Path::default() };
            self.say(
                1,
                number,
                Body::Admitted { stripe, request, path, backups: Vec::new(), displaced: None },
            );
        }
    }

    fn input(&mut self, input: Input) {
        self.wake = step(&mut self.banyan, self.now, input, &mut Did(&mut self.did));
    }

    fn link(&mut self, number: u8) {
        let (address, rtt) = (address(number), Duration::from_millis(1));
        self.input(Input::LinkUp { peer: peer(number), address, rtt });
    }

    fn say(&mut self, number: u8, to: u8, body: Body) {
        let message = Control { session: session(to), body };
        self.input(Input::Control(peer(number), message.encode()));
    }

    /// A stranger asks to be fed every stripe of a session.
    fn graft(&mut self, number: u8, to: u8) {
        self.link(number);
        for stripe in 0..STRIPES {
            let graft = Graft {
                stripe,
                request: 1,
                channel: 9,
                slots: 0,
                resume: 0,
                repair_of: None,
                helper: false,
                fed: 0,
                insist: false,
                reach: Reach::Public,
            };
            self.say(number, to, Body::Graft(graft));
        }
    }

    /// For a while the links take `kbps` in all, and what is sent waits `queue_ms`.
    fn sends(&mut self, seconds: u64, kbps: u64, queue_ms: u64) {
        for _ in 0..seconds * 10 {
            let until = self.now + SAMPLE;
            while let Some(at) = self.wake.filter(|at| *at <= until) {
                self.now = self.now.max(at);
                self.input(Input::Wake);
            }
            self.now = until;
            let queue = Duration::from_millis(queue_ms);
            self.input(Input::Sent(vec![Sent { acked: kbps * 1_000 / 8 / 10, queue }]));
        }
    }

    fn status(&self, number: u8) -> SessionStatus {
        let all = self.banyan.status();
        all.into_iter().find(|status| status.session == session(number)).expect("it is in it")
    }

    fn slots(&self, number: u8) -> u64 {
        self.status(number).slots.into()
    }

    fn children(&self, number: u8) -> usize {
        self.status(number).stripes.iter().map(|stripe| stripe.children.len()).sum()
    }

    /// Bytes of shards sent since the last time.
    fn shards(&mut self) -> usize {
        let bytes = self.did.drain(..).filter_map(|output| match output {
            Output::Shard(shard) => Some(shard.bytes.len() * shard.to.len()),
            _ => None,
        });
        bytes.sum()
    }

    fn ingest(&mut self, number: u8, block: u64) {
        let payload = Bytes::from(vec![block as u8; 1_000]);
        let packets = (0..4).map(|i| Packet { marker: i == 3, payload: payload.clone() }).collect();
        let (timestamp, capture_us) = (block as u32 * 3_000, self.now.as_micros());
        let frame = Frame { track: Track::Video, timestamp, capture_us, packets };
        let video = TrackFormat { codec: VideoCodec::Vp8, clock_rate: 90_000, fmtp: String::new() };
        let starts_group = block == 0;
        let draft = Draft {
            starts_group,
            closed_us: capture_us,
            format: starts_group.then_some(Format { video: Some(video), audio: None }),
            frames: vec![frame],
        };
        self.input(Input::Command(Command::Ingest(session(number), draft)));
    }
}

#[test]
fn of_an_unmeasured_uplink_slots_are_what_was_said() {
    let mut node = Node::new(0);
    node.publish(1);
    node.sends(5, 100, 500);
    assert_eq!(node.slots(1), 60);
}

#[test]
fn a_publisher_whose_line_is_full_feeds_fewer_but_one_copy_in_any_case() {
    let mut node = Node::new(50_000);
    node.publish(1);
    assert_eq!(node.slots(1), 60, "its owner vouches for it");
    node.sends(5, 20_000, 5);
    assert_eq!(node.slots(1), 60);
    node.sends(5, 5_000, 200); // it believes half at most with each second
    let carries = 5_000 * 4 / 5 / STRIPE_KBPS;
    assert!((carries / 2..=carries).contains(&node.slots(1)), "{} slots", node.slots(1));
    node.sends(8, 400, 200);
    assert_eq!(node.slots(1), u64::from(STRIPES));
}

#[test]
fn a_newcomer_gives_what_it_takes_then_more_then_half_when_its_line_is_full() {
    let mut node = Node::new(50_000);
    node.join(1);
    assert_eq!(node.slots(1), u64::from(STRIPES), "as many as it takes");
    (2..12).for_each(|number| node.graft(number, 1));
    node.sends(4, 2_000, 5);
    assert_eq!(node.slots(1), 6);
    node.sends(3, 2_000, 5);
    assert_eq!(node.slots(1), 12, "five clean seconds in use");
    (2..12).for_each(|number| node.graft(number, 1));
    node.sends(5, 4_000, 5);
    assert_eq!(node.slots(1), 24);
    (2..12).for_each(|number| node.graft(number, 1));
    let before = node.children(1);
    assert!(before >= 20, "{before} children");
    node.sends(2, 4_000, 300);
    assert!(node.slots(1) <= 12, "{} slots", node.slots(1));
    node.sends(4, 1_500, 5); // those it sends away look elsewhere and are fed meanwhile
    assert!(node.children(1) <= before - 4, "{} children", node.children(1));
}

#[test]
fn two_sessions_share_one_uplink() {
    // 24 slots of four fifths.
    let mut node = Node::new(24 * STRIPE_KBPS * 5 / 4);
    node.publish(1);
    assert_eq!(node.slots(1), 24);
    (2..4).for_each(|number| node.graft(number, 1));
    node.sends(3, 3_000, 5);
    assert_eq!(node.children(1), 12);
    node.join(2);
    node.sends(2, 3_000, 5);
    let (own, other) = (node.slots(1), node.slots(2));
    assert!(own >= 12 && own + other <= 24, "{own} and {other} slots");
    let mut node = Node::new(24 * STRIPE_KBPS * 5 / 4);
    node.join(1);
    node.join(2);
    node.sends(2, 100, 5);
    assert_eq!((node.slots(1), node.slots(2)), (6, 6), "both on probation");
    for _ in 0..4 {
        (2..8).for_each(|number| node.graft(number, 1));
        node.sends(6, 3_000, 5);
    }
    let (one, two) = (node.slots(1), node.slots(2));
    assert!(one >= 15 && two >= 4 && one + two <= 24, "{one} and {two} slots");
    node.input(Input::Command(Command::Leave(session(1))));
    for _ in 0..4 {
        (2..8).for_each(|number| node.graft(number, 2));
        node.sends(6, 3_000, 5);
    }
    assert_eq!(node.slots(2), 24, "what the other left");
}

#[test]
fn requests_together_get_a_tenth_of_the_uplink_and_none_behind_a_queue() {
    const GIVEN_KBPS: u64 = 4_000;
    let pulled = |given_kbps: u64, queue_ms: u64| {
        let mut node = Node::new(given_kbps);
        node.publish(1);
        (1..40).for_each(|number| node.link(number));
        node.shards();
        let mut block = 0;
        for _ in 0..30 {
            (0..3).for_each(|i| node.ingest(1, block + i));
            block += 3;
            for number in 1..40 {
                let (stripe, channel) = (number % STRIPES, 9);
                let (from, until) = (block - 3, block);
                node.say(number, 1, Body::Pull { stripe, channel, from, until });
            }
            node.sends(0, 0, 0);
            let until = node.now + SAMPLE;
            node.now = until;
            let queue = Duration::from_millis(queue_ms);
            node.input(Input::Sent(vec![Sent { acked: 10_000, queue }]));
        }
        let shed = Event::PullShed { session: session(1), stripe: 0, peer: peer(0) };
        let shed = |output: &&Output| {
            matches!(output, Output::Event(event)
                if std::mem::discriminant(event) == std::mem::discriminant(&shed))
        };
        let sheds = node.did.iter().filter(shed).count();
        (node.shards() as u64, sheds)
    };
    let (free, sheds) = pulled(0, 0);
    assert_eq!(sheds, 0);
    let (bounded, sheds) = pulled(GIVEN_KBPS, 0);
    let share = GIVEN_KBPS * 1_000 / 8 / 10 * 4; // of three seconds, and of one in advance
    assert!(free > 2 * share, "{free} bytes are asked for, {share} may be had");
    assert!((share / 2..=share).contains(&bounded), "{bounded} of {share} bytes");
    assert!((1..=4).contains(&sheds), "told {sheds} times");
    // What was taken before the first measurement.
    assert!(pulled(GIVEN_KBPS, 150).0 <= GIVEN_KBPS * 1_000 / 8 / 10 + 2_000);
}
