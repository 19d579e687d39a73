//! The Banyan node.

pub mod config;
pub mod exit;
pub mod http;
pub mod keys;
pub mod link;
pub mod peer;
pub mod status;
pub mod telemetry;
pub mod transport;
pub mod web;
