//! How the node is doing: figures of all parts, put together for people.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use banyan_protocol::forest;
use banyan_protocol::identity::SessionId;
use banyan_protocol::input::Command;

use super::Mesh;
use crate::driver::Snapshot;
use crate::gateway::{PeerStats, RoleStats};
use crate::peer::peer_id;
use crate::status::{LinkStatus, NodeStatus, SessionRole, SessionStatus, StripeStatus};

/// Figures are taken this often.
const TICK: Duration = Duration::from_secs(1);
/// A session that was opened for viewers is left when it had none for so long. Guess: a viewer
/// whose network fails comes back within minutes.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// Totals as they were, and rates since then.
#[derive(Debug, Default)]
pub(super) struct Meter {
    last: Option<(Instant, Totals)>,
    rates: Rates,
    /// When each session opened for viewers was last watched.
    watched: BTreeMap<SessionId, Instant>,
    sessions: BTreeMap<SessionId, (Totals, Rates)>,
}

/// Bits per second, averaged over a tick.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    up: u64,
    down: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    sent: u64,
    received: u64,
}

impl Totals {
    fn since(self, before: Self, elapsed: Duration) -> Rates {
        // A link that closed takes its bytes with it.
        let rate = |after: u64, before: u64| {
            let bits = after.saturating_sub(before) as f64 * 8.0;
            (bits / elapsed.as_secs_f64().max(0.001)) as u64
        };
        Rates { up: rate(self.sent, before.sent), down: rate(self.received, before.received) }
    }
}

impl Meter {
    /// Takes the figures of a tick; returns the sessions that had no viewer for long.
    fn tick(&mut self, now: Instant, snapshot: &Snapshot, peers: &[PeerStats]) -> Vec<SessionId> {
        let media = peers.iter().map(|peer| match peer.role {
            RoleStats::Viewer { bytes, .. } => (bytes, 0),
            RoleStats::Publisher { bytes, .. } => (0, bytes),
        });
        let links = snapshot.links.iter().map(|link| (link.sent_bytes, link.received_bytes));
        let mut totals = Totals::default();
        for (sent, received) in media.chain(links) {
            totals.sent += sent;
            totals.received += received;
        }
        if let Some((at, before)) = self.last.replace((now, totals)) {
            let elapsed = now.duration_since(at);
            self.rates = totals.since(before, elapsed);
            let sessions = snapshot.sessions.iter().map(|session| {
                let totals = Totals { sent: session.sent_bytes, received: session.received_bytes };
                let before = self.sessions.get(&session.session).map_or(totals, |known| known.0);
                (session.session, (totals, totals.since(before, elapsed)))
            });
            self.sessions = sessions.collect();
        }
        for peer in peers {
            if let Some(session) = SessionId::from_hex(&peer.session)
                && let Some(at) = self.watched.get_mut(&session)
            {
                *at = now;
            }
        }
        let over = |at: &Instant| now.duration_since(*at) > IDLE;
        let idle = self.watched.iter().filter(|(_, at)| over(at)).map(|(id, _)| *id);
        let idle: Vec<SessionId> = idle.collect();
        self.watched.retain(|_, at| !over(at));
        idle
    }
}

/// Keeps figures, and leaves sessions that nobody watches any more, while the node runs.
pub(crate) fn tend(mesh: &Arc<Mesh>) {
    let mesh: Weak<Mesh> = Arc::downgrade(mesh);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let Some(mesh) = mesh.upgrade() else { return };
            mesh.measure().await;
        }
    });
}

impl Mesh {
    async fn measure(&self) {
        let snapshot = self.driver.snapshot().await;
        let peers = self.gateway.stats().await;
        let idle = self.meter().tick(Instant::now(), &snapshot, &peers);
        for session in idle {
            self.leave(session).await;
        }
    }

    /// The session was opened for viewers: when there are none for long, it is left.
    pub(super) fn opened_for_viewers(&self, session: SessionId) {
        self.meter().watched.insert(session, Instant::now());
    }

