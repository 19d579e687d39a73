//! The router over a real socket: what a browser would see.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{ASSETS, Asset, PAGES, routes};

/// A reply, taken apart.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Serves the pages, sends one request as written and reads the reply to its end.
async fn ask(method: &str, path: &str, more: &str) -> Reply {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, routes()).await });
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{more}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    server.abort();
    let cut = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..cut].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: bytes[cut + 4..].to_vec() }
}

#[tokio::test]
async fn each_asset_has_its_type_and_may_be_loaded_by_other_sites() {
    for asset in ASSETS {
        let reply = ask("GET", asset.path, "").await;
        assert_eq!(reply.status, 200, "{}", asset.path);
        assert_eq!(reply.header("content-type"), Some(asset.media_type()), "{}", asset.path);
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{}", asset.path);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{}", asset.path);
        assert_eq!(reply.body, asset.content, "{}", asset.path);
    }
}

#[tokio::test]
async fn each_page_answers_at_its_addresses_under_a_strict_policy() {
    let rows = [
        ("/", "connect-src 'self'; frame-ancestors 'none'"),
        ("/watch", "connect-src 'self' https:; frame-ancestors 'none'"),
        ("/watch/00112233445566778899", "frame-ancestors 'none'"),
        ("/watch/any/thing%20at%20all", "frame-ancestors 'none'"),
        ("/embed", "frame-ancestors *"),
        ("/embed/0011223344", "frame-ancestors *"),
        ("/studio", "connect-src 'self' https: http:; frame-ancestors 'none'"),
    ];
    for (path, ending) in rows {
        let reply = ask("GET", path, "").await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        let csp = reply.header("content-security-policy").unwrap_or_default();
        assert!(
            csp.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{csp}"
        );
        assert!(!csp.contains("unsafe"), "{csp}");
        assert!(csp.ends_with(ending), "{path}: {csp}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        let camera = reply.header("permissions-policy").unwrap_or_default();
        assert_eq!(camera.contains("camera=(self)"), path == "/studio", "{path}: {camera}");
    }
}

#[tokio::test]
async fn a_browser_that_holds_the_version_gets_304() {
    let first = ask("GET", "/player.js", "").await;
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let tag = first.header("etag").unwrap().to_owned();
    let rows = [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        ("\u{7f}".to_owned(), 400),
    ];
    for (held, status) in rows {
        let reply = ask("GET", "/player.js", &format!("If-None-Match: {held}\r\n")).await;
        assert_eq!(reply.status, status, "{held:?}");
        if status == 304 {
            assert!(reply.body.is_empty());
            assert_eq!(reply.header("etag"), Some(tag.as_str()));
        }
    }
}

#[tokio::test]
async fn head_tells_the_same_without_the_content() {
    let reply = ask("HEAD", "/studio", "").await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.is_empty());
    assert!(reply.header("etag").is_some());
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_not_allowed_405() {
    for path in ["/nothing", "/web/", "/web/../player.js", "/player.js/", "/studio/x", "/mod.rs"] {
        assert_eq!(ask("GET", path, "").await.status, 404, "{path}");
    }
    assert_eq!(ask("POST", "/watch/x", "").await.status, 405);
    assert_eq!(ask("DELETE", "/player.js", "").await.status, 405);
}

#[test]
fn every_file_in_the_source_tree_is_served_once() {
    fn walk(directory: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    let mut found = BTreeSet::new();
    walk(&root.join("assets"), &root, &mut found);
    let served: Vec<_> = ASSETS
        .iter()
        .chain(PAGES.iter().map(|page| &page.document))
        .map(|each| each.file)
        .collect();
    assert_eq!(served.len(), found.len());
    assert_eq!(served.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), found);
}

#[test]
fn pages_load_nothing_from_elsewhere_and_nothing_inline() {
    for page in PAGES {
        let text = std::str::from_utf8(page.document.content).unwrap();
        for forbidden in ["src=\"http", "src=\"//", "style=", "onclick=", "<style", "href=\"http"] {
            assert!(!text.contains(forbidden), "{} has {forbidden}", page.document.file);
        }
        // Every script is a file of ours.
        for tag in text.match_indices("<script").map(|(at, _)| &text[at..]) {
            assert!(tag.starts_with("<script type=\"module\" src=\"/"), "{}", page.document.file);
        }
    }
}

/// What a module imports, as addresses.
fn imports(asset: &Asset) -> Vec<String> {
    let text = std::str::from_utf8(asset.content).unwrap();
    let folder = asset.path.rsplit_once('/').unwrap().0;
    text.lines()
        .filter(|line| line.starts_with("import "))
        .map(|line| line.split('\'').nth(1).unwrap())
        .map(|target| match target.strip_prefix("../") {
            Some(rest) => format!("/{rest}"),
            None => format!("{folder}/{}", target.trim_start_matches("./")),
        })
        .collect()
}

/// Values of `attribute` in the lines of a page that hold `mark`.
fn values(page: &str, mark: &str, attribute: &str) -> BTreeSet<String> {
    page.lines()
        .filter(|line| line.contains(mark))
        .map(|line| line.split(attribute).nth(1).unwrap().split('"').nth(1).unwrap().to_owned())
        .collect()
}

#[test]
fn every_import_names_an_asset() {
    let known: BTreeSet<_> = ASSETS.iter().map(|asset| asset.path).collect();
    for asset in ASSETS.iter().filter(|asset| asset.file.ends_with(".js")) {
        for path in imports(asset) {
            assert!(known.contains(path.as_str()), "{} imports {path}", asset.path);
        }
    }
}

/// Modules found only by reading others cost a round trip each before the
/// first picture: pages name all of them, and none they do not need.
#[test]
fn pages_preload_exactly_what_their_scripts_import() {
    for page in PAGES {
        let text = std::str::from_utf8(page.document.content).unwrap();
        let scripts = values(text, "<script", "src=");
        let mut wanted = BTreeSet::new();
        let mut next: Vec<_> = scripts.iter().cloned().collect();
        while let Some(path) = next.pop() {
            if wanted.insert(path.clone()) {
                next.extend(imports(ASSETS.iter().find(|asset| asset.path == path).unwrap()));
            }
        }
        let preloaded = values(text, "modulepreload", "href=");
        let wanted: BTreeSet<_> = wanted.difference(&scripts).cloned().collect();
        assert_eq!(preloaded, wanted, "{}", page.document.file);
    }
}
