//! Bytes ↔ domain types, nothing else. Every decoder is total: any bytes give a value or a
//! [`DecodeError`], never a panic, and never more memory than the bytes given.

pub mod control;
pub(crate) mod fields;
pub mod gossip;
pub mod media;
pub(crate) mod proto;
pub(crate) mod reader;

use std::borrow::Cow;

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("truncated {0}")]
    Truncated(&'static str),
    /// A field has a value the specification does not allow.
    #[error("bad {field}: {why}")]
    Field {
        /// The field's name in `proto/SPEC.md`.
        field: &'static str,
        /// What is wrong with it.
        why: Cow<'static, str>,
    },
    /// Bytes are left over after the value.
    #[error("{0} bytes after the end")]
    Trailing(usize),
}

impl DecodeError {
    /// A [`DecodeError::Field`] with a fixed reason.
    #[must_use]
    pub const fn field(field: &'static str, why: &'static str) -> Self {
        Self::Field { field, why: Cow::Borrowed(why) }
    }
}
