//! The whole core, among peers that do anything: grafts, lies, shards, silence, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;

use super::{Script, Target};
use crate::Banyan;
use crate::coding::sample::{SESSION, block, key, publisher};
use crate::coding::{Format, Shard, TrackFormat, VideoCodec};
use crate::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet, tag};
use crate::identity::{NodeId, PublisherKey};
use crate::ingest::Draft;
use crate::input::{Command, Input, JoinRole};
use crate::limits::CANDIDATES_MAX;
use crate::output::{Event, Farewell, Output};
use crate::session::{Outline, end_message};
use crate::time::Timestamp;
use crate::unit::Bitrate;
use crate::wire::control::{Body, Control, Graft, PruneReason, Refusal};

/// A script of what happens to one node.
pub(super) const CORE: Target = Target {
    name: "core",
    rounds: 150,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let mut world = World::new(script.u8());
        while !script.is_over() {
            world.step(&mut script);
        }
        world.rest();
    },
    seeds: || (0..3).map(story).collect(),
};

const PEERS: u8 = 6;
const STRIPES: u8 = 6;
const BLOCKS: usize = 32;
/// More than one input may cause: every ring flushed to every child.
const OUTPUTS_MAX: usize = 50_000;

static SHARDS: LazyLock<Vec<Vec<Shard>>> = LazyLock::new(|| publisher(6).take(BLOCKS).collect());

fn me() -> NodeId {
    NodeId::from_bytes([0xff; 32])
}

fn peer(number: u8) -> NodeId {
    NodeId::from_bytes([number % PEERS; 32])
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, number % PEERS, 1], 4433))
}

fn contact(number: u8) -> Contact {
    Contact::new(peer(number), [address(number)])
}

/// A peer, one without an address, one that is never there, or this node itself.
fn anybody(number: u8) -> Contact {
    match number >> 4 {
        0xf => Contact::new(me(), [address(9)]),
        0xe => Contact::new(peer(number), []),
        0xd => Contact::new(NodeId::from_bytes([number; 32]), [address(number)]),
        _ => contact(number),
    }
}

/// What this node asked of a peer and was not answered yet.
struct Asked {
    request: u32,
    channel: u32,
}

struct World {
    banyan: Banyan,
    now: Timestamp,
    deadline: Option<Timestamp>,
    root: bool,
    linked: BTreeSet<NodeId>,
    /// Peers that gave a reason to be cut.
    liars: BTreeSet<NodeId>,
    asked: BTreeMap<(NodeId, u8), Asked>,
    channel: u32,
    /// The next block to be delivered, once one was.
    next: Option<u64>,
    made: u64,
}

