//! `/whip/{session}/{resource}` and `/whep/…`: the session URL of one connection.
//!
//! The URL itself is the permission: it has 128 random bits that only the client and we know. A
//! ticket is not asked for again, as it may have expired during the event, and a client that
//! leaves must be able to say so.

use axum::extract::{Path, Request, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use banyan_protocol::identity::SessionId;

use super::endpoint::{FRAGMENT, not_allowed, set};
use super::{State, cors, refuse, request};
use crate::gateway::sdp::Fragment;
use crate::gateway::{Patched, Refusal, Resource};
use crate::http::problem::Problem;

const METHODS: &str = "OPTIONS, GET, HEAD, PATCH, DELETE";

pub(super) async fn handle(
    AxumState(state): AxumState<State>,
    Path((session, resource)): Path<(String, String)>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let result = match *request.method() {
        Method::OPTIONS | Method::GET | Method::HEAD => {
            Ok((StatusCode::NO_CONTENT, accepts()).into_response())
        }
        Method::PATCH => patch(&state, &session, resource, request).await,
        Method::DELETE => delete(&state, &session, resource, request).await,
        _ => Err(not_allowed(METHODS)),
    };
    cors::allow(&headers, result.unwrap_or_else(IntoResponse::into_response))
}

fn accepts() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("accept-patch", HeaderValue::from_static(FRAGMENT));
    headers
}

fn find(state: &State, session: &str, id: String) -> Result<Resource, Problem> {
    let session = SessionId::from_hex(session);
    let session = session.ok_or_else(|| refuse::refusal(Refusal::UnknownResource))?;
    Ok(Resource { action: state.action, session, id })
}

async fn patch(
    state: &State,
    session: &str,
    resource: String,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    request::limit_rate(&state.shared, &parts)?;
    let resource = find(state, session, resource)?;
    if !request::has_type(&parts.headers, FRAGMENT) {
        // React Native's client sends JSON and bears 400, but not 415.
        return Err(if request::has_type(&parts.headers, "application/json") {
            let detail = format!("Candidates are sent as {FRAGMENT}, not JSON.");
            Problem::bad_request("wrong-content-type", detail)
        } else {
            Problem::unsupported_media_type(FRAGMENT)
        }
        .with_next("Nothing is lost: this gateway needs no candidates from clients."));
    }
    let if_match = parts.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let if_match = if_match.map(|tag| tag.trim().trim_matches('"').to_owned());
    let text = request::text(&parts.headers, body).await?;
    let fragment = Fragment::read(&text).map_err(|error| refuse::refusal(error.into()))?;
    let gateway = &state.shared.gateway;
    match gateway.patch(resource, fragment, if_match).await.map_err(refuse::refusal)? {
        Patched::Trickled => Ok(StatusCode::NO_CONTENT.into_response()),
        Patched::Restarted { etag, fragment } => {
            let mut headers = accepts();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
            set(&mut headers, header::ETAG, &format!("\"{etag}\""));
            Ok((StatusCode::OK, headers, fragment).into_response())
        }
    }
}

async fn delete(
    state: &State,
    session: &str,
    resource: String,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    request::limit_rate(&state.shared, &parts)?;
    let resource = find(state, session, resource)?;
    state.shared.gateway.delete(resource).await.map_err(refuse::refusal)?;
    // OBS wants exactly 200.
    Ok(StatusCode::OK.into_response())
}
