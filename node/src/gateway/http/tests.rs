use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use banyan_protocol::coding::{
    AudioCodec, Block, Format, Frame, Packet, Track, TrackFormat, VideoCodec,
};
use banyan_protocol::identity::{Action, PublisherKey, SessionId, Ticket, TicketError};
use banyan_protocol::time::UnixSeconds;
use tokio::sync::mpsc;
use tower_http::limit::RequestBodyLimitLayer;

use super::*;
use crate::gateway::sdp::VIDEO_CODECS;
use crate::gateway::{Config, Datagrams, limits, start};
use crate::transport::Foreign;

const PUBLISH: &str = include_str!("../sdp/fixtures/obs-publish.sdp");
const WATCH: &str = include_str!("../sdp/fixtures/chromium-watch.sdp");
const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// A socket that nobody listens to.
struct Void;

impl Datagrams for Void {
    fn send(&self, _: &[u8], _: SocketAddr) -> std::io::Result<()> {
        Ok(())
    }

    fn send_batch(&self, _: SocketAddr, data: &[u8], _: usize) -> std::io::Result<usize> {
        Ok(data.len())
    }
}

/// A node that is root of one session, member of a second, and checks tickets.
struct Node {
    root: SessionId,
    member: SessionId,
    key: PublisherKey,
}

impl Node {
    fn ticket(&self, session: SessionId, action: Action, expires_in: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let expires = UnixSeconds(now.saturating_add_signed(expires_in));
        Ticket { session, action, expires, not_before: None, id: None }.sign(&self.key)
    }
}

impl Access for Node {
    fn standing(&self, session: &SessionId) -> Standing {
        match session {
            session if *session == self.root => Standing::Root,
            session if *session == self.member => Standing::Member,
            _ => Standing::Unknown,
        }
    }

    fn check(
        &self,
        session: &SessionId,
        token: Option<&str>,
        action: Action,
    ) -> Result<(), Denied> {
        let token = token.ok_or(Denied::Missing)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        Ticket::verify(token, &self.key.id(), session, action, UnixSeconds(now))
            .map(drop)
            .map_err(Denied::Ticket)
    }
}

struct Bench {
    node: Arc<Node>,
    app: Router,
    gateway: GatewayHandle,
    /// Keep the gateway running.
    _foreign: mpsc::Sender<Foreign>,
    _events: mpsc::Receiver<crate::gateway::GatewayEvent>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The code of a problem document, which must say what to do.
    fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
        body["code"].as_str().expect("a code").to_owned()
    }
}

impl Bench {
    fn new(rate: RateLimit) -> Self {
        Self::allowing(rate, &VIDEO_CODECS)
    }

    fn allowing(rate: RateLimit, video_codecs: &[VideoCodec]) -> Self {
        let key = PublisherKey::from_seed(&[7; 32]);
        let root = SessionId::from_bytes([1; 32]);
        let member = SessionId::from_bytes([2; 32]);
        let node = Arc::new(Node { root, member, key });
        let (foreign_tx, foreign) = mpsc::channel(8);
        let candidates = vec!["203.0.113.7:5000".parse().expect("an address")];
        let config = Config { candidates, peers_max: 8, video_codecs: video_codecs.to_vec() };
        let (gateway, events) = start(config, foreign, Void).expect("starts");
        let app = routes(gateway.clone(), node.clone(), HttpConfig { rate, ..Default::default() })
            // As the node's server has it.
            .layer(RequestBodyLimitLayer::new(limits::SDP_BYTES_MAX));
        Self { node, app, gateway, _foreign: foreign_tx, _events: events }
    }

    fn go_live(&self, session: SessionId) {
        let packets = vec![Packet { marker: true, payload: Bytes::from_static(b"frame") }];
        let frame = Frame { track: Track::Video, timestamp: 0, capture_us: 0, packets };
        let track = |codec| TrackFormat { codec, clock_rate: 90_000, fmtp: String::new() };
        let audio =
            TrackFormat { codec: AudioCodec::Opus, clock_rate: 48_000, fmtp: String::new() };
        let format = Format { video: Some(track(VideoCodec::Vp8)), audio: Some(audio) };
        let block = Block {
            number: 0,
            group: 0,
            previous: [0; 32],
            closed_us: 0,
            format: Some(format),
            frames: vec![frame],
        };
        self.gateway.deliver(session, Arc::new(block)).expect("taken");
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let service = hyper_util::service::TowerToHyperService::new(self.app.clone());
        let response = hyper::service::Service::call(&service, request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let body = String::from_utf8(body.into()).expect("text");
        assert_eq!(parts.headers["access-control-allow-origin"], "*");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request")).await
    }

    async fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", SDP), ("authorization", bearer.as_str())];
        self.ask(Method::POST, path, &headers, body.to_owned()).await
    }

