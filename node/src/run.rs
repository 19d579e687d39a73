//! The assembled node: start-up and shutdown, in an order that is argued here.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use banyan_protocol::identity::NodeKey;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::config::{Config, Listen, Role};
use crate::discovery::{self, Discovery};
use crate::driver::{self, Driver};
use crate::exit::Refusal;
use crate::gateway::http::HttpConfig;
use crate::http::OpenedSession;
use crate::mesh::Mesh;
pub use crate::mesh::{Published, Source};
use crate::publication::Publication;
use crate::registry::{Part, Registry};
use crate::status::NodeStatus;
use crate::telemetry::event;
use crate::transport::{self, Bound, SharedQuic};
use crate::{gateway, http, intake, peer, swarm, web};

/// A running node.
pub struct Node {
    mesh: Arc<Mesh>,
    http: SocketAddr,
    quic: SharedQuic,
    swarm: swarm::Handle,
    stop_http: oneshot::Sender<()>,
    http_task: JoinHandle<()>,
    /// libp2p has a runtime of its own, so that its polls never delay media.
    control: tokio::runtime::Runtime,
}

impl Node {
    /// Starts a node: binds its ports, and serves.
    ///
    /// # Errors
    /// A port is taken, or the system refuses.
    pub async fn start(config: Config, key: NodeKey) -> Result<Self> {
        // Ports first: when one is taken nothing has happened yet.
        let keypair = peer::keypair(*key.seed());
        let listener = http::bind(&config.http).await?;
        let http_address = listener.local_addr().context("asking for the HTTP address")?;
        let bound = bind(&keypair, &config.listen)?;
        let Bound { shared: quic, control: control_transport, links, foreign } = bound;

        // The gateway before the driver, which hands it blocks from the first moment on.
        let gateway_config = gateway::Config {
            candidates: config.gateway.candidates.clone(),
            peers_max: config.gateway.viewers_max as usize,
            video_codecs: config.session.video_codecs.iter().map(|codec| (*codec).into()).collect(),
        };
        let (gateway, gateway_events) = gateway::start(gateway_config, foreign, quic.foreign())
            .context("starting the gateway")?;

        let control = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("control")
            .enable_all()
            .build()
            .context("starting the control runtime")?;
        let swarm_config =
            swarm::Config { mdns: config.discovery.mdns, ..swarm::Config::default() };
        let (swarm, swarm_events) = {
            let _guard = control.enter();
            swarm::start(&swarm_config, &keypair, control_transport)?
        };
        let known = config.discovery.bootstraps.iter();
        let known = known.filter_map(|b| Some((peer::node_id(&b.peer)?, b.addr))).collect();
        let _ = swarm.bootstrap(known).await;

        let (driver, requests) = Driver::new();
        let (discovery, wishes) = Discovery::new();
        let (keyframes, keyframes_wanted) = intake::keyframes();
        let (recorded, recordings) = intake::recorded();
        driver::start(
            requests,
            driver::Parts {
                key: key.clone(),
                quic: quic.clone(),
                links,
                gateway: gateway.clone(),
                discovery: discovery.clone(),
                keyframes,
                upload: config.capacity.upload,
            },
        );
        let queues = intake::Queues {
            gateway: gateway_events,
            recorded: recordings,
            keyframes: keyframes_wanted,
        };
        intake::start(queues, driver.clone(), gateway.clone());
        let addresses = discovery::start(
            wishes,
            swarm.clone(),
            swarm_events,
            driver.clone(),
            gateway.clone(),
            &config,
        );

        let registry = Registry::default();
        let port = quic.local_addrs().first().map_or(0, SocketAddr::port);
        let mesh = Arc::new(Mesh::new(
            config,
            key.id(),
            (http_address, port),
            driver,
            discovery,
            gateway.clone(),
            registry.clone(),
            (recorded, addresses),
        ));
        crate::mesh::tend(&mesh);

        // HTTP last: whoever asks finds a node that can answer.
        let whip_whep = gateway::http::routes(gateway, Arc::new(registry), HttpConfig::default());
        let app = http::router(&mesh.config().http, mesh.clone(), whip_whep, web::routes());
        let (stop_http, stopped) = oneshot::channel::<()>();
        let http_task = tokio::spawn(http::serve(listener, app, async move {
            let _ = stopped.await;
        }));
        tracing::info!(target: event::STARTED, node = %key.id().short(), port, http = %http_address);
        Ok(Self { mesh, http: http_address, quic, swarm, stop_http, http_task, control })
    }

    /// Address of its HTTP server.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// What it does now.
    pub async fn status(&self) -> NodeStatus {
        self.mesh.status().await
    }

