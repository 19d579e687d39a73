//! What the transport counts. Plain counters, read as a snapshot by whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of the process; they only grow.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) foreign_dropped: AtomicU64,
    pub(super) malformed: AtomicU64,
    pub(super) stun_answered: AtomicU64,
    pub(super) stun_dropped: AtomicU64,
    pub(super) handshakes_admitted: AtomicU64,
    pub(super) handshakes_retried: AtomicU64,
    pub(super) handshakes_refused: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) backlog_refused: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Datagrams for the gateway that found its channel full.
    pub foreign_dropped: u64,
    /// Datagrams of no protocol spoken here.
    pub malformed: u64,
    /// STUN binding requests answered.
    pub stun_answered: u64,
    /// STUN binding requests left unanswered: too many, or the socket was full.
    pub stun_dropped: u64,
    /// Inbound handshakes begun.
    pub handshakes_admitted: u64,
    /// Inbound handshakes asked to prove their address first.
    pub handshakes_retried: u64,
    /// Inbound handshakes refused because too many were in progress.
    pub handshakes_refused: u64,
    /// Inbound handshakes begun that came to nothing.
    pub handshakes_failed: u64,
    /// Finished inbound connections closed because nobody took them in time.
    pub backlog_refused: u64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            foreign_dropped: read(&self.foreign_dropped),
            malformed: read(&self.malformed),
            stun_answered: read(&self.stun_answered),
            stun_dropped: read(&self.stun_dropped),
            handshakes_admitted: read(&self.handshakes_admitted),
            handshakes_retried: read(&self.handshakes_retried),
            handshakes_refused: read(&self.handshakes_refused),
            handshakes_failed: read(&self.handshakes_failed),
            backlog_refused: read(&self.backlog_refused),
        }
    }
}
