//! What each page may do: Content-Security-Policy and its companions.
//!
//! Pages run no inline script or style and load nothing from other places.
//! They differ in whom they may call and who may frame them.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The rights of one kind of page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Reads this node's API; never shown inside another site.
    Reader,
    /// Also calls the gateway a link names or redirects to.
    Player,
    /// A player made to be shown inside other sites.
    Frame,
    /// Uses camera, microphone and screen, and publishes to any address given.
    Studio,
}

/// `$calls`: whom scripts may call. `$framed`: who may frame the page.
/// `$more`: further directives, each ending in a semicolon.
macro_rules! csp {
    ($calls:literal, $framed:literal, $more:literal) => {
        HeaderValue::from_static(concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; ",
            "media-src 'self' blob:; base-uri 'none'; form-action 'self'; ",
            $more,
            "connect-src ",
            $calls,
            "; frame-ancestors ",
            $framed
        ))
    };
}

impl Policy {
    /// Adds this policy's headers to a page's.
    pub(super) fn apply(self, headers: &mut HeaderMap) {
        // No page writes markup from strings, so trusted types cost nothing;
        // the studio alone starts a worker, which they would forbid.
        let csp = match self {
            Self::Reader => csp!("'self'", "'none'", "require-trusted-types-for 'script'; "),
            Self::Player => {
                csp!("'self' https:", "'none'", "require-trusted-types-for 'script'; ")
            }
            Self::Frame => csp!("'self' https:", "*", "require-trusted-types-for 'script'; "),
            Self::Studio => csp!("'self' https: http:", "'none'", "worker-src 'self'; "),
        };
        headers.insert(header::CONTENT_SECURITY_POLICY, csp);
        let devices = match self {
            Self::Studio => "camera=(self), microphone=(self), display-capture=(self)",
            Self::Reader | Self::Player | Self::Frame => {
                "camera=(), microphone=(), display-capture=(), geolocation=()"
            }
        };
        headers.insert(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(devices),
        );
    }
}
