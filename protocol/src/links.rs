//! The links of this node as the core knows them: who is connected, and who is still needed.

use crate::forest::{Action, Peer};
use crate::limits::LINKS_MAX;
use crate::output::Farewell;
use crate::time::Timestamp;
use std::time::Duration;

/// How long a link that no session needs stays open. Guess: members ask again within seconds.
const IDLE: Duration = Duration::from_secs(15);

/// One link. Small, because a node of a large session has dozens and a world has a million nodes.
#[derive(Clone, Copy, Debug)]
struct Link {
    peer: Peer,
    /// Round trip, µs; `None` while it comes up.
    rtt_us: Option<u32>,
    /// When it was last of use, seconds.
    needed_at_s: u32,
}

/// All links of a node, in the order of their peers.
#[derive(Debug, Default)]
pub struct Links(Vec<Link>);

impl Links {
    fn find(&self, peer: Peer) -> Result<usize, usize> {
        self.0.binary_search_by_key(&peer, |link| link.peer)
    }

    /// Whether a link to `peer` is up.
    #[must_use]
    pub fn is_up(&self, peer: Peer) -> bool {
        self.rtt(peer).is_some()
    }

    /// Round trip to `peer`, if a link is up.
    #[must_use]
    pub fn rtt(&self, peer: Peer) -> Option<Duration> {
        let link = self.0.get(self.find(peer).ok()?)?;
        link.rtt_us.map(|us| Duration::from_micros(us.into()))
    }

    /// Asks for a link unless there is one or one is on its way. False if there are too many.
    pub fn connect(&mut self, now: Timestamp, peer: Peer, out: &mut Vec<Action>) -> bool {
        match self.find(peer) {
            Ok(at) => self.0[at].needed_at_s = seconds(now),
            Err(_) if self.0.len() >= LINKS_MAX => return false,
            Err(at) => {
                self.0.insert(at, Link { peer, rtt_us: None, needed_at_s: seconds(now) });
                out.push(Action::Connect(peer));
            }
        }
        true
    }

    /// Takes note of a link, whoever dialled it. False, and it is to be closed, if there are too
    /// many.
    pub fn on_up(&mut self, now: Timestamp, peer: Peer, rtt: Duration) -> bool {
        let rtt_us = Some(u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
        let link = Link { peer, rtt_us, needed_at_s: seconds(now) };
        match self.find(peer) {
            Ok(at) => self.0[at] = link,
            Err(_) if self.0.len() >= LINKS_MAX => return false,
            Err(at) => self.0.insert(at, link),
        }
        true
    }

    /// A fresh estimate of the round trip to `peer`.
    pub fn on_rtt(&mut self, peer: Peer, rtt: Duration) {
        if let Ok(at) = self.find(peer)
            && self.0[at].rtt_us.is_some()
        {
            self.0[at].rtt_us = Some(u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// A link is gone, or never came up. False if there was none.
    pub fn on_down(&mut self, peer: Peer) -> bool {
        let found = self.find(peer);
        if let Ok(at) = found {
            self.0.remove(at);
        }
        found.is_ok()
    }

    /// Closes links that nothing has `needed` for a while.
    pub fn close_idle(
        &mut self,
        now: Timestamp,
        needed: impl Fn(Peer) -> bool,
        out: &mut Vec<Action>,
    ) {
        let now_s = seconds(now);
        self.0.retain_mut(|link| {
            if needed(link.peer) {
                link.needed_at_s = now_s;
            }
            let unused_s = now_s.saturating_sub(link.needed_at_s);
            let idle = link.rtt_us.is_some() && unused_s > IDLE.as_secs() as u32;
            if idle {
                out.push(Action::Disconnect(link.peer, Farewell::Idle));
            }
            !idle
        });
    }

    /// Every peer with a link that is up.
    pub fn up(&self) -> impl Iterator<Item = Peer> + '_ {
        self.0.iter().filter(|link| link.rtt_us.is_some()).map(|link| link.peer)
    }

    /// Every peer with a link, up or coming up.
    pub fn all(&self) -> impl Iterator<Item = Peer> + '_ {
        self.0.iter().map(|link| link.peer)
    }

    /// How many there are, up or coming up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn seconds(now: Timestamp) -> u32 {
    (now.as_micros() / 1_000_000) as u32
}
