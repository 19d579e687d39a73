//! What a running node can be asked: publish, join, open, record, and how it is doing.

mod observe;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::{Action, NodeId, SessionId};
use banyan_protocol::ingest::Input;
use banyan_protocol::input::{Command, JoinRole};
use banyan_protocol::session::{Invite, Outline, Session};
use tokio::sync::{mpsc, watch};

use crate::config::{Config, Role};
use crate::discovery::Discovery;
use crate::driver::Driver;
use crate::exit::Refusal;
use crate::gateway::GatewayHandle;
use crate::gateway::http::{Access, Denied};
use crate::http::{Control, OpenedSession, Problem, SessionInfo};
use crate::intake::Recorded;
use crate::publication::Publication;
use crate::registry::{Hosted, Part, Registry, unix_now};
use crate::source::FileSource;
use crate::status::NodeStatus;
use observe::Meter;

pub(crate) use observe::tend;

/// Stripes a helper carries at most: its home stripe, and another where one is short. Spec: DESIGN
/// section 6.
const HELPER_STRIPES_MAX: u8 = 2;
/// An invite names this node's addresses; they are known moments after the start.
const ADDRESSES_TIMEOUT: Duration = Duration::from_secs(2);
/// Sessions of one node. Derived: the core's own bound.
const SESSIONS_MAX: usize = banyan_protocol::limits::SESSIONS_MAX;
/// Packets of a recording read ahead.
const RECORDED_MAX: usize = 64;

/// What to publish without a publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A recording, as if it were live: WebM, Matroska or IVF.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether to begin again at its end.
        repeat: bool,
    },
    /// The bundled clip, again and again.
    Clip,
}

/// A session this node is the root of.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where to send media.
    pub whip: String,
    /// The link to share.
    pub watch: String,
    /// The page to publish from.
    pub studio: String,
}

/// The running node, as those see it who ask something of it.
pub struct Mesh {
    config: Config,
    me: NodeId,
    http: SocketAddr,
    port: u16,
    started: Instant,
    driver: Driver,
    discovery: Discovery,
    gateway: GatewayHandle,
    registry: Registry,
    recorded: mpsc::Sender<Recorded>,
    addresses: watch::Receiver<Vec<SocketAddr>>,
    meter: Mutex<Meter>,
    failure: watch::Sender<Option<String>>,
}

