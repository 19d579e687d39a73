//! STUN as an ICE-lite agent needs it: read a Binding request, check it, answer it.
//!
//! // spec: RFC 8489, RFC 8445 section 7.3

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::hmac;

const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_INDICATION: u16 = 0x0011;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const INTEGRITY_LEN: usize = 20;
/// Longest message read. Derived: a Binding request has about 100 bytes.
const MESSAGE_MAX: usize = 1500;

/// A Binding request that carries credentials, not yet checked.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    data: &'a [u8],
    transaction: [u8; 12],
    username: &'a str,
    integrity_at: usize,
    /// Whether the peer nominates the path this came over.
    pub(crate) nominates: bool,
}

impl<'a> Request<'a> {
    /// Reads a Binding request with USERNAME and MESSAGE-INTEGRITY. Anything else is `None`.
    pub(crate) fn read(data: &'a [u8]) -> Option<Self> {
        if data.len() < HEADER || data.len() > MESSAGE_MAX {
            return None;
        }
        let length = usize::from(u16_at(data, 2)?);
        if u16_at(data, 0)? != BINDING_REQUEST
            || u32::from_be_bytes(data[4..8].try_into().ok()?) != COOKIE
            || length + HEADER != data.len()
        {
            return None;
        }
        let mut username = None;
        let mut nominates = false;
        let mut at = HEADER;
        while at + 4 <= data.len() {
            let (kind, len) = (u16_at(data, at)?, usize::from(u16_at(data, at + 2)?));
            let value = data.get(at + 4..at + 4 + len)?;
            match kind {
                USERNAME => username = std::str::from_utf8(value).ok(),
                USE_CANDIDATE => nominates = true,
                // What follows MESSAGE-INTEGRITY is not protected by it and is not read.
                MESSAGE_INTEGRITY if len == INTEGRITY_LEN => {
                    return Some(Self {
                        data,
                        transaction: data[8..HEADER].try_into().ok()?,
                        username: username?,
                        integrity_at: at,
                        nominates,
                    });
                }
                _ => {}
            }
            at += 4 + len.next_multiple_of(4);
        }
        None
    }

    /// The part of USERNAME that names us: our ICE user name fragment.
    pub(crate) fn local_ufrag(&self) -> &'a str {
        self.username.split(':').next().unwrap_or_default()
    }

    /// Whether the sender knows our password.
    pub(crate) fn is_authentic(&self, password: &str) -> bool {
        // RFC 8489 section 14.5: the length field covers the message up to MESSAGE-INTEGRITY.
        let mut message = self.data[..self.integrity_at].to_vec();
        set_length(&mut message, INTEGRITY_LEN + 4);
        let mac = &self.data[self.integrity_at + 4..self.integrity_at + 4 + INTEGRITY_LEN];
        hmac::verify(&integrity_key(password), &message, mac).is_ok()
    }

    /// The success response, for the peer at `from`.
    pub(crate) fn answer(&self, from: SocketAddr, password: &str) -> Vec<u8> {
        let mut message = start(BINDING_SUCCESS, self.transaction);
        let mut address = vec![0, if from.is_ipv4() { 1 } else { 2 }];
        let cookie = COOKIE.to_be_bytes();
        address.extend((from.port() ^ u16::from_be_bytes([cookie[0], cookie[1]])).to_be_bytes());
        let mask = cookie.iter().chain(&self.transaction);
        match from.ip() {
            IpAddr::V4(ip) => address.extend(ip.octets().iter().zip(mask).map(|(a, b)| a ^ b)),
            IpAddr::V6(ip) => address.extend(ip.octets().iter().zip(mask).map(|(a, b)| a ^ b)),
        }
        push(&mut message, XOR_MAPPED_ADDRESS, &address);
        set_length(&mut message, INTEGRITY_LEN + 4);
        let mac = hmac::sign(&integrity_key(password), &message);
        push(&mut message, MESSAGE_INTEGRITY, mac.as_ref());
        push_fingerprint(&mut message);
        message
    }
}

/// A Binding indication: opens the way through a NAT in front of us, and asks for no answer.
pub(crate) fn indication() -> Vec<u8> {
    let mut message = start(BINDING_INDICATION, super::super::random::bytes());
    push_fingerprint(&mut message);
    message
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn integrity_key(password: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
}

fn start(kind: u16, transaction: [u8; 12]) -> Vec<u8> {
    let mut message = Vec::with_capacity(128);
    message.extend(kind.to_be_bytes());
    message.extend([0, 0]);
    message.extend(COOKIE.to_be_bytes());
    message.extend(transaction);
    message
}

/// Writes the length of the message as it will be with `more` bytes after it.
fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - HEADER + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

fn push(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    set_length(message, 0);
}

fn push_fingerprint(message: &mut Vec<u8>) {
    set_length(message, 8);
    let crc = crc32(message) ^ 0x5354_554E;
    push(message, FINGERPRINT, &crc.to_be_bytes());
}

/// CRC-32 of ISO 3309, bit by bit: messages are short and few.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A Binding request as a browser sends it.
    pub(crate) fn request(username: &str, password: &str, nominates: bool) -> Vec<u8> {
        let mut message = start(BINDING_REQUEST, [7; 12]);
        push(&mut message, USERNAME, username.as_bytes());
        if nominates {
            push(&mut message, USE_CANDIDATE, &[]);
        }
        set_length(&mut message, INTEGRITY_LEN + 4);
        let mac = hmac::sign(&integrity_key(password), &message);
        push(&mut message, MESSAGE_INTEGRITY, mac.as_ref());
        push_fingerprint(&mut message);
        message
    }

    #[test]
    fn the_request_of_rfc_5769_is_authentic() {
        // spec: RFC 5769 section 2.1
        let hex = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
                   002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149a\
                   eaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let data: Vec<u8> = digits
            .chunks(2)
            .map(|pair| {
                u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex")
            })
            .collect();
        let request = Request::read(&data).expect("a request");
        assert_eq!(request.local_ufrag(), "evtj");
        assert!(request.is_authentic("VOkJxbRl1RmTxUk/WvJxBt"));
        assert!(!request.is_authentic("VOkJxbRl1RmTxUk/WvJxBu"));
        assert_eq!(crc32(&data[..data.len() - 8]) ^ 0x5354_554E, 0xe57a_3bcf);
    }

    #[test]
    fn nothing_shorter_or_altered_is_authentic() {
        let data = request("ours:theirs", "password", true);
        assert!(Request::read(&data).expect("whole").is_authentic("password"));
        assert!(Request::read(&data).expect("whole").nominates);
        for len in 0..data.len() {
            assert!(Request::read(&data[..len]).is_none(), "{len}");
        }
        // The fingerprint (8 bytes) and MESSAGE-INTEGRITY's header (4 bytes) are not covered.
        for at in 0..data.len() - 8 - INTEGRITY_LEN - 4 {
            let mut altered = data.clone();
            altered[at] ^= 1;
            let authentic = Request::read(&altered).is_some_and(|r| r.is_authentic("password"));
            assert!(!authentic, "byte {at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data: Vec<u8>) {
            if let Some(request) = Request::read(&data) {
                request.is_authentic("x");
            }
        }

        #[test]
        fn any_attributes_are_read_or_refused(attributes: Vec<u8>) {
            let mut data = start(BINDING_REQUEST, [1; 12]);
            data.extend(&attributes[..attributes.len().min(1400)]);
            set_length(&mut data, 0);
            if let Some(request) = Request::read(&data) {
                request.is_authentic("x");
            }
        }
    }
}
