//! WHIP and WHEP over HTTP: `/whip/{session}` to publish, `/whep/{session}` to watch, and below
//! each the session URL of one connection.
//!
//! spec: RFC 9725, draft-ietf-wish-whep-03. Strict in what is sent, lenient in what is taken:
//! which client depends on what is in `notes/whip-whep.md` of the project's background.
//!
//! Whoever mounts [`routes`] should serve them with `into_make_service_with_connect_info`, as the
//! rate limit needs the client's address.

mod cors;
mod endpoint;
mod rate;
mod refuse;
mod request;
mod resource;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::any;
use banyan_protocol::identity::{Action, SessionId, TicketError};

use self::rate::RateLimiter;
use super::handle::GatewayHandle;

pub use self::rate::RateLimit;

/// What this node is to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its root: publishers send here.
    Root,
    /// A member: it is rebuilt and served here.
    Member,
    /// Nothing.
    Unknown,
}

/// Why a ticket does not let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is none, and the session needs one.
    Missing,
    /// It does not permit this.
    Ticket(TicketError),
    /// The session's policy does not allow this client.
    Policy,
}

/// Who may come in. The node implements it; the gateway asks.
pub trait Access: Send + Sync + 'static {
    /// What this node is to `session`.
    fn standing(&self, session: &SessionId) -> Standing;

    /// Whether `token`, as the client sent it, permits `action` on `session`.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, session: &SessionId, token: Option<&str>, action: Action)
    -> Result<(), Denied>;
}

/// Settings of the HTTP side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpConfig {
    /// What a reverse proxy takes off the path before it gets here, such as `/live`. Session URLs
    /// are given with it.
    pub prefix: String,
    /// How often one client may ask.
    pub rate: RateLimit,
}

struct Shared {
    gateway: GatewayHandle,
    access: Arc<dyn Access>,
    prefix: String,
    rate: Mutex<RateLimiter>,
}

/// A route's view of what all share, and what it is for.
#[derive(Clone)]
struct State {
    shared: Arc<Shared>,
    action: Action,
}

/// The routes of both sides.
pub fn routes(gateway: GatewayHandle, access: Arc<dyn Access>, config: HttpConfig) -> Router {
    let rate = Mutex::new(RateLimiter::new(config.rate));
    let shared = Arc::new(Shared { gateway, access, prefix: config.prefix, rate });
    [Action::Publish, Action::Watch].into_iter().fold(Router::new(), |router, action| {
        let state = State { shared: shared.clone(), action };
        let path = path(action);
        let endpoints = Router::new()
            .route(&format!("/{path}/{{session}}"), any(endpoint::handle))
            .route(&format!("/{path}/{{session}}/{{resource}}"), any(resource::handle))
            .with_state(state);
        router.merge(endpoints)
    })
}

/// The first part of the paths for `action`.
fn path(action: Action) -> &'static str {
    match action {
        Action::Publish => "whip",
        Action::Watch => "whep",
    }
}

#[cfg(test)]
mod tests;
