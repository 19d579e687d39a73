//! Nodes in the same network find each other by themselves, and do not tell others of loopback.
//!
//! mDNS needs an interface that is not loopback, and its packets must not leave this machine. So
//! the test starts itself again in a network namespace with one virtual interface. Where the
//! system allows no namespaces it says so and proves nothing.

use std::process::Command;
use std::time::Duration;

use banyan_node::peer::keypair;
use banyan_node::swarm::{self, Event, dialable};
use banyan_node::transport::{Config, SharedQuic};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

const INSIDE: &str = "BANYAN_TEST_INSIDE_NAMESPACE";
const ADDRESS: [u8; 4] = [10, 77, 0, 1];
/// The interface's other end needs no address: what is multicast loops back by itself.
const SET_UP: &str = "ip link set lo up && ip link add here type veth peer name there \
    && ip addr add 10.77.0.1/24 dev here && ip link set here up && ip link set there up";

#[test]
fn neighbours_find_each_other() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(inside());
        return;
    }
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", script]);
        command
    };
    if !namespace(SET_UP).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no network namespaces here");
        return;
    }
    let own = std::env::current_exe().expect("it runs");
    let output = namespace(&format!("{SET_UP} && exec \"$0\" --exact neighbours_find_each_other"))
        .arg(own)
        .env(INSIDE, "1")
        .output()
        .expect("it has just worked");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

struct Node {
    peer: PeerId,
    shared: SharedQuic,
    events: mpsc::Receiver<Event>,
    _swarm: swarm::Handle,
}

fn start(seed: u8) -> Node {
    let keypair = keypair([seed; 32]);
    let bound = SharedQuic::bind(&keypair, &Config::default()).expect("wildcards bind");
    let config = swarm::Config { mdns: true, ..swarm::Config::default() };
    let (swarm, events) = swarm::start(&config, &keypair, bound.control).expect("it listens");
    Node { peer: keypair.public().to_peer_id(), shared: bound.shared, events, _swarm: swarm }
}

impl Node {
    /// Waits until `other` is known, and returns where; collects what it listens on meanwhile.
    async fn meets(&mut self, other: PeerId, listening: &mut Vec<Multiaddr>) -> Vec<Multiaddr> {
        let search = async {
            loop {
                match self.events.recv().await.expect("the swarm runs") {
                    Event::Peer { peer, addresses } if peer == other => return addresses,
                    Event::Listening(address) => listening.push(address),
                    Event::ListeningEnded(address) => listening.retain(|a| *a != address),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), search).await.expect("they meet")
    }

    fn address(&self) -> std::net::SocketAddr {
        (ADDRESS, self.shared.local_addrs()[0].port()).into()
    }
}

async fn inside() {
    let (mut a, mut b) = (start(1), start(2));
    let mut listening = Vec::new();
    let addresses = a.meets(b.peer, &mut listening).await;
    assert!(addresses.iter().any(|x| dialable(x) == Some(b.address())), "{addresses:?}");
    let of_loopback = |a: &&Multiaddr| dialable(a).is_some_and(|s| s.ip().is_loopback());
    assert_eq!(listening.iter().find(of_loopback), None, "useless to others");
    assert!(listening.iter().any(|x| dialable(x) == Some(a.address())), "{listening:?}");
    let addresses = b.meets(a.peer, &mut Vec::new()).await;
    assert!(addresses.iter().any(|x| dialable(x) == Some(a.address())), "{addresses:?}");
}
