//! Who is who: nodes, publishers, sessions.

mod id;

pub use id::{NodeId, PublisherId, SessionId};
