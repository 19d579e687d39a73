//! What happens when: events in order of time, then of being scheduled.

use banyan_protocol::time::Timestamp;
use std::collections::BTreeMap;

/// Scheduled events. Two at the same time happen in the order in which they were scheduled.
#[derive(Debug)]
pub struct Queue<E> {
    events: BTreeMap<(Timestamp, u64), E>,
    sequence: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), sequence: 0 }
    }
}

impl<E> Queue<E> {
    /// Schedules an event.
    pub fn push(&mut self, at: Timestamp, event: E) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    /// Takes the next event, if it is not after `until`.
    pub fn pop(&mut self, until: Timestamp) -> Option<(Timestamp, E)> {
        let entry = self.events.first_entry()?;
        if entry.key().0 > until {
            return None;
        }
        let ((at, _), event) = entry.remove_entry();
        Some((at, event))
    }
}
