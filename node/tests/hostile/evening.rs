//! A publisher's node and a viewer's, with the bundled clip playing from one to the other.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use banyan_node::config::patch::Patch;
use banyan_node::config::resolve::Places;
use banyan_node::config::{Config, Listen, Role, Watch};
use banyan_node::keys::DataDir;
use banyan_node::peer::{keypair, peer_id};
use banyan_node::publication::Publication;
use banyan_node::registry::unix_now;
use banyan_node::run::{Node, Source};
use banyan_node::status::SessionStatus;
use banyan_node::transport::{self, Bound, Link, SharedQuic};
use banyan_protocol::identity::{NodeId, NodeKey};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// `future`'s value, or a failed test that says what it was waiting for.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// A directory of this test's own, gone with it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where and who a node is.
pub(crate) struct Target {
    pub(crate) node: Node,
    id: NodeId,
    address: SocketAddr,
}

pub(crate) struct Evening {
    pub(crate) root: Target,
    pub(crate) viewer: Target,
    pub(crate) publication: Publication,
    pub(crate) dir: DataDir,
    _scratch: Scratch,
}

fn config(home: &std::path::Path, watch: Watch) -> Config {
    let places = Places { home: Some(home.to_owned()), ..Places::default() };
    let mut config = Patch::default().resolve(&places).expect("defaults are valid");
    let bind = vec![Ipv4Addr::LOCALHOST.into()];
    config.listen = Listen { port: 0, port_is_chosen: true, bind, advertise: Vec::new() };
    config.http.bind = (Ipv4Addr::LOCALHOST, 0).into();
    config.http.bind_is_chosen = true;
    config.discovery.mdns = false;
    config.role = Role::Gateway;
    config.session.watch = watch;
    config
}

impl Target {
    async fn start(config: Config, seed: u8) -> Self {
        let key = NodeKey::from_seed(&[seed; 32]);
        let id = key.id();
        let node = Node::start(config, key).await.expect("it starts");
        let address = (Ipv4Addr::LOCALHOST, node.status().await.port).into();
        Self { node, id, address }
    }

    /// What it does in its session, once it does.
    pub(crate) async fn session(&self) -> SessionStatus {
        self.node.status().await.sessions.into_iter().next().unwrap_or_default()
    }

    /// Waits until it has that many blocks more, or in all if it had none.
    pub(crate) async fn plays(&self, more: u64) {
        let until = self.session().await.blocks + more;
        let mut look = tokio::time::interval(Duration::from_millis(50));
        let plays = async {
            while self.session().await.blocks < until {
                look.tick().await;
            }
        };
        soon("blocks", plays).await;
    }

    /// A link of a stranger to it, with nothing on it yet.
    pub(crate) async fn link(&self, stranger: &Bound) -> Link {
        let peer = peer_id(&self.id).expect("an Ed25519 key");
        let dialled = soon("the link", stranger.shared.dial_link(peer, self.address)).await;
        dialled.expect("any node may link")
    }
}

/// A stranger with a port of its own.
pub(crate) fn stranger(seed: u8) -> Bound {
    SharedQuic::bind(&keypair([seed; 32]), &transport::Config::loopback()).expect("loopback binds")
}

impl Evening {
    pub(crate) async fn start(name: &str, watch: Watch) -> Self {
        let home = std::env::temp_dir().join(format!("banyan-{name}-{}", std::process::id()));
        let scratch = Scratch(home.clone());
        let settings = config(&home, watch);
        let dir = DataDir::open(&home.join("root")).expect("a fresh directory");
        let publication = Publication::open(&dir, name, true, &settings.session, unix_now());
        let publication = publication.expect("a new session");
        let root = Target::start(settings.clone(), 101).await;
        let published = root.node.publish(publication.clone(), Some(Source::Clip)).await;
        let link = published.expect("it plays").watch;
        let viewer = Target::start(settings, 102).await;
        viewer.node.join(&link).await.expect("a good link");
        let evening = Self { root, viewer, publication, dir, _scratch: scratch };
        evening.viewer.plays(30).await;
        evening
    }

    /// The viewer goes on seeing every block, and ends.
    pub(crate) async fn undisturbed(self) {
        self.viewer.plays(60).await;
        let (root, viewer) = (self.root.session().await, self.viewer.session().await);
        assert_eq!((root.blocks_lost, viewer.blocks_lost), (0, 0));
        assert!(viewer.stripes.iter().all(|stripe| stripe.parent.is_some()), "{viewer:?}");
        self.viewer.node.stop().await;
        self.root.node.stop().await;
    }
}