    fn whip(&self) -> String {
        format!("/whip/{}", self.node.root)
    }

    fn whep(&self) -> String {
        format!("/whep/{}", self.node.root)
    }

    fn token(&self, action: Action) -> String {
        self.node.ticket(self.node.root, action, 60)
    }

    async fn publish(&self) -> Answer {
        self.post(&self.whip(), &self.token(Action::Publish), PUBLISH).await
    }
}

#[tokio::test]
async fn an_offer_is_answered_as_whip_and_whep_say() {
    let bench = Bench::new(RateLimit::default());
    bench.go_live(bench.node.root);
    let watch = bench.post(&bench.whep(), &bench.token(Action::Watch), WATCH).await;
    for (answer, path) in [(bench.publish().await, bench.whip()), (watch, bench.whep())] {
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("content-type"), SDP);
        assert!(answer.body.starts_with("v=0"));
        let resource = answer.header("location").strip_prefix(&format!("{path}/"));
        assert_eq!(resource.expect("below the endpoint").len(), 32, "128 bits");
        let etag = answer.header("etag");
        assert!(etag.len() > 10 && etag.starts_with('"') && etag.ends_with('"'), "strong: {etag}");
        // Chromium drops media that comes from the address of a STUN server it was given.
        assert_eq!(answer.header("link"), "");
        assert_eq!(answer.header("accept-patch"), FRAGMENT);
        let exposed = answer.header("access-control-expose-headers");
        for name in ["Location", "Link", "ETag", "Accept-Patch"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

#[tokio::test]
async fn a_refused_post_says_why() {
    let bench = Bench::new(RateLimit { burst: 1000, per_second: 1000 });
    let unknown = SessionId::from_bytes([9; 32]);
    let (root, member) = (bench.node.root, bench.node.member);
    let publish = bench.token(Action::Publish);
    let watch = bench.token(Action::Watch);
    let changed = format!("{publish}x");
    let expired = bench.node.ticket(root, Action::Publish, -3600);
    let other = bench.node.ticket(member, Action::Publish, 60);
    let (whip, whep) = (bench.whip(), bench.whep());
    let no_video = PUBLISH.replace("H264", "H263");
    for (path, token, body, status, code) in [
        (&whip, "", PUBLISH, 401, "ticket-missing"),
        (&whip, "nonsense", PUBLISH, 401, "ticket-invalid"),
        (&whip, &changed, PUBLISH, 401, "ticket-invalid"),
        (&whip, &expired, PUBLISH, 401, "ticket-expired"),
        (&whip, &other, PUBLISH, 403, "ticket-for-another-session"),
        (&whip, &watch, PUBLISH, 403, "ticket-for-another-action"),
        (&whep, &publish, WATCH, 403, "ticket-for-another-action"),
        (&format!("/whip/{unknown}"), &publish, PUBLISH, 404, "session-unknown"),
        (&"/whip/live".to_owned(), &publish, PUBLISH, 404, "session-unknown"),
        (&format!("/whip/{member}"), &publish, PUBLISH, 404, "not-the-root"),
        (&format!("/whep/{unknown}"), &watch, WATCH, 404, "session-unknown"),
        (&whip, &publish, "", 400, "malformed-sdp"),
        (&whip, &publish, "hello", 400, "malformed-sdp"),
        (&whip, &publish, &no_video, 422, "codec"),
        (&whep, &watch, WATCH, 409, "not-live"),
    ] {
        let answer = bench.post(path, token, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{path}");
        assert_eq!(status == 401, answer.headers.contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(status == 409, answer.headers.contains_key(header::RETRY_AFTER));
    }
    bench.go_live(root);
    let answer = bench.post(&whep, &watch, PUBLISH).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "nothing-to-watch"));
    let h264 = WATCH.replace("VP8/90000", "XX/90000");
    let answer = bench.post(&whep, &watch, &h264).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "codec-not-acceptable"));
    assert!(answer.body.contains("VP8"));
}