    /// Becomes the root of a session; media comes from `source`, or else by WHIP.
    ///
    /// # Errors
    /// The source cannot be read.
    pub async fn publish(
        &self,
        publication: Publication,
        source: Option<Source>,
    ) -> Result<Published> {
        self.mesh.publish(publication, source).await
    }

    /// Joins the session of an invite, in the role of the settings. Members are looked for until
    /// the node stops.
    ///
    /// # Errors
    /// The invite is none, or its time is over.
    pub async fn join(&self, invite: &str) -> Result<OpenedSession> {
        let part = match self.mesh.config().role {
            Role::Gateway => Part::Gateway,
            // Somebody who opens the session here makes it a gateway.
            Role::Helper | Role::Auto => Part::Helper,
        };
        self.mesh.join(invite, part).await.map_err(Into::into)
    }

    /// Writes a joined session to a file, from the next keyframe on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn record(&self, session: &str, output: &Path) -> Result<()> {
        self.mesh.record(session, output).await
    }

    /// Ready only if the node cannot go on.
    pub async fn failed(&self) -> anyhow::Error {
        self.mesh.failed().await
    }

    /// Ends it: prunes, says goodbye, closes.
    pub async fn stop(self) {
        let uptime_s = self.mesh.uptime().as_secs();
        // No new viewers, then no sessions: children hear whom to turn to while links still work.
        let _ = self.stop_http.send(());
        self.mesh.driver().stop().await;
        self.swarm.shutdown().await;
        self.quic.close().await;
        let _ = self.http_task.await;
        self.control.shutdown_background();
        tracing::info!(target: event::STOPPED, uptime_s);
    }
}

/// Binds the port of the settings. Where nobody chose it and it is taken, any other port does.
fn bind(keypair: &libp2p::identity::Keypair, listen: &Listen) -> Result<Bound> {
    let everywhere = listen.bind.is_empty();
    let defaults = transport::Config::default();
    let ip4 = listen.bind.iter().find_map(|ip| match ip {
        IpAddr::V4(ip) => Some(*ip),
        IpAddr::V6(_) => None,
    });
    let ip6 = listen.bind.iter().find_map(|ip| match ip {
        IpAddr::V6(ip) => Some(*ip),
        IpAddr::V4(_) => None,
    });
    let mut config = transport::Config {
        ip4: if everywhere { defaults.ip4 } else { ip4 },
        ip6: if everywhere { defaults.ip6 } else { ip6 },
        port: listen.port,
    };
    match SharedQuic::bind(keypair, &config) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            if listen.port_is_chosen {
                return Err(Refusal::new(format!(
                    "UDP port {} is taken by another program",
                    listen.port
                ))
                .next("choose another with --listen-port; 0 takes any")
                .into());
            }
            config.port = 0;
            SharedQuic::bind(keypair, &config).context("taking any UDP port")
        }
        bound => bound.with_context(|| format!("taking UDP port {}", listen.port)),
    }
}

#[cfg(test)]
mod tests {
    use banyan_protocol::session::Invite;

    use super::*;
    use crate::config::patch::Patch;
    use crate::config::resolve::Places;
    use crate::http::Control;
    use crate::keys::DataDir;
    use crate::registry::unix_now;

    fn helper_config(home: &Path) -> Config {
        let places = Places { home: Some(home.to_owned()), ..Places::default() };
        let mut config = Patch::default().resolve(&places).expect("defaults");
        config.role = Role::Helper;
        config.listen.port = 0;
        config.listen.bind = vec![std::net::Ipv4Addr::LOCALHOST.into()];
        config.http.bind.set_port(0);
        config.discovery.mdns = false;
        config
    }

    #[tokio::test]
    async fn a_helper_shows_its_own_session_and_no_other() {
        let place = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(place.path()).expect("a data directory");
        let config = helper_config(place.path());
        let open = |name: &str| {
            Publication::open(&dir, name, true, &config.session, unix_now()).expect("a session")
        };
        let (own, other) = (open("own"), open("other"));
        let node = Node::start(config.clone(), dir.node_key().expect("a key")).await;
        let node = node.expect("starts");
        let published = node.publish(own, None).await.expect("publishes");
        let opened = node.mesh.open_invite(published.watch).await.expect("its own");
        assert!(opened.whep.starts_with("/whep/"));

        let other = Invite::new(other.session.signed().clone(), Vec::new());
        let other = other.to_watch_link("http://127.0.0.1:8080");
        let refused = node.mesh.open_invite(other.clone()).await.expect_err("it only relays");
        assert_eq!((refused.status().as_u16(), refused.code()), (403, "helper-only"));
        // It relays that session all the same, when its owner says so.
        node.join(&other).await.expect("joins");
        let refused = node.mesh.open_invite(other).await.expect_err("it only relays");
        assert_eq!(refused.code(), "helper-only");
        node.stop().await;
    }
}
