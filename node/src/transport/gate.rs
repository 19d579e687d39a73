//! How many strangers may shake hands at once.
//!
//! Half of the room is for anybody, the other half only for those who proved their address (QUIC
//! Retry, which costs us no memory); and one network holds at most a share. A flood of forged
//! first packets therefore cannot keep real peers out, nor can one real address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::{HANDSHAKES_MAX, HANDSHAKES_PER_SOURCE_MAX};

/// Counts handshakes in progress.
#[derive(Debug, Default)]
pub(super) struct Gate {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_source: BTreeMap<IpAddr, usize>,
}

/// What to do with a first packet.
#[derive(Debug)]
pub(super) enum Admission {
    /// Shake hands, and keep the pass while it lasts.
    Admit(Pass),
    /// Ask for proof of the address.
    Retry,
    /// Say no.
    Refuse,
}

/// One handshake's place; dropping it frees the place.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    source: IpAddr,
}

impl Gate {
    /// Decides about one handshake from `ip`.
    pub(super) fn admit(self: &Arc<Self>, ip: IpAddr, address_validated: bool) -> Admission {
        let source = network(ip);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let from_source = held.by_source.get(&source).copied().unwrap_or(0);
        // Whoever is on this machine could do worse; a demo of many nodes is on one address.
        let share = if ip.is_loopback() { HANDSHAKES_MAX } else { HANDSHAKES_PER_SOURCE_MAX };
        let part = if address_validated { 1 } else { 2 };
        if held.total < HANDSHAKES_MAX / part && from_source < share / part {
            held.total += 1;
            *held.by_source.entry(source).or_default() += 1;
            Admission::Admit(Pass { gate: self.clone(), source })
        } else if address_validated {
            Admission::Refuse
        } else {
            Admission::Retry
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut held = self.gate.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total -= 1;
        if let Some(count) = held.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                held.by_source.remove(&self.source);
            }
        }
    }
}

/// The address an owner cannot multiply: an IPv4 address, an IPv6 /56.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[7..].fill(0);
            IpAddr::from(octets)
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(gate: &Arc<Gate>, ip: [u8; 4], validated: bool) -> Option<Pass> {
        match gate.admit(IpAddr::from(ip), validated) {
            Admission::Admit(pass) => Some(pass),
            Admission::Retry => {
                assert!(!validated, "a proof is asked for once");
                None
            }
            Admission::Refuse => {
                assert!(validated, "nobody is refused unheard");
                None
            }
        }
    }

    #[test]
    fn a_forged_flood_leaves_room_for_the_proven() {
        let gate = Arc::new(Gate::default());
        let flood: Vec<Pass> =
            (0..10_000u32).filter_map(|i| admitted(&gate, i.to_be_bytes(), false)).collect();
        assert_eq!(flood.len(), HANDSHAKES_MAX / 2);
        assert!(admitted(&gate, [192, 0, 2, 1], true).is_some());
    }

    #[test]
    fn one_network_holds_its_share_and_gives_it_back() {
        let gate = Arc::new(Gate::default());
        let one: Vec<Pass> =
            (0..1000).filter_map(|_| admitted(&gate, [192, 0, 2, 1], true)).collect();
        assert_eq!(one.len(), HANDSHAKES_PER_SOURCE_MAX);
        assert!(admitted(&gate, [192, 0, 2, 2], true).is_some());
        drop(one);
        assert!(admitted(&gate, [192, 0, 2, 1], true).is_some());
        let held = gate.held.lock().expect("not poisoned");
        assert_eq!((held.total, held.by_source.len()), (0, 0));
    }

    #[test]
    fn an_ipv6_home_is_one_network() {
        let gate = Arc::new(Gate::default());
        let passes: Vec<Admission> = (0..1000u16)
            .map(|i| gate.admit(IpAddr::from([0x2001, 0xdb8, 0, i % 256, 0, 0, 0, i]), true))
            .filter(|a| matches!(a, Admission::Admit(_)))
            .collect();
        assert_eq!(passes.len(), HANDSHAKES_PER_SOURCE_MAX);
    }
}