impl World {
    fn new(kind: u8) -> Self {
        let outline = Box::new(Outline {
            session: SESSION,
            k: 4,
            m: 2,
            bitrate: Bitrate::from_kbps(2_000),
            media_key: key().verifying_key(),
            publisher: PublisherKey::from_seed(&[3; 32]).id(),
            epoch_seed: [kind; 32],
        });
        let slots = u16::from(kind >> 4);
        let bootstraps = vec![contact(0), contact(1)];
        let join = |role| Command::Join { outline: outline.clone(), role, slots, bootstraps };
        let command = match kind % 3 {
            0 => join(JoinRole::Gateway),
            1 => join(JoinRole::Helper { stripes_max: kind >> 2 & 3 }),
            _ => Command::Publish { outline, media_key: Box::new(key()), slots, first_block: 0 },
        };
        let mut world = Self {
            banyan: Banyan::new(me(), [kind; 32]),
            now: Timestamp::ZERO,
            deadline: None,
            root: kind % 3 == 2,
            linked: BTreeSet::new(),
            liars: BTreeSet::new(),
            asked: BTreeMap::new(),
            channel: 1,
            next: None,
            made: 0,
        };
        world.input(Input::Addresses(vec![address(9)]));
        world.input(Input::Command(command));
        world
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let (what, who) = (script.u8(), script.u8());
        let (from, stripe) = (peer(who), who / PEERS % STRIPES);
        match what % 20 {
            0 => self.pass(Duration::from_millis(u64::from(who) * 4)),
            1 => self.link_up(who, script.u8()),
            2 if self.linked.remove(&from) => self.input(Input::LinkDown(from)),
            3 if !self.linked.contains(&from) => self.input(Input::LinkFailed(from)),
            4 => self.say(from, announce(who, script)),
            5 => self.answer(from, stripe, script, true),
            6 => self.answer(from, stripe, script, false),
            7 | 8 => {
                let shards = &SHARDS[usize::from(script.u8()) % BLOCKS];
                let shard = &shards[usize::from(stripe)];
                self.shard(from, self.channel, shard.encoded().clone());
            }
            9 => {
                let shards = &SHARDS[usize::from(script.u8()) % BLOCKS];
                let mut bytes = shards[usize::from(stripe)].encoded().to_vec();
                let at = usize::from(script.u8()) % bytes.len();
                bytes[at] ^= 0x04;
                self.liars.insert(from);
                self.shard(from, self.channel ^ u32::from(what >> 7), bytes.into());
            }
            10 => {
                self.liars.insert(from);
                let len = script.u8();
                let bytes = Bytes::copy_from_slice(script.bytes(len.into()));
                self.hear(from, bytes);
            }
            11 => self.say(from, graft(stripe, script)),
            12 => {
                let path = self.path(from, script);
                let above = (what & 0x80 != 0).then(|| anybody(who ^ (path.delay_us >> 12) as u8));
                self.say(from, Body::PathUpdate { stripe, path, above });
            }
            13 if what & 0x80 != 0 => {
                let room = u16::from(script.u8());
                let Body::Announce { member, .. } = announce(script.u8(), script) else { return };
                self.say(
                    from,
                    Body::Room { stripe, room, children: room / 2, places: vec![member] },
                );
            }
            13 => {
                let (channel, start) = (script.u8().into(), u64::from(script.u8()));
                let until = start + 1 + u64::from(script.u8() % 64);
                self.say(from, Body::Pull { stripe, channel, from: start, until });
            }
            14 => {
                let reasons = [
                    PruneReason::Replaced,
                    PruneReason::Preempted,
                    PruneReason::Leaving,
                    PruneReason::Loop,
                    PruneReason::Dry,
                ];
                let reason = reasons[usize::from(script.u8()) % reasons.len()];
                let successors = vec![anybody(script.u8())];
                self.say(from, Body::Prune { stripe, reason, successors });
            }
            15 => self.input(Input::Found(SESSION, vec![contact(who), contact(who / PEERS)])),
            16 => {
                let advert = Control { session: SESSION, body: announce(who, script) };
                self.input(Input::Advert(from, advert.encode()));
            }
            17 => self.end(from, script.u8()),
            18 => self.command(script.u8()),
            _ => self.input(Input::Rtt(from, Duration::from_millis(script.u8().into()))),
        }
    }

    fn link_up(&mut self, who: u8, rtt: u8) {
        self.linked.insert(peer(who));
        let rtt = Duration::from_millis(rtt.into());
        self.input(Input::LinkUp { peer: peer(who), address: address(who), rtt });
    }

    fn say(&mut self, from: NodeId, body: Body) {
        self.hear(from, Control { session: SESSION, body }.encode());
    }

    fn hear(&mut self, from: NodeId, bytes: Bytes) {
        if self.linked.contains(&from) {
            self.input(Input::Control(from, bytes));
        }
    }

    fn shard(&mut self, from: NodeId, channel: u32, bytes: Bytes) {
        if self.linked.contains(&from) {
            self.input(Input::Shard(from, channel, bytes));
        }
    }

    /// A peer's answer to a graft: the right one, or for a request that was never made.
    fn answer(&mut self, from: NodeId, stripe: u8, script: &mut Script<'_>, yes: bool) {
        let invented = script.u8().into();
        let request = match self.asked.remove(&(from, stripe)) {
            Some(asked) => {
                self.channel = asked.channel;
                asked.request
            }
            None => invented,
        };
        let body = if yes {
            let backups = vec![anybody(script.u8()), anybody(script.u8())];
            let displaced = backups.first().cloned();
            let path = self.path(from, script);
            Body::Admitted { stripe, request, path, backups, displaced }
        } else {
            let refusals =
                [Refusal::Full, Refusal::NotFed, Refusal::Loop, Refusal::Unknown, Refusal::Leaving];
            let refusal = refusals[usize::from(script.u8()) % refusals.len()];
            let Body::Announce { member, .. } = announce(script.u8(), script) else { return };
            Body::Redirected { stripe, request, refusal, members: vec![member] }
        };
        self.say(from, body);
    }

