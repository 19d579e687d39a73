//! `banyan-sim close-up SEED`: a small session of full nodes in virtual time.
//!
//! A root, three helpers, two gateways, 4+2, one shard in a thousand lost.

use banyan_protocol::input::JoinRole;
use banyan_sim::stage::Stage;
use banyan_sim::world::Network;
use std::time::Duration;

/// Runs the session of `seed`; prints its figures and, with `events`, all that happened.
pub(crate) fn close_up(seed: u64, events: bool) {
    let network = Network {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        loss_ppm: 1_000,
    };
    let mut stage = Stage::new(6, seed, network, (4, 2), 6);
    for helper in 1..4 {
        stage.join(helper, JoinRole::Helper { stripes_max: 2 }, 2);
    }
    stage.publish(Duration::from_secs(3));
    for gateway in 4..6 {
        stage.join(gateway, JoinRole::Gateway, 12);
    }
    stage.publish(Duration::from_secs(10));
    for gateway in 4..6 {
        let host = &stage.world.hosts[gateway];
        println!("gateway={gateway}");
        println!("blocks_delivered={}", host.delivered.len());
        println!("blocks_lost={}", stage.lost(gateway));
        let links = host.banyan.status().into_iter().flat_map(|s| s.stripes).map(|s| s.links);
        println!("links={:?}", links.map(|links| links.unwrap_or(0)).collect::<Vec<_>>());
    }
    if events {
        for (i, host) in stage.world.hosts.iter().enumerate() {
            for (at, event) in &host.events {
                println!("{at:?} node {i} {event:?}");
            }
            println!("{i} {:?}", host.banyan.status());
        }
    }
    println!("trace_hash={:016x}", stage.world.trace_hash());
}
