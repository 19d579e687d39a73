//! The sessions this node takes part in: what their publishers said, and who may come in.

use crate::gateway::http::{Access, Denied, Standing};
use banyan_protocol::forest::Contact;
use banyan_protocol::identity::{Action, SessionId, Ticket};
use banyan_protocol::session::{Session, Watch};
use banyan_protocol::time::UnixSeconds;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// What this node is in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its root.
    Root,
    /// Rebuilds and shows it.
    Gateway,
    /// Passes on a stripe or two.
    Helper,
}

/// One session on this node.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// The checked descriptor.
    pub session: Session,
    /// What this node is in it.
    pub part: Part,
    /// Members that its invite named.
    pub bootstraps: Vec<Contact>,
    /// A ticket to watch, for the publisher to hand on.
    pub watch_ticket: Option<String>,
}

/// All of them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<RwLock<BTreeMap<SessionId, Arc<Hosted>>>>);

impl Registry {
    /// The session with an id.
    #[must_use]
    pub fn find(&self, session: &SessionId) -> Option<Arc<Hosted>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    /// Puts a session in, in place of what was known of it.
    pub fn insert(&self, hosted: Hosted) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(hosted.session.id(), Arc::new(hosted));
    }

    /// Takes a session out.
    pub fn remove(&self, session: &SessionId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(session);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Access for Registry {
    fn standing(&self, session: &SessionId) -> Standing {
        match self.find(session).map(|hosted| hosted.part) {
            Some(Part::Root) => Standing::Root,
            Some(Part::Gateway) => Standing::Member,
            Some(Part::Helper) | None => Standing::Unknown,
        }
    }

    fn check(
        &self,
        session: &SessionId,
        token: Option<&str>,
        action: Action,
    ) -> Result<(), Denied> {
        let Some(hosted) = self.find(session) else { return Err(Denied::Policy) };
        let descriptor = hosted.session.descriptor();
        if action == Action::Watch && descriptor.policy.watch == Watch::Open {
            return Ok(());
        }
        let token = token.ok_or(Denied::Missing)?;
        Ticket::verify(token, &descriptor.publisher, session, action, unix_now())
            .map(drop)
            .map_err(Denied::Ticket)
    }
}

/// The time by the system's clock.
#[must_use]
pub fn unix_now() -> UnixSeconds {
    // A clock before 1970 makes everything not yet valid, which is what it should be.
    UnixSeconds(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs())
}
