//! What the node tells its operator while it runs: logs, on standard error.

pub mod event;
pub mod facts;
mod logs;

pub use logs::{check_filter, init};
