//! What is not QUIC on the shared port: answered, passed on or dropped, and never in QUIC's way.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use banyan_node::transport::{Bound, Foreign, Kind};
use tokio::net::UdpSocket;

use crate::support::{bind, carry, ip4, link, pattern, soon};

/// A binding request without attributes.
fn binding_request(id: u8) -> Vec<u8> {
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([id; 12]);
    request
}

/// The IPv4 address in a binding success with one attribute.
fn mapped(answer: &[u8]) -> SocketAddr {
    assert_eq!(answer[..2], [1, 1], "a binding success");
    assert_eq!(answer[20..24], [0, 0x20, 0, 8], "XOR-MAPPED-ADDRESS");
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    let octets = std::array::from_fn::<u8, 4, _>(|i| answer[28 + i] ^ answer[4 + i]);
    (octets, port).into()
}

async fn received(node: &mut Bound) -> Foreign {
    soon("a foreign datagram", node.foreign.recv()).await.expect("the transport lives")
}

#[tokio::test]
async fn stun_is_answered_while_a_link_is_busy() {
    let (mut a, mut b) = (bind(1), bind(2));
    let (ab, ba) = link(&a, &mut b).await;
    let to = ip4(&b.shared);
    let bytes = pattern(20_000_000);
    let load = tokio::spawn({
        let (ab, ba, bytes) = (ab.clone(), ba.clone(), bytes.clone());
        async move { carry(&ab, &ba, bytes.clone()).await == bytes }
    });
    let browser = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback binds");
    let mut buffer = [0; 100];
    for id in 0..20 {
        browser.send_to(&binding_request(id), to).await.expect("sent");
        let (length, from) =
            soon("the answer", browser.recv_from(&mut buffer)).await.expect("received");
        assert_eq!(from, to);
        assert_eq!(mapped(&buffer[..length]), browser.local_addr().expect("bound"));
        // The same 5-tuple as QUIC: GRO may put both into one buffer. The answer is no business
        // of the other side's transport, but of whoever asked there.
        a.shared.foreign().send(&binding_request(id), to).expect("sent");
        let answer = received(&mut a).await;
        assert_eq!((answer.from, mapped(&answer.data)), (to, ip4(&a.shared)));
    }
    assert!(load.await.expect("no panic"), "20 MB arrive unhurt");
    let lost = ab.connection.stats().path.lost_packets;
    println!("stun_answered={} quic_lost_packets={lost}", b.shared.counters().stun_answered);
    assert_eq!(b.shared.counters().stun_answered, 40);
}

#[tokio::test]
async fn webrtc_reaches_the_gateway() {
    let mut b = bind(2);
    let browser = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback binds");
    let mut check = binding_request(9);
    check[3] = 8;
    check.extend([0, 6, 0, 3, b'a', b':', b'b', 0]);
    let datagrams = [
        (Kind::Dtls, vec![0x16, 0xfe, 0xff, 1, 2, 3]),
        (Kind::Rtp, [vec![0x80, 0x60], vec![5; 1200]].concat()),
        (Kind::Rtp, vec![0x80, 0xc9, 0, 1]),
        (Kind::Stun, check),
    ];
    for (kind, datagram) in datagrams {
        browser.send_to(&datagram, ip4(&b.shared)).await.expect("sent");
        let foreign = received(&mut b).await;
        assert_eq!(foreign.kind(), kind);
        assert_eq!(foreign.from, browser.local_addr().expect("bound"));
        assert_eq!(foreign.local_ip, Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(foreign.data, datagram);
    }
}

#[tokio::test]
async fn garbage_of_every_first_byte_disturbs_nobody() {
    let (a, mut b) = (bind(1), bind(2));
    let (ab, ba) = link(&a, &mut b).await;
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback binds");
    let load = tokio::spawn({
        let (ab, ba) = (ab.clone(), ba.clone());
        async move { carry(&ab, &ba, pattern(5_000_000)).await == pattern(5_000_000) }
    });
    for first in 0..=255u8 {
        for length in [1, 20, 21, 40, 1200] {
            let mut garbage = pattern(length);
            garbage[0] = first;
            // From the peer's own address, and from a stranger's.
            let _ = a.shared.foreign().send(&garbage, ip4(&b.shared));
            let _ = stranger.send_to(&garbage, ip4(&b.shared)).await;
        }
    }
    assert!(load.await.expect("no panic"), "the link's bytes arrive unhurt");
    assert_eq!(carry(&ba, &ab, pattern(1000)).await, pattern(1000));
    let mut kinds = BTreeSet::new();
    while let Ok(foreign) = b.foreign.try_recv() {
        kinds.insert(format!("{:?}", foreign.kind()));
    }
    assert_eq!(kinds, ["Dtls", "Rtp"].map(String::from).into(), "nothing else is passed on");
}

#[tokio::test]
async fn a_batch_arrives_as_single_datagrams() {
    let (a, mut b) = (bind(1), bind(2));
    let mut batch = Vec::new();
    for number in 0..150u8 {
        let length = if number == 149 { 100 } else { 1200 };
        batch.extend([0x80, number]);
        batch.resize(batch.len() + length - 2, number);
    }
    let sender = a.shared.foreign();
    let to = ip4(&b.shared);
    let mut sent = 0;
    while sent < batch.len() {
        match sender.send_batch(to, &batch[sent..], 1200) {
            Ok(taken) => sent += taken,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                soon("room to send", sender.writable(to)).await.expect("a live socket");
            }
            Err(error) => panic!("{error}"),
        }
    }
    for expected in batch.chunks(1200) {
        let got = received(&mut b).await;
        assert_eq!((got.from, &got.data[..]), (ip4(&a.shared), expected));
    }
}

#[tokio::test]
async fn a_full_channel_drops_and_counts() {
    let (a, b) = (bind(1), bind(2));
    let sender = a.shared.foreign();
    let to = ip4(&b.shared);
    // Nobody reads b's channel; go on until it has dropped something.
    let flood = async {
        while b.shared.counters().foreign_dropped == 0 {
            if sender.send(&[0x80; 50], to).is_err() {
                sender.writable(to).await.expect("a live socket");
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the first drop", flood).await;
}
