//! The only event loop around the core: links, commands and time → `Banyan` → effects.
//!
//! Runs as one task; everything else talks to it through a [`Driver`] handle.

use crate::discovery::Discovery;
use crate::gateway::GatewayHandle;
use crate::link::{LinkEvent, LinkStats, Links};
use crate::telemetry::facts;
use crate::transport::{self, SharedQuic};
use banyan_protocol::capacity::Sent;
use banyan_protocol::coding::Block;
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::{NodeId, NodeKey, SessionId};
use banyan_protocol::ingest::Draft;
use banyan_protocol::input::{Command, Input};
use banyan_protocol::output::{Event, Output};
use banyan_protocol::session::SessionStatus;
use banyan_protocol::time::Timestamp;
use banyan_protocol::unit::Bitrate;
use banyan_protocol::{Banyan, Effects, step};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Requests waiting for the driver. Derived: a second of blocks of a few sessions.
const REQUESTS_MAX: usize = 256;
/// Blocks waiting for a native viewer; the viewer misses what finds no room. Derived: 8 s at 30
/// blocks/s.
const BLOCKS_MAX: usize = 256;
/// Round trips are read this often.
const RTT_EVERY: Duration = Duration::from_secs(1);

/// What the links took is read this often. Derived: more than twice in the time for which a queue
/// must stand before it counts (`protocol/capacity`).
const SENT_EVERY: Duration = Duration::from_millis(100);
/// A reading that is so much later says more of this machine than of its line: it has no time to
/// send, or to hear what arrived. Guess.
const SENT_LATE: Duration = Duration::from_millis(50);

/// What the driver is asked.
enum Request {
    Command(Command),
    Found(SessionId, Vec<Contact>),
    Advert(NodeId, Bytes),
    Addresses(Vec<SocketAddr>),
    Blocks(SessionId, mpsc::Sender<Arc<Block>>),
    Status(oneshot::Sender<Snapshot>),
    Stop(oneshot::Sender<()>),
}

/// What the driver sees at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Every session of the core.
    pub sessions: Vec<SessionStatus>,
    /// Every link.
    pub links: Vec<LinkStats>,
    /// Recent median delay from the root closing a block to its delivery here, per session.
    pub delays: BTreeMap<SessionId, Duration>,
    /// What the uplink is expected to carry at most.
    pub uplink: Option<Bitrate>,
}

/// Handle on the driver. Cheap to clone.
#[derive(Clone)]
pub struct Driver(mpsc::Sender<Request>);

/// Everything the driver works with.
pub struct Parts {
    /// Who this node is.
    pub key: NodeKey,
    /// Dials links.
    pub quic: SharedQuic,
    /// Links that others dial.
    pub links: mpsc::Receiver<transport::Link>,
    /// Where rebuilt blocks go.
    pub gateway: GatewayHandle,
    /// Whom to ask for members.
    pub discovery: Discovery,
    /// Wishes for keyframes, for the sessions this node publishes.
    pub keyframes: mpsc::Sender<SessionId>,
    /// Upload that the owner gives to other nodes.
    pub upload: Bitrate,
}

/// The driver's queue, made before the driver so that its parts can be given the handle.
pub struct Queue(mpsc::Receiver<Request>);

