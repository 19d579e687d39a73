//! Identity on disk: the data directory, the keys in it, the sessions they made.
//!
//! ```text
//! DIR/                  mode 0700
//!   lock                held while a node runs; says its process id
//!   node.key            who this node is
//!   publisher.key       whose sessions it makes; only where something was published
//!   sessions/NAME.json  a session to reopen under the same link
//!   running.json        where the running node's HTTP server is; gone after a clean end
//! ```
//!
//! Every file has mode 0600 and comes into being whole or not at all. Nothing here overwrites a
//! key: a damaged one is an error, as replacing it would silently end its owner's identity.

mod dir;
mod running;
mod secret;
mod session;

#[cfg(test)]
mod tests;

pub use dir::DataDir;
pub use running::Running;
pub use session::{StoredSession, check_name};
