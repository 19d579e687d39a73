//! Children that are said to pass nothing on.
//!
//! An orphan tells the parent above whom it replaces. One such word may be a lie or a bad link; when
//! children in three networks say it of the same child within seconds, that child looks elsewhere. It
//! is fed on while it does, so a false accusation moves an honest node and makes no glitch, and only
//! so many are moved in a second.

use super::peer::Peer;
use crate::time::Timestamp;
use std::time::Duration;

/// So many networks are believed. Guess: a loaded uplink is silent for one or two children.
const ACCUSERS: usize = 3;
/// An accusation counts for so long. Guess: all below a black hole lose it at the same time.
const COUNTS: Duration = Duration::from_secs(3);
/// At most one child is sent away in this time. Guess: a session survives as much by itself.
const EVERY: Duration = Duration::from_millis(250);
/// Most accusations kept, the newest. Guess: half of a big parent's children.
const KEPT_MAX: usize = 32;

/// One child's word.
#[derive(Clone, Copy, Debug)]
struct Accusation {
    stripe: u8,
    accused: Peer,
    /// The network of who says it.
    network: u32,
    at: Timestamp,
}

/// What was said lately.
#[derive(Debug, Default)]
pub(super) struct Accusations {
    all: Vec<Accusation>,
    sent_away_at: Option<Timestamp>,
}

impl Accusations {
    /// Somebody in `network` says that a child is silent in `stripe`. Whether the child is to look
    /// elsewhere now.
    pub(super) fn hear(&mut self, now: Timestamp, stripe: u8, accused: Peer, network: u32) -> bool {
        self.all.retain(|one| now.since(one.at) < COUNTS);
        let of = |one: &Accusation| (one.stripe, one.accused) == (stripe, accused);
        if !self.all.iter().any(|one| of(one) && one.network == network) {
            if self.all.len() == KEPT_MAX {
                self.all.remove(0);
            }
            self.all.push(Accusation { stripe, accused, network, at: now });
        }
        if self.all.iter().filter(|one| of(one)).count() < ACCUSERS {
            return false;
        }
        if self.sent_away_at.is_some_and(|at| now.since(at) < EVERY) {
            return false;
        }
        self.sent_away_at = Some(now);
        self.all.retain(|one| !of(one));
        true
    }

    /// All that are accused.
    pub(super) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        self.all.iter().map(|one| one.accused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(1_000_000 + ms * 1_000)
    }

    #[test]
    fn three_networks_are_believed_and_two_are_not() {
        let mut all = Accusations::default();
        let two = |ms: u64| 7 + (ms % 2) as u32;
        assert!((0..100).all(|ms| !all.hear(at(ms), 3, Peer(1), two(ms))), "two networks say it");
        assert!(!all.hear(at(100), 4, Peer(1), 9), "of another stripe");
        assert!(!all.hear(at(100), 3, Peer(2), 9), "of another child");
        assert!(all.hear(at(101), 3, Peer(1), 9));
        assert!(!all.hear(at(900), 3, Peer(1), 9), "what was said is used up");
    }

    #[test]
    fn what_was_said_long_ago_does_not_count() {
        let mut all = Accusations::default();
        assert!(!all.hear(at(0), 3, Peer(1), 7) && !all.hear(at(1), 3, Peer(1), 8));
        assert!(!all.hear(at(3_000), 3, Peer(1), 9));
    }

    #[test]
    fn liars_move_few_and_fill_no_memory() {
        let mut all = Accusations::default();
        let mut away = 0;
        for ms in 0..1_000 {
            for network in 0..20 {
                let accused = Peer((ms % 50) as u32);
                away += u32::from(all.hear(at(ms), 3, accused, network));
            }
        }
        assert!((1..=4).contains(&away), "{away}");
        assert!(all.all.len() <= KEPT_MAX);
    }
}
