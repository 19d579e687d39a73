//! A helper that takes one stripe and feeds 30 children, against bare quinn doing the same.
//!
//! Both run at once, at live pace, and are read over the same stretches of time: what disturbs one
//! disturbs the other.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use banyan_protocol::forest::{Contact, home};
use banyan_protocol::input::{Command, JoinRole};

use crate::cpu::median;
use crate::load;
use crate::node::{Node, id};
use crate::process::{Process, say, told};

const CHILDREN: usize = 30;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_secs(2);
/// Until handshakes and the current group are through.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) const ROOT_SEED: [u8; 32] = [11; 32];
pub(crate) const HELPER_SEED: [u8; 32] = [12; 32];

pub(crate) fn measure() {
    let children = CHILDREN.to_string();
    // One slot per stripe: the helper takes its stripe's, its children find no other parent.
    let (_root, root) = Process::start(&["root", "10"]);
    let (helper, address) = Process::start(&["helper", &root]);
    let (mut fed, _) = Process::start(&["children", &address, &children]);
    let (_bare_root, root) = Process::start(&["bare-root"]);
    let (bare, address) = Process::start(&["bare-helper", &root]);
    let (_bare_fed, _) = Process::start(&["bare-children", &address, &children]);
    std::thread::sleep(SETTLE);

    fed.tell("");
    let before: u64 = fed.line().parse().expect("a count");
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = (helper.cpu(), bare.cpu());
        std::thread::sleep(ROUND);
        let mine = (helper.cpu() - start.0).as_secs_f64() / ROUND.as_secs_f64();
        let bare = (bare.cpu() - start.1).as_secs_f64() / ROUND.as_secs_f64();
        ours.push(mine * 100.0);
        theirs.push(bare * 100.0);
        ratios.push(mine / bare);
    }
    fed.tell("");
    let after: u64 = fed.line().parse().expect("a count");
    let expected = load::BLOCKS * CHILDREN as u64 * (ROUNDS as u64 * ROUND.as_secs());
    println!("helper_children={CHILDREN}");
    println!(
        "helper_shards_delivered_pct={:.2}",
        (after - before) as f64 * 100.0 / expected as f64
    );
    println!("helper_core_pct={:.2}", median(ours));
    println!("helper_quinn_core_pct={:.2}", median(theirs));
    println!("helper_cpu_ratio_vs_quinn={:.3}", median(ratios));
}

/// The publisher's node, at live pace.
pub(crate) async fn root(slots: u16) {
    let node = Node::start(ROOT_SEED).await;
    let outline = Box::new(load::outline());
    let session = outline.session;
    let media_key = Box::new(load::media_key());
    node.command(Command::Publish { outline, media_key, slots, first_block: 0 }).await;
    say(node.address);
    let mut pace = load::pace();
    for number in 0.. {
        pace.tick().await;
        node.command(Command::Ingest(session, load::draft(number))).await;
    }
}

/// One stripe in, many children out.
pub(crate) async fn helper(root: SocketAddr) {
    let mut node = Node::start(HELPER_SEED).await;
    let bootstraps = vec![Contact::new(id(ROOT_SEED), [root])];
    node.command(join(JoinRole::Helper { stripes_max: 1 }, CHILDREN as u16, bootstraps)).await;
    node.grafted(1).await;
    say(node.address);
    std::future::pending().await
}

/// Children that are at home in the helper's stripe.
pub(crate) async fn children(helper: SocketAddr, count: usize) {
    let home = |seed| home(&id(seed), &load::outline().epoch_seed, load::K + load::M);
    let stripe = home(HELPER_SEED);
    let seeds = (0..u64::MAX).map(|number| {
        let mut seed = [13; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        seed
    });
    let mut nodes = Vec::new();
    for seed in seeds.filter(|seed| home(*seed) == stripe).take(count) {
        let mut node = Node::start(seed).await;
        let bootstraps = vec![Contact::new(id(HELPER_SEED), [helper])];
        node.command(join(JoinRole::Helper { stripes_max: 1 }, 0, bootstraps)).await;
        node.grafted(1).await;
        nodes.push(node);
    }
    say("ready");
    loop {
        told().await;
        say(nodes.iter().map(|node| node.counts.shards.load(Ordering::Relaxed)).sum::<u64>());
    }
}

pub(crate) fn join(role: JoinRole, slots: u16, bootstraps: Vec<Contact>) -> Command {
    Command::Join { outline: Box::new(load::outline()), role, slots, bootstraps }
}
