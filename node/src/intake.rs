//! Media on its way into the mesh: publishers' packets and recordings → ingest → blocks.
//!
//! One task serves all sessions of which this node is the root.

use crate::driver::Driver;
use crate::gateway::{GatewayEvent, GatewayHandle};
use crate::telemetry::event;
use banyan_protocol::coding::{Format, Track};
use banyan_protocol::identity::SessionId;
use banyan_protocol::ingest::{Anchor, Ingest, Input, Output};
use banyan_protocol::input::Command;
use banyan_protocol::time::Timestamp;
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};
use tokio::sync::mpsc;

/// Packets of recordings waiting. Derived: a keyframe of 250 kB.
const RECORDED_MAX: usize = 256;
/// Wishes for keyframes waiting; each stands for all of its session.
const KEYFRAMES_MAX: usize = 64;

/// A recording's format, then its packets.
pub enum Recorded {
    /// It begins, or begins again.
    Start(SessionId, Format),
    /// One packet or sender report.
    Packet(SessionId, Input),
    /// It is over.
    End(SessionId),
}

/// What the intake task is fed.
pub struct Queues {
    /// What publishers and viewers do.
    pub gateway: mpsc::Receiver<GatewayEvent>,
    /// Recordings.
    pub recorded: mpsc::Receiver<Recorded>,
    /// Sessions in which somebody needs a keyframe.
    pub keyframes: mpsc::Receiver<SessionId>,
}

/// The queue for recordings.
#[must_use]
pub fn recorded() -> (mpsc::Sender<Recorded>, mpsc::Receiver<Recorded>) {
    mpsc::channel(RECORDED_MAX)
}

/// The queue for wishes.
#[must_use]
pub fn keyframes() -> (mpsc::Sender<SessionId>, mpsc::Receiver<SessionId>) {
    mpsc::channel(KEYFRAMES_MAX)
}

/// Starts the task on the current runtime. It ends with its queues.
pub fn start(queues: Queues, driver: Driver, gateway: GatewayHandle) {
    let intake = Intake { origin: Instant::now(), driver, gateway, publishers: BTreeMap::new() };
    tokio::spawn(intake.run(queues));
}

struct Intake {
    origin: Instant,
    driver: Driver,
    gateway: GatewayHandle,
    publishers: BTreeMap<SessionId, Publisher>,
}

/// One publisher's stream, from when it connects until it goes.
struct Publisher {
    ingest: Ingest,
    deadline: Option<Timestamp>,
}

impl Intake {
    async fn run(mut self, mut queues: Queues) {
        loop {
            let deadline = self.publishers.values().filter_map(|p| p.deadline).min();
            tokio::select! {
                event = queues.gateway.recv() => match event {
                    Some(event) => self.on_gateway(event).await,
                    None => return,
                },
                Some(recorded) = queues.recorded.recv() => self.on_recorded(recorded).await,
                Some(session) = queues.keyframes.recv() => self.on_keyframe_wanted(session).await,
                () = until(self.origin, deadline), if deadline.is_some() => self.on_time().await,
            }
        }
    }

    async fn on_gateway(&mut self, event: GatewayEvent) {
        match event {
            GatewayEvent::PublisherConnected { session, format, nack } => {
                tracing::info!(target: event::PUBLISHED, session = %session.short());
                let mut ingest = Ingest::new(format, self.anchor());
                for track in [Track::Video, Track::Audio] {
                    if !nack.contains(&track) {
                        ingest = ingest.without_nack(track);
                    }
                }
                self.publishers.insert(session, Publisher { ingest, deadline: None });
            }
            GatewayEvent::Ingest { session, packet, arrived } => {
                let at = self.at(arrived);
                self.feed(session, at, Input::Rtp(packet)).await;
            }
            GatewayEvent::SenderReport { session, report } => {
                let at = self.at(report.arrived);
                let (track, ntp, rtp) = (report.track, report.ntp, report.rtp);
                self.feed(session, at, Input::SenderReport { track, ntp, rtp }).await;
            }
            GatewayEvent::PublisherGone { session, why } => {
                tracing::info!(target: event::UNPUBLISHED, session = %session.short(), ?why);
                self.publishers.remove(&session);
            }
            GatewayEvent::KeyframeWanted { session } => {
                self.driver.command(Command::Refresh(session)).await;
            }
            GatewayEvent::ViewerConnected { session, viewer, took } => {
                let took_ms = took.as_millis() as u64;
                let session = session.short();
                tracing::info!(target: event::VIEWER_JOINED, %session, viewer, took_ms);
            }
            GatewayEvent::ViewerGone { session, viewer, why } => {
                let session = session.short();
                tracing::info!(target: event::VIEWER_LEFT, %session, viewer, ?why);
            }
        }
    }

    async fn on_recorded(&mut self, recorded: Recorded) {
        match recorded {
            Recorded::Start(session, format) => {
                let ingest = Ingest::new(format, self.anchor());
                let ingest = ingest.without_nack(Track::Video).without_nack(Track::Audio);
                self.publishers.insert(session, Publisher { ingest, deadline: None });
            }
            Recorded::Packet(session, input) => {
                let now = self.at(Instant::now());
                self.feed(session, now, input).await;
            }
            Recorded::End(session) => {
                self.publishers.remove(&session);
            }
        }
    }

    async fn on_keyframe_wanted(&mut self, session: SessionId) {
        let now = self.at(Instant::now());
        if let Some(publisher) = self.publishers.get_mut(&session) {
            publisher.ingest.request_keyframe(now);
            self.drain(session).await;
        }
    }

    async fn on_time(&mut self) {
        let now = self.at(Instant::now());
        let due: Vec<SessionId> = self
            .publishers
            .iter()
            .filter(|(_, publisher)| publisher.deadline.is_some_and(|at| at <= now))
            .map(|(session, _)| *session)
            .collect();
        for session in due {
            if let Some(publisher) = self.publishers.get_mut(&session) {
                publisher.ingest.handle_timeout(now);
            }
            self.drain(session).await;
        }
    }

    async fn feed(&mut self, session: SessionId, at: Timestamp, input: Input) {
        if let Some(publisher) = self.publishers.get_mut(&session) {
            publisher.ingest.handle_input(at, input);
            self.drain(session).await;
        }
    }

    async fn drain(&mut self, session: SessionId) {
        let Some(publisher) = self.publishers.get_mut(&session) else { return };
        loop {
            match publisher.ingest.poll_output() {
                Output::Block(draft) => self.driver.ingest(session, draft).await,
                Output::Nack(track, missing) => self.gateway.nack(session, track, missing).await,
                Output::KeyframeWanted => self.gateway.request_keyframe(session).await,
                Output::Wait(deadline) => {
                    publisher.deadline = deadline;
                    return;
                }
            }
        }
    }

    fn at(&self, instant: Instant) -> Timestamp {
        Timestamp::from_micros(instant.saturating_duration_since(self.origin).as_micros() as u64)
    }

    fn anchor(&self) -> Anchor {
        let unix = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Anchor { at: self.at(Instant::now()), unix_us: unix.as_micros() as u64 }
    }
}

async fn until(origin: Instant, deadline: Option<Timestamp>) {
    if let Some(at) = deadline {
        tokio::time::sleep_until((origin + at.since(Timestamp::ZERO)).into()).await;
    }
}
