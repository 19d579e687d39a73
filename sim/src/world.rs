//! The world: nodes, the links between them, and time.

use crate::host::Host;
use crate::queue::Queue;
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::NodeId;
use banyan_protocol::input::{Command, Input};
use banyan_protocol::output::{Output, ShardOut};
use banyan_protocol::rng::Rng;
use banyan_protocol::time::Timestamp;
use banyan_protocol::{Effects, step};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// After a node died without a word, its peers' links go down this late. Derived: the idle timeout
/// of a real link.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Control messages kept for tests that replay them.
const CONTROLS_KEPT: usize = 64;

/// How the network behaves.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// One-way delay.
    pub delay: Duration,
    /// Largest random addition to it.
    pub jitter: Duration,
    /// Shards lost for good, per million. (A real link repeats them; here a loss is a loss.)
    pub loss_ppm: u64,
}

enum Event {
    Input(usize, Input),
    Wake(usize),
    Connect(usize, Contact),
}

/// Nodes in virtual time.
pub struct World {
    /// The nodes by index.
    pub hosts: Vec<Host>,
    /// The network.
    pub network: Network,
    /// The last control messages sent, the newest last.
    pub controls: VecDeque<Bytes>,
    now: Timestamp,
    queue: Queue<Event>,
    index: BTreeMap<NodeId, usize>,
    links: BTreeSet<(usize, usize)>,
    forgers: BTreeSet<usize>,
    seed: u64,
    rng: Rng,
    trace: u64,
}

