//! The body of an invite: bytes as text that notices when it was clipped or changed.
//!
//! base64url without padding over: format (1 byte), length of the content (2 bytes, big-endian),
//! content, checksum (first 4 bytes of BLAKE3 over all before it).

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};

use super::InviteError;
use crate::identity::Domain;

/// The one format so far. Its first character as text is `A`.
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;

pub(super) fn write(content: &[u8]) -> String {
    let length = u16::try_from(content.len()).expect("an invite's content is below 3 kB");
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn read(text: &str) -> Result<Vec<u8>, InviteError> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err(InviteError::Damaged);
    }
    // Four characters carry the header; a single letter or word is no invite with its end missing.
    if text.len() < 4 {
        return Err(if text.is_empty() {
            InviteError::Incomplete
        } else {
            InviteError::NotAnInvite
        });
    }
    let bytes = decode_prefix(text)?;
    if bytes[0] != FORMAT {
        // Formats to come count up from here; other values mean another text altogether.
        let newer = (FORMAT + 1..16).contains(&bytes[0]);
        return Err(if newer {
            InviteError::NewerFormat(bytes[0])
        } else {
            InviteError::NotAnInvite
        });
    }
    let length = usize::from(u16::from_be_bytes([bytes[1], bytes[2]]));
    let whole = HEADER_BYTES + length + CHECKSUM_BYTES;
    if bytes.len() < whole {
        return Err(InviteError::Incomplete);
    }
    let (content, found) = bytes.split_at(whole - CHECKSUM_BYTES);
    // Encoding again also refuses bits hidden in the last character.
    if found != checksum(content) || URL_SAFE_NO_PAD.encode(&bytes) != text {
        return Err(InviteError::Damaged);
    }
    Ok(content[HEADER_BYTES..].to_vec())
}

/// Decodes as much as there is, wherever the text was cut.
fn decode_prefix(text: &str) -> Result<Vec<u8>, InviteError> {
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    let usable = if text.len() % 4 == 1 { &text[..text.len() - 1] } else { text };
    LENIENT.decode(usable).map_err(|_| InviteError::Damaged)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = Domain::Invite.hash(&[bytes]);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipped_is_incomplete_and_changed_is_damaged() {
        let text = write(b"what the invite says");
        assert_eq!(read(&text), Ok(b"what the invite says".to_vec()));
        for len in 4..text.len() {
            assert_eq!(read(&text[..len]), Err(InviteError::Incomplete), "{len} characters");
        }
        // Past the header, which says format and length.
        for at in 4..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(read(&changed), Err(InviteError::Damaged), "character {at}");
        }
        assert_eq!(read(&(text.clone() + "AAAA")), Err(InviteError::Damaged));
        assert_eq!(read(&(text + "A")), Err(InviteError::Damaged));
    }

    #[test]
    fn other_texts_are_told_apart() {
        assert_eq!(read("A"), Err(InviteError::NotAnInvite));
        assert_eq!(read(""), Err(InviteError::Incomplete));
        assert_eq!(read("hello-world"), Err(InviteError::NotAnInvite));
        assert_eq!(read("AgAA"), Err(InviteError::NewerFormat(2)));
        assert_eq!(read("AQ+A"), Err(InviteError::Damaged));
    }
}
