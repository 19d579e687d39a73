//! Just enough STUN (RFC 8489) to tell whoever asks under which address we see them.
//!
//! A request with USERNAME (or USERHASH) belongs to an ICE session and is left to the gateway, as
//! are responses and indications. Nothing here allocates before the message is known to be whole.

use std::net::{IpAddr, SocketAddr};

/// Spec: RFC 8489 section 5.
const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const USERNAME: u16 = 0x0006;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const USERHASH: u16 = 0x001e;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Attributes below this one must be understood or refused. Spec: RFC 8489 section 14.
const COMPREHENSION_OPTIONAL: u16 = 0x8000;
/// Required ones that a server without credentials may pass over: addresses, and integrity and
/// realm attributes, which make no sense without a user. Spec: RFC 8489 section 18.3.
const HARMLESS: [u16; 10] = [0x01, 0x08, 0x09, 0x0a, 0x14, 0x15, 0x1c, 0x1d, 0x20, 0x24];
/// Unknown attributes named in a refusal; more are not worth the bytes.
const UNKNOWN_NAMED_MAX: usize = 4;

/// What a STUN message asks of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A binding request for the transport: send these bytes back.
    Answer(Vec<u8>),
    /// A well-formed message of an ICE session, or a response: the gateway's.
    Gateway,
    /// Not STUN.
    Malformed,
}

/// Reads one datagram from `from` and says what to do with it.
#[must_use]
pub fn ask(datagram: &[u8], from: SocketAddr) -> Ask {
    let Some(message) = Message::parse(datagram) else { return Ask::Malformed };
    if message.kind != BINDING_REQUEST {
        return Ask::Gateway;
    }
    let mut unknown = Vec::new();
    for attribute in message.attributes() {
        match attribute {
            USERNAME | USERHASH => return Ask::Gateway,
            known if known >= COMPREHENSION_OPTIONAL || HARMLESS.contains(&known) => {}
            other if unknown.len() < UNKNOWN_NAMED_MAX => unknown.push(other),
            _ => {}
        }
    }
    Ask::Answer(if unknown.is_empty() {
        success(&message, from)
    } else {
        refuse(&message, &unknown)
    })
}

/// A message whose lengths have been checked.
struct Message<'a> {
    kind: u16,
    /// Cookie and transaction id: bytes 4 to 20.
    transaction: &'a [u8],
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, body) = datagram.split_at_checked(HEADER)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = u16::from_be_bytes([header[2], header[3]]);
        let whole = kind & 0xc000 == 0
            && header[4..8] == COOKIE.to_be_bytes()
            && usize::from(length) == body.len()
            && length % 4 == 0;
        let message = Self { kind, transaction: &header[4..], body };
        // Attributes must fill the body exactly.
        let filled: usize = message.sizes().sum();
        (whole && filled == body.len()).then_some(message)
    }

    /// Attribute types in order.
    fn attributes(&self) -> impl Iterator<Item = u16> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let (kind, after) = next(rest)?;
            rest = after;
            Some(kind)
        })
    }

    /// Bytes each attribute fills, padding included; ends where one does not fit.
    fn sizes(&self) -> impl Iterator<Item = usize> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let (_, after) = next(rest)?;
            let size = rest.len() - after.len();
            rest = after;
            Some(size)
        })
    }
}

/// The first attribute's type, and what follows it.
fn next(body: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = body.split_at_checked(4)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let after = rest.get(length.next_multiple_of(4)..)?;
    Some((u16::from_be_bytes([head[0], head[1]]), after))
}

fn success(request: &Message<'_>, from: SocketAddr) -> Vec<u8> {
    let mut value = vec![0, if from.is_ipv4() { 1 } else { 2 }];
    value.extend((from.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
    let xor = |octets: &[u8], value: &mut Vec<u8>| {
        value.extend(octets.iter().zip(request.transaction).map(|(a, b)| a ^ b));
    };
    match from.ip() {
        IpAddr::V4(ip) => xor(&ip.octets(), &mut value),
        IpAddr::V6(ip) => xor(&ip.octets(), &mut value),
    }
    reply(BINDING_SUCCESS, request, &[(XOR_MAPPED_ADDRESS, &value)])
}

/// "420 Unknown Attribute". Spec: RFC 8489 section 6.3.1.
fn refuse(request: &Message<'_>, unknown: &[u16]) -> Vec<u8> {
    let named: Vec<u8> = unknown.iter().flat_map(|a| a.to_be_bytes()).collect();
    let error = [0, 0, 4, 20];
    reply(BINDING_ERROR, request, &[(ERROR_CODE, &error), (UNKNOWN_ATTRIBUTES, &named)])
}

fn reply(kind: u16, request: &Message<'_>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::with_capacity(32);
    for (attribute, value) in attributes {
        body.extend(attribute.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend_from_slice(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(kind.to_be_bytes());
    message.extend((body.len() as u16).to_be_bytes());
    message.extend_from_slice(request.transaction);
    message.extend(body);
    message
}

#[cfg(test)]
mod tests;
