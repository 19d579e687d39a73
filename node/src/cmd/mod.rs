//! The verbs: each parses its options, calls the node, prints. One file per verb.
//!
//! Results go to standard output, for people or with `--json` for programs; logs and errors go to
//! standard error.

pub mod config;
pub mod demo;
mod human;
mod out;
pub mod publish;
pub mod ready;
pub mod status;
pub mod up;
pub mod watch;