    async fn leave(&self, session: SessionId) {
        tracing::info!(session = %session.short(), "left: nobody watches it here");
        self.registry.remove(&session);
        self.discovery.leave(session).await;
        self.driver.command(Command::Leave(session)).await;
        let _ = self.gateway.ended(session);
    }

    pub(super) async fn is_live(&self, session: &SessionId) -> bool {
        let id = session.to_string();
        let status = self.status().await;
        status.sessions.iter().any(|s| s.id == id && s.publisher_connected)
    }

    /// What the node does now.
    pub(crate) async fn status(&self) -> NodeStatus {
        let snapshot = self.driver.snapshot().await;
        let peers = self.gateway.stats().await;
        let rates = self.meter().rates;
        let sessions = snapshot.sessions.iter().map(|session| {
            let delay = snapshot.delays.get(&session.session).copied();
            self.session_status(session, &peers, delay)
        });
        let links = snapshot.links.iter().map(|link| LinkStatus {
            peer: link.node.to_string(),
            addr: link.address.to_string(),
            rtt_ms: link.rtt.as_secs_f64() * 1e3,
            sent_bytes: link.sent_bytes,
            received_bytes: link.received_bytes,
            lost_packets: link.lost_packets,
        });
        NodeStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.me.to_string(),
            peer_id: peer_id(&self.me).map(|id| id.to_string()).unwrap_or_default(),
            role: self.config.role.to_string(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            port: self.port,
            addresses: self.addresses.borrow().iter().map(ToString::to_string).collect(),
            http: self.http.to_string(),
            upload_limit_bps: self.config.capacity.upload.bps(),
            upload_expected_bps: snapshot.uplink.map_or(0, |uplink| uplink.bps()),
            upload_bps: rates.up,
            download_bps: rates.down,
            sessions: sessions.collect(),
            links: links.collect(),
        }
    }

    fn session_status(
        &self,
        session: &banyan_protocol::session::SessionStatus,
        peers: &[PeerStats],
        delay: Option<Duration>,
    ) -> SessionStatus {
        let id = session.session.to_string();
        let hosted = self.registry.find(&session.session);
        let descriptor = hosted.as_ref().map(|hosted| hosted.session.descriptor());
        let mine = || peers.iter().filter(|peer| peer.session == id && peer.connected);
        let publishes = |peer: &PeerStats| matches!(peer.role, RoleStats::Publisher { .. });
        let rates = self.meter().sessions.get(&session.session).map_or(Rates::default(), |s| s.1);
        let stripes = session.stripes.iter().filter(|stripe| stripe.wanted);
        SessionStatus {
            title: descriptor.map(|d| d.title.clone()).unwrap_or_default(),
            role: match session.role {
                forest::Role::Root => SessionRole::Root,
                forest::Role::Gateway => SessionRole::Gateway,
                forest::Role::Helper => SessionRole::Helper,
            },
            depth: stripes.clone().filter_map(|stripe| stripe.links).max().map(u32::from),
            bitrate_bps: descriptor.map(|d| d.bitrate.bps()).unwrap_or_default(),
            data_shards: descriptor.map(|d| d.k).unwrap_or_default(),
            parity_shards: descriptor.map(|d| d.m).unwrap_or_default(),
            stripes: stripes
                .map(|stripe| StripeStatus {
                    stripe: stripe.stripe,
                    home: stripe.stripe == session.home,
                    parent: stripe.parent.map(|node| node.to_string()),
                    backup: stripe.backup.map(|node| node.to_string()),
                    children: stripe.children.iter().map(ToString::to_string).collect(),
                    depth: stripe.links.map(u32::from),
                    silent_ms: stripe.silent.map(|silent| silent.as_millis() as u32),
                })
                .collect(),
            blocks: session.blocks,
            parity_used: session.parity_used,
            blocks_lost: session.blocks_lost,
            publisher_connected: mine().any(publishes),
            viewers: mine().filter(|peer| !publishes(peer)).count() as u32,
            upload_bps: rates.up,
            download_bps: rates.down,
            delay_ms: delay.map(|delay| delay.as_millis() as u32),
            id,
        }
    }
}
