//! The Banyan node: everything that touches the world, and no protocol decision.
//!
//! Reading order: [`cli`] (what was asked), [`config`] (what that means), [`run`] (the assembled
//! node), [`transport`] (one UDP port), [`swarm`] (who is where), [`http`] and [`web`] (what
//! browsers and people see).

pub mod cli;
pub mod cmd;
pub mod config;
pub mod discovery;
pub mod driver;
pub mod exit;
#[doc(hidden)]
pub mod fuzzing;
pub mod gateway;
pub mod http;
pub mod intake;
pub mod keys;
pub mod link;
pub mod mesh;
pub mod payload;
pub mod peer;
pub mod publication;
pub mod registry;
pub mod run;
pub mod sink;
pub mod source;
pub mod status;
pub mod stop;
pub mod swarm;
pub mod telemetry;
pub mod transport;
pub mod web;
