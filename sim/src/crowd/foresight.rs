//! Having at hand what comes next: a large world lies in memory, not in the processor's caches.
//!
//! The next few events are about nodes all over that memory. Each would wait for it a dozen times,
//! one time after the other. So before they happen, what they are about is read for all of them
//! together, in two rounds, as what a node's parts refer to is known only when those are there: the
//! waits overlap. Nothing in the world depends on it.

use super::{Crowd, Event};
use std::hint::black_box;

/// Looks so many events ahead. Guess: what they are about fits into the second cache, and the waits
/// of so many overlap.
const AHEAD: usize = 16;

/// A world of fewer nodes is at hand anyway. Guess: 8 kB each, and some of the third cache.
const LARGE: usize = 5_000;

/// How far was looked.
#[derive(Default)]
pub(super) struct Foresight {
    /// So many events are to come out before it looks again.
    left: usize,
}

impl Crowd {
    /// An event was taken out: looks at what comes after it, unless it did lately.
    pub(super) fn look_ahead(&mut self) {
        if self.hosts.len() < LARGE {
            return;
        }
        if let Some(left) = self.foresight.left.checked_sub(1) {
            self.foresight.left = left;
            return;
        }
        let coming = self.wheel.coming(AHEAD);
        self.foresight.left = coming.clone().count();
        let about = coming.filter_map(Event::about);
        let mut seen = 0;
        for (node, slot) in about.clone() {
            seen ^= self.hosts[node as usize].glance();
            seen ^= slot.map_or(0, |slot| self.mail.glance(slot));
        }
        for (node, _) in about {
            seen ^= self.hosts[node as usize].glance_deeper();
        }
        black_box(seen);
    }
}

impl Event {
    /// The node that it happens to, and the message that comes.
    fn about(self) -> Option<(u32, Option<u32>)> {
        match self {
            Self::Message { to, slot, .. } => Some((to, Some(slot))),
            Self::Wake(node)
            | Self::LinkUp { at: node, .. }
            | Self::LinkFailed { at: node, .. }
            | Self::LinkDown { at: node, .. } => Some((node, None)),
            _ => None, // seldom
        }
    }
}
