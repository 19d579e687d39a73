//! Asks a node on this machine: the little of an HTTP client that `status` and `demo` need.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::body::{Body, to_bytes};
use axum::http::header::HOST;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// Longest answer, bytes. Guess: a node with thousands of links stays far below.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Longest wait for the whole answer. Guess: it is the same machine, perhaps a busy one.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The JSON answer to `GET path`.
///
/// # Errors
/// Nobody answers in time, or not with that.
pub async fn get_json<T: DeserializeOwned>(addr: SocketAddr, path: &str) -> Result<T> {
    let body = tokio::time::timeout(TIMEOUT, get(addr, path))
        .await
        .with_context(|| format!("{addr} does not answer"))??;
    serde_json::from_slice(&body).with_context(|| format!("reading the answer of {addr}"))
}

async fn get(addr: SocketAddr, path: &str) -> Result<axum::body::Bytes> {
    let stream = TcpStream::connect(addr).await.with_context(|| format!("reaching {addr}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(stream)).await?;
    let asked = async move {
        let request =
            hyper::Request::get(path).header(HOST, addr.to_string()).body(Body::empty())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?;
        if !status.is_success() {
            bail!("{addr} answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    };
    // The connection makes progress only while it is polled; it ends with the request.
    let (answer, _) = tokio::join!(asked, connection);
    answer
}
