//! A node without swarm, gateway and pages: the core, links and time, driven as the program does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use banyan_node::link::{EVENTS_MAX, LinkEvent, Links};
use banyan_node::peer;
use banyan_node::transport::{self, SharedQuic};
use banyan_protocol::identity::{NodeId, NodeKey};
use banyan_protocol::input::{Command, Input};
use banyan_protocol::output::{Event, Output};
use banyan_protocol::time::Timestamp;
use banyan_protocol::{Banyan, Effects, step};
use tokio::sync::mpsc;

/// Handle on a running node.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    inputs: mpsc::Sender<Input>,
    pub(crate) counts: Arc<Counts>,
    grafted: mpsc::Receiver<u8>,
}

/// What a node has seen.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) shards: AtomicU64,
    pub(crate) blocks: AtomicU64,
    pub(crate) lost: AtomicU64,
}

/// The id of the node with this seed.
pub(crate) fn id(seed: [u8; 32]) -> NodeId {
    NodeKey::from_seed(&seed).id()
}

/// The port of the node with this seed.
pub(crate) fn bind(seed: [u8; 32]) -> (SharedQuic, mpsc::Receiver<transport::Link>, SocketAddr) {
    let config = transport::Config { ip4: Some(Ipv4Addr::LOCALHOST), ip6: None, port: 0 };
    let bound = SharedQuic::bind(&peer::keypair(seed), &config).expect("loopback has a free port");
    let address = bound.shared.local_addrs()[0];
    (bound.shared, bound.links, address)
}

impl Node {
    pub(crate) async fn start(seed: [u8; 32]) -> Self {
        let (quic, links, address) = bind(seed);
        let (inputs, queue) = mpsc::channel(64);
        let (grafts, grafted) = mpsc::channel(64);
        let counts = Arc::new(Counts::default());
        let id = id(seed);
        let banyan = Banyan::new(id, seed);
        tokio::spawn(drive(banyan, quic, links, queue, grafts, counts.clone()));
        let node = Self { address, inputs, counts, grafted };
        node.tell(Input::Addresses(vec![address])).await;
        node
    }

    pub(crate) async fn tell(&self, input: Input) {
        self.inputs.send(input).await.expect("the node runs");
    }

    pub(crate) async fn command(&self, command: Command) {
        self.tell(Input::Command(command)).await;
    }

    /// Waits until `count` stripes have a parent.
    pub(crate) async fn grafted(&mut self, count: usize) {
        for _ in 0..count {
            self.grafted.recv().await.expect("the node runs");
        }
    }
}

async fn drive(
    mut banyan: Banyan,
    quic: SharedQuic,
    mut links: mpsc::Receiver<transport::Link>,
    mut inputs: mpsc::Receiver<Input>,
    grafts: mpsc::Sender<u8>,
    counts: Arc<Counts>,
) {
    let (events, mut link_events) = mpsc::channel(EVENTS_MAX);
    let mut world = World { links: Links::new(quic, events), grafts, counts };
    let origin = Instant::now();
    let now = || Timestamp::from_micros(origin.elapsed().as_micros() as u64);
    let mut wake: Option<Timestamp> = None;
    loop {
        let until = async |at: Option<Timestamp>| match at {
            Some(at) => tokio::time::sleep_until((origin + at.since(Timestamp::ZERO)).into()).await,
            None => std::future::pending().await,
        };
        let input = tokio::select! {
            biased;
            () = until(wake) => Some(Input::Wake),
            Some(event) = link_events.recv() => world.links.on_event(event),
            Some(link) = links.recv() => world.links.on_event(LinkEvent::Up(link)),
            Some(input) = inputs.recv() => Some(input),
        };
        if let Some(input) = input {
            if matches!(input, Input::Shard(..)) {
                world.counts.shards.fetch_add(1, Ordering::Relaxed);
            }
            wake = step(&mut banyan, now(), input, &mut world);
        }
    }
}

struct World {
    links: Links,
    grafts: mpsc::Sender<u8>,
    counts: Arc<Counts>,
}

impl Effects for World {
    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(contact) => self.links.connect(contact),
            Output::Disconnect(node, why) => self.links.disconnect(node, why),
            Output::Control(to, message) => self.links.send_control(to, message),
            Output::Shard(shard) => self.links.send_shard(&shard),
            Output::Deliver(..) => {
                self.counts.blocks.fetch_add(1, Ordering::Relaxed);
            }
            Output::Event(Event::Grafted { stripe, .. }) => {
                let _ = self.grafts.try_send(stripe);
            }
            Output::Event(Event::BlocksLost { blocks, .. }) => {
                self.counts.lost.fetch_add(blocks.end - blocks.start, Ordering::Relaxed);
            }
            Output::Event(_) | Output::Advertise(..) | Output::Wait(_) => {}
        }
    }
}