impl Driver {
    /// A handle, and the queue to start the driver with.
    #[must_use]
    pub fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
        (Self(sender), Queue(receiver))
    }

    /// Gives the core a command.
    pub async fn command(&self, command: Command) {
        self.ask(Request::Command(command)).await;
    }

    /// Gives the core one more block of a session that this node publishes.
    pub async fn ingest(&self, session: SessionId, draft: Draft) {
        self.command(Command::Ingest(session, draft)).await;
    }

    /// Discovery found members of a session.
    pub async fn found(&self, session: SessionId, contacts: Vec<Contact>) {
        self.ask(Request::Found(session, contacts)).await;
    }

    /// A capacity advert came by gossip.
    pub async fn advert(&self, from: NodeId, bytes: Bytes) {
        self.ask(Request::Advert(from, bytes)).await;
    }

    /// The addresses at which this node can be reached.
    pub async fn addresses(&self, addresses: Vec<SocketAddr>) {
        self.ask(Request::Addresses(addresses)).await;
    }

    /// The blocks of a session as they are delivered. A reader that falls behind misses some.
    pub async fn blocks(&self, session: SessionId) -> mpsc::Receiver<Arc<Block>> {
        let (sender, receiver) = mpsc::channel(BLOCKS_MAX);
        self.ask(Request::Blocks(session, sender)).await;
        receiver
    }

    /// What goes on now. Empty once the driver has stopped.
    pub async fn snapshot(&self) -> Snapshot {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Status(reply)).await;
        answer.await.unwrap_or_default()
    }

    /// Leaves every session: pairs are pruned, children told whom to ask, a publisher's viewers
    /// told that it is over. The driver ends with it.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        self.ask(Request::Stop(reply)).await;
        let _ = done.await;
    }

    async fn ask(&self, request: Request) {
        // A driver that has stopped needs nothing any more.
        let _ = self.0.send(request).await;
    }
}

/// Starts the driver on the current runtime.
pub fn start(queue: Queue, parts: Parts) {
    tokio::spawn(run(queue.0, parts));
}

async fn run(mut requests: mpsc::Receiver<Request>, parts: Parts) {
    let Parts { key, quic, mut links, gateway, discovery, keyframes, upload } = parts;
    let (events, mut link_events) = mpsc::channel(crate::link::EVENTS_MAX);
    let mut banyan = Banyan::new(key.id(), *blake3::hash(key.seed()).as_bytes());
    let mut world = World {
        links: Links::new(quic, events),
        gateway,
        discovery,
        keyframes,
        viewers: BTreeMap::new(),
        delays: BTreeMap::new(),
        sent_at: None,
    };
    let origin = Instant::now();
    let give = Input::Command(Command::Give(upload));
    let mut wake = step(&mut banyan, now(origin), give, &mut world);
    let mut rtt = tokio::time::interval(RTT_EVERY);
    rtt.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sent = tokio::time::interval(SENT_EVERY);
    sent.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let inputs = tokio::select! {
            biased;
            () = until(origin, wake), if wake.is_some() => vec![Input::Wake],
            Some(event) = link_events.recv() => world.links.on_event(event).into_iter().collect(),
            Some(link) = links.recv() => {
                world.links.on_event(LinkEvent::Up(link)).into_iter().collect()
            }
            request = requests.recv() => match request {
                Some(Request::Stop(done)) => {
                    leave_all(&mut banyan, &mut world, origin);
                    // Nobody reads events any more, and a reader that waits for room never ends.
                    drop(link_events);
                    world.links.finish().await;
                    let _ = done.send(());
                    return;
                }
                Some(request) => world.on_request(request, &banyan).into_iter().collect(),
                None => return,
            },
            due = sent.tick(), if !world.links.is_empty() => {
                vec![Input::Sent(world.sent(due.into_std()))]
            }
            _ = rtt.tick() => world.links.rtts().map(|(node, rtt)| Input::Rtt(node, rtt)).collect(),
        };
        for input in inputs {
            wake = step(&mut banyan, now(origin), input, &mut world);
        }
    }
}

fn now(origin: Instant) -> Timestamp {
    Timestamp::from_micros(origin.elapsed().as_micros() as u64)
}

async fn until(origin: Instant, wake: Option<Timestamp>) {
    if let Some(at) = wake {
        tokio::time::sleep_until((origin + at.since(Timestamp::ZERO)).into()).await;
    }
}

fn leave_all(banyan: &mut Banyan, world: &mut World, origin: Instant) {
    for session in banyan.status() {
        let leave = Input::Command(Command::Leave(session.session));
        step(banyan, now(origin), leave, world);
    }
}

/// What the core's outputs act on.
struct World {
    links: Links,
    gateway: GatewayHandle,
    discovery: Discovery,
    keyframes: mpsc::Sender<SessionId>,
    viewers: BTreeMap<SessionId, Vec<mpsc::Sender<Arc<Block>>>>,
    delays: BTreeMap<SessionId, Delays>,
    /// When it was last read what the links took.
    sent_at: Option<Instant>,
}