impl World {
    /// A world of `n` nodes that know nothing of each other.
    #[must_use]
    pub fn new(n: u32, seed: u64, network: Network) -> Self {
        let hosts: Vec<Host> = (0..n).map(|i| Host::new(i, seed)).collect();
        let index = hosts.iter().enumerate().map(|(i, host)| (host.id, i)).collect();
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut world = Self {
            hosts,
            network,
            controls: VecDeque::new(),
            now: Timestamp::ZERO,
            queue: Queue::default(),
            index,
            links: BTreeSet::new(),
            forgers: BTreeSet::new(),
            seed,
            rng: Rng::new(&bytes, "network"),
            trace: 0,
        };
        for i in 0..world.hosts.len() {
            world.input(i, Input::Addresses(vec![address(i)]));
        }
        world
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How to reach a node.
    #[must_use]
    pub fn contact(&self, i: usize) -> Contact {
        Contact::new(self.hosts[i].id, [address(i)])
    }

    /// Which node has an id.
    #[must_use]
    pub fn who(&self, id: &NodeId) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Gives a node a command now.
    pub fn command(&mut self, i: usize, command: Command) {
        self.input(i, Input::Command(command));
    }

    /// Feeds a node any input now.
    pub fn input(&mut self, i: usize, input: Input) {
        if !self.hosts[i].alive {
            return;
        }
        let mut effects = Collect(Vec::new());
        let wake = step(&mut self.hosts[i].banyan, self.now, input, &mut effects);
        for output in effects.0 {
            self.carry_out(i, output);
        }
        self.hosts[i].wake = wake;
        if let Some(at) = wake {
            self.queue.push(at.max(self.now), Event::Wake(i));
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some((at, event)) = self.queue.pop(until) {
            self.now = self.now.max(at);
            match event {
                Event::Input(i, input) => self.input(i, input),
                Event::Wake(i) if self.hosts[i].wake == Some(at) => self.input(i, Input::Wake),
                Event::Wake(_) => {}
                Event::Connect(i, contact) => self.connect(i, &contact),
            }
        }
        self.now = until;
    }

    /// Kills a node without a word: `kill -9`.
    pub fn kill(&mut self, i: usize) {
        self.hosts[i].alive = false;
        let links: Vec<_> =
            self.links.iter().filter(|(a, b)| *a == i || *b == i).copied().collect();
        for (a, b) in links {
            self.links.remove(&(a, b));
            let (other, dead) = (if a == i { b } else { a }, self.hosts[i].id);
            self.queue.push(self.now + IDLE_TIMEOUT, Event::Input(other, Input::LinkDown(dead)));
        }
    }

    /// Starts a dead node again: same identity, no memory.
    pub fn revive(&mut self, i: usize) {
        self.hosts[i] = Host::new(i as u32, self.seed);
        self.input(i, Input::Addresses(vec![address(i)]));
    }

    /// From now on a node spoils every shard it sends.
    pub fn forge(&mut self, i: usize) {
        self.forgers.insert(i);
    }

    /// A number that two runs of the same seed share.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.trace
    }

    fn connect(&mut self, i: usize, contact: &Contact) {
        let other = self.who(&contact.node).filter(|other| self.hosts[*other].alive);
        let Some(other) = other.filter(|_| self.hosts[i].alive) else {
            let failed = Input::LinkFailed(contact.node);
            self.queue.push(self.now + IDLE_TIMEOUT, Event::Input(i, failed));
            return;
        };
        if !self.links.insert((i.min(other), i.max(other))) {
            return;
        }
        let rtt = self.network.delay * 2;
        for (at, a, b) in [(rtt, i, other), (rtt, other, i)] {
            let up = Input::LinkUp { peer: self.hosts[b].id, address: address(b), rtt };
            self.queue.push(self.now + at, Event::Input(a, up));
        }
    }

    fn carry_out(&mut self, i: usize, output: Output) {
        self.trace = self.trace.rotate_left(5) ^ fingerprint(self.now, i, &output);
        match output {
            Output::Connect(contact) => self.queue.push(self.now, Event::Connect(i, contact)),
            Output::Disconnect(node, _) => {
                let Some(other) = self.who(&node) else {
                    self.hosts[i].to_strangers.push((self.now, output));
                    return;
                };
                if self.links.remove(&(i.min(other), i.max(other))) {
                    let down = Input::LinkDown(self.hosts[i].id);
                    self.queue.push(self.now + self.network.delay, Event::Input(other, down));
                }
            }
            Output::Control(to, _) if self.who(&to).is_none() => {
                self.hosts[i].to_strangers.push((self.now, output));
            }
            Output::Control(to, bytes) => {
                if self.controls.len() == CONTROLS_KEPT {
                    self.controls.pop_front();
                }
                self.controls.push_back(bytes.clone());
                self.send(i, to, |from| Input::Control(from, bytes));
            }
            Output::Shard(shard) => {
                let mut bytes = shard.bytes.clone();
                if self.forgers.contains(&i) {
                    let mut spoilt = bytes.to_vec();
                    *spoilt.last_mut().expect("a shard has a payload") ^= 1;
                    bytes = spoilt.into();
                }
                for (child, channel) in shard.to {
                    let bytes = bytes.clone();
                    if self.who(&child).is_none() {
                        let (to, session) = (vec![(child, channel)], shard.session);
                        let (block, stripe) = (shard.block, shard.stripe);
                        let shard = ShardOut { to, session, block, stripe, bytes };
                        self.hosts[i].to_strangers.push((self.now, Output::Shard(shard)));
                        continue;
                    }
                    if self.rng.below(1_000_000) >= self.network.loss_ppm {
                        self.send(i, child, |from| Input::Shard(from, channel, bytes));
                    }
                }
            }
            Output::Deliver(_, block) => self.hosts[i].delivered.push((self.now, block)),
            Output::Advertise(..) => {} // gossip has no part in this world yet
            Output::Event(event) => self.hosts[i].events.push((self.now, event)),
            Output::Wait(_) => {}
        }
    }

    fn send(&mut self, from: usize, to: NodeId, input: impl FnOnce(NodeId) -> Input) {
        let Some(other) = self.who(&to) else { return };
        if self.links.contains(&(from.min(other), from.max(other))) {
            let jitter = self.rng.below(self.network.jitter.as_micros() as u64 + 1);
            let at = self.now + self.network.delay + Duration::from_micros(jitter);
            self.queue.push(at, Event::Input(other, input(self.hosts[from].id)));
        }
    }
}

struct Collect(Vec<Output>);

impl Effects for Collect {
    fn carry_out(&mut self, output: Output) {
        self.0.push(output);
    }
}

fn address(i: usize) -> SocketAddr {
    let [_, a, b, c] = (i as u32 + 1).to_be_bytes();
    (Ipv4Addr::new(10, a, b, c), 4433).into()
}

fn fingerprint(now: Timestamp, i: usize, output: &Output) -> u64 {
    let (kind, size) = match output {
        Output::Connect(_) => (1, 0),
        Output::Disconnect(..) => (2, 0),
        Output::Control(_, bytes) => (3, bytes.len()),
        Output::Shard(shard) => (4, shard.bytes.len() * shard.to.len()),
        Output::Deliver(_, block) => (5, block.number as usize),
        Output::Event(_) => (6, 0),
        Output::Wait(_) => (7, 0),
        Output::Advertise(_, bytes) => (8, bytes.len()),
    };
    now.as_micros().wrapping_mul(31) ^ ((i as u64) << 40) ^ ((kind as u64) << 32) ^ size as u64
}
