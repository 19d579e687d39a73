//! Events on their way to the driver. While it is slow, adverts are dropped and the network
//! waits; commands never do, so the two can always go on.

use std::collections::VecDeque;

use super::event::Event;
use super::limits::EVENTS_HELD_MAX;

/// Events not yet handed over, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    events: VecDeque<Event>,
    dropped: u64,
}

impl Outbox {
    /// Queues an event. Beyond the bound only those that do not repeat themselves are kept; the
    /// caller stops producing them once [`is_full`](Self::is_full).
    pub(super) fn push(&mut self, event: Event) {
        if self.is_full() && event.repeats_itself() {
            self.dropped += 1;
            tracing::debug!(dropped = self.dropped, "advert dropped: nobody takes events");
            return;
        }
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= EVENTS_HELD_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banyan_protocol::identity::SessionId;
    use libp2p::PeerId;

    #[test]
    fn adverts_go_first() {
        let mut outbox = Outbox::default();
        for _ in 0..10 * EVENTS_HELD_MAX {
            outbox.push(Event::Advert {
                from: PeerId::random(),
                session: SessionId::from_bytes([0; 32]),
                bytes: bytes::Bytes::new(),
            });
        }
        assert!(outbox.is_full());
        outbox.push(Event::Disconnected(PeerId::random()));
        let events: Vec<Event> = std::iter::from_fn(|| outbox.pop()).collect();
        assert_eq!(events.len(), EVENTS_HELD_MAX + 1);
        assert!(matches!(events.last(), Some(Event::Disconnected(_))));
    }
}
