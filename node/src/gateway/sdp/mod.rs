//! SDP, as far as WHIP and WHEP need it: read an offer, choose codecs, write an answer.
//!
//! Every reader here is total: any bytes give a value or an [`OfferError`], in memory bounded by
//! the bytes given.

mod answer;
mod codec;
mod fragment;
mod offer;

pub(crate) use answer::TRANSPORT_CC;
pub use answer::{Answer, AnswerMedia, Terms, candidate_lines};
pub use codec::{Choice, VIDEO_CODECS, choose_for_publisher, choose_for_viewer, codec_name};
pub use fragment::Fragment;
pub use offer::{Direction, Extension, Kind, Media, Offer, OfferError, Payload};

use std::net::{IpAddr, SocketAddr};

#[cfg(test)]
use super::limits;

/// ICE user name fragment and password of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name fragment.
    pub ufrag: String,
    /// The password.
    pub password: String,
}

/// A certificate's fingerprint as SDP announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash function, lower case: `sha-256`.
    pub algorithm: String,
    /// Hexadecimal digits in pairs, with colons.
    pub value: String,
}

/// Reads the value of an `a=candidate:` line. Only what a datagram can be sent to: UDP, component
/// 1, a literal address. The rest (TCP, mDNS names) is `None`.
fn candidate(value: &str) -> Option<SocketAddr> {
    let mut fields = value.split_ascii_whitespace();
    let (_foundation, component, transport, _priority, ip, port) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    if component != "1" || !transport.eq_ignore_ascii_case("udp") {
        return None;
    }
    let ip: IpAddr = ip.parse().ok()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

#[cfg(test)]
mod tests;
