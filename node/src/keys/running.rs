//! The note a running node leaves in its data directory, so that `banyan status` finds it.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::dir::DataDir;
use super::secret;

const FILE_NAME: &str = "running.json";

/// Where a running node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Its HTTP server, as another process on this machine reaches it.
    pub http: SocketAddr,
}

/// Takes the note away when the node ends.
#[derive(Debug)]
pub struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        // Left behind it does no harm: a reader asks the address and hears nothing.
        let _ = fs::remove_file(&self.0);
    }
}

impl Running {
    /// The note of a node of this process. A server on all addresses is reached by loopback.
    #[must_use]
    pub fn here(mut http: SocketAddr) -> Self {
        if http.ip().is_unspecified() {
            http.set_ip(match http {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self { pid: std::process::id(), http }
    }

    /// Leaves the note until the result is dropped.
    ///
    /// # Errors
    /// The disk fails.
    pub fn leave_in(&self, dir: &DataDir) -> Result<Note> {
        let path = dir.path().join(FILE_NAME);
        let text = serde_json::to_vec(self).context("writing a note as JSON")?;
        secret::write_over(dir.path(), &path, &text)
            .with_context(|| format!("writing {}", path.display()))?;
        Ok(Note(path))
    }

    /// The note in a data directory; none where no node runs, or it left none that can be read.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn find(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE_NAME);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
}
