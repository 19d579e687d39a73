//! Targets of stable facts: events without a message that tools, tests and golden files read.
//!
//! ```
//! use banyan_node::telemetry::event;
//! tracing::info!(target: event::GRAFTED, stripe = 3, peer = "ab12cd34");
//! ```
//!
//! All begin with [`PREFIX`], so `--log "warn,banyan::event=info"` shows them alone. A fact's
//! fields may grow, never change their meaning.

/// Before every name.
pub const PREFIX: &str = "banyan::event";
/// The node listens and answers: `node`, `port`, `http`.
pub const STARTED: &str = "banyan::event::started";
/// The node ends: `uptime_s`.
pub const STOPPED: &str = "banyan::event::stopped";
/// A publisher sends media: `session`.
pub const PUBLISHED: &str = "banyan::event::published";
/// The publisher is gone: `session`.
pub const UNPUBLISHED: &str = "banyan::event::unpublished";
/// A link is up: `peer`.
pub const LINKED: &str = "banyan::event::linked";
/// A link is down: `peer`, `cause`.
pub const UNLINKED: &str = "banyan::event::unlinked";
/// A parent carries a stripe: `session`, `stripe`, `peer`, `depth`, `waited_ms`.
pub const GRAFTED: &str = "banyan::event::grafted";
/// A pair was dissolved: `session`, `stripe`, `peer`, `cause`.
pub const PRUNED: &str = "banyan::event::pruned";
/// This node feeds one more child: `session`, `stripe`, `peer`.
pub const ADMITTED: &str = "banyan::event::admitted";
/// This node feeds one child less: `session`, `stripe`, `peer`.
pub const RELEASED: &str = "banyan::event::released";
/// Shards were asked of a backup: `session`, `stripe`, `peer`, `blocks`.
pub const PULLED: &str = "banyan::event::pulled";
/// A peer asked for more out of the ring than it may have: `session`, `stripe`, `peer`.
pub const SHED: &str = "banyan::event::shed";
/// Blocks were given up: `session`, `block` (the first), `count`.
pub const LOST: &str = "banyan::event::lost";
/// A peer broke a rule: `peer`, `rule`.
pub const VIOLATED: &str = "banyan::event::violated";
/// A browser is served: `session`.
pub const VIEWER_JOINED: &str = "banyan::event::viewer_joined";
/// A browser is gone: `session`.
pub const VIEWER_LEFT: &str = "banyan::event::viewer_left";
