//! Unguessable names: session URLs, ICE credentials, SSRCs.

use aws_lc_rs::rand;

/// `N` random bytes.
///
/// # Panics
/// If the operating system has no randomness to give, without which nothing here is safe.
#[must_use]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

/// A random 32-bit number.
#[must_use]
pub(crate) fn u32() -> u32 {
    u32::from_be_bytes(bytes())
}

/// `N` random bytes as lower-case hexadecimal: `8 * N` bits, and every character is allowed in
/// a URL, in an ETag and in ICE credentials.
#[must_use]
pub(crate) fn hex<const N: usize>() -> String {
    use std::fmt::Write;
    bytes::<N>().iter().fold(String::with_capacity(2 * N), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String");
        text
    })
}