#[tokio::test]
async fn a_ticket_may_come_in_the_query() {
    let bench = Bench::new(RateLimit::default());
    let token = bench.token(Action::Publish);
    for query in [format!("token={token}"), format!("x=1&access_token={token}"), token.clone()] {
        let path = format!("{}?{query}", bench.whip());
        let answer = bench.ask(Method::POST, &path, &[("content-type", SDP)], PUBLISH).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn bodies_are_of_the_right_type_and_length() {
    let bench = Bench::new(RateLimit::default());
    let bearer = format!("Bearer {}", bench.token(Action::Publish));
    let ask = |kind: &'static str, body: Body| {
        let bearer = bearer.clone();
        let bench = &bench;
        async move {
            let headers = [("content-type", kind), ("authorization", bearer.as_str())];
            bench.ask(Method::POST, &bench.whip(), &headers, body).await
        }
    };
    let json = ask("application/json", Body::from("{}")).await;
    assert_eq!(
        (json.status, json.code().as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type")
    );
    let with_parameter = ask("application/sdp; charset=utf-8", Body::from(PUBLISH)).await;
    assert_eq!(with_parameter.status, 201);
    let binary = ask(SDP, Body::from(vec![0xff; 100])).await;
    assert_eq!((binary.status, binary.code().as_str()), (StatusCode::BAD_REQUEST, "body-not-text"));
    // Ten megabytes, announced or not, are not even read.
    let announced = ask(SDP, Body::from(vec![b'v'; 10 << 20])).await;
    assert_eq!(announced.status, 413);
    let chunks =
        futures::stream::iter((0..160).map(|_| Ok::<_, std::io::Error>(vec![b'v'; 65_536])));
    let streamed = ask(SDP, Body::from_stream(chunks)).await;
    assert_eq!(
        (streamed.status, streamed.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large")
    );
}

#[tokio::test]
async fn a_preflight_needs_no_ticket() {
    let bench = Bench::new(RateLimit::default());
    let resource = format!("{}/0123", bench.whep());
    for path in [bench.whip(), bench.whep(), resource] {
        let headers = [
            ("origin", "https://example.org"),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-private-network", "true"),
        ];
        let answer = bench.ask(Method::OPTIONS, &path, &headers, Body::empty()).await;
        assert_eq!(answer.status, 204);
        for method in ["POST", "PATCH", "DELETE", "OPTIONS"] {
            assert!(answer.header("access-control-allow-methods").contains(method));
        }
        for name in ["Authorization", "Content-Type", "If-Match"] {
            assert!(answer.header("access-control-allow-headers").contains(name));
        }
        assert_eq!(answer.header("access-control-allow-private-network"), "true");
    }
}

#[tokio::test]
async fn other_methods_have_an_answer() {
    let bench = Bench::new(RateLimit::default());
    let endpoint = bench.whep();
    for (method, status) in [
        (Method::GET, 204),
        (Method::HEAD, 200),
        (Method::OPTIONS, 204),
        (Method::PUT, 405),
        (Method::PATCH, 405),
        (Method::DELETE, 405),
    ] {
        let answer = bench.ask(method.clone(), &endpoint, &[], Body::empty()).await;
        assert_eq!(answer.status, status, "{method}");
        assert_eq!(status == 405, answer.headers.contains_key(header::ALLOW));
        if status != 405 {
            assert_eq!(answer.header("accept-post"), SDP);
        }
        if method == Method::HEAD {
            assert_eq!(answer.header("content-type"), SDP);
        }
    }
    let resource = format!("{endpoint}/0123");
    for (method, status) in [(Method::GET, 204), (Method::POST, 405), (Method::PUT, 405)] {
        let answer = bench.ask(method.clone(), &resource, &[], Body::empty()).await;
        assert_eq!(answer.status, status, "{method}");
    }
}

#[tokio::test]
async fn a_connection_is_ended_once() {
    let bench = Bench::new(RateLimit::default());
    let location = bench.publish().await.header("location").to_owned();
    let elsewhere = location.replace("/whip/", "/whep/");
    for (path, status) in [(&elsewhere, 404), (&location, 200), (&location, 404)] {
        let answer =
            bench.ask(Method::DELETE, path, &[("if-match", "\"any\"")], Body::empty()).await;
        assert_eq!(answer.status, status);
    }
    let strange = format!("{}/{}", bench.whip(), "f".repeat(32));
    let answer = bench.ask(Method::DELETE, &strange, &[], Body::empty()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "connection-unknown"));
}

#[tokio::test]
async fn candidates_trickle_and_ice_restarts() {
    let bench = Bench::new(RateLimit { burst: 1000, per_second: 1000 });
    let admitted = bench.publish().await;
    let (location, etag) = (admitted.header("location"), admitted.header("etag"));
    let trickle = "a=ice-ufrag:F9pf\r\na=ice-pwd:mlUxXc2p3XsQlcN8gU4nN1\r\nm=audio 9 RTP/AVP 0\r\n\
                   a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 4000 typ host\r\n";
    let restart = trickle.replace("F9pf", "new1");
    let patch = async |if_match: Option<&str>, kind: &str, body: &str| {
        let mut headers = vec![("content-type", kind)];
        headers.extend(if_match.map(|tag| ("if-match", tag)));
        bench.ask(Method::PATCH, location, &headers, body.to_owned()).await
    };
    for if_match in [None, Some(etag), Some("*")] {
        let answer = patch(if_match, FRAGMENT, trickle).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
        assert!(!answer.headers.contains_key(header::ETAG));
    }
    assert_eq!(patch(Some("\"old\""), FRAGMENT, trickle).await.code(), "etag-mismatch");
    let restarted = patch(Some("*"), FRAGMENT, &restart).await;
    assert_eq!((restarted.status.as_u16(), restarted.header("content-type")), (200, FRAGMENT));
    assert!(restarted.body.contains("a=ice-ufrag:") && restarted.body.contains("a=candidate:"));
    let new_etag = restarted.header("etag");
    assert_ne!(new_etag, etag);
    assert_eq!(patch(Some(etag), FRAGMENT, &restart).await.status, 412);
    assert_eq!(patch(Some(new_etag), FRAGMENT, &restart).await.status, 204);
    let half = restart.replace("new1", "new2").replace("a=ice-pwd", "a=x");
    for (kind, body, status) in [
        (FRAGMENT, "", 400),
        (FRAGMENT, "{\"candidate\": \"\"}", 400),
        (FRAGMENT, half.as_str(), 400),
        ("application/json", "{}", 400),
        ("text/plain", trickle, 415),
    ] {
        let answer = patch(None, kind, body).await;
        assert_eq!(answer.status, status, "{kind} {body}");
        answer.code();
    }
    // None of that did harm.
    assert_eq!(bench.ask(Method::DELETE, location, &[], Body::empty()).await.status, 200);
}

#[tokio::test]
async fn a_publisher_that_is_not_there_yet_can_be_replaced() {
    let bench = Bench::new(RateLimit::default());
    let first = bench.publish().await;
    let second = bench.publish().await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED));
    let gone = bench.ask(Method::DELETE, first.header("location"), &[], Body::empty()).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn a_full_gateway_says_when_to_come_back() {
    let bench = Bench::new(RateLimit::default());
    bench.go_live(bench.node.root);
    let token = bench.token(Action::Watch);
    for _ in 0..8 {
        assert_eq!(bench.post(&bench.whep(), &token, WATCH).await.status, 201);
    }
    let answer = bench.post(&bench.whep(), &token, WATCH).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "gateway-full"));
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn a_codec_that_is_not_allowed_is_refused() {
    let bench = Bench::allowing(RateLimit::default(), &[VideoCodec::Av1]);
    let answer = bench.publish().await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "codec-not-allowed"));
    assert!(answer.body.contains("H264") && answer.body.contains("Send AV1"), "{}", answer.body);
    assert!(answer.body.contains("--video-codecs"), "{}", answer.body);
}

