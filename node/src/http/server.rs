//! Binds, assembles and serves, with every size, time and count bounded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::header::{CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::limit::RequestBodyLimitLayer;

use super::api::{self, Control};
use super::gate::{Arrival, Gate};
use super::problem::Problem;
use super::stall::StallGuard;
use crate::config;
use crate::exit::Refusal;

/// Longest request body, bytes. Derived: Chromium's offers are below 16 kB, invites below 8 kB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest request head, bytes. Derived: a ticket is at most 2 kB; common servers allow 8 to 16 kB.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most connections at once; others wait in the kernel. Guess: a browser uses six, so 170 viewers
/// may load the page at the same instant.
const CONNECTIONS_MAX: usize = 1024;
/// Longest time for a request's head to arrive, and for an idle connection to be kept. Guess: the
/// slowest honest phone needs a second.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time from a request's head to the head of its answer. Derived: OBS gives up after 8 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for the other end to read. Guess: as for the head, doubled for bad radio.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long requests under way may take to end at shutdown. Guess: most answer at once.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause after a failed accept: out of file handles, which only time can heal. Guess.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An address nobody comes from.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Takes the address of the settings. Where nobody chose it and it is taken, any other port does.
///
/// # Errors
/// The chosen address is taken or not ours.
pub async fn bind(config: &config::Http) -> Result<TcpListener> {
    let error = match TcpListener::bind(config.bind).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::AddrInUse if !config.bind_is_chosen => {
            tracing::info!(taken = %config.bind, "the usual HTTP port is taken; using another");
            TcpListener::bind((config.bind.ip(), 0)).await.context("taking any HTTP port")
        }
        io::ErrorKind::AddrInUse => Err(Refusal::new(format!(
            "the HTTP address {} is taken by another program",
            config.bind
        ))
        .next("choose another with --http-bind; port 0 takes any")
        .into()),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => {
            Err(Refusal::new(format!("cannot listen at the HTTP address {}: {error}", config.bind))
                .next("choose an address of this machine, and a port above 1023, with --http-bind")
                .into())
        }
        _ => Err(error).with_context(|| format!("listening at the HTTP address {}", config.bind)),
    }
}

/// All routes: the API over `control`, the gateway's and the pages'. Routes must not overlap; one
/// of `gateway` and `web` may have a fallback.
pub fn router<C: Control>(
    config: &config::Http,
    control: Arc<C>,
    gateway: Router,
    web: Router,
) -> Router {
    let gate = Gate(Arc::new(config.public_url.clone()));
    api::routes(control, gate)
        .merge(gateway)
        .merge(web)
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::map_response(dress))
}

/// Answers until `stop` is ready, then lets requests under way end, for a few seconds.
pub async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place.expect("the semaphore is never closed"), listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut stop => break,
            accepted = accept => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are small and awaited.
                let _ = stream.set_nodelay(true);
                let ends = (peer, stream.local_addr().unwrap_or(NOWHERE));
                let (app, stopped) = (app.clone(), stopped.clone());
                connections.spawn(async move {
                    connection(stream, ends, app, stopped).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "an HTTP connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is left is cut off when the set is dropped.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, drained).await;
}

/// Serves one connection between `(theirs, ours)` until it ends, or soon after `stopped` turns
/// true.
pub(super) async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    (peer, own): (SocketAddr, SocketAddr),
    app: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let io = TokioIo::new(StallGuard::new(stream, WRITE_TIMEOUT));
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Arrival(own));
        hyper::service::Service::call(&app, request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(io, service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke off");
    }
}

/// Gives up on a request whose body trickles, or whose handler hangs.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "took-too-long",
            format!("The request was not done within {} seconds.", ANSWER_TIMEOUT.as_secs()),
        )
        .into_response(),
    }
}

/// Makes the framework's own errors problems too, and forbids guessing at content.
async fn dress(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let bare = content_type.is_none_or(|value| value.starts_with(b"text/plain"));
    let mut response = match is_error && bare {
        true => {
            let problem = match status {
                StatusCode::NOT_FOUND => Problem::not_found("no-such-page", "Nothing is here."),
                StatusCode::METHOD_NOT_ALLOWED => {
                    Problem::new(status, "wrong-method", "This address does not take that method.")
                }
                StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(BODY_BYTES_MAX),
                status if status.is_server_error() => Problem::internal(),
                status => Problem::new(status, "bad-request", "The request cannot be read."),
            };
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(axum::http::header::CONTENT_LENGTH);
            let mut dressed = problem.into_response();
            // What the route said beside the body stays, such as `Allow`.
            for (name, value) in &parts.headers {
                dressed.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            *dressed.status_mut() = status;
            dressed
        }
        false => response,
    };
    let headers = response.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    response
}
