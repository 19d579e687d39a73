//! The Banyan node.

pub mod config;
pub mod exit;
pub mod http;
pub mod status;
pub mod telemetry;
