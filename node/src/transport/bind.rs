//! Opens the node's one UDP port: the same number on IPv4 and on IPv6.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, Socket, Type};

use super::limits::{PORT_ATTEMPTS_MAX, SOCKET_BUFFER_BYTES};

/// Where the node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// IPv4 address to bind; `None` for no IPv4.
    pub ip4: Option<Ipv4Addr>,
    /// IPv6 address to bind; `None` for no IPv6. Where the system has none, IPv4 serves alone.
    pub ip6: Option<Ipv6Addr>,
    /// UDP port of both; 0 picks one that is free for both.
    pub port: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { ip4: Some(Ipv4Addr::UNSPECIFIED), ip6: Some(Ipv6Addr::UNSPECIFIED), port: 0 }
    }
}

impl Config {
    /// This machine only, any free port.
    #[must_use]
    pub const fn loopback() -> Self {
        Self { ip4: Some(Ipv4Addr::LOCALHOST), ip6: Some(Ipv6Addr::LOCALHOST), port: 0 }
    }
}

/// Binds one socket per family, at least one in all.
///
/// # Errors
/// The first family's error if it is more than a missing family, or if no family is left.
pub(super) fn open(config: &Config) -> io::Result<Vec<UdpSocket>> {
    let mut attempts = if config.port == 0 { PORT_ATTEMPTS_MAX } else { 1 };
    loop {
        attempts -= 1;
        match open_pair(config) {
            // The port IPv4 was given is taken on IPv6: try another.
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            result => return result,
        }
    }
}

fn open_pair(config: &Config) -> io::Result<Vec<UdpSocket>> {
    let wanted = [config.ip4.map(IpAddr::V4), config.ip6.map(IpAddr::V6)];
    let mut sockets: Vec<UdpSocket> = Vec::new();
    let mut missing = None;
    for ip in wanted.into_iter().flatten() {
        let port = match sockets.first() {
            Some(first) => first.local_addr()?.port(),
            None => config.port,
        };
        match open_one(SocketAddr::new(ip, port)) {
            Ok(socket) => sockets.push(socket),
            Err(e) if is_missing_family(&e) => {
                tracing::debug!(%ip, error = %e, "address family unavailable");
                missing = Some(e);
            }
            Err(e) => return Err(e),
        }
    }
    if sockets.is_empty() {
        let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "no address to bind");
        return Err(missing.unwrap_or_else(nothing));
    }
    Ok(sockets)
}

fn open_one(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    enlarge_buffers(&socket);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// An IPv6 address on a machine without IPv6, or the other way round. A loopback address that
/// is not there counts: containers often switch IPv6 off on `lo` alone.
fn is_missing_family(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(AFNOSUPPORT)
}

/// "Address family not supported by protocol"; std maps it to no kind of its own.
#[cfg(target_os = "linux")]
const AFNOSUPPORT: i32 = 97;
#[cfg(windows)]
const AFNOSUPPORT: i32 = 10047;
#[cfg(not(any(target_os = "linux", windows)))]
const AFNOSUPPORT: i32 = 47;

fn enlarge_buffers(socket: &Socket) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    // Best effort: the kernel gives what `rmem_max` and `wmem_max` allow and reports no error.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    let got = socket.recv_buffer_size().unwrap_or(0);
    if got < SOCKET_BUFFER_BYTES && !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            wanted_bytes = SOCKET_BUFFER_BYTES,
            got_bytes = got,
            "small UDP receive buffer: bursts may be lost; raise net.core.rmem_max"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_share_a_port() {
        let sockets = open(&Config::loopback()).expect("loopback binds");
        let ports: Vec<u16> =
            sockets.iter().map(|s| s.local_addr().expect("bound").port()).collect();
        assert!(ports.iter().all(|&p| p == ports[0] && p != 0), "{ports:?}");
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let first = open(&Config { ip6: None, ..Config::loopback() }).expect("loopback binds");
        let port = first[0].local_addr().expect("bound").port();
        let error = open(&Config { port, ..Config::loopback() }).expect_err("it is taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_missing_address_leaves_the_other_family() {
        // 2001:db8::/32 is documentation: no machine has it.
        let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let config = Config { ip6: Some(documentation), ..Config::loopback() };
        let sockets = open(&config).expect("IPv4 alone binds");
        assert_eq!(sockets.len(), 1);
        assert!(open(&Config { ip4: None, ip6: None, port: 0 }).is_err());
    }
}
