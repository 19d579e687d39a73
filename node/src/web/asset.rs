//! One embedded file and the reply it becomes: type, entity tag, 304.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use bytes::Bytes;

use super::policy::Policy;

/// A file compiled into the binary.
#[derive(Clone, Copy)]
pub(super) struct Asset {
    /// Where it is served.
    pub(super) path: &'static str,
    /// Its name in the source tree; the ending decides the media type.
    pub(super) file: &'static str,
    /// Its content.
    pub(super) content: &'static [u8],
}

/// Embeds `$file` (relative to this directory) to be served at `$path`.
macro_rules! asset {
    ($path:literal, $file:literal) => {
        $crate::web::asset::Asset { path: $path, file: $file, content: include_bytes!($file) }
    };
}
pub(super) use asset;

impl Asset {
    /// The media type, by the file's ending.
    ///
    /// # Panics
    /// If the ending is unknown: a mistake in the table, seen by every test.
    pub(super) fn media_type(&self) -> &'static str {
        match self.file.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("no media type for {other:?} ({})", self.file),
        }
    }

    /// Prepares the reply once: a request then costs a comparison and a few clones.
    pub(super) fn reply(&self, policy: Option<Policy>) -> Reply {
        let digest = blake3::hash(self.content).to_hex();
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        // Always asked again, almost always answered by 304: a node that was
        // updated never serves a page whose modules are of another version.
        set(header::CACHE_CONTROL, "no-cache");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::REFERRER_POLICY, "no-referrer");
        match policy {
            Some(policy) => policy.apply(&mut headers),
            None => {
                // Other sites load the player as a module, which takes CORS.
                set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
                set(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
            }
        }
        let tag = format!("\"{}\"", &digest[..32]);
        let tag = HeaderValue::try_from(tag).expect("hexadecimal digits in quotes");
        headers.insert(header::ETAG, tag);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type()));
        Reply { headers, content: Bytes::from_static(self.content) }
    }
}

/// A prepared answer to GET and HEAD (axum drops the body of the latter).
#[derive(Clone)]
pub(super) struct Reply {
    headers: HeaderMap,
    content: Bytes,
}

impl Reply {
    /// The whole file, or 304 when the browser holds this very version.
    pub(super) async fn answer(self, request: Request) -> Response<Body> {
        let known = self.headers.get(header::ETAG).is_some_and(|tag| {
            request.headers().get_all(header::IF_NONE_MATCH).iter().any(|held| matches(held, tag))
        });
        let mut response = if known {
            let mut empty = Response::new(Body::empty());
            *empty.status_mut() = StatusCode::NOT_MODIFIED;
            empty
        } else {
            Response::new(Body::from(self.content))
        };
        *response.headers_mut() = self.headers;
        response
    }
}

/// Weak comparison of an `If-None-Match` list with our tag (RFC 9110, 13.1.2).
fn matches(held: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(held), Ok(tag)) = (held.to_str(), tag.to_str()) else { return false };
    held.split(',')
        .map(|one| one.trim())
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
