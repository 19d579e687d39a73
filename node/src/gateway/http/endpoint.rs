//! `/whip/{session}` and `/whep/{session}`: offers.

use axum::extract::{Path, Request, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{State, cors, path, refuse, request};
use crate::gateway::sdp::Offer;
use banyan_protocol::identity::Action;

use crate::gateway::Admitted;
use crate::http::problem::Problem;

/// The media type of offers and answers.
const SDP: &str = "application/sdp";
/// The media type of PATCH bodies.
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const METHODS: &str = "OPTIONS, GET, HEAD, POST";

pub(super) async fn handle(
    AxumState(state): AxumState<State>,
    Path(session): Path<String>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let response = match *request.method() {
        // Never behind a ticket: a browser sends its preflight without one.
        Method::OPTIONS => (StatusCode::NO_CONTENT, accepts()).into_response(),
        Method::GET => (StatusCode::NO_CONTENT, accepts()).into_response(),
        // spec: draft-ietf-wish-whep-03, discovery.
        Method::HEAD => (StatusCode::OK, accepts(), [(header::CONTENT_TYPE, SDP)]).into_response(),
        Method::POST => match post(&state, &session, request).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        },
        _ => not_allowed(METHODS).into_response(),
    };
    cors::allow(&headers, response)
}

/// 405 with the methods that do work.
pub(super) fn not_allowed(methods: &'static str) -> Problem {
    let detail = format!("This address takes {methods}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
        .with_header(header::ALLOW, HeaderValue::from_static(methods))
}

fn accepts() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("accept-post", HeaderValue::from_static(SDP));
    headers.insert("accept-patch", HeaderValue::from_static(FRAGMENT));
    headers
}

async fn post(state: &State, session: &str, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    request::limit_rate(&state.shared, &parts)?;
    let session = request::session(state, session)?;
    request::check_ticket(state, &session, &parts)?;
    if !request::has_type(&parts.headers, SDP) {
        return Err(Problem::unsupported_media_type(SDP));
    }
    let text = request::text(&parts.headers, body).await?;
    let offer = Offer::read(&text).map_err(|error| refuse::refusal(error.into()))?;
    let (gateway, client) = (&state.shared.gateway, request::client(&parts));
    let admitted = match state.action {
        Action::Publish => gateway.publish(session, offer, client).await,
        Action::Watch => gateway.watch(session, offer, client).await,
    };
    let Admitted { resource, etag, sdp, .. } = admitted.map_err(refuse::refusal)?;
    let (prefix, path) = (&state.shared.prefix, path(state.action));
    let mut headers = accepts();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let location = format!("{prefix}/{path}/{session}/{resource}");
    set(&mut headers, header::LOCATION, &location);
    set(&mut headers, header::ETAG, &format!("\"{etag}\""));
    // No `Link` to an ICE server: it could only be this very address, and Chromium takes every
    // packet from a STUN server's address for a STUN answer, media and checks included. The
    // browser's own address shows in its first check anyway.
    Ok((StatusCode::CREATED, headers, sdp).into_response())
}

/// Sets a header whose value is ours. Only a prefix from the configuration could make it invalid,
/// and then the header is left out.
pub(super) fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
