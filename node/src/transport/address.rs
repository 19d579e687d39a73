//! Socket addresses as multiaddresses, `/ip4/…/udp/…/quic-v1`, and back.

use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The multiaddress of a QUIC endpoint.
#[must_use]
pub fn to_multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Udp(address.port())).with(Protocol::QuicV1)
}

/// The QUIC endpoint a multiaddress names, and the peer expected there. `None` for everything
/// this transport does not speak: circuits, WebTransport, TCP, names.
#[must_use]
pub fn from_multiaddr(address: &Multiaddr) -> Option<(SocketAddr, Option<PeerId>)> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    let Protocol::Udp(port) = parts.next()? else { return None };
    let Protocol::QuicV1 = parts.next()? else { return None };
    let peer = match parts.next() {
        None => None,
        Some(Protocol::P2p(peer)) => Some(peer),
        Some(_) => return None,
    };
    parts.next().is_none().then_some((SocketAddr::new(ip, port), peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_addresses_are_ours() {
        let check = |text: &str, expected: Option<&str>| {
            let got = from_multiaddr(&text.parse().expect(text)).map(|(a, _)| a.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        };
        let peer = PeerId::random();
        check("/ip4/192.0.2.1/udp/4433/quic-v1", Some("192.0.2.1:4433"));
        check("/ip6/2001:db8::1/udp/4433/quic-v1", Some("[2001:db8::1]:4433"));
        check(&format!("/ip4/192.0.2.1/udp/1/quic-v1/p2p/{peer}"), Some("192.0.2.1:1"));
        check(&format!("/ip4/192.0.2.1/udp/1/quic-v1/p2p/{peer}/p2p-circuit"), None);
        check("/ip4/192.0.2.1/udp/4433/quic-v1/webtransport", None);
        check("/ip4/192.0.2.1/udp/4433/quic", None);
        check("/ip4/192.0.2.1/tcp/4433", None);
        check("/dns4/example.org/udp/4433/quic-v1", None);
    }

    #[test]
    fn addresses_round_trip() {
        for text in ["192.0.2.1:4433", "[2001:db8::1]:4433"] {
            let address: SocketAddr = text.parse().expect(text);
            assert_eq!(from_multiaddr(&to_multiaddr(address)), Some((address, None)));
        }
    }
}
