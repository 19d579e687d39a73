//! The loop that drives the engine, on a thread of its own: media of hundreds of viewers must not
//! wait for HTTP, nor the other way round.

use std::time::Instant;

use tokio::sync::mpsc;

use super::connection::dtls::Identity;
use super::datagrams::Datagrams;
use super::engine::Engine;
use super::event::GatewayEvent;
use super::handle::{Command, Config, Media};
use super::limits;
use super::network::Network;
use crate::transport::Foreign;

/// Where the engine's inputs come from.
pub(crate) struct Inputs {
    pub(crate) foreign: mpsc::Receiver<Foreign>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) media: mpsc::Receiver<Media>,
}

/// Runs the engine until its inputs are closed.
pub(crate) fn run(
    config: Config,
    identity: Identity,
    inputs: Inputs,
    datagrams: Box<dyn Datagrams>,
    events: mpsc::Sender<GatewayEvent>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the gateway cannot start");
            return;
        }
    };
    let network = Network::new(datagrams);
    let mut engine = Engine::new(Instant::now(), identity, network, events, config);
    runtime.block_on(turns(&mut engine, inputs));
    engine.shut_down(Instant::now());
}

async fn turns(engine: &mut Engine, mut inputs: Inputs) {
    let mut datagrams = Vec::with_capacity(limits::DATAGRAMS_PER_TURN);
    loop {
        let deadline = tokio::time::sleep_until(engine.deadline().into());
        // In order of urgency. What is due is done after each turn, so its timer comes last.
        tokio::select! {
            biased;
            media = inputs.media.recv() => match media {
                Some(media) => feed(engine, media),
                None => return,
            },
            command = inputs.commands.recv() => match command {
                Some(command) => obey(engine, command),
                None => return,
            },
            received = inputs.foreign.recv_many(&mut datagrams, limits::DATAGRAMS_PER_TURN) => {
                if received == 0 {
                    return;
                }
            }
            () = deadline => {}
        }
        let now = Instant::now();
        for datagram in datagrams.drain(..) {
            engine.handle_datagram(now, &datagram);
        }
        engine.handle_timeout(now);
    }
}

fn feed(engine: &mut Engine, media: Media) {
    let now = Instant::now();
    match media {
        Media::Block(session, block) => engine.deliver(now, session, &block),
        Media::Lost(session, number) => engine.lost(now, session, number),
        Media::Ended(session) => engine.ended(now, session),
    }
}

fn obey(engine: &mut Engine, command: Command) {
    let now = Instant::now();
    // A reply that nobody waits for any more (the client hung up) is no error.
    match command {
        Command::Publish(session, offer, client, reply) => {
            drop(reply.send(engine.publish(now, session, &offer, client)));
        }
        Command::Watch(session, offer, client, reply) => {
            drop(reply.send(engine.watch(now, session, &offer, client)));
        }
        Command::Patch(resource, fragment, if_match, reply) => {
            drop(reply.send(engine.patch(now, &resource, &fragment, if_match.as_deref())));
        }
        Command::Delete(resource, reply) => {
            drop(reply.send(engine.delete(now, &resource)));
        }
        Command::Stats(reply) => drop(reply.send(engine.stats(now))),
        Command::SetCandidates(candidates) => engine.set_candidates(candidates),
        Command::RequestKeyframe(session) => engine.request_keyframe(now, session),
        Command::Nack(session, track, lost) => engine.nack(now, session, track, &lost),
    }
}