impl World {
    /// What the links took since this was last read; `due`: when it should have been read.
    fn sent(&mut self, due: Instant) -> Vec<Sent> {
        let now = Instant::now();
        let before = self.sent_at.replace(now).unwrap_or(due);
        let late =
            now.duration_since(due).max(now.duration_since(before).saturating_sub(SENT_EVERY));
        let mut sent = self.links.sent();
        if late > SENT_LATE {
            sent.iter_mut().for_each(|link| link.queue = Duration::ZERO);
        }
        sent
    }

    fn on_request(&mut self, request: Request, banyan: &Banyan) -> Option<Input> {
        match request {
            Request::Command(command) => {
                if let Command::Leave(session) = &command {
                    self.viewers.remove(session);
                    self.delays.remove(session);
                }
                Some(Input::Command(command))
            }
            Request::Found(session, contacts) => Some(Input::Found(session, contacts)),
            Request::Advert(from, bytes) => Some(Input::Advert(from, bytes)),
            Request::Addresses(addresses) => Some(Input::Addresses(addresses)),
            Request::Blocks(session, sender) => {
                self.viewers.entry(session).or_default().push(sender);
                None
            }
            Request::Status(reply) => {
                let delays = self.delays.iter();
                let _ = reply.send(Snapshot {
                    sessions: banyan.status(),
                    links: self.links.stats(),
                    uplink: banyan.uplink(),
                    delays: delays.filter_map(|(id, d)| Some((*id, d.median()?))).collect(),
                });
                None
            }
            Request::Stop(_) => None,
        }
    }

    fn deliver(&mut self, session: SessionId, block: Arc<Block>) {
        self.delays.entry(session).or_default().note(block.closed_us);
        if let Some(viewers) = self.viewers.get_mut(&session) {
            viewers.retain(|viewer| {
                !matches!(viewer.try_send(block.clone()), Err(mpsc::error::TrySendError::Closed(_)))
            });
        }
        if self.gateway.deliver(session, block).is_err() {
            tracing::warn!(session = %session.short(), "the gateway is too busy for a block");
        }
    }

    fn on_event(&mut self, event: Event) {
        facts::write(&event);
        match event {
            Event::BlocksLost { session, blocks } => {
                let _ = self.gateway.lost(session, blocks.end - 1);
            }
            Event::KeyframeWanted { session } => {
                // Full: one is on its way already.
                let _ = self.keyframes.try_send(session);
            }
            Event::CandidatesWanted { session, .. } => self.discovery.find(session),
            Event::Ended { session } => {
                self.viewers.remove(&session);
                let _ = self.gateway.ended(session);
            }
            Event::Grafted { .. }
            | Event::Orphaned { .. }
            | Event::ChildAdmitted { .. }
            | Event::ChildReleased { .. }
            | Event::Pulled { .. }
            | Event::PullShed { .. }
            | Event::Violated { .. }
            | Event::RootGranted { .. }
            | Event::PublisherInconsistent { .. } => {}
        }
    }
}

impl Effects for World {
    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(contact) => self.links.connect(contact),
            Output::Disconnect(node, why) => self.links.disconnect(node, why),
            Output::Control(to, message) => self.links.send_control(to, message),
            Output::Shard(shard) => self.links.send_shard(&shard),
            Output::Deliver(session, block) => self.deliver(session, block),
            Output::Advertise(session, advert) => self.discovery.advertise(session, advert),
            Output::Event(event) => self.on_event(event),
            Output::Wait(_) => {}
        }
    }
}

/// The last delays from root to here.
#[derive(Default)]
struct Delays(std::collections::VecDeque<u64>);

impl Delays {
    /// Derived: two seconds at 30 blocks/s.
    const KEPT: usize = 64;

    fn note(&mut self, closed_us: u64) {
        let unix = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((unix.as_micros() as u64).saturating_sub(closed_us));
    }

    fn median(&self) -> Option<Duration> {
        let mut sorted: Vec<u64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().map(Duration::from_micros)
    }
}
