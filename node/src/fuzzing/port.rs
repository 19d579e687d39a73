//! Datagrams at the one UDP port.

use std::net::SocketAddr;

use banyan_protocol::fuzzing::{Script, Target};

use crate::transport::split::{Kind, split};
use crate::transport::stun::{Ask, ask};

/// A datagram whose first byte says STUN.
pub(super) const STUN: Target = Target {
    name: "stun",
    rounds: 20_000,
    run: |bytes| {
        for from in ["203.0.113.7:4433", "[2001:db8::7]:4433"] {
            let from: SocketAddr = from.parse().expect("an address");
            let Ask::Answer(answer) = ask(bytes, from) else { continue };
            // Whoever forges a source must not gain by it.
            assert!(answer.len() <= 3 * bytes.len(), "{} for {}", answer.len(), bytes.len());
            assert_eq!(answer[4..20], bytes[4..20], "transaction");
            assert_eq!(answer.len() % 4, 0);
            assert_eq!(usize::from(u16::from_be_bytes([answer[2], answer[3]])) + 20, answer.len());
            assert_eq!(ask(&answer, from), Ask::Gateway, "an answer to an answer never ends");
        }
    },
    seeds: || {
        let cookie_and_id = [0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let message = |body: &[u8]| {
            let mut bytes = vec![0, 1];
            bytes.extend_from_slice(&(body.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&cookie_and_id);
            bytes.extend_from_slice(body);
            bytes
        };
        vec![
            message(&[]),
            message(&[0x80, 0x22, 0, 3, b'x', b'y', b'z', 0]),
            message(&[0x00, 0x03, 0, 4, 0, 0, 0, 6, 0x7f, 0xff, 0, 0]),
            message(&[0x00, 0x06, 0, 4, b'u', b's', b'e', b'r']),
        ]
    },
};

/// A receive buffer as the kernel fills it, with the length and stride it reports.
pub(super) const SPLIT: Target = Target {
    name: "split",
    rounds: 20_000,
    run: |bytes| {
        let mut script = Script::new(bytes);
        let (length, stride) = (usize::from(script.u16()), usize::from(script.u16()));
        let mut buffer = script.bytes(usize::MAX).to_vec();
        let original = buffer.clone();
        let whole = length.min(buffer.len());
        let mut foreign = 0;
        let kept = split(&mut buffer, length, stride, |kind, datagram| {
            assert_ne!(kind, Kind::Quic);
            assert_eq!(kind, Kind::of(datagram[0]));
            foreign += datagram.len();
        });
        assert_eq!(kept + foreign, whole, "a byte was lost or counted twice");
        assert_eq!(buffer.len(), original.len());
        let stride = if stride == 0 { whole.max(1) } else { stride };
        let quic = original[..whole].chunks(stride).filter(|d| Kind::of(d[0]) == Kind::Quic);
        assert_eq!(buffer[..kept], quic.flatten().copied().collect::<Vec<u8>>()[..]);
    },
    seeds: || {
        let buffer = |length: u16, stride: u16, firsts: &[u8]| {
            let mut bytes = [length.to_be_bytes(), stride.to_be_bytes()].concat();
            bytes.extend(firsts.iter().flat_map(|first| [*first, 1, 2, 3]));
            bytes
        };
        vec![
            buffer(12, 4, &[0x40, 0x01, 0xc0]),
            buffer(10, 4, &[0x80, 0xff, 0x16]),
            buffer(4, 0, &[0x40]),
        ]
    },
};
