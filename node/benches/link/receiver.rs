//! A gateway that takes all ten stripes: its checking and rebuilding alone, and all of it.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use banyan_protocol::coding::{Checker, Rebuilder, RebuilderConfig, Rebuilt, Shard};
use banyan_protocol::forest::Contact;
use banyan_protocol::input::JoinRole;
use banyan_protocol::time::Timestamp;

use crate::cpu::median;
use crate::helper::{ROOT_SEED, join};
use crate::load;
use crate::node::{Node, id};
use crate::process::{Process, say, told};

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_secs(2);
const SETTLE: Duration = Duration::from_secs(2);
const GATEWAY_SEED: [u8; 32] = [14; 32];
/// Blocks that are made before the measurement.
const BLOCKS: u64 = 1_000;

pub(crate) fn measure() {
    let (rebuild, _) = Process::start(&["rebuild"]);
    let (_root, root) = Process::start(&["root", "10"]);
    let (mut gateway, _) = Process::start(&["gateway", &root]);
    std::thread::sleep(SETTLE);
    let (mut alone, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = (rebuild.cpu(), gateway.cpu());
        std::thread::sleep(ROUND);
        let pct = |used: Duration| used.as_secs_f64() * 100.0 / ROUND.as_secs_f64();
        alone.push(pct(rebuild.cpu() - start.0));
        whole.push(pct(gateway.cpu() - start.1));
    }
    gateway.tell("");
    println!("receiver_core_pct={:.3}", median(alone));
    println!("receiver_with_links_core_pct={:.3}", median(whole));
    println!("{}\n{}", gateway.line(), gateway.line());
}

/// Checks and rebuilds at live pace, from shards that are there already. The time its thread takes
/// to wake 30 times a second is in the figure.
pub(crate) async fn rebuild() {
    let blocks = load::shards(BLOCKS);
    let checker = Checker::new(load::outline().session, load::outline().media_key);
    let mut rebuilder = Rebuilder::new(checker, RebuilderConfig::default());
    let mut pace = load::pace();
    pace.tick().await;
    say("ready");
    for (number, shards) in blocks.into_iter().enumerate() {
        let now = Timestamp::from_micros(number as u64 * load::INTERVAL.as_micros() as u64);
        pace.tick().await;
        let (late, early) = shards.split_at(number % shards.len());
        let mut rebuilt = 0;
        for shard in early.iter().chain(late) {
            let shard = Shard::decode(shard.encoded().clone()).expect("ours");
            rebuilder.push(now, 0_u32, shard, false);
            while let Some(block) = rebuilder.poll(now) {
                rebuilt += usize::from(matches!(block, Rebuilt::Block(_)));
            }
        }
        assert_eq!(rebuilt, 1, "block {number}");
    }
    panic!("{BLOCKS} blocks are too few for the measurement");
}

/// A whole gateway but for its browsers.
pub(crate) async fn gateway(root: SocketAddr) {
    let mut node = Node::start(GATEWAY_SEED).await;
    let bootstraps = vec![Contact::new(id(ROOT_SEED), [root])];
    node.command(join(JoinRole::Gateway, 0, bootstraps)).await;
    node.grafted(usize::from(load::K + load::M)).await;
    say("ready");
    told().await;
    let (blocks, lost) = (&node.counts.blocks, &node.counts.lost);
    let (blocks, lost) = (blocks.load(Ordering::Relaxed), lost.load(Ordering::Relaxed));
    say(format_args!("receiver_blocks_rebuilt={blocks}\nreceiver_blocks_lost={lost}"));
    std::future::pending().await
}
