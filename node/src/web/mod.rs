//! The pages a node serves to people: *home*, *watch*, *studio* and *embed*.
//!
//! Plain ES modules and one style sheet, compiled into the binary: no build
//! step, no file to lose, nothing fetched from elsewhere. This module owns
//! their addresses, types, caching and security headers; it knows nothing of
//! sessions. A page learns those from `/api` and `/whep`, in the browser.
//!
//! ```
//! let app: axum::Router = banyan_node::web::routes();
//! ```

mod asset;
mod policy;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;

use asset::{Asset, asset};
use policy::Policy;

/// Scripts, styles and pictures, at the addresses pages and other sites use.
///
/// Only `/player.js` and `/clock.js` are promised to other sites; what is
/// under `/web/` belongs to them and may change.
const ASSETS: &[Asset] = &[
    asset!("/player.js", "assets/player.js"),
    asset!("/clock.js", "assets/clock.js"),
    asset!("/mark.svg", "assets/mark.svg"),
    asset!("/web/backoff.js", "assets/web/backoff.js"),
    asset!("/web/controls.js", "assets/web/controls.js"),
    asset!("/web/dom.js", "assets/web/dom.js"),
    asset!("/web/embed.js", "assets/web/embed.js"),
    asset!("/web/fragment.js", "assets/web/fragment.js"),
    asset!("/web/home.js", "assets/web/home.js"),
    asset!("/web/inbound.js", "assets/web/inbound.js"),
    asset!("/web/lipsync.js", "assets/web/lipsync.js"),
    asset!("/web/outbound.js", "assets/web/outbound.js"),
    asset!("/web/page.css", "assets/web/page.css"),
    asset!("/web/panel.js", "assets/web/panel.js"),
    asset!("/web/pattern.js", "assets/web/pattern.js"),
    asset!("/web/player-style.js", "assets/web/player-style.js"),
    asset!("/web/publishing.js", "assets/web/publishing.js"),
    asset!("/web/sdp.js", "assets/web/sdp.js"),
    asset!("/web/signal.js", "assets/web/signal.js"),
    asset!("/web/sources.js", "assets/web/sources.js"),
    asset!("/web/studio.js", "assets/web/studio.js"),
    asset!("/web/ticker.js", "assets/web/ticker.js"),
    asset!("/web/viewing.js", "assets/web/viewing.js"),
    asset!("/web/watch.js", "assets/web/watch.js"),
    asset!("/web/watchdog.js", "assets/web/watchdog.js"),
    asset!("/web/words.js", "assets/web/words.js"),
];

/// A page: the addresses it answers at, its document and what it may do.
struct Page {
    /// Addresses, in axum's notation. The session in them is read by the page.
    paths: &'static [&'static str],
    document: Asset,
    policy: Policy,
}

const PAGES: &[Page] = &[
    Page { paths: &["/"], document: asset!("/", "assets/home.html"), policy: Policy::Reader },
    Page {
        paths: &["/watch", "/watch/", "/watch/{*session}"],
        document: asset!("/watch", "assets/watch.html"),
        policy: Policy::Player,
    },
    Page {
        paths: &["/embed", "/embed/", "/embed/{*session}"],
        document: asset!("/embed", "assets/embed.html"),
        policy: Policy::Frame,
    },
    Page {
        paths: &["/studio", "/studio/"],
        document: asset!("/studio", "assets/studio.html"),
        policy: Policy::Studio,
    },
];

/// The pages and everything they load, ready to be merged into a node's router.
///
/// Claims `/`, `/watch…`, `/embed…`, `/studio`, `/player.js`, `/clock.js`,
/// `/mark.svg`, `/favicon.ico` and `/web/…`; sets no fallback.
pub fn routes() -> Router {
    let mut router = Router::new();
    for asset in ASSETS {
        let reply = asset.reply(None);
        router = router.route(asset.path, get(move |request: Request| reply.answer(request)));
    }
    let mark = asset!("/mark.svg", "assets/mark.svg").reply(None);
    router = router.route("/favicon.ico", get(move |request: Request| mark.answer(request)));
    for page in PAGES {
        for path in page.paths {
            let reply = page.document.reply(Some(page.policy));
            router = router.route(path, get(move |request: Request| reply.answer(request)));
        }
    }
    router
}
