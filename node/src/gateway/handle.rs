//! The gateway from outside: start it, ask it, feed it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use banyan_protocol::coding::{Block, Track, VideoCodec};
use banyan_protocol::identity::SessionId;
use tokio::sync::{mpsc, oneshot};

use super::connection::dtls::Identity;
use super::datagrams::Datagrams;
use super::engine::{Admitted, Patched, Resource};
use super::event::GatewayEvent;
use super::refusal::Refusal;
use super::sdp::{Fragment, Offer};
use super::stats::PeerStats;
use super::{limits, run};
use crate::transport::Foreign;

type Reply<T> = oneshot::Sender<T>;

/// What the engine is asked.
pub(crate) enum Command {
    Publish(SessionId, Box<Offer>, Option<IpAddr>, Reply<Result<Admitted, Refusal>>),
    Watch(SessionId, Box<Offer>, Option<IpAddr>, Reply<Result<Admitted, Refusal>>),
    Patch(Resource, Fragment, Option<String>, Reply<Result<Patched, Refusal>>),
    Delete(Resource, Reply<Result<(), Refusal>>),
    Stats(Reply<Vec<PeerStats>>),
    SetCandidates(Vec<SocketAddr>),
    RequestKeyframe(SessionId),
    Nack(SessionId, Track, Vec<u16>),
}

/// What the engine is fed.
pub(crate) enum Media {
    Block(SessionId, Arc<Block>),
    Lost(SessionId, u64),
    Ended(SessionId),
}

/// Settings of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Addresses at which peers reach the shared port, those of the local network and those mapped
    /// by a router alike. Answers name some of them, in the order that suits the client.
    pub candidates: Vec<SocketAddr>,
    /// Most publishers and viewers together.
    pub peers_max: usize,
    /// What publishers may send as the picture, in no order.
    pub video_codecs: Vec<VideoCodec>,
}

/// The gateway's engine has stopped, or is so far behind that it takes no more blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway takes no more blocks now")]
pub struct Overloaded;

/// Starts a gateway on a thread of its own. `foreign` brings it the datagrams of the shared port,
/// `datagrams` sends its own, and the receiver returned has its events. It stops when `foreign`
/// is closed, or the last handle is dropped.
///
/// # Errors
/// If the certificate cannot be made or the thread not started.
pub fn start(
    config: Config,
    foreign: mpsc::Receiver<Foreign>,
    datagrams: impl Datagrams,
) -> anyhow::Result<(GatewayHandle, mpsc::Receiver<GatewayEvent>)> {
    let identity = Identity::generate()?;
    let (commands, command_queue) = mpsc::channel(limits::COMMANDS_MAX);
    let (media, media_queue) = mpsc::channel(limits::BLOCKS_MAX);
    let (event_queue, events) = mpsc::channel(limits::EVENTS_MAX);
    let inputs = run::Inputs { foreign, commands: command_queue, media: media_queue };
    std::thread::Builder::new()
        .name("gateway".to_owned())
        .spawn(move || run::run(config, identity, inputs, Box::new(datagrams), event_queue))
        .context("starting the gateway's thread")?;
    Ok((GatewayHandle { commands, media }, events))
}

/// Talks to a gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GatewayHandle {
    commands: mpsc::Sender<Command>,
    media: mpsc::Sender<Media>,
}

impl GatewayHandle {
    /// Lets a publisher in. `client` is the address it asked from, where known: the answer names
    /// first what can be reached from there.
    ///
    /// # Errors
    /// A [`Refusal`] for the publisher.
    pub async fn publish(
        &self,
        session: SessionId,
        offer: Offer,
        client: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        self.ask(|reply| Command::Publish(session, Box::new(offer), client, reply)).await?
    }

    /// Lets a viewer in. `client` is the address it asked from, where known.
    ///
    /// # Errors
    /// A [`Refusal`] for the viewer.
    pub async fn watch(
        &self,
        session: SessionId,
        offer: Offer,
        client: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        self.ask(|reply| Command::Watch(session, Box::new(offer), client, reply)).await?
    }

    /// Takes a peer's candidates or restarts its ICE.
    ///
    /// # Errors
    /// A [`Refusal`] for the peer.
    pub async fn patch(
        &self,
        resource: Resource,
        fragment: Fragment,
        if_match: Option<String>,
    ) -> Result<Patched, Refusal> {
        self.ask(|reply| Command::Patch(resource, fragment, if_match, reply)).await?
    }

    /// Ends a peer's connection.
    ///
    /// # Errors
    /// [`Refusal::UnknownResource`] if there is none.
    pub async fn delete(&self, resource: Resource) -> Result<(), Refusal> {
        self.ask(|reply| Command::Delete(resource, reply)).await?
    }

    /// Figures of every peer; none if the engine is too busy to count.
    pub async fn stats(&self) -> Vec<PeerStats> {
        self.ask(Command::Stats).await.unwrap_or_default()
    }

    /// Sets the addresses at which peers reach the shared port.
    pub async fn set_candidates(&self, candidates: Vec<SocketAddr>) {
        self.tell(Command::SetCandidates(candidates)).await;
    }

    /// Asks the publisher of `session`, if it is connected here, for a keyframe.
    pub async fn request_keyframe(&self, session: SessionId) {
        self.tell(Command::RequestKeyframe(session)).await;
    }

    /// Asks the publisher of `session`, if it is connected here, to send packets again.
    pub async fn nack(&self, session: SessionId, track: Track, lost: Vec<u16>) {
        self.tell(Command::Nack(session, track, lost)).await;
    }

    /// Serves the next block of `session` to its viewers. Never waits.
    ///
    /// # Errors
    /// [`Overloaded`]: the block is dropped, which viewers see as loss.
    pub fn deliver(&self, session: SessionId, block: Arc<Block>) -> Result<(), Overloaded> {
        self.feed(Media::Block(session, block))
    }

    /// Tells viewers of `session` that block `number` will not come.
    ///
    /// # Errors
    /// [`Overloaded`]: the next block tells the same by its number.
    pub fn lost(&self, session: SessionId, number: u64) -> Result<(), Overloaded> {
        self.feed(Media::Lost(session, number))
    }

    /// Ends `session` for its viewers.
    ///
    /// # Errors
    /// [`Overloaded`]: try again, or they notice by silence.
    pub fn ended(&self, session: SessionId) -> Result<(), Overloaded> {
        self.feed(Media::Ended(session))
    }

    fn feed(&self, media: Media) -> Result<(), Overloaded> {
        self.media.try_send(media).map_err(|_| Overloaded)
    }

    async fn tell(&self, command: Command) {
        // A gateway that has stopped needs to know nothing.
        let _ = self.commands.send(command).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|_| Refusal::Busy)?;
        answer.await.map_err(|_| Refusal::Busy)
    }
}