    /// A path of real peers' tags, of this node's, or of strangers'. Mostly `from` is at its end.
    fn path(&mut self, from: NodeId, script: &mut Script<'_>) -> Path {
        let flags = script.u8();
        let mut tags: Vec<u32> = (0..flags % 16)
            .map(|_| match script.u8() {
                0xff => tag(&me(), &SESSION),
                number if number < 0x80 => tag(&peer(number), &SESSION),
                number => number.into(),
            })
            .collect();
        let its_tag = tag(&from, &SESSION);
        if flags & 0x80 == 0 || tags.is_empty() {
            tags.push(its_tag);
        }
        if tags.last() != Some(&its_tag) {
            self.liars.insert(from);
        }
        Path {
            tags: tags.into(),
            stalled: flags & 0x40 != 0,
            short: StripeSet::from_bits(script.u8().into()),
            delay_us: u32::from(flags) << 12,
        }
    }

    fn end(&mut self, from: NodeId, how: u8) {
        let blocks = u64::from(how);
        let mut signature = key().sign(&end_message(&SESSION, blocks));
        if !how.is_multiple_of(4) {
            self.liars.insert(from);
            signature[usize::from(how) % 64] ^= 1;
        }
        self.say(from, Body::End { blocks, signature });
    }

    fn command(&mut self, which: u8) {
        match which % 4 {
            0 => self.input(Input::Command(Command::Refresh(SESSION))),
            // Rarely: nothing more happens in a session that was left.
            1 if which > 0xf0 => self.input(Input::Command(Command::Leave(SESSION))),
            _ => {
                let starts_group = which & 0x10 == 0;
                let codec = VideoCodec::Vp8;
                let track = TrackFormat { codec, clock_rate: 90_000, fmtp: String::new() };
                let draft = Draft {
                    starts_group,
                    closed_us: self.now.as_micros(),
                    format: starts_group.then_some(Format { video: Some(track), audio: None }),
                    frames: block(self.made, 6, [0; 32]).frames,
                };
                self.made += 1;
                self.input(Input::Command(Command::Ingest(SESSION, draft)));
            }
        }
    }

    /// Lets time pass, waking the node when it asked to be.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..10_000 {
            let Some(at) = self.deadline.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            let before = self.now;
            self.input(Input::Wake);
            assert!(
                self.deadline.is_none_or(|at| at > before),
                "asked to be woken at {:?}, which is not after {before:?}",
                self.deadline
            );
        }
        self.now = self.now.max(until);
        self.input(Input::Wake);
    }

    /// Whatever happened, a node left alone does not spin.
    fn rest(&mut self) {
        self.pass(Duration::from_secs(10));
        assert!(self.deadline.is_none_or(|at| at > self.now));
    }

    fn input(&mut self, input: Input) {
        self.banyan.handle_input(self.now, input);
        for _ in 0..OUTPUTS_MAX {
            match self.banyan.poll_output() {
                Output::Wait(deadline) => {
                    self.deadline = deadline;
                    return self.look();
                }
                output => self.take(output),
            }
        }
        panic!("one input caused {OUTPUTS_MAX} outputs");
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Control(to, bytes) => {
                assert!(self.linked.contains(&to), "sent to {to:?} without a link");
                let message = Control::decode(bytes).expect("what is sent can be read");
                if let Body::Graft(graft) = message.body {
                    let asked = Asked { request: graft.request, channel: graft.channel };
                    self.asked.insert((to, graft.stripe), asked);
                }
            }
            Output::Shard(shard) => {
                assert!(!shard.to.is_empty(), "a shard for nobody");
                let known = |s: &Shard| *s.encoded() == shard.bytes;
                let honest = SHARDS.iter().flatten().any(known);
                assert!(self.root || honest, "passed on a shard that nobody signed");
            }
            Output::Deliver(session, block) => {
                assert_eq!(session, SESSION);
                assert!(self.next.is_none_or(|next| block.number >= next), "out of order");
                self.next = Some(block.number + 1);
            }
            Output::Disconnect(node, why) => {
                let cut = matches!(why, Farewell::Violation(_));
                assert!(!cut || self.liars.contains(&node), "an honest peer was cut: {why:?}");
                if self.linked.remove(&node) {
                    // The driver closes the link; the core hears of it no more.
                    self.asked.retain(|(peer, _), _| *peer != node);
                }
            }
            Output::Event(Event::Violated { peer, violation }) => {
                assert!(self.liars.contains(&peer), "an honest peer was blamed: {violation}");
            }
            Output::Connect(contact) => {
                assert_ne!(contact.node, me(), "a link to itself");
                assert!(!self.linked.contains(&contact.node), "a second link");
            }
            Output::Event(_) | Output::Advertise(..) | Output::Wait(_) => {}
        }
    }

    fn look(&self) {
        for session in self.banyan.status() {
            assert!(session.members <= CANDIDATES_MAX);
            let children: usize = session.stripes.iter().map(|s| s.children.len()).sum();
            // Some more are fed while they are being replaced.
            let most = usize::from(session.slots) + 2 + usize::from(session.slots / 8);
            assert!(children <= most, "{children} children of {} slots", session.slots);
            for stripe in &session.stripes {
                let both = stripe.parent.is_some_and(|parent| stripe.children.contains(&parent));
                assert!(!both, "its own grandchild");
                assert!(stripe.parent != Some(me()) && !stripe.children.contains(&me()));
            }
        }
    }
}

