//! Strangers at the HTTP server of a node in the middle of a session.

use std::net::SocketAddr;

use banyan_node::config::Watch;
use banyan_node::registry::unix_now;
use banyan_protocol::identity::{Action, PublisherKey, SessionId, Ticket};
use banyan_protocol::time::UnixSeconds;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::evening::{Evening, soon};

const OFFER: &str = include_str!("../../src/gateway/sdp/fixtures/chromium-watch.sdp");
const SDP: &str = "Content-Type: application/sdp\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

/// Sends a request that announces `length` bytes of body, and returns what comes back.
async fn ask(to: SocketAddr, line: &str, headers: &str, body: &[u8], length: usize) -> String {
    let mut stream = TcpStream::connect(to).await.expect("connects");
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it listens");
    // A server that has heard enough may close while we still send.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = soon("an answer", stream.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(answer).expect("text")
}

fn check(what: &str, answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
    assert!(answer.contains("application/problem+json"), "{what}: {answer}");
    assert!(answer.contains(&format!("\"{code}\"")), "{what}, {code}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_get_the_right_answer_and_the_viewer_misses_nothing() {
    let evening = Evening::start("http", Watch::Ticket).await;
    let http = evening.root.node.http();
    let session = evening.publication.session.id();
    let key = evening.dir.publisher_key().expect("it was made");
    let stranger = PublisherKey::from_seed(&[66; 32]);
    let now = unix_now().0;
    let ticket = |key: &PublisherKey, session, action, expires, not_before| {
        let (expires, not_before) = (UnixSeconds(expires), not_before);
        let token = Ticket { session, action, expires, not_before, id: None }.sign(key);
        format!("Authorization: Bearer {token}\r\n")
    };
    let other = SessionId::from_bytes([9; 32]);
    let later = Some(UnixSeconds(now + 3_600));
    let watch = ticket(&key, session, Action::Watch, now + 600, None);
    let publish = ticket(&key, session, Action::Publish, now + 600, None);
    let expired = ticket(&key, session, Action::Watch, now - 3_600, None);
    let early = ticket(&key, session, Action::Watch, now + 7_200, later);
    let elsewhere = ticket(&key, other, Action::Watch, now + 600, None);
    let forged = ticket(&stranger, session, Action::Watch, now + 600, None);
    let nonsense = "Authorization: Bearer nonsense\r\n".to_owned();
    let (whep, whip) = (format!("/whep/{session}"), format!("/whip/{session}"));
    let unknown = format!("/whep/{other}");
    let no_media = OFFER.split("m=").next().expect("a head").to_owned();
    let zeros = "\0".repeat(1_000);
    let lines = "a=x\r\n".repeat(10_000);

    // One that never gets to its end is there the whole time.
    let mut slow = TcpStream::connect(http).await.expect("connects");
    let half = format!("POST {whep} HTTP/1.1\r\nHost: {http}\r\nContent-Length: 9\r\n{SDP}\r\nv=0");
    slow.write_all(half.as_bytes()).await.expect("it listens");

    for (what, path, bearer, body, status, code) in [
        ("no ticket", &whep, "", OFFER, 401, "ticket-missing"),
        ("no ticket at all", &whep, &nonsense, OFFER, 401, "ticket-invalid"),
        ("another signed it", &whep, &forged, OFFER, 401, "ticket-invalid"),
        ("too late", &whep, &expired, OFFER, 401, "ticket-expired"),
        ("too early", &whep, &early, OFFER, 401, "ticket-not-yet-valid"),
        ("another session's", &whep, &elsewhere, OFFER, 403, "ticket-for-another-session"),
        ("for publishing", &whep, &publish, OFFER, 403, "ticket-for-another-action"),
        ("for watching", &whip, &watch, OFFER, 403, "ticket-for-another-action"),
        ("unknown session", &unknown, &watch, OFFER, 404, "session-unknown"),
        ("no session", &"/whep/live".to_owned(), &watch, OFFER, 404, "session-unknown"),
        ("empty", &whep, &watch, "", 400, "malformed-sdp"),
        ("no SDP", &whep, &watch, "hello", 400, "malformed-sdp"),
        ("zeros", &whep, &watch, &zeros, 400, "malformed-sdp"),
        ("only lines", &whep, &watch, &lines, 400, "malformed-sdp"),
        ("cut short", &whep, &watch, &OFFER[..100], 400, "malformed-sdp"),
        ("no media", &whep, &watch, &no_media, 400, "malformed-sdp"),
    ] {
        let headers = format!("{SDP}{bearer}");
        let line = format!("POST {path}");
        let answer = ask(http, &line, &headers, body.as_bytes(), body.len()).await;
        check(what, &answer, status, code);
    }
    let headers = format!("{JSON}{watch}");
    let answer = ask(http, &format!("POST {whep}"), &headers, b"{}", 2).await;
    check("JSON", &answer, 415, "wrong-content-type");

    // Ten megabytes: refused for what is announced, before the rest has been sent.
    for (path, headers) in [(&whep, format!("{SDP}{watch}")), (&"/api/watch".into(), JSON.into())] {
        let answer = ask(http, &format!("POST {path}"), &headers, b"v=0\r\n", 10 << 20).await;
        check("10 MB announced", &answer, 413, "body-too-large");
    }
    let unknown = ask(http, &format!("GET /api/sessions/{other}"), "", b"", 0).await;
    check("unknown to the API", &unknown, 404, "session-unknown");
    let invite = br#"{"invite":"banyan://nothing"}"#;
    let answer = ask(http, "POST /api/watch", JSON, invite, invite.len()).await;
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("problem+json"), "{answer}");
    drop(slow);
    evening.undisturbed().await;
}
