use super::*;
use proptest::prelude::*;

fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let blank = [&COOKIE.to_be_bytes()[..], &[7; 12]].concat();
    reply(BINDING_REQUEST, &Message { kind: 0, transaction: &blank, body: &[] }, attributes)
}

/// The sample of RFC 5769 section 2.2 without integrity: its mapped address and transaction.
#[test]
fn mapped_address_is_the_one_of_the_rfc_sample() {
    let transaction = [
        0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
        0xae,
    ];
    let mut ask_bytes = vec![0, 1, 0, 0];
    ask_bytes.extend(transaction);
    let four = "192.0.2.1:32853".parse().expect("an address");
    let Ask::Answer(answer) = ask(&ask_bytes, four) else { panic!("not answered") };
    assert_eq!(answer[..4], [0x01, 0x01, 0x00, 0x0c]);
    assert_eq!(answer[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
    // Section 2.3: IPv6.
    let six = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
    let Ask::Answer(answer) = ask(&ask_bytes, six) else { panic!("not answered") };
    assert_eq!(
        answer[20..],
        [
            0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
            0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9
        ]
    );
}

#[test]
fn only_plain_binding_requests_are_answered() {
    let from: SocketAddr = "192.0.2.1:9".parse().expect("an address");
    let check = |datagram: &[u8], expected: &str| {
        let got = match ask(datagram, from) {
            Ask::Answer(answer) => format!("{:02x}{:02x}", answer[0], answer[1]),
            other => format!("{other:?}"),
        };
        assert_eq!(got, expected, "{datagram:02x?}");
    };
    check(&request(&[]), "0101");
    check(&request(&[(0x8022, b"software")]), "0101");
    check(&request(&[(USERNAME, b"a:b")]), "Gateway");
    check(&request(&[(0x8022, b"x"), (USERNAME, b"a:b"), (0x0008, &[0; 20])]), "Gateway");
    check(&request(&[(0x0003, &[0, 0, 0, 6])]), "0111");
    let mut response = request(&[]);
    response[..2].copy_from_slice(&[0x01, 0x01]);
    check(&response, "Gateway");
    let mut cookie = request(&[]);
    cookie[4] ^= 1;
    check(&cookie, "Malformed");
    check(&request(&[(0x8022, b"software")])[..24], "Malformed");
    let mut long = request(&[(0x8022, b"software")]);
    long[23] = 200;
    check(&long, "Malformed");
    check(&[], "Malformed");
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), v6: bool) {
        let from = if v6 { "[::1]:9" } else { "127.0.0.1:9" }.parse().expect("an address");
        // A header that passes makes the attribute reader run often enough.
        let mut framed = request(&[]);
        framed.extend(&bytes[..bytes.len() / 4 * 4]);
        let length = (framed.len() - HEADER) as u16;
        framed[2..4].copy_from_slice(&length.to_be_bytes());
        for datagram in [&bytes, &framed] {
            if let Ask::Answer(answer) = ask(datagram, from) {
                prop_assert!(answer.len() <= 48, "an answer may not amplify");
                prop_assert_eq!(&answer[4..20], &datagram[4..20]);
                prop_assert!(Message::parse(&answer).is_some());
            }
        }
    }
}
