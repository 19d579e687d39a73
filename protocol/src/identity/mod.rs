//! Who is who: nodes, publishers, sessions, and what they may do.
//!
//! Ed25519 everywhere. A publisher's key names its sessions and stays with the publisher; a
//! [`MediaKey`] signs the media under a [`Delegation`]; a [`Ticket`] lets somebody publish or watch.

mod delegation;
mod domain;
mod id;
mod keys;
mod ticket;

pub use delegation::{Delegation, DelegationError, SignedDelegation};
pub(crate) use domain::Domain;
pub use ed25519_dalek::VerifyingKey;
pub use id::{NodeId, PublisherId, SESSION_NONCE_BYTES, SessionId};
pub use keys::{BadSignature, MediaKey, NodeKey, PublisherKey, SIGNATURE_BYTES, Signature};
pub(crate) use keys::{public_key, verify};
pub use ticket::{Action, ParseActionError, Ticket, TicketError};
