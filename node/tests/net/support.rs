//! Nodes and waits that all tests here share.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use banyan_node::peer::keypair;
use banyan_node::transport::{Bound, Config, Link, SharedQuic};
use libp2p::PeerId;
use libp2p::identity::Keypair;

/// Longer than anything here takes; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A key that is the same in every run.
pub(crate) fn key(seed: u8) -> Keypair {
    keypair([seed; 32])
}

pub(crate) fn peer(seed: u8) -> PeerId {
    key(seed).public().to_peer_id()
}

/// A transport on loopback.
pub(crate) fn bind(seed: u8) -> Bound {
    SharedQuic::bind(&key(seed), &Config::loopback()).expect("loopback binds")
}

pub(crate) fn ip4(shared: &SharedQuic) -> SocketAddr {
    let addresses = shared.local_addrs();
    addresses.into_iter().find(SocketAddr::is_ipv4).expect("IPv4 loopback is everywhere")
}

pub(crate) fn ip6(shared: &SharedQuic) -> Option<SocketAddr> {
    let is_v6 = |address: &SocketAddr| matches!(address.ip(), IpAddr::V6(_));
    shared.local_addrs().into_iter().find(is_v6)
}

/// `future`'s value, or a failed test that says what it was waiting for.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// A link from `a` to `b`, both ends.
pub(crate) async fn link(a: &Bound, b: &mut Bound) -> (Link, Link) {
    link_to(a, b, ip4(&b.shared)).await
}

pub(crate) async fn link_to(a: &Bound, b: &mut Bound, to: SocketAddr) -> (Link, Link) {
    let dialled = soon("the dial", a.shared.dial_link(b.shared.local_peer(), to)).await;
    let accepted = soon("the link", b.links.recv()).await.expect("the transport lives");
    (dialled.expect("the link comes up"), accepted)
}

/// Sends `bytes` on a uni stream and returns what arrives at the other end.
pub(crate) async fn carry(from: &Link, to: &Link, bytes: Vec<u8>) -> Vec<u8> {
    let connection = from.connection.clone();
    let length = bytes.len();
    let sending = tokio::spawn(async move {
        let mut stream = connection.open_uni().await?;
        stream.write_all(&bytes).await?;
        stream.finish()?;
        anyhow::Ok(stream)
    });
    let receive = async {
        let mut stream = to.connection.accept_uni().await?;
        anyhow::Ok(stream.read_to_end(length).await?)
    };
    let got = soon("the stream", receive).await.expect("it arrives whole");
    sending.await.expect("no panic").expect("it is sent");
    got
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8).collect()
}