impl Mesh {
    #[allow(clippy::too_many_arguments)] // the parts of a node, each named once, at its start
    pub(crate) fn new(
        config: Config,
        me: NodeId,
        (http, port): (SocketAddr, u16),
        driver: Driver,
        discovery: Discovery,
        gateway: GatewayHandle,
        registry: Registry,
        (recorded, addresses): (mpsc::Sender<Recorded>, watch::Receiver<Vec<SocketAddr>>),
    ) -> Self {
        Self {
            config,
            me,
            http,
            port,
            started: Instant::now(),
            driver,
            discovery,
            gateway,
            registry,
            recorded,
            addresses,
            meter: Mutex::default(),
            failure: watch::channel(None).0,
        }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ready only if the node cannot go on.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        let mut failure = self.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(why) => anyhow::anyhow!(why.clone().unwrap_or_default()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Becomes the root of a session.
    pub(crate) async fn publish(
        &self,
        publication: Publication,
        source: Option<Source>,
    ) -> Result<Published> {
        let source = match source {
            Some(Source::Clip) => Some(FileSource::clip()),
            Some(Source::File { path, repeat }) => Some(FileSource::open(&path, repeat)?),
            None => None,
        };
        let Publication { session, media_key, ticket, watch_ticket, .. } = publication;
        let outline = Outline::from(&session);
        let slots = self.slots(&outline);
        if slots < u16::from(outline.stripes()) {
            tracing::warn!(
                slots,
                stripes = outline.stripes(),
                "the upload does not reach for one copy of the session: raise --capacity-upload"
            );
        }
        let id = session.id();
        self.registry.insert(Hosted {
            session: session.clone(),
            part: Part::Root,
            bootstraps: Vec::new(),
            watch_ticket,
        });
        // More than any earlier run can have sent, at up to 100 blocks per second.
        let first_block = unix_now().0.saturating_mul(100);
        let (outline, media_key) = (Box::new(outline), Box::new(media_key));
        self.driver.command(Command::Publish { outline, media_key, slots, first_block }).await;
        self.discovery.enter(id, Vec::new()).await;
        if let Some(source) = source {
            self.play(id, source);
        }
        let base = self.base_url();
        Ok(Published {
            whip: format!("{base}/whip/{id}"),
            watch: self.watch_link(&id).await.context("writing the link")?,
            studio: format!("{base}/studio#{id}&t={ticket}"),
        })
    }

    /// Plays a recording into the intake.
    fn play(&self, session: SessionId, source: FileSource) {
        let (recorded, failure) = (self.recorded.clone(), self.failure.clone());
        tokio::spawn(async move {
            let (inputs, mut packets) = mpsc::channel::<Input>(RECORDED_MAX);
            if recorded.send(Recorded::Start(session, source.format().clone())).await.is_err() {
                return;
            }
            let forward = async {
                while let Some(input) = packets.recv().await {
                    if recorded.send(Recorded::Packet(session, input)).await.is_err() {
                        return;
                    }
                }
            };
            let (played, ()) = tokio::join!(crate::source::run(source, inputs), forward);
            let _ = recorded.send(Recorded::End(session)).await;
            match played {
                Ok(()) => tracing::info!(session = %session.short(), "the recording is over"),
                Err(error) => {
                    failure.send_replace(Some(error.to_string()));
                }
            }
        });
    }

    /// Joins the session of an invite.
    pub(crate) async fn join(&self, invite: &str, part: Part) -> Result<OpenedSession, Refusal> {
        let invite: Invite = invite.parse().map_err(|error| {
            Refusal::new(format!("this is no invite: {error}"))
                .next("copy the whole link that the publisher shares, in quotes as it contains '#'")
        })?;
        let session = invite.descriptor.verify(unix_now()).map_err(|error| {
            Refusal::new(error.to_string()).next("ask the publisher for a new link")
        })?;
        let opened = OpenedSession {
            session: session.id().to_string(),
            title: session.descriptor().title.clone(),
            whep: format!("/whep/{}", session.id()),
        };
        let known = self.registry.find(&session.id());
        let snapshot = self.driver.snapshot().await;
        let ended = snapshot.sessions.iter().any(|s| s.session == session.id() && s.ended);
        match known.as_ref().map(|hosted| hosted.part) {
            Some(Part::Root) => return Ok(opened),
            Some(known) if !ended && (known == Part::Gateway || known == part) => {
                return Ok(opened);
            }
            // A helper becomes a gateway; or the publisher ended the session, and it may be back.
            Some(_) => self.driver.command(Command::Leave(session.id())).await,
            None if self.registry.len() >= SESSIONS_MAX => {
                return Err(Refusal::new(format!(
                    "this node takes part in {SESSIONS_MAX} sessions"
                ))
                .means("it cannot take one more")
                .next("open the link at another node"));
            }
            None => {}
        }
        self.enter(session, part, invite.bootstraps).await;
        Ok(opened)
    }

    /// Whether an invite is to a session that this node is the root of.
    fn is_own(&self, invite: &str) -> bool {
        let session = invite.parse().ok().map(|invite: Invite| invite.descriptor);
        let session = session.and_then(|descriptor| descriptor.verify(unix_now()).ok());
        let hosted = session.and_then(|session| self.registry.find(&session.id()));
        hosted.is_some_and(|hosted| hosted.part == Part::Root)
    }

    async fn enter(&self, session: Session, part: Part, bootstraps: Vec<Contact>) {
        let id = session.id();
        let outline = Outline::from(&session);
        let role = match part {
            Part::Helper => JoinRole::Helper { stripes_max: HELPER_STRIPES_MAX },
            Part::Root | Part::Gateway => JoinRole::Gateway,
        };
        let slots = self.slots(&outline);
        let hosted = Hosted { session, part, bootstraps: bootstraps.clone(), watch_ticket: None };
        self.registry.insert(hosted);
        self.discovery.enter(id, bootstraps.clone()).await;
        let outline = Box::new(outline);
        self.driver.command(Command::Join { outline, role, slots, bootstraps }).await;
    }

    fn slots(&self, outline: &Outline) -> u16 {
        let most = u16::try_from(self.config.capacity.children_max).unwrap_or(u16::MAX);
        outline.slots(self.config.capacity.upload).min(most)
    }

    /// Writes a joined session to a file.
    pub(crate) async fn record(&self, session: &str, output: &Path) -> Result<()> {
        let id = SessionId::from_hex(session).context("a session id has 64 digits")?;
        let mut sink = crate::sink::FileSink::create(output)?;
        let mut blocks = self.driver.blocks(id).await;
        let failure = self.failure.clone();
        tokio::task::spawn_blocking(move || {
            while let Some(block) = blocks.blocking_recv() {
                if let Err(error) = sink.write(&block) {
                    failure.send_replace(Some(error.to_string()));
                    return;
                }
            }
            if let Err(error) = sink.finish() {
                failure.send_replace(Some(error.to_string()));
            }
        });
        Ok(())
    }

    /// The link to share a session by. Names this node, and whom else its own invite named.
    async fn watch_link(&self, session: &SessionId) -> Option<String> {
        let hosted = self.registry.find(session)?;
        let mut addresses = self.addresses.clone();
        let known = addresses.wait_for(|addresses| !addresses.is_empty());
        let own = match tokio::time::timeout(ADDRESSES_TIMEOUT, known).await {
            Ok(Ok(addresses)) => addresses.clone(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let me = Contact::new(self.me, own);
        let bootstraps = std::iter::once(me).chain(hosted.bootstraps.iter().cloned()).collect();
        let mut invite = Invite::new(hosted.session.signed().clone(), bootstraps);
        if let Some(ticket) = &hosted.watch_ticket {
            invite = invite.with_ticket(ticket);
        }
        Some(invite.to_watch_link(&self.base_url()))
    }

    /// How browsers reach this node's pages.
    fn base_url(&self) -> String {
        if let Some(url) = &self.config.http.public_url {
            return url.to_string().trim_end_matches('/').to_owned();
        }
        let port = self.http.port();
        if !self.http.ip().is_unspecified() {
            return format!("http://{}", self.http);
        }
        let addresses = self.addresses.borrow();
        let mut ips = addresses.iter().map(SocketAddr::ip);
        match ips.find(|ip| !ip.is_loopback()) {
            Some(IpAddr::V6(ip)) => format!("http://[{ip}]:{port}"),
            Some(IpAddr::V4(ip)) => format!("http://{ip}:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        }
    }

    fn meter(&self) -> std::sync::MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control for Mesh {
    async fn status(&self) -> NodeStatus {
        Self::status(self).await
    }

    async fn open_invite(&self, invite: String) -> Result<OpenedSession, Problem> {
        if self.config.role == Role::Helper && !self.is_own(&invite) {
            return Err(Problem::forbidden(
                "helper-only",
                "This node only relays; open the link at another node.",
            )
            .with_next("Its owner lets it show sessions by --role auto."));
        }
        let opened = self.join(&invite, Part::Gateway).await;
        let opened = opened
            .map_err(|refusal| Problem::bad_request("invite-refused", refusal.to_string()))?;
        if let Some(session) = SessionId::from_hex(&opened.session)
            && self.registry.find(&session).is_some_and(|hosted| hosted.part == Part::Gateway)
        {
            self.opened_for_viewers(session);
        }
        Ok(opened)
    }

    async fn session_info(
        &self,
        session: SessionId,
        ticket: Option<String>,
    ) -> Result<SessionInfo, Problem> {
        let unknown = || Problem::not_found("session-unknown", "This node has no such session.");
        let hosted = self.registry.find(&session).ok_or_else(unknown)?;
        // Whoever may publish may know the link; whoever may watch has it already.
        let asked = self.registry.check(&session, ticket.as_deref(), Action::Publish);
        asked
            .or_else(|_| match &ticket {
                Some(_) => self.registry.check(&session, ticket.as_deref(), Action::Watch),
                None => Err(Denied::Missing),
            })
            .map_err(|_| {
                Problem::unauthorized("ticket-needed", "Send the session's ticket as Bearer.")
            })?;
        let live = self.is_live(&session).await;
        Ok(SessionInfo {
            session: session.to_string(),
            title: hosted.session.descriptor().title.clone(),
            watch: self.watch_link(&session).await.ok_or_else(unknown)?,
            live,
        })
    }
}
