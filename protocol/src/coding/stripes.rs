//! How far each stripe has come, to see which one stalls.

use std::time::Duration;

use crate::limits::STRIPES_MAX;
use crate::time::Timestamp;

/// How far one stripe is behind the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StripeLag {
    /// The stripe.
    pub stripe: u8,
    /// The newest block a shard of it came for, and when that was.
    pub last: Option<(u64, Timestamp)>,
    /// How many blocks newer than that one the other stripes have shown.
    pub blocks: u64,
    /// For how long the first of those has been known of. Zero for a stripe that is level.
    pub lag: Duration,
}

/// The newest block of each stripe.
#[derive(Default)]
pub(super) struct Stripes {
    last: [Option<(u64, Timestamp)>; STRIPES_MAX as usize],
}

impl Stripes {
    /// Notes a shard of `stripe`.
    pub(super) fn note(&mut self, now: Timestamp, stripe: u8, block: u64) {
        if let Some(last) = self.last.get_mut(usize::from(stripe))
            && last.is_none_or(|(newest, _)| newest < block)
        {
            *last = Some((block, now));
        }
    }

    /// The newest block of `stripe` and when it came.
    pub(super) fn last(&self, stripe: u8) -> Option<(u64, Timestamp)> {
        self.last.get(usize::from(stripe)).copied().flatten()
    }
}
