//! The session this node publishes: made once, kept, and reopened under the same link.

use anyhow::{Context, Result, bail};
use banyan_protocol::identity::{Action, MediaKey, SESSION_NONCE_BYTES, Ticket};
use banyan_protocol::session::{
    DescriptorBuilder, DescriptorError, Policy, Session, SignedDescriptor,
};
use banyan_protocol::time::UnixSeconds;

use crate::config;
use crate::exit::Refusal;
use crate::keys::{DataDir, StoredSession};

/// All it takes to be the root of a session.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The session, checked.
    pub session: Session,
    /// Signs its shards.
    pub media_key: MediaKey,
    /// The publisher's own ticket, for WHIP.
    pub ticket: String,
    /// A ticket to watch, for the publisher to hand on; where the policy asks for one.
    pub watch_ticket: Option<String>,
    /// Whether it is an earlier session, reopened: its settings are the earlier ones.
    pub reopened: bool,
}

impl Publication {
    /// Reopens the session stored under `name`, or makes one and stores it: if there is none, its
    /// time is over, or `fresh` asks for it.
    ///
    /// # Errors
    /// The disk fails, or what is stored is damaged or not by this publisher.
    pub fn open(
        dir: &DataDir,
        name: &str,
        fresh: bool,
        settings: &config::Session,
        now: UnixSeconds,
    ) -> Result<Self> {
        if !fresh
            && let Some(stored) = dir.load_session(name)?
            && let Some(publication) = Self::reopen(dir, name, &stored, now)?
        {
            return Ok(publication);
        }
        Self::make(dir, name, settings, now)
    }

    /// The stored session; none if its time is over.
    fn reopen(
        dir: &DataDir,
        name: &str,
        stored: &StoredSession,
        now: UnixSeconds,
    ) -> Result<Option<Self>> {
        let refuse = |why: &str| {
            Refusal::new(format!("the stored session {name:?} cannot be reopened: {why}"))
                .means("its link cannot be served by this node")
                .next("put back a copy of the data directory, or make a new session with --new")
        };
        let descriptor = SignedDescriptor::decode(&stored.descriptor)
            .map_err(|error| refuse(&error.to_string()))?;
        let session = match descriptor.verify(now) {
            Ok(session) => session,
            Err(DescriptorError::Expired) => return Ok(None),
            Err(error) => bail!(refuse(&error.to_string())),
        };
        let seed: &[u8; 32] =
            stored.media_seed.as_slice().try_into().map_err(|_| refuse("its key is damaged"))?;
        let media_key = MediaKey::from_seed(seed);
        if media_key.verifying_key() != *session.media_key() {
            bail!(refuse("its key is another one's"));
        }
        if dir.publisher_key()?.id() != session.descriptor().publisher {
            bail!(refuse("it was made with another publisher.key"));
        }
        Self::assemble(dir, session, media_key, stored.publish_ticket.clone(), true).map(Some)
    }

    fn make(
        dir: &DataDir,
        name: &str,
        settings: &config::Session,
        now: UnixSeconds,
    ) -> Result<Self> {
        let publisher = dir.publisher_key()?;
        let media_key = MediaKey::from_seed(&DataDir::random_seed()?);
        let mut nonce = [0; SESSION_NONCE_BYTES];
        nonce.copy_from_slice(&DataDir::random_seed()?[..SESSION_NONCE_BYTES]);
        let expires = UnixSeconds(now.0.saturating_add(settings.valid_for.0.as_secs()));
        let policy = Policy { watch: settings.watch.into(), ..Policy::default() };
        let descriptor = DescriptorBuilder::new(
            nonce,
            DataDir::random_seed()?,
            media_key.verifying_key(),
            settings.bitrate,
            now,
        )
        .title(&settings.title)
        .expires(expires)
        .stripes(settings.data_shards, settings.parity_shards)
        .policy(policy)
        .sign(&publisher)
        .map_err(|error| Refusal::new(error.to_string()))?;
        let session = descriptor.verify(now).context("checking the session just made")?;
        let ticket = Ticket {
            session: session.id(),
            action: Action::Publish,
            expires,
            not_before: None,
            id: None,
        }
        .sign(&publisher);
        let stored = StoredSession {
            descriptor: descriptor.encode(),
            media_seed: media_key.seed().to_vec(),
            publish_ticket: ticket.clone(),
        };
        dir.store_session(name, &stored)?;
        Self::assemble(dir, session, media_key, ticket, false)
    }

