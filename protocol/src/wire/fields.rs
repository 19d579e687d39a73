//! What every coder of protobuf messages needs: checks, and the spelling of an address.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::DecodeError;

/// The field as an array of exactly `N` bytes.
pub(crate) fn array<const N: usize>(
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::Field {
        field,
        why: format!("{} bytes instead of {N}", bytes.len()).into(),
    })
}

/// A [`DecodeError::Field`] unless `holds`.
pub(crate) fn require(
    holds: bool,
    field: &'static str,
    why: &'static str,
) -> Result<(), DecodeError> {
    if holds { Ok(()) } else { Err(DecodeError::field(field, why)) }
}

/// 6 bytes (IPv4 and port) or 18 (IPv6 and port), big-endian.
pub(crate) fn encode_address(address: &SocketAddr) -> Bytes {
    let mut bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.extend(address.port().to_be_bytes());
    bytes.into()
}

/// Reads what [`encode_address`] wrote.
pub(crate) fn decode_address(bytes: &[u8]) -> Result<SocketAddr, DecodeError> {
    let bad = DecodeError::field("address", "is neither 6 nor 18 bytes");
    let (ip, port) = bytes.split_last_chunk::<2>().ok_or(bad.clone())?;
    let ip: IpAddr = match ip.len() {
        4 => array::<4>("address", ip)?.into(),
        16 => array::<16>("address", ip)?.into(),
        _ => return Err(bad),
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}
