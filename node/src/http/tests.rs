//! A real server on loopback, and callers that mean harm.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use banyan_protocol::identity::SessionId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::config;
use crate::status::NodeStatus;

/// A node that knows one invite and one session.
struct Known;

impl Control for Known {
    async fn status(&self) -> NodeStatus {
        NodeStatus { node: "ab".into(), ..NodeStatus::default() }
    }

    async fn open_invite(&self, invite: String) -> Result<OpenedSession, Problem> {
        match invite.as_str() {
            "banyan://known" => Ok(OpenedSession {
                session: "00".into(),
                title: "Show".into(),
                whep: "/whep/00".into(),
            }),
            _ => Err(Problem::unprocessable("bad-invite", "That is no invite.")),
        }
    }

    async fn session_info(
        &self,
        session: SessionId,
        ticket: Option<String>,
    ) -> Result<SessionInfo, Problem> {
        match ticket.as_deref() {
            Some("good") => Ok(SessionInfo {
                session: session.to_string(),
                title: "Show".into(),
                watch: "https://x/watch".into(),
                live: true,
            }),
            Some(_) => Err(Problem::forbidden("bad-ticket", "Not with that ticket.")),
            None => Err(Problem::unauthorized("no-ticket", "Send a ticket.")),
        }
    }
}

struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn settings(public_url: Option<&str>) -> config::Http {
    config::Http {
        bind: "127.0.0.1:0".parse().expect("an address"),
        bind_is_chosen: true,
        public_url: public_url.map(|url| url.parse().expect("a URL")),
    }
}

fn app(public_url: Option<&str>) -> Router {
    let web = Router::new().route("/page", get(|| async { "page" }));
    router(&settings(public_url), Arc::new(Known), Router::new(), web)
}

async fn start(public_url: Option<&str>) -> Server {
    let listener = bind(&settings(None)).await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, app(public_url), async { drop(stopped.await) }));
    Server { addr, stop, task }
}

impl Server {
    /// Sends bytes and gives all that comes back until the connection ends.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.addr).await.expect("connects");
        // A server that has heard enough may close while we still send.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
        }
        String::from_utf8(answer).expect("text")
    }

    /// One request with these header lines.
    async fn ask(&self, line: &str, headers: &str, body: &str) -> String {
        let host = if headers.contains("Host:") { String::new() } else { self.host() };
        let length = body.len();
        self.send(
            format!(
                "{line} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n\
                 {headers}\r\n{body}"
            )
            .as_bytes(),
        )
        .await
    }

    fn host(&self) -> String {
        format!("Host: {}\r\n", self.addr)
    }

    async fn end(self) {
        self.stop.send(()).expect("it still runs");
        self.task.await.expect("it ends by itself");
    }
}

