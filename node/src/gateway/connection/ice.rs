//! ICE-lite: who may talk to us, and at which address a peer is reached.
//!
//! We never send checks. The browser (a full agent) sends them to the candidates in our answer,
//! proves by the password in it that it is the one we answered, and nominates a path. That is
//! enough for every peer that can reach us, and FFmpeg's answers to checks could not be trusted
//! anyway. Where a NAT stands before us, [`Ice::next_punch`] names the peer's candidates
//! to which one harmless datagram opens the way for its checks.
//!
//! // spec: RFC 8445 section 6.1.2 and 7.3, RFC 7675

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::stun;
use crate::gateway::sdp::Credentials;
use crate::gateway::{limits, random};

/// When a candidate is punched after it is known: often enough to survive a lost datagram, and
/// over when a browser's checks have either come through or given up.
const PUNCHES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1500),
];

impl Credentials {
    /// Fresh credentials of our own.
    pub(crate) fn random() -> Self {
        Self { ufrag: random::hex::<8>(), password: random::hex::<16>() }
    }
}

/// What a datagram from the network turned out to be.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The answer to send back.
    pub(crate) answer: Vec<u8>,
    /// The peer was not known to be at this address before.
    pub(crate) new_path: bool,
}

#[derive(Debug)]
struct Punch {
    to: SocketAddr,
    since: Instant,
    done: usize,
}

/// The ICE-lite agent of one peer.
#[derive(Debug)]
pub(crate) struct Ice {
    local: Credentials,
    /// Still honoured after a restart, until the peer checks with the new ones.
    previous: Option<Credentials>,
    remote_ufrag: String,
    paths: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
    punches: Vec<Punch>,
}

impl Ice {
    /// An agent for the peer whose offer had `remote_ufrag`.
    pub(crate) fn new(local: Credentials, remote_ufrag: String) -> Self {
        Self {
            local,
            previous: None,
            remote_ufrag,
            paths: Vec::new(),
            selected: None,
            punches: Vec::new(),
        }
    }

    /// Our credentials.
    pub(crate) fn local(&self) -> &Credentials {
        &self.local
    }

    /// The peer's user name fragment.
    pub(crate) fn remote_ufrag(&self) -> &str {
        &self.remote_ufrag
    }

    /// Where to send media: the nominated path, or before that the first that works.
    pub(crate) fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Addresses at which the peer proved itself.
    pub(crate) fn paths(&self) -> &[SocketAddr] {
        &self.paths
    }

    /// Takes a connectivity check. `None` if the sender does not know the password.
    pub(crate) fn check(
        &mut self,
        from: SocketAddr,
        request: &stun::Request<'_>,
    ) -> Option<Checked> {
        let ufrag = request.local_ufrag();
        let current = self.local.ufrag == ufrag;
        let credentials = match &self.previous {
            _ if current => &self.local,
            Some(previous) if previous.ufrag == ufrag => previous,
            _ => return None,
        };
        if !request.is_authentic(&credentials.password) {
            return None;
        }
        let answer = request.answer(from, &credentials.password);
        let new_path = !self.paths.contains(&from);
        if new_path {
            if self.paths.len() == limits::PATHS_MAX {
                let selected = self.selected;
                self.paths.retain(|path| Some(*path) == selected);
            }
            self.paths.push(from);
        }
        if request.nominates || self.selected.is_none() {
            self.selected = Some(from);
        }
        if current && request.nominates {
            self.previous = None;
        }
        Some(Checked { answer, new_path })
    }

    /// Starts a new ICE generation on the peer's wish; the old one serves until the peer uses the
    /// new one.
    pub(crate) fn restart(&mut self, remote_ufrag: String) -> &Credentials {
        self.previous = Some(std::mem::replace(&mut self.local, Credentials::random()));
        self.remote_ufrag = remote_ufrag;
        self.punches.clear();
        &self.local
    }

