//! What a browser, a broadcaster or a stranger sends to the gateway by UDP: checks, RTP and RTCP.

use std::net::SocketAddr;

use banyan_protocol::fuzzing::Target;
use bytes::Bytes;
use rtc::shared::marshal::Unmarshal;
use rtc::{rtcp, rtp};

use crate::gateway::connection::ice::Ice;
use crate::gateway::connection::stun;
use crate::gateway::sdp::Credentials;

/// A connectivity check.
pub(super) const CHECK: Target = Target {
    name: "check",
    rounds: 5_000,
    run: |bytes| {
        let Some(request) = stun::Request::read(bytes) else { return };
        let from = SocketAddr::from(([203, 0, 113, 7], 4433));
        let local = Credentials { ufrag: "ours".to_owned(), password: "secret".to_owned() };
        let mut ice = Ice::new(local, "theirs".to_owned());
        if let Some(checked) = ice.check(from, &request) {
            assert_eq!(ice.paths(), [from]);
            assert_eq!(checked.answer[8..20], bytes[8..20], "transaction");
            assert!(stun::Request::read(&checked.answer).is_none(), "an answer to an answer");
        }
    },
    // From RFC 5769 section 2.1, and one that holds: user "ours:theirs", password "secret".
    seeds: || [RFC_5769, OURS].map(unhex).to_vec(),
};

const RFC_5769: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69\
    656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70c\
    bfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const OURS: &str = "000100342112a4420707070707070707070707070006000b6f7572733a746865697273000025000000080014d3\
    0683006c0a37c2181c08a20b20d790637c1a3080280004c57157e5";

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |d: u8| (d as char).to_digit(16).unwrap_or(0) as u8;
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// An RTP packet, decrypted: the library's reader, on which publishers can knock.
pub(super) const RTP: Target = Target {
    name: "rtp",
    rounds: 5_000,
    run: |bytes| {
        if let Ok(packet) = rtp::Packet::unmarshal(&mut Bytes::copy_from_slice(bytes)) {
            assert!(packet.payload.len() <= bytes.len());
        }
    },
    seeds: || {
        let extended = "b0e00001000000000000002abede0002 10aa22bbccdd3003 01020304 0502";
        ["80600001000000000000002a0102030405", &extended.replace(' ', "")].map(unhex).to_vec()
    },
};

/// A compound RTCP packet, decrypted: the library's reader, on which every viewer can knock.
pub(super) const RTCP: Target = Target {
    name: "rtcp",
    rounds: 5_000,
    run: |bytes| {
        if let Ok(packets) = rtcp::packet::unmarshal(&mut Bytes::copy_from_slice(bytes)) {
            assert!(packets.len() <= bytes.len() / 4);
        }
    },
    seeds: || {
        [
            "80c80006000000070102030405060708000003e80000000a00000400",
            "81c9000700000007000000080a00000100000010000000200000003000000040",
            "81ca000300000007010361626300000000",
            "81cb000100000007",
            "81cd00030000000700000008000a0005",
            "81ce0002000000070000 0008",
            "84ce0004000000070000000800000008 01000000",
            "8fce0005000000070000000852454d4201020304 00000008",
            "8fcd0005000000070000000800010002000003012002 0000",
            "80cf0005000000070400000200000000 0000000a",
        ]
        .map(|hex| unhex(&hex.replace(' ', "")))
        .to_vec()
    },
};