fn announce(who: u8, script: &mut Script<'_>) -> Body {
    let role = match script.u8() % 3 {
        0 => Role::Root,
        1 => Role::Gateway,
        _ => Role::Helper,
    };
    let carries = StripeSet::from_bits(script.u8().into());
    let (slots_free, depth) = (script.u8().into(), script.u8() % 17);
    let (slots, delay_us, age_s) = (slots_free, u32::from(depth) << 14, depth.into());
    let contact = contact(who);
    let reach = [Reach::Public, Reach::Punchable, Reach::Hard][usize::from(depth % 3)];
    let spot = Spot::from_wire([i32::from(depth) * 30, 0, 40, 5]).unwrap_or_default();
    let member =
        Member { contact, role, carries, slots, slots_free, depth, delay_us, age_s, reach, spot };
    Body::Announce { member, reply: who & 0x80 != 0 }
}

fn graft(stripe: u8, script: &mut Script<'_>) -> Body {
    let flags = script.u8();
    Body::Graft(Graft {
        stripe,
        request: script.u8().into(),
        channel: script.u8().into(),
        slots: script.u8().into(),
        resume: script.u8().into(),
        repair_of: (flags & 1 != 0).then(|| peer(flags >> 4)),
        helper: flags & 2 != 0,
        fed: flags >> 5,
        insist: flags & 4 != 0,
        reach: [Reach::Public, Reach::Punchable, Reach::Hard][usize::from(flags >> 6) % 3],
    })
}

/// A quiet evening: links come up, members announce themselves, stripes are grafted and flow.
fn story(kind: u8) -> Vec<u8> {
    let mut script = vec![0x42 + kind]; // four slots
    for who in 0..5 {
        script.extend([1, who, 10]);
        script.extend([4, who, 2, 0x3f, 5, 1]);
    }
    for round in 0..6 {
        for stripe in 0..STRIPES {
            let who = stripe * PEERS + round % 4;
            script.extend([5, who, 0, 2, 3, 0, 0]);
            script.extend([11, stripe * PEERS + 4, 2, 1, 1, 3, 0]);
        }
        for number in 0..4 {
            for stripe in 0..STRIPES {
                script.extend([7, stripe * PEERS + round % 4, round * 4 + number]);
            }
            script.extend([18, 0, if number == 0 { 2 } else { 0x12 }]);
            script.extend([0, 10]);
        }
        script.extend([0, 100, 12, round % 4, 0, 0]);
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quiet evening must be one, or mutations of it lead nowhere.
    #[test]
    fn the_story_gets_as_far_as_media() {
        for (kind, fed) in [(0, true), (1, true), (2, false)] {
            let bytes = story(kind);
            let mut script = Script::new(&bytes);
            let mut world = World::new(script.u8());
            let (mut parents, mut children) = (0, 0);
            while !script.is_over() {
                world.step(&mut script);
                let status = world.banyan.status();
                let stripes = || status.iter().flat_map(|session| &session.stripes);
                parents = parents.max(stripes().filter(|s| s.parent.is_some()).count());
                children = children.max(stripes().map(|s| s.children.len()).sum());
            }
            assert_eq!(parents > 0, fed, "{kind}");
            assert!(children > 0, "{kind}");
            assert!(
                kind == 1 || world.next.is_some_and(|next| next > 3),
                "{kind} {:?}",
                world.next
            );
        }
    }
}
