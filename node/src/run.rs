//! The assembled node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use banyan_protocol::identity::NodeKey;

use crate::config::Config;
use crate::http::OpenedSession;
use crate::publication::Publication;
use crate::status::NodeStatus;

/// A running node.
#[derive(Debug)]
pub enum Node {}

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

impl Node {
    /// Starts a node: binds its ports, and serves.
    ///
    /// # Errors
    /// A port is taken, or the system refuses.
    pub async fn start(config: Config, key: NodeKey) -> Result<Self> {
        let _ = (config, key);
        bail!("this build cannot run a node yet")
    }

    /// Address of its HTTP server.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        match *self {}
    }

    /// What it does now.
    pub async fn status(&self) -> NodeStatus {
        match *self {}
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
        let _ = (publication, source);
        match *self {}
    }

    /// Joins the session of an invite, in the role of the settings.
    ///
    /// # Errors
    /// The invite is none, or nobody of the session can be reached.
    pub async fn join(&self, invite: &str) -> Result<OpenedSession> {
        let _ = invite;
        match *self {}
    }

    /// Writes a joined session to a file, from the next keyframe on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn record(&self, session: &str, output: &Path) -> Result<()> {
        let _ = (session, output);
        match *self {}
    }

    /// Ready only if the node cannot go on.
    pub async fn failed(&self) -> anyhow::Error {
        match *self {}
    }

    /// Ends it: prunes, says goodbye, closes.
    pub async fn stop(self) {
        match self {}
    }
}
