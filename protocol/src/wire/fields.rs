//! Checks that every decoder of protobuf messages needs.

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
