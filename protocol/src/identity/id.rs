//! Identifiers as newtypes: 32 bytes each, shown short, written in full as hex.

use std::fmt;

use super::domain::Domain;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Wraps raw bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 hexadecimal digits.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits = text.as_bytes();
                if digits.len() != 64 {
                    return None;
                }
                let mut bytes = [0; 32];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let high = (pair[0] as char).to_digit(16)?;
                    let low = (pair[1] as char).to_digit(16)?;
                    *byte = (high * 16 + low) as u8;
                }
                Some(Self(bytes))
            }

            /// The first four bytes as hex: enough to tell apart in a log.
            #[must_use]
            pub fn short(&self) -> String {
                self.0[..4].iter().map(|b| format!("{b:02x}")).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.short())
            }
        }
    };
}

id!(
    /// A node: its Ed25519 public key. The libp2p PeerId is another spelling of the same key.
    NodeId
);
id!(
    /// A publisher: the Ed25519 public key that names its sessions.
    PublisherId
);
id!(
    /// A session: BLAKE3 over the publisher's key and a nonce, see `proto/SPEC.md#identity`.
    SessionId
);

/// Length of the nonce in a session's id. Derived: 2^64 sessions of one publisher before two meet.
pub const SESSION_NONCE_BYTES: usize = 16;

impl SessionId {
    /// The id of the session that `publisher` opens with `nonce`.
    ///
    /// spec: proto/SPEC.md#identity
    #[must_use]
    pub fn derive(publisher: &PublisherId, nonce: &[u8; SESSION_NONCE_BYTES]) -> Self {
        Self(Domain::SessionId.hash(&[publisher.as_bytes(), nonce]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_as_hex() {
        let id = NodeId::from_bytes(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(NodeId::from_hex(&id.to_string()), Some(id));
        assert_eq!(NodeId::from_hex("00"), None);
        assert_eq!(NodeId::from_hex(&"g".repeat(64)), None);
    }
}