    fn assemble(
        dir: &DataDir,
        session: Session,
        media_key: MediaKey,
        ticket: String,
        reopened: bool,
    ) -> Result<Self> {
        let descriptor = session.descriptor();
        let watch_ticket = match descriptor.policy.watch {
            banyan_protocol::session::Watch::Open => None,
            banyan_protocol::session::Watch::Ticket => Some(
                Ticket {
                    session: session.id(),
                    action: Action::Watch,
                    expires: descriptor.expires,
                    not_before: None,
                    id: None,
                }
                .sign(&dir.publisher_key()?),
            ),
        };
        Ok(Self { session, media_key, ticket, watch_ticket, reopened })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::patch::Patch;
    use crate::config::resolve::Places;
    use crate::exit;

    fn settings(toml: &str) -> config::Session {
        let places = Places { home: Some("/home/ada".into()), ..Places::default() };
        let patch = Patch { session: toml::from_str(toml).expect("toml"), ..Patch::default() };
        patch.resolve(&places).expect("valid").session
    }

    #[test]
    fn a_restart_keeps_the_session_until_its_time_is_over() {
        let temp = tempfile::tempdir().expect("a directory");
        let open = |name: &str, fresh, toml: &str, now| {
            let dir = DataDir::open(&temp.path().join("banyan")).expect("opens");
            Publication::open(&dir, name, fresh, &settings(toml), UnixSeconds(now)).expect("opens")
        };
        let show = "title = \"Show\"\nvalid_for = \"1h\"";
        let first = open("default", false, show, 1_000_000);
        assert!(!first.reopened && first.watch_ticket.is_none());
        assert_eq!(first.session.descriptor().title, "Show");
        assert_eq!((first.session.descriptor().k, first.session.descriptor().m), (8, 2));
        Ticket::verify(
            &first.ticket,
            &first.session.descriptor().publisher,
            &first.session.id(),
            Action::Publish,
            UnixSeconds(1_000_100),
        )
        .expect("the ticket is good");

        let again = open("default", false, "title = \"Other\"", 1_003_000);
        assert!(again.reopened);
        assert_eq!(again.session.id(), first.session.id());
        assert_eq!(again.session.descriptor().title, "Show", "the link promised it");
        assert_eq!(again.ticket, first.ticket);
        assert_eq!(again.media_key.seed(), first.media_key.seed());

        let other = open("other", false, "watch = \"ticket\"", 1_003_000);
        assert_ne!(other.session.id(), first.session.id());
        assert!(other.watch_ticket.is_some());
        let later = open("default", false, show, 1_004_000);
        assert!(!later.reopened && later.session.id() != first.session.id(), "its hour is over");
        assert!(open("default", false, show, 1_004_000).reopened);
        assert!(!open("default", true, show, 1_004_000).reopened);
    }

    #[test]
    fn a_session_of_another_publisher_is_not_reopened() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(temp.path()).expect("opens");
        let now = UnixSeconds(1_000_000);
        let open = || Publication::open(&dir, "default", false, &settings(""), now);
        open().expect("made");
        std::fs::remove_file(temp.path().join("publisher.key")).expect("removed");
        let text = exit::text(&open().expect_err("refused"));
        assert!(text.contains("another publisher.key") && text.contains("--new"), "{text}");
    }
}
