//! What every request is checked for: who asks, with which ticket, and what body.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use banyan_protocol::identity::{Action, SessionId};

use super::{Shared, Standing, State, refuse};
use crate::gateway::limits;
use crate::http::problem::Problem;

/// The session in the path, if this node has to do with it as `state`'s action needs.
pub(super) fn session(state: &State, text: &str) -> Result<SessionId, Problem> {
    let known =
        SessionId::from_hex(text).map(|session| (session, state.shared.access.standing(&session)));
    match (known, state.action) {
        (Some((session, Standing::Root)), _)
        | (Some((session, Standing::Member)), Action::Watch) => Ok(session),
        (Some((_, Standing::Member)), Action::Publish) => Err(Problem::not_found(
            "not-the-root",
            "This node carries the session but is not its root.",
        )
        .with_next(
            "Publish to the node that made the session: `banyan publish` printed its address.",
        )),
        _ => Err(Problem::not_found("session-unknown", "This node does not carry that session.")
            .with_next(match state.action {
                Action::Publish => {
                    "Check the address: `banyan publish` printed it with the session."
                }
                Action::Watch => "Open the publisher's link again: it names nodes that carry it.",
            })),
    }
}

/// Counts the request against its client's rate.
pub(super) fn limit_rate(shared: &Shared, parts: &Parts) -> Result<(), Problem> {
    let Some(client) = client(parts).filter(|client| !client.is_loopback()) else { return Ok(()) };
    let admitted = match shared.rate.lock() {
        Ok(mut rate) => rate.admit(Instant::now(), client),
        // Somebody panicked while counting; better to serve than to refuse for ever.
        Err(_) => Ok(()),
    };
    admitted.map_err(|wait| {
        let problem = Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "This address has asked too often.",
        );
        problem
            .with_next("Wait as long as Retry-After says.")
            .with_header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1))
    })
}

/// The client's address. A reverse proxy on this machine says whom it speaks for; this machine
/// itself is not limited.
pub(super) fn client(parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let ip = peer.ip().to_canonical();
    if !ip.is_loopback() {
        return Some(ip);
    }
    let Some(forwarded) = parts.headers.get_all("x-forwarded-for").iter().next_back() else {
        return Some(ip);
    };
    forwarded.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// The ticket that a request carries: by header, or, as many players cannot set headers, as
/// `?token=…`, `?access_token=…` or the whole query.
pub(super) fn token(parts: &Parts) -> Option<String> {
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    bearer.filter(|token| !token.is_empty()).or_else(|| {
        let query = parts.uri.query().filter(|query| !query.is_empty())?;
        let named = |name| {
            query.split('&').find_map(|pair| {
                pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value)
            })
        };
        // A JWT has no character that a query would need to escape.
        let whole = || query.split('&').find(|part| !part.contains('=') && part.contains('.'));
        named("token").or_else(|| named("access_token")).or_else(whole).map(str::to_owned)
    })
}

/// Checks the request's ticket.
pub(super) fn check_ticket(
    state: &State,
    session: &SessionId,
    parts: &Parts,
) -> Result<(), Problem> {
    let token = token(parts);
    let checked = state.shared.access.check(session, token.as_deref(), state.action);
    checked.map_err(|denied| refuse::denied(denied, state.action))
}

/// Whether the Content-Type is `expected`, parameters aside.
pub(super) fn has_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected))
}

/// Reads the body as text, no more of it than the limit.
pub(super) async fn text(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let too_large = || Problem::too_large(limits::SDP_BYTES_MAX);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse().ok()).unwrap_or(0_u64)
        > limits::SDP_BYTES_MAX as u64
    {
        return Err(too_large());
    }
    let read = to_bytes(body, limits::SDP_BYTES_MAX);
    let bytes = match tokio::time::timeout(limits::BODY_TIMEOUT, read).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if is_length_limit(&error) => return Err(too_large()),
        Ok(Err(_)) => {
            return Err(Problem::bad_request("body-cut-off", "The body ended before its length."));
        }
        Err(_) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "The body did not come in time.",
            ));
        }
    };
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::bad_request("body-not-text", "The body is not UTF-8 text."))
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}