fn check(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status} {code}: {answer}");
    assert!(answer.contains(code), "{status} {code}: {answer}");
    if status >= 400 {
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

#[tokio::test]
async fn the_api_answers() {
    let server = start(None).await;
    check(&server.ask("GET /healthz", "", "").await, 200, "ok\n");
    check(&server.ask("GET /api/status", "", "").await, 200, "\"node\":\"ab\"");
    let known = r#"{"invite":"banyan://known"}"#;
    let utf8 = "Content-Type: application/JSON; charset=utf-8\r\n";
    check(&server.ask("POST /api/watch", utf8, known).await, 200, "\"whep\":\"/whep/00\"");
    let other = r#"{"invite":"x"}"#;
    check(&server.ask("POST /api/watch", JSON, other).await, 422, "bad-invite");
    let session = format!("GET /api/sessions/{}", "0a".repeat(32));
    check(&server.ask(&session, "", "").await, 401, "no-ticket");
    check(&server.ask(&session, "Authorization: bearer bad\r\n", "").await, 403, "bad-ticket");
    check(&server.ask(&session, "Authorization: Bearer good\r\n", "").await, 200, "\"live\":true");
    check(&server.ask("GET /api/sessions/zz", "", "").await, 404, "session-unknown");
    check(&server.ask("GET /page", "", "").await, 200, "nosniff");
    let status: NodeStatus = client::get_json(server.addr, "/api/status").await.expect("asks");
    assert_eq!(status.node, "ab");
    let error = client::get_json::<NodeStatus>(server.addr, "/nothing").await.expect_err("404");
    assert!(error.to_string().contains("404"), "{error}");
    server.end().await;
}

#[tokio::test]
async fn bad_requests_are_problems() {
    let server = start(None).await;
    for (line, headers, body, status, code) in [
        ("GET /nothing", "", "", 404, "no-such-page"),
        ("GET /api/nothing", "", "", 404, "no-such-page"),
        ("GET /api/watch", "", "", 405, "wrong-method"),
        ("POST /api/watch", JSON, "", 400, "bad-json"),
        ("POST /api/watch", JSON, "{\"invite\":3}", 400, "bad-json"),
        ("POST /api/watch", JSON, "\u{1}", 400, "bad-json"),
        ("POST /api/watch", "", "{}", 415, "wrong-content-type"),
        ("POST /api/watch", "Content-Type: text/plain\r\n", "{}", 415, "wrong-content-type"),
        ("POST /api/watch", "Content-Type: \u{e9}\r\n", "{}", 415, "wrong-content-type"),
    ] {
        check(&server.ask(line, headers, body).await, status, code);
    }
    let answer = server.ask("DELETE /api/watch", "", "").await;
    assert!(answer.contains("allow: POST"), "{answer}");
    for garbage in ["\u{0}\u{0}\u{0}\r\n\r\n", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = server.send(garbage.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn long_bodies_and_heads_are_cut_short() {
    let server = start(None).await;
    // Announced too long: refused unread.
    let long = "x".repeat(10 << 20);
    check(&server.ask("POST /api/watch", JSON, &long).await, 413, "body-too-large");
    // Not announced: refused at the limit.
    let chunked = format!(
        "POST /api/watch HTTP/1.1\r\n{}{JSON}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}",
        server.host(),
        long.len()
    );
    check(&server.send(chunked.as_bytes()).await, 413, "body-too-large");
    let head = format!("X: {}\r\n", "x".repeat(32 << 10));
    let answer = server.ask("GET /page", &head, "").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    check(&server.ask("GET /healthz", "", "").await, 200, "ok\n");
    server.end().await;
}

#[tokio::test(start_paused = true)]
async fn slow_heads_and_bodies_are_given_up() {
    let head = "POST /api/watch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = format!("{head}Connection: close\r\nContent-Length: 30\r\n\r\n{{\"inv");
    let idle = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (sent, answer) in [
        ("", ""),
        ("GET /hea", ""),
        (head, ""),
        (&body, "HTTP/1.1 408 "),
        // Answered, and then nothing more is asked.
        (idle, "HTTP/1.1 200 "),
    ] {
        let (mut ours, theirs) = tokio::io::duplex(4096);
        let (_keep, stopped) = tokio::sync::watch::channel(false);
        let end = "127.0.0.1:9".parse().expect("an address");
        tokio::spawn(server::connection(theirs, (end, end), app(None), stopped));
        ours.write_all(sent.as_bytes()).await.expect("sends");
        let mut heard = String::new();
        ours.read_to_string(&mut heard).await.expect("the server ends it");
        assert!(heard.starts_with(answer), "{sent:?}: {heard}");
        assert!(!heard.is_empty() || answer.is_empty(), "{sent:?}");
    }
}

#[tokio::test]
async fn strangers_pages_are_refused_unless_the_node_is_a_portal() {
    let known = r#"{"invite":"banyan://known"}"#;
    let foreign = format!("{JSON}Origin: https://evil.example\r\n");
    let rebound = format!("{JSON}Host: evil.example\r\nOrigin: http://evil.example\r\n");
    let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n";

    let server = start(None).await;
    check(&server.ask("POST /api/watch", &foreign, known).await, 403, "cross-origin");
    check(&server.ask("POST /api/watch", &rebound, known).await, 421, "unknown-host");
    check(&server.ask("OPTIONS /api/watch", preflight, "").await, 403, "cross-origin");
    check(&server.ask("GET /api/status", "Host: evil.example\r\n", "").await, 421, "unknown-host");
    server.end().await;

    let portal = start(Some("https://live.example.org")).await;
    let answer = portal.ask("POST /api/watch", &foreign, known).await;
    check(&answer, 200, "access-control-allow-origin: *");
    check(&portal.ask("POST /api/watch", &rebound, known).await, 421, "unknown-host");
    let answer = portal.ask("OPTIONS /api/watch", preflight, "").await;
    check(&answer, 204, "access-control-allow-headers: Authorization, Content-Type");
    // Behind a proxy on this machine, only the proxy is local.
    let by_proxy = "Host: live.example.org\r\n";
    check(&portal.ask("GET /api/status", by_proxy, "").await, 403, "local-only");
    let by_proxy = "X-Forwarded-For: 9.9.9.9\r\n";
    check(&portal.ask("GET /api/status", by_proxy, "").await, 403, "local-only");
    // The owner's other tabs are still strangers to what only this machine may see.
    let answer = portal.ask("GET /api/status", "Origin: https://evil.example\r\n", "").await;
    check(&answer, 403, "local-only");
    portal.end().await;
}

#[tokio::test]
async fn this_machine_is_known_at_any_of_its_addresses() {
    let [ours, neighbours] =
        ["10.7.0.1:80", "10.7.0.9:5000"].map(|a| a.parse().expect("an address"));
    for (peer, host, status) in [
        (ours, "10.7.0.1", 200),
        (neighbours, "10.7.0.1", 403),
        (ours, "10.7.0.9", 403),
        (neighbours, "localhost", 403),
    ] {
        let (mut asker, server) = tokio::io::duplex(4096);
        let (_keep, stopped) = tokio::sync::watch::channel(false);
        tokio::spawn(server::connection(server, (peer, ours), app(None), stopped));
        let request =
            format!("GET /api/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        asker.write_all(request.as_bytes()).await.expect("sends");
        let mut answer = String::new();
        asker.read_to_string(&mut answer).await.expect("answers");
        check(&answer, status, "");
    }
}

#[tokio::test]
async fn a_taken_address_is_refused_if_chosen_and_else_another_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let mut config = config::Http {
        bind: taken.local_addr().expect("bound"),
        bind_is_chosen: true,
        public_url: None,
    };
    let error = crate::exit::text(&bind(&config).await.expect_err("taken"));
    assert!(error.contains("is taken by another program\n  try: choose another"), "{error}");
    config.bind_is_chosen = false;
    let other = bind(&config).await.expect("any other");
    assert_ne!(other.local_addr().expect("bound").port(), config.bind.port());
}
