//! One link, as many shards as it takes, against bare quinn, in turns.

use std::net::SocketAddr;

use banyan_node::link::{EVENTS_MAX, LinkEvent, Links};
use banyan_node::transport;
use banyan_protocol::forest::Contact;
use banyan_protocol::input::Input;
use banyan_protocol::output::ShardOut;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::cpu::median;
use crate::load;
use crate::node::{bind, id};
use crate::process::{Process, say, told};

const ROUNDS: usize = 9;
/// Shards in a round: 60 MB.
const SHARDS: usize = 27_000;
/// Shards on their way at once: a link sheds what is too much, so the sender waits for the receiver.
/// 3.3 MB, less than the link's own window; quinn's is 10 MB.
const WINDOW: usize = 1_500;
/// The receiver says how far it is after so many.
const ACK_EVERY: usize = 100;
const RECEIVER_SEED: [u8; 32] = [21; 32];
const SENDER_SEED: [u8; 32] = [22; 32];

pub(crate) fn measure() {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let count = SHARDS.to_string();
    for _ in 0..ROUNDS {
        ours.push(round(&["flat-receiver"], "flat-sender", &count));
        theirs.push(round(&["bare-flat-receiver", &count], "bare-flat-sender", &count));
    }
    let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    println!("link_cpu_ns_per_byte={:.3}", median(ours));
    println!("link_quinn_cpu_ns_per_byte={:.3}", median(theirs));
    println!("link_cpu_ratio_vs_quinn={:.3}", median(ratios));
}

/// CPU time of sender and receiver per byte, ns.
fn round(receiver: &[&str], sender: &str, count: &str) -> f64 {
    let (mut receiver, address) = Process::start(receiver);
    let (mut sender, _) = Process::start(&[sender, &address, count]);
    let before = sender.cpu() + receiver.cpu();
    sender.tell("");
    assert_eq!(receiver.line(), "done");
    let used = sender.cpu() + receiver.cpu() - before;
    let bytes: usize = load::shards(load::BLOCKS)
        .iter()
        .flatten()
        .cycle()
        .take(SHARDS)
        .map(|shard| shard.encoded().len())
        .sum();
    used.as_nanos() as f64 / bytes as f64
}

/// A node's links without its core.
struct Bare {
    links: Links,
    events: mpsc::Receiver<LinkEvent>,
    incoming: mpsc::Receiver<transport::Link>,
}

impl Bare {
    fn new(seed: [u8; 32]) -> (Self, SocketAddr) {
        let (quic, incoming, address) = bind(seed);
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        (Self { links: Links::new(quic, sender), events, incoming }, address)
    }

    async fn next(&mut self) -> Input {
        loop {
            let event = tokio::select! {
                Some(event) = self.events.recv() => event,
                Some(link) = self.incoming.recv() => LinkEvent::Up(link),
            };
            if let Some(input) = self.links.on_event(event) {
                return input;
            }
        }
    }
}

pub(crate) async fn receiver() {
    let (mut bare, address) = Bare::new(RECEIVER_SEED);
    say(address);
    let mut count = 0;
    loop {
        match bare.next().await {
            Input::Shard(from, ..) => {
                count += 1;
                if count % ACK_EVERY == 0 {
                    bare.links.send_control(from, Bytes::from_static(b"more"));
                }
                if count == SHARDS {
                    say("done");
                }
            }
            Input::LinkDown(_) => panic!("the link is gone"),
            _ => {}
        }
    }
}

pub(crate) async fn sender(to: SocketAddr, count: usize) {
    let (mut bare, _) = Bare::new(SENDER_SEED);
    let receiver = id(RECEIVER_SEED);
    bare.links.connect(Contact::new(receiver, [to]));
    while !matches!(bare.next().await, Input::LinkUp { .. }) {}
    let blocks = load::shards(load::BLOCKS);
    say("ready");
    told().await;
    let session = load::outline().session;
    let (mut sent, mut acked) = (0, 0);
    for shard in blocks.iter().flatten().cycle().take(count) {
        while sent >= acked + WINDOW {
            match bare.next().await {
                Input::Control(..) => acked += ACK_EVERY,
                Input::LinkDown(_) => panic!("the link is gone"),
                _ => {}
            }
        }
        bare.links.send_shard(&ShardOut {
            to: vec![(receiver, 1)],
            session,
            block: (sent / 10) as u64,
            stripe: shard.stripe(),
            bytes: shard.encoded().clone(),
        });
        sent += 1;
    }
    loop {
        bare.next().await;
    }
}
