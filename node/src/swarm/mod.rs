//! The control plane: finds peers and sessions, and spreads capacity adverts.
//!
//! Owns: the libp2p swarm and its task; identify, ping, Kademlia, gossipsub, mDNS and connection
//! limits; what is known of peers' addresses. Refuses: media, and every decision about sessions
//! (whom to graft on, what an advert is worth).
//!
//! ```no_run
//! # async fn example(session: banyan_protocol::identity::SessionId) -> anyhow::Result<()> {
//! use banyan_node::{peer, swarm, transport};
//!
//! let keypair = peer::keypair([7; 32]);
//! let bound = transport::SharedQuic::bind(&keypair, &transport::Config::default())?;
//! let (swarm, mut events) = swarm::start(&swarm::Config::default(), &keypair, bound.control)?;
//! swarm.find_providers(session).await?;
//! while let Some(event) = events.recv().await {
//!     println!("{event:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Handle`] (what can be asked), [`Event`] (what is told), `behaviour` (the
//! protocols), `task` and `handler` (the loop), then the nouns it keeps: `addresses`, `records`,
//! `sessions`, `bootstrap`, `outbox`.

mod addresses;
mod behaviour;
mod bootstrap;
mod event;
mod gossip;
mod handle;
mod handler;
pub mod limits;
mod outbox;
mod records;
mod sessions;
mod task;

pub use addresses::dialable;
pub use behaviour::{KADEMLIA, PROTOCOL};
pub use event::Event;
pub use handle::{Closed, Handle};

use anyhow::Context;
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::identity::Keypair;
use tokio::sync::mpsc;

use crate::transport::QuicTransport;

/// How a node takes part in the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Serve Kademlia queries of others. For nodes that can be reached.
    pub kad_server: bool,
    /// Find nodes in the same network by multicast DNS.
    pub mdns: bool,
    /// What identify tells peers about the program.
    pub agent: String,
}

impl Default for Config {
    fn default() -> Self {
        let agent = concat!("banyan/", env!("CARGO_PKG_VERSION")).to_owned();
        Self { kad_server: true, mdns: true, agent }
    }
}

/// Starts the swarm in a task of its own, listening on all of the transport's addresses.
///
/// # Errors
/// If the transport cannot listen.
///
/// # Panics
/// Outside a tokio runtime.
pub fn start(
    config: &Config,
    keypair: &Keypair,
    transport: QuicTransport,
) -> anyhow::Result<(Handle, mpsc::Receiver<Event>)> {
    let listen = transport.listen_addrs();
    let transport = transport.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer))).boxed();
    let mut swarm = libp2p::Swarm::new(
        transport,
        behaviour::Behaviour::new(keypair, config),
        keypair.public().to_peer_id(),
        libp2p::swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(limits::CONNECTION_IDLE),
    );
    for address in listen {
        swarm.listen_on(address.clone()).with_context(|| format!("listening on {address}"))?;
    }
    let (to_swarm, commands) = mpsc::channel(limits::COMMANDS_MAX);
    let (to_driver, events) = mpsc::channel(limits::EVENTS_MAX);
    tokio::spawn(task::Task::new(swarm).run(commands, to_driver));
    Ok((Handle(to_swarm), events))
}
