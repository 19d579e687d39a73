//! Sessions kept on disk, so that a restart serves the same link.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::dir::{DataDir, make_private};
use super::secret;
use crate::exit::Refusal;

/// Longest name of a stored session. Guess.
const NAME_BYTES_MAX: usize = 64;
/// Longest file of a stored session, bytes. Derived: a descriptor and a ticket are below 4 kB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What it takes to be the root of a session again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// The signed descriptor, encoded.
    #[serde(with = "as_base64")]
    pub descriptor: Vec<u8>,
    /// Seed of the media key that the descriptor delegates to.
    #[serde(with = "as_base64")]
    pub media_seed: Vec<u8>,
    /// The publisher's own ticket for WHIP.
    pub publish_ticket: String,
}

impl std::fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSession").finish_non_exhaustive()
    }
}

impl DataDir {
    /// A secret seed from the system's generator.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn random_seed() -> Result<[u8; 32]> {
        secret::random()
    }

    /// The session stored under a name, if there is one.
    ///
    /// # Errors
    /// The name cannot be one, or the file is damaged or cannot be read.
    pub fn load_session(&self, name: &str) -> Result<Option<StoredSession>> {
        let path = self.session_path(name)?;
        let size = match fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("looking for the stored session"),
        };
        let damaged = || {
            Refusal::new(format!("the stored session {} is damaged", path.display()))
                .means("its link cannot be served again without it; it is not replaced")
                .next("put back a copy of it, or make a new session with --new")
        };
        if size > FILE_BYTES_MAX {
            return Err(damaged().into());
        }
        let text = fs::read(&path)
            .with_context(|| format!("reading the stored session {}", path.display()))?;
        match serde_json::from_slice::<StoredSession>(&text) {
            Ok(session) if session.media_seed.len() == 32 => Ok(Some(session)),
            Ok(_) | Err(_) => Err(damaged().into()),
        }
    }

    /// Stores a session under a name, in place of the one that had it.
    ///
    /// # Errors
    /// The name cannot be one, or the disk fails.
    pub fn store_session(&self, name: &str, session: &StoredSession) -> Result<()> {
        let path = self.session_path(name)?;
        let dir = self.path().join("sessions");
        make_private(&dir)?;
        let mut text = serde_json::to_vec_pretty(session).context("writing a session as JSON")?;
        text.push(b'\n');
        secret::write_over(&dir, &path, &text)
            .with_context(|| format!("storing the session {}", path.display()))
    }

    fn session_path(&self, name: &str) -> Result<PathBuf, Refusal> {
        check_name(name)?;
        Ok(self.path().join("sessions").join(format!("{name}.json")))
    }
}

/// Whether a text can name a stored session: it becomes a file name.
///
/// # Errors
/// It cannot.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !plain || name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('-') {
        return Err(Refusal::new(format!("{name:?} cannot be the name of a session"))
            .next("use small letters, digits and dashes, such as \"friday-show\""));
    }
    Ok(())
}

mod as_base64 {
    use super::{Engine, STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
