//! The machine's own addresses, as they come and go, for listeners on a wildcard address.
//!
//! Loopback is announced only while there is nothing else: no other machine could use it.
//! Link-local IPv6 addresses are never announced, for a multiaddress has no room for their zone.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll};

use if_watch::IfEvent;
use if_watch::tokio::IfWatcher;

/// Watches the interfaces.
pub(super) struct Interfaces {
    watcher: Option<IfWatcher>,
    up: BTreeSet<IpAddr>,
}

impl Interfaces {
    /// Starts to watch. Needs a tokio runtime.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { watcher: Some(IfWatcher::new()?), up: BTreeSet::new() })
    }

    /// Ready with the announceable addresses each time the set may have changed; or with an
    /// error, once, after which the last set stays.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BTreeSet<IpAddr>>> {
        let mut changed = false;
        while let Some(watcher) = &mut self.watcher {
            match watcher.poll_if_event(cx) {
                Poll::Ready(Ok(IfEvent::Up(net))) => changed |= self.up.insert(net.addr()),
                Poll::Ready(Ok(IfEvent::Down(net))) => changed |= self.up.remove(&net.addr()),
                Poll::Ready(Err(error)) => {
                    // It would give the same error for ever.
                    self.watcher = None;
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => break,
            }
        }
        if changed { Poll::Ready(Ok(announceable(&self.up))) } else { Poll::Pending }
    }

    /// The addresses as last known.
    pub(super) fn current(&self) -> BTreeSet<IpAddr> {
        announceable(&self.up)
    }
}

fn announceable(up: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    let usable = |ip: &&IpAddr| match ip {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    };
    let global: BTreeSet<IpAddr> =
        up.iter().filter(usable).filter(|ip| !ip.is_loopback()).copied().collect();
    if global.is_empty() { up.iter().filter(usable).copied().collect() } else { global }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_the_last_resort() {
        let check = |up: &[&str], expected: &[&str]| {
            let set = |texts: &[&str]| -> BTreeSet<IpAddr> {
                texts.iter().map(|t| t.parse().expect("an address")).collect()
            };
            assert_eq!(announceable(&set(up)), set(expected), "{up:?}");
        };
        check(&["127.0.0.1", "::1"], &["127.0.0.1", "::1"]);
        check(&["127.0.0.1", "::1", "192.168.1.2"], &["192.168.1.2"]);
        check(&["127.0.0.1", "fe80::1"], &["127.0.0.1"]);
        check(&["::1", "fe80::1", "2001:db8::1"], &["2001:db8::1"]);
        check(&[], &[]);
    }
}