#[tokio::test]
async fn one_client_cannot_ask_for_ever() {
    let bench = Bench::new(RateLimit { burst: 3, per_second: 1 });
    let ask = async |from: [u8; 4], forwarded: Option<&str>| {
        let mut request = Request::builder().method(Method::POST).uri(bench.whip());
        if let Some(client) = forwarded {
            request = request.header("x-forwarded-for", client);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((from, 1000))));
        bench.send(request).await
    };
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask([192, 0, 2, 1], None).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
    let refused = ask([192, 0, 2, 1], None).await;
    assert_eq!(refused.code(), "too-many-requests");
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(ask([192, 0, 2, 2], None).await.status, 401);
    // A proxy on this machine stands for many, and says for whom; others may not.
    assert_eq!(ask([127, 0, 0, 1], Some("192.0.2.1")).await.status, 429);
    assert_eq!(ask([127, 0, 0, 1], Some("192.0.2.1, 192.0.2.3")).await.status, 401);
    assert_eq!(ask([192, 0, 2, 1], Some("192.0.2.4")).await.status, 429);
}

#[tokio::test]
async fn a_gateway_that_stopped_is_busy() {
    let bench = Bench::new(RateLimit::default());
    let (foreign, receiver) = mpsc::channel(1);
    let config =
        Config { candidates: Vec::new(), peers_max: 1, video_codecs: VIDEO_CODECS.to_vec() };
    let (gateway, mut events) = start(config, receiver, Void).expect("starts");
    let app = routes(gateway, bench.node.clone(), HttpConfig::default());
    let bench = Bench { app, ..bench };
    let answer = bench.publish().await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "no-address"));
    drop(foreign);
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), events.recv()).await, Ok(None));
    let answer = bench.publish().await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "gateway-busy"));
}

#[test]
fn every_ticket_error_has_words() {
    for error in [
        TicketError::Malformed,
        TicketError::WrongAlgorithm,
        TicketError::BadSignature,
        TicketError::Expired,
        TicketError::NotYetValid,
        TicketError::WrongSession,
        TicketError::WrongAction,
    ] {
        let status = refuse::denied(Denied::Ticket(error), Action::Watch).status().as_u16();
        assert!(status == 401 || status == 403);
    }
    assert_eq!(refuse::denied(Denied::Policy, Action::Watch).status(), 403);
}
