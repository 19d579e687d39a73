//! One secret key in one file: read strictly, made once, never overwritten.
//!
//! The file is one line, `banyan-KIND-key-1 SEED PUBLIC`, both in hexadecimal. The public half is
//! there so that a damaged seed is noticed, instead of being another identity.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use banyan_protocol::identity::NodeId;
use ed25519_dalek::SigningKey;

use crate::exit::Refusal;

/// Longest key file, bytes. Derived: two keys in hexadecimal and a word are 160.
const FILE_BYTES_MAX: u64 = 1024;

/// What a key is for. A key of one purpose is never read as one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Node,
    Publisher,
}

impl Purpose {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Node => "node.key",
            Self::Publisher => "publisher.key",
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Node => "banyan-node-key-1",
            Self::Publisher => "banyan-publisher-key-1",
        }
    }

    /// What is lost with the key.
    fn stakes(self) -> &'static str {
        match self {
            Self::Node => "without it this node is a stranger to those who know it",
            Self::Publisher => "without it the links to your sessions cannot be served again",
        }
    }
}

/// The seed in the directory's key file, which is made if there is none.
pub(super) fn load_or_create(dir: &Path, purpose: Purpose) -> Result<[u8; 32]> {
    let path = dir.join(purpose.file_name());
    let context = || format!("reading the key {}", path.display());
    match File::open(&path) {
        Ok(file) => load(file, &path, purpose).with_context(context),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(dir, purpose).with_context(|| format!("making the key {}", path.display()))
        }
        Err(error) => Err(error).with_context(context),
    }
}

fn load(file: File, path: &Path, purpose: Purpose) -> Result<[u8; 32]> {
    let meta = file.metadata()?;
    if meta.mode() & 0o077 != 0 {
        return Err(Refusal::new(format!(
            "the key {} can be read by others (mode {:04o})",
            path.display(),
            meta.mode() & 0o7777
        ))
        .means("whoever has it can act as you, so it is not used")
        .next(format!(
            "chmod 600 {0}, or if others may have read it, move it away and a new one is made",
            path.display()
        ))
        .into());
    }
    let mut text = String::new();
    let whole = meta.is_file()
        && meta.len() <= FILE_BYTES_MAX
        && file.take(FILE_BYTES_MAX).read_to_string(&mut text).is_ok();
    parse(&text, purpose).filter(|_| whole).ok_or_else(|| {
        Refusal::new(format!("the key {} is damaged, or is not one", path.display()))
            .means(format!("it is not replaced: {}", purpose.stakes()))
            .next(format!(
                "put back a copy of it, or to begin anew: mv {0} {0}.damaged",
                path.display()
            ))
            .into()
    })
}

/// Makes a key and keeps it, or takes the one that another process made meanwhile.
fn create(dir: &Path, purpose: Purpose) -> Result<[u8; 32]> {
    let seed = random()?;
    let public = NodeId::from_bytes(SigningKey::from_bytes(&seed).verifying_key().to_bytes());
    let line = format!("{} {} {public}\n", purpose.tag(), NodeId::from_bytes(seed));
    let path = dir.join(purpose.file_name());
    match write_new(dir, &path, line.as_bytes())? {
        true => Ok(seed),
        false => load(File::open(&path)?, &path, purpose),
    }
}

fn parse(text: &str, purpose: Purpose) -> Option<[u8; 32]> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let tag = words.next()?;
    let seed = *NodeId::from_hex(words.next()?)?.as_bytes();
    let public = *NodeId::from_hex(words.next()?)?.as_bytes();
    let sound = tag == purpose.tag()
        && words.next().is_none()
        && SigningKey::from_bytes(&seed).verifying_key().to_bytes() == public;
    sound.then_some(seed)
}

/// 32 bytes from the system's generator.
pub(super) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow!("the system gives no randomness"))?;
    Ok(bytes)
}

/// Writes a private file that must not exist: whole or not at all. False if it exists.
fn write_new(dir: &Path, path: &Path, content: &[u8]) -> Result<bool> {
    match staged(dir, content)?.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error.into()),
    }
    sync(dir)?;
    Ok(true)
}

/// Writes a private file in place of one that may exist: whole or not at all.
pub(super) fn write_over(dir: &Path, path: &Path, content: &[u8]) -> Result<()> {
    staged(dir, content)?.persist(path).map_err(|error| error.error)?;
    sync(dir)
}

/// The content on disk under a name of its own, mode 0600.
fn staged(dir: &Path, content: &[u8]) -> Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the new name outlive a power cut.
fn sync(dir: &Path) -> Result<()> {
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}
