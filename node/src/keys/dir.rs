//! The data directory: made private, locked by the one node that uses it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use banyan_protocol::identity::{NodeKey, PublisherKey};

use super::secret::{self, Purpose};
use crate::exit::Refusal;

/// A data directory that this process holds. Another node is refused until it is dropped, or the
/// process ends in whatever way.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The lock is the open file's: it goes with the process, so a crash leaves none behind.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if need be, and takes it.
    ///
    /// # Errors
    /// Another node uses it, others than its owner can write to it, or the disk fails.
    pub fn open(path: &Path) -> Result<Self> {
        make_private(path)?;
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's key, made at the first call ever.
    ///
    /// # Errors
    /// The key is readable by others, damaged, or cannot be read or written.
    pub fn node_key(&self) -> Result<NodeKey> {
        Ok(NodeKey::from_seed(&secret::load_or_create(&self.path, Purpose::Node)?))
    }

    /// The publisher's key, made at the first call ever.
    ///
    /// # Errors
    /// As [`Self::node_key`].
    pub fn publisher_key(&self) -> Result<PublisherKey> {
        Ok(PublisherKey::from_seed(&secret::load_or_create(&self.path, Purpose::Publisher)?))
    }
}

pub(super) fn make_private(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("making the data directory {}", path.display()))?;
    let mode = fs::metadata(path)
        .with_context(|| format!("looking at the data directory {}", path.display()))?
        .mode();
    // Others may see that it is there. Who can write to it can put other keys in their place.
    if mode & 0o022 != 0 {
        return Err(Refusal::new(format!(
            "others can write to the data directory {} (mode {:04o})",
            path.display(),
            mode & 0o7777
        ))
        .means("they could replace this node's keys, so it does not start")
        .next(format!("chmod 700 {}", path.display()))
        .into());
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let context = || format!("locking the data directory with {}", path.display());
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(context)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only for the message; a lock taken a moment ago may not name its holder yet.
            let _ = file.take(32).read_to_string(&mut holder);
            let process = match holder.trim().parse::<u32>() {
                Ok(pid) => format!(" (process {pid})"),
                Err(_) => String::new(),
            };
            return Err(Refusal::new(format!(
                "another node{process} uses the data directory {}",
                dir.display()
            ))
            .means("two nodes cannot be the same node; this one does not start")
            .next("stop the other, or give this one its own directory with --data-dir")
            .into());
        }
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            tracing::warn!(%error, "this file system cannot lock: start one node here at most");
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(context),
    }
    file.rewind().with_context(context)?;
    file.set_len(0).with_context(context)?;
    writeln!(file, "{}", std::process::id()).with_context(context)?;
    Ok(file)
}
