//! Which of our addresses an answer names, and in which order.
//!
//! Browsers try all of them. FFmpeg tries only the first, and OBS likes few, so the first must be
//! one that works for the client that asks: the public address for clients on the Internet, but
//! the one in the living room for the streamer's own machine, as many home routers do not let
//! their own public address be used from inside.

use std::net::{IpAddr, SocketAddr};

/// Most candidates in an answer. Guess: both families of two networks, and room for a mapped one.
const CANDIDATES_MAX: usize = 6;

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Machine,
    Home,
    Internet,
}

fn reach(ip: IpAddr) -> Reach {
    match ip.to_canonical() {
        ip if ip.is_loopback() => Reach::Machine,
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // spec: RFC 6598, what carriers use inside.
            let carrier = a == 100 && (64..128).contains(&b);
            if ip.is_private() || ip.is_link_local() || carrier {
                Reach::Home
            } else {
                Reach::Internet
            }
        }
        IpAddr::V6(ip) => {
            // spec: RFC 4193 and RFC 4291: unique local and link-local.
            let first = ip.segments()[0];
            let local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
            if local { Reach::Home } else { Reach::Internet }
        }
    }
}

/// Our addresses `ours`, best first, for the client at `client`, where that is known.
pub(crate) fn choose(ours: &[SocketAddr], client: Option<IpAddr>) -> Vec<SocketAddr> {
    let client = client.map_or(Reach::Internet, reach);
    let mut chosen: Vec<SocketAddr> = ours
        .iter()
        .copied()
        .filter(|address| !address.ip().is_unspecified() && address.port() != 0)
        // This machine's own address is of no use to others.
        .filter(|address| client == Reach::Machine || reach(address.ip()) != Reach::Machine)
        .collect();
    if chosen.is_empty() {
        chosen = ours.to_vec();
    }
    // Stable: the caller's order decides among equals.
    chosen.sort_by_key(|address| {
        let ip = address.ip().to_canonical();
        (reach(ip) != client, reach(ip), ip.is_ipv6())
    });
    chosen.dedup();
    chosen.truncate(CANDIDATES_MAX);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_candidate_is_one_that_the_client_can_reach() {
        let ours: Vec<SocketAddr> = [
            "[2001:db8::7]:5000",
            "127.0.0.1:5000",
            "192.168.1.7:5000",
            "203.0.113.7:4000",
            "[fd00::7]:5000",
            "0.0.0.0:5000",
        ]
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect();
        for (client, expected) in [
            (None, "203.0.113.7:4000"),
            (Some("198.51.100.1"), "203.0.113.7:4000"),
            (Some("192.168.1.20"), "192.168.1.7:5000"),
            (Some("fd00::20"), "192.168.1.7:5000"),
            (Some("100.64.0.9"), "192.168.1.7:5000"),
            (Some("127.0.0.1"), "127.0.0.1:5000"),
        ] {
            let client = client.map(|text| text.parse().expect("an address"));
            let chosen = choose(&ours, client);
            assert_eq!(chosen[0].to_string(), expected, "{client:?}: {chosen:?}");
            assert!(chosen.len() >= 4 && chosen.iter().all(|a| !a.ip().is_unspecified()));
            let own = chosen.iter().any(|address| address.ip().is_loopback());
            assert_eq!(own, client.is_some_and(|ip: IpAddr| ip.is_loopback()));
        }
        let alone = ["127.0.0.1:5000".parse().expect("an address")];
        assert_eq!(choose(&alone, None), alone);
    }
}