    /// Takes a candidate of the peer. One it cannot be reached at is dropped in silence.
    pub(crate) fn add_remote_candidate(&mut self, now: Instant, to: SocketAddr) {
        let ip = to.ip();
        let useless = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
        let known = self.punches.iter().any(|punch| punch.to == to);
        if !useless && !known && to.port() != 0 && self.punches.len() < limits::CANDIDATES_MAX {
            self.punches.push(Punch { to, since: now, done: 0 });
        }
    }

    /// The next candidate to punch, if one is due at `now`. Once the peer has come through, none
    /// is.
    pub(crate) fn next_punch(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        if self.selected.is_some() {
            self.punches.clear();
        }
        let punch = self.punches.iter_mut().find(|punch| {
            PUNCHES.get(punch.done).is_some_and(|after| punch.since + *after <= now)
        })?;
        punch.done += 1;
        Some((punch.to, stun::indication()))
    }

    /// When [`Ice::next_punch`] has something next.
    pub(crate) fn next_punch_at(&self) -> Option<Instant> {
        if self.selected.is_some() {
            return None;
        }
        self.punches.iter().filter_map(|punch| Some(punch.since + *PUNCHES.get(punch.done)?)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn check(ice: &mut Ice, from: SocketAddr, with: &Credentials, nominates: bool) -> bool {
        let data = stun::tests::request(&format!("{}:them", with.ufrag), &with.password, nominates);
        ice.check(from, &stun::Request::read(&data).expect("a request")).is_some()
    }

    #[test]
    fn the_nominated_path_is_selected() {
        let mut ice = Ice::new(Credentials::random(), "them".into());
        let local = ice.local().clone();
        assert!(check(&mut ice, address(1), &local, false));
        assert_eq!(ice.selected(), Some(address(1)));
        assert!(check(&mut ice, address(2), &local, true));
        assert_eq!(ice.selected(), Some(address(2)));
        assert!(check(&mut ice, address(1), &local, false));
        assert_eq!(ice.selected(), Some(address(2)));
    }

    #[test]
    fn a_stranger_gets_no_answer() {
        let mut ice = Ice::new(Credentials::random(), "them".into());
        let wrong = Credentials { password: "guess".into(), ..ice.local().clone() };
        assert!(!check(&mut ice, address(1), &wrong, true));
        assert_eq!(ice.selected(), None);
        assert!(ice.paths().is_empty());
    }

    #[test]
    fn a_restart_keeps_the_old_path_until_the_new_one_is_nominated() {
        let mut ice = Ice::new(Credentials::random(), "them".into());
        let old = ice.local().clone();
        assert!(check(&mut ice, address(1), &old, true));
        let new = ice.restart("again".into()).clone();
        assert_ne!(old, new);
        assert!(check(&mut ice, address(1), &old, true));
        assert!(check(&mut ice, address(2), &new, true));
        assert_eq!(ice.selected(), Some(address(2)));
        assert!(!check(&mut ice, address(1), &old, true));
    }

    #[test]
    fn paths_are_bounded_and_keep_the_selected_one() {
        let mut ice = Ice::new(Credentials::random(), "them".into());
        let local = ice.local().clone();
        assert!(check(&mut ice, address(1), &local, true));
        for port in 2..100 {
            assert!(check(&mut ice, address(port), &local, false));
            assert!(ice.paths().len() <= limits::PATHS_MAX);
            assert!(ice.paths().contains(&address(1)));
        }
    }

    #[test]
    fn candidates_are_punched_until_the_peer_comes_through() {
        let mut ice = Ice::new(Credentials::random(), "them".into());
        let now = Instant::now();
        ice.add_remote_candidate(now, address(9));
        ice.add_remote_candidate(now, ([127, 0, 0, 1], 9).into());
        assert_eq!(ice.next_punch(now).map(|(to, _)| to), Some(address(9)));
        assert!(ice.next_punch(now).is_none());
        assert_eq!(ice.next_punch_at(), Some(now + PUNCHES[1]));
        let local = ice.local().clone();
        assert!(check(&mut ice, address(9), &local, false));
        assert!(ice.next_punch(now + PUNCHES[3]).is_none());
        assert_eq!(ice.next_punch_at(), None);
    }
}
