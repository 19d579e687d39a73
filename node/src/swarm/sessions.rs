//! What this node says about sessions and asks about them, in Kademlia.

use std::collections::BTreeSet;

use banyan_protocol::identity::SessionId;
use libp2p::PeerId;
use libp2p::kad::QueryId;

use super::limits::{PROVIDED_MAX, SEARCHES_MAX};

/// Sessions provided and searches in progress.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    provided: BTreeSet<SessionId>,
    /// The provided sessions must be announced (again).
    due: bool,
    /// Searches that wait until the node knows somebody.
    waiting: BTreeSet<SessionId>,
    // Searched linearly: query ids have no order, and there are few.
    searches: Vec<Search>,
}

#[derive(Debug)]
struct Search {
    query: QueryId,
    session: SessionId,
    found: BTreeSet<PeerId>,
}

impl Sessions {
    /// Provides `session` from now on. False if there are too many.
    pub(super) fn provide(&mut self, session: SessionId) -> bool {
        if self.provided.len() >= PROVIDED_MAX && !self.provided.contains(&session) {
            return false;
        }
        self.provided.insert(session);
        self.due = true;
        true
    }

    pub(super) fn stop_providing(&mut self, session: SessionId) {
        self.provided.remove(&session);
    }

    /// Something changed that makes an announcement worth repeating: a neighbour who should hold
    /// the record, or an address that should be in it.
    pub(super) fn announce_again(&mut self) {
        self.due = true;
    }

    /// The sessions to announce now.
    pub(super) fn take_due(&mut self) -> Vec<SessionId> {
        if std::mem::take(&mut self.due) { self.provided.iter().copied().collect() } else { vec![] }
    }

    /// Whether a search for `session` is under way: its end will be told.
    pub(super) fn is_searching(&self, session: SessionId) -> bool {
        self.waiting.contains(&session)
            || self.searches.iter().any(|search| search.session == session)
    }

    /// Whether one more search fits.
    pub(super) fn has_room_to_search(&self) -> bool {
        self.searches.len() + self.waiting.len() < SEARCHES_MAX
    }

    /// Puts a search off until the node knows somebody.
    pub(super) fn search_later(&mut self, session: SessionId) {
        self.waiting.insert(session);
    }

    /// The searches put off.
    pub(super) fn take_waiting(&mut self) -> BTreeSet<SessionId> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn searching(&mut self, query: QueryId, session: SessionId) {
        self.searches.push(Search { query, session, found: BTreeSet::new() });
    }

    /// The session `query` searches, and those of `peers` it had not found before.
    pub(super) fn found(
        &mut self,
        query: QueryId,
        peers: impl IntoIterator<Item = PeerId>,
    ) -> Option<(SessionId, Vec<PeerId>)> {
        let search = self.searches.iter_mut().find(|search| search.query == query)?;
        let peers: BTreeSet<PeerId> = peers.into_iter().collect();
        let new = peers.into_iter().filter(|peer| search.found.insert(*peer)).collect();
        Some((search.session, new))
    }

    /// Ends a search: its session and how many it found.
    pub(super) fn ended(&mut self, query: QueryId) -> Option<(SessionId, usize)> {
        let at = self.searches.iter().position(|search| search.query == query)?;
        let search = self.searches.swap_remove(at);
        Some((search.session, search.found.len()))
    }
}
