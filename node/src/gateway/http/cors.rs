//! Headers that let pages of any origin use the gateway. A player is embedded anywhere, and there
//! are no cookies to protect: permission is the ticket.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

/// What a page may read of a response.
const EXPOSED: &str = "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After";
const METHODS: &str = "OPTIONS, GET, HEAD, POST, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, If-Match";
/// Seconds for which a browser need not ask again. Derived: the most that Chromium honours.
const MAX_AGE: &str = "7200";

/// Adds to `response` what every response needs, and to that of a preflight what it asks.
pub(super) fn allow(request: &HeaderMap, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, fixed("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, fixed(EXPOSED));
    if request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fixed(REQUEST_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed(MAX_AGE));
        // A page from the Internet that uses a gateway at home asks for this as well.
        if request.contains_key("access-control-request-private-network") {
            headers.insert("access-control-allow-private-network", fixed("true"));
        }
    }
    response
}
