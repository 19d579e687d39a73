//! The API: what the node says about itself, and opening sessions.
//!
//! | route | answers |
//! |---|---|
//! | `GET /healthz` | `ok` while the node answers |
//! | `GET /api/status` | [`NodeStatus`]; this machine only |
//! | `POST /api/watch` `{"invite": "…"}` | [`OpenedSession`]; JSON only, see [`super::gate`] |
//! | `GET /api/sessions/{hex}` | [`SessionInfo`]; bearer ticket |

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use banyan_protocol::identity::SessionId;
use serde::{Deserialize, Serialize};

use super::gate::{self, Gate};
use super::problem::Problem;
use super::server::BODY_BYTES_MAX;
use crate::status::NodeStatus;

/// What the API asks of the node. The caller waits: answer within seconds, or with a problem.
pub trait Control: Send + Sync + 'static {
    /// The node as it is now.
    fn status(&self) -> impl Future<Output = NodeStatus> + Send;

    /// Joins the session of an invite, if it is not joined, so that browsers can be served.
    fn open_invite(
        &self,
        invite: String,
    ) -> impl Future<Output = Result<OpenedSession, Problem>> + Send;

    /// What a holder of a ticket may know of a session of this node. `ticket` is what stood after
    /// `Bearer`, unchecked.
    fn session_info(
        &self,
        session: SessionId,
        ticket: Option<String>,
    ) -> impl Future<Output = Result<SessionInfo, Problem>> + Send;
}

/// A session that can be watched here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedSession {
    /// Session id, 64 hexadecimal digits.
    pub session: String,
    /// Its title.
    pub title: String,
    /// Where to send the WHEP offer: a path of this server, or a URL.
    pub whep: String,
}

/// A session as its publisher sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Session id, 64 hexadecimal digits.
    pub session: String,
    /// Its title.
    pub title: String,
    /// The link to share.
    pub watch: String,
    /// Whether the publisher sends media now.
    pub live: bool,
}

/// The API's routes.
pub(super) fn routes<C: Control>(control: Arc<C>, gate: Gate) -> Router {
    let local = Router::new()
        .route("/api/status", get(status::<C>))
        .route_layer(middleware::from_fn(gate::local_only));
    Router::new()
        .route("/api/watch", post(watch::<C>))
        .route("/api/sessions/{id}", get(session::<C>))
        .merge(local)
        .route_layer(middleware::from_fn_with_state(gate, gate::check))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(control)
}

async fn status<C: Control>(State(control): State<Arc<C>>) -> Response {
    answer(&control.status().await)
}

/// The body of `POST /api/watch`.
#[derive(Deserialize)]
struct WatchRequest {
    invite: String,
}

async fn watch<C: Control>(
    State(control): State<Arc<C>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request: WatchRequest = json(&headers, body)?;
    Ok(answer(&control.open_invite(request.invite).await?))
}

async fn session<C: Control>(
    State(control): State<Arc<C>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = SessionId::from_hex(&id).ok_or_else(|| {
        Problem::not_found("session-unknown", "A session id has 64 hexadecimal digits.")
    })?;
    Ok(answer(&control.session_info(id, bearer(&headers)).await?))
}

fn answer<T: Serialize>(body: &T) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What stands after `Bearer` in the `Authorization` header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// A JSON body. Insists on the content type, which a form of a stranger's page cannot send.
fn json<T: for<'de> Deserialize<'de>>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type("application/json"));
    }
    let body = body.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::too_large(BODY_BYTES_MAX),
        _ => Problem::bad_request("body-incomplete", "The body ended before it was complete."),
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request("bad-json", format!("The body is not what is read here: {error}."))
    })
}
