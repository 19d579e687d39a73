//! Who may ask the API: keeps other sites' pages from using a visitor's browser against the node.
//!
//! A browser on the node's own machine or network reaches addresses that strangers cannot, and any
//! page it shows may make it send requests. Three rules, for everything under `/api`:
//!
//! 1. **Host.** The request must name the node by an IP address, `localhost`, a `.local` name or
//!    its public URL. A stranger's domain that resolves to 127.0.0.1 (DNS rebinding) is none of
//!    these.
//! 2. **Origin.** A page of another origin is refused, unless the node has a public URL: then it is
//!    a portal, opening sessions for anyone is its purpose, and its player may be embedded
//!    anywhere.
//! 3. **This machine.** What shows the owner's neighbours ([`local_only`]) is told to this machine
//!    alone. A reverse proxy on it must pass on the `Host` it was asked for, or add
//!    `X-Forwarded-For`, as all common ones are told to; else its visitors look local.
//!
//! A form cannot send JSON, so routes that act take nothing else: a page of another origin then
//! needs a preflight, and rule 2 answers it. No route uses cookies or other ambient authority.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, FORWARDED, HOST, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::config::PublicUrl;

/// Whether this node is a portal, and under which name.
#[derive(Clone, Debug)]
pub(super) struct Gate(pub(super) Arc<Option<PublicUrl>>);

/// Rules 1 and 2, as a layer.
pub(super) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let public = gate.0.as_ref().as_ref();
    let cross_origin = match judge(request.headers(), request.uri().authority(), public) {
        Ok(cross_origin) => cross_origin,
        Err(problem) => return problem.into_response(),
    };
    let preflight = request.method() == Method::OPTIONS;
    let mut response = match preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    if cross_origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if preflight {
            let allow = HeaderValue::from_static("Authorization, Content-Type");
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allow);
            let methods = HeaderValue::from_static("OPTIONS, GET, POST");
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}

/// Whether the request comes from a page of another origin, if it may come at all.
fn judge(
    headers: &HeaderMap,
    in_target: Option<&axum::http::uri::Authority>,
    public: Option<&PublicUrl>,
) -> Result<bool, Problem> {
    let host = match (in_target, headers.get(HOST)) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().unwrap_or_default(),
        (None, None) => "",
    }
    .to_ascii_lowercase();
    let is_public = public.is_some_and(|url| url.authority() == host);
    if !is_public && !is_own_name(&host) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown-host",
            "This node does not know itself by the name in this address.",
        )
        .with_next("Use its IP address, or set http.public_url to its name."));
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(false) };
    let same = is_of(origin, &host);
    if !same && public.is_none() {
        return Err(Problem::forbidden(
            "cross-origin",
            "This node answers pages it served itself, not those of other sites.",
        )
        .with_next("To embed its player elsewhere, set http.public_url: it is a portal then."));
    }
    Ok(!same)
}

/// The address at which a connection came in; an extension of its requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival(pub(super) SocketAddr);

/// Rule 3, as a layer: what only this machine may see.
pub(super) async fn local_only(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Arrival(own)): Extension<Arrival>,
    request: Request,
    next: Next,
) -> Response {
    // A machine that asks itself at any of its addresses does so from the same address.
    let is_own = |ip: IpAddr| {
        let ip = ip.to_canonical();
        ip.is_loopback() || ip == own.ip().to_canonical()
    };
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let proxied = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let foreign = headers.get(ORIGIN).is_some_and(|origin| !is_of(origin, host));
    let name = without_port(host);
    let asked_for_own = ip(name).is_some_and(is_own) || name.eq_ignore_ascii_case("localhost");
    if proxied || foreign || !is_own(peer.ip()) || !asked_for_own {
        return Problem::forbidden("local-only", "Only this machine may see this.")
            .with_next("Ask on the machine itself: `banyan status`, or http://127.0.0.1.")
            .into_response();
    }
    next.run(request).await
}

/// Whether an origin is the host's own.
fn is_of(origin: &HeaderValue, host: &str) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// A name that no stranger's name server can give out.
fn is_own_name(host: &str) -> bool {
    let name = without_port(host);
    ip(name).is_some() || name == "localhost" || name.ends_with(".local")
}

fn ip(name: &str) -> Option<IpAddr> {
    name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name).parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_pages_are_told_apart() {
        let portal: PublicUrl = "https://live.example.org".parse().expect("a URL");
        let (yes, cross, wrong_host, forbidden) = (Ok(false), Ok(true), Err(421), Err(403));
        for (host, origin, private, public) in [
            ("127.0.0.1:8080", None, yes, yes),
            ("localhost:8080", Some("http://localhost:8080"), yes, yes),
            ("192.168.1.5", Some("http://192.168.1.5"), yes, yes),
            ("[::1]:8080", Some("http://[::1]:8080"), yes, yes),
            ("box.local", Some("http://box.local"), yes, yes),
            // A page of another site, another port, a sandboxed frame.
            ("127.0.0.1:8080", Some("https://evil.example"), forbidden, cross),
            ("127.0.0.1:8080", Some("http://127.0.0.1:9000"), forbidden, cross),
            ("127.0.0.1:8080", Some("null"), forbidden, cross),
            ("127.0.0.1:8080", Some("\u{e9}"), forbidden, cross),
            // DNS rebinding: same origin to the browser.
            ("evil.example:8080", Some("http://evil.example:8080"), wrong_host, wrong_host),
            ("localhost.evil.example", None, wrong_host, wrong_host),
            ("", None, wrong_host, wrong_host),
            ("live.example.org", Some("https://live.example.org"), wrong_host, yes),
            ("Live.Example.org", Some("https://other.example"), wrong_host, cross),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).expect(host));
            if let Some(origin) = origin {
                let origin = HeaderValue::from_bytes(origin.as_bytes()).expect(origin);
                headers.insert(ORIGIN, origin);
            }
            let ask = |public| judge(&headers, None, public).map_err(|p| p.status().as_u16());
            assert_eq!(ask(None), private, "{host} {origin:?}");
            assert_eq!(ask(Some(&portal)), public, "{host} {origin:?} of a portal");
        }
    }
}
