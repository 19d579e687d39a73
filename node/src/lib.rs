//! The Banyan node.

pub mod http;
pub mod status;
