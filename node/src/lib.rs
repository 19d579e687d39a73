//! The Banyan node: everything that touches the world, and no protocol decision.
//!
//! Reading order: [`cli`] (what was asked), [`config`] (what that means), [`run`] (the assembled
//! node), [`transport`] (one UDP port), [`http`] and [`web`] (what browsers and people see).

pub mod cli;
pub mod cmd;
pub mod config;
pub mod exit;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod keys;
pub mod link;
pub mod payload;
pub mod peer;
pub mod publication;
pub mod run;
pub mod sink;
pub mod source;
pub mod status;
pub mod stop;
pub mod telemetry;
pub mod transport;
pub mod web;
