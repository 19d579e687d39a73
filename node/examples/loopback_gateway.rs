//! One gateway alone: what a publisher sends by WHIP is cut into blocks and served by WHEP, with
//! no mesh in between. For trying clients against the gateway.
//!
//! ```text
//! cargo run --example loopback_gateway -- 10.77.0.1:8090 10.77.0.1:5000 3
//! ```
//! prints the addresses of both sides, and loses 3 % of all media, both ways. Any ticket is good.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use banyan_node::gateway::http::{Access, Denied, HttpConfig, Standing, routes};
use banyan_node::gateway::sdp::VIDEO_CODECS;
use banyan_node::gateway::{Config, Datagrams, GatewayEvent, GatewayHandle, start};
use banyan_node::transport::Foreign;
use banyan_protocol::coding::Track;
use banyan_protocol::identity::{Action, SessionId};
use banyan_protocol::ingest::{Anchor, Ingest, Output};
use banyan_protocol::time::Timestamp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

/// A socket that loses some of what looks like media.
#[derive(Clone)]
struct Lossy {
    socket: Arc<UdpSocket>,
    per_mille: u32,
    random: Arc<AtomicU32>,
}

impl Lossy {
    fn loses(&self, data: &[u8]) -> bool {
        // A linear congruential generator: good enough to drop packets by.
        let next = |n: u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let random = self.random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let is_media = data.first().is_some_and(|first| (128..192).contains(first));
        is_media && (random.unwrap_or_default() >> 8) % 1000 < self.per_mille
    }
}

impl Datagrams for Lossy {
    fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
        if self.loses(data) { Ok(()) } else { Datagrams::send(&self.socket, data, to) }
    }

    fn send_batch(&self, to: SocketAddr, data: &[u8], segment: usize) -> io::Result<usize> {
        data.chunks(segment).try_for_each(|datagram| self.send(datagram, to))?;
        Ok(data.len())
    }
}

struct Anybody;

impl Access for Anybody {
    fn standing(&self, _: &SessionId) -> Standing {
        Standing::Root
    }

    fn check(&self, _: &SessionId, _: Option<&str>, _: Action) -> Result<(), Denied> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let address = |text: String| -> anyhow::Result<SocketAddr> {
        text.parse().with_context(|| format!("{text} is not ip:port"))
    };
    let (http, udp) = (address(argument("127.0.0.1:8090"))?, address(argument("127.0.0.1:5000"))?);
    let loss = argument("0");
    let socket = Arc::new(UdpSocket::bind(udp).await?);
    let (to_gateway, foreign) = mpsc::channel(1024);
    let config = Config {
        candidates: vec![socket.local_addr()?],
        peers_max: 1000,
        video_codecs: VIDEO_CODECS.to_vec(),
    };
    let percent: u32 = loss.parse().context("the third argument is a loss in per cent")?;
    let random = Arc::new(AtomicU32::new(1));
    let lossy = Lossy { socket, per_mille: percent * 10, random };
    let (gateway, events) = start(config, foreign, lossy.clone())?;
    tokio::spawn(receive(lossy, to_gateway));
    tokio::spawn(carry(gateway.clone(), events));
    let session = SessionId::from_bytes([0x5e; 32]);
    println!("whip=http://{http}/whip/{session}\nwhep=http://{http}/whep/{session}");
    let app = routes(gateway.clone(), Arc::new(Anybody), HttpConfig::default());
    let stats = axum::routing::get(move || async move { axum::Json(gateway.stats().await) });
    let app = app.route("/stats", stats);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(TcpListener::bind(http).await?, app).await?;
    Ok(())
}

async fn receive(lossy: Lossy, to_gateway: mpsc::Sender<Foreign>) {
    let mut buffer = vec![0; 2048];
    while let Ok((len, from)) = lossy.socket.recv_from(&mut buffer).await {
        if lossy.loses(&buffer[..len]) {
            continue;
        }
        let data = buffer[..len].to_vec().into();
        // Dropping is what a full socket buffer would do.
        drop(to_gateway.try_send(Foreign { from, local_ip: None, data }));
    }
}

/// What the root does with a publisher's packets, and the gateway with the mesh's blocks.
async fn carry(gateway: GatewayHandle, mut events: mpsc::Receiver<GatewayEvent>) {
    let origin = Instant::now();
    let time = |at: Instant| Timestamp::from_micros((at - origin).as_micros() as u64);
    let mut ingests: BTreeMap<SessionId, (Ingest, u64, u64)> = BTreeMap::new();
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let mut numbers: BTreeMap<SessionId, u64> = BTreeMap::new();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tick.tick() => {
                for (ingest, _, _) in ingests.values_mut() {
                    ingest.handle_timeout(time(Instant::now()));
                }
                None
            }
        };
        match event {
            Some(GatewayEvent::PublisherConnected { session, format, nack }) => {
                println!("publisher={format:?}");
                let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let at = time(Instant::now());
                let anchor = Anchor { at, unix_us: unix.as_micros() as u64 };
                let mut ingest = Ingest::new(format, anchor);
                for track in [Track::Audio, Track::Video] {
                    if !nack.contains(&track) {
                        ingest = ingest.without_nack(track);
                    }
                }
                let number = *numbers.entry(session).or_default();
                ingests.insert(session, (ingest, number, number));
            }
            Some(GatewayEvent::Ingest { session, packet, arrived }) => {
                if let Some((ingest, _, _)) = ingests.get_mut(&session) {
                    ingest.handle_rtp(time(arrived), packet);
                }
            }
            Some(GatewayEvent::SenderReport { session, report }) => {
                if let Some((ingest, _, _)) = ingests.get_mut(&session) {
                    let at = time(report.arrived);
                    ingest.handle_sender_report(at, report.track, report.ntp, report.rtp);
                }
            }
            Some(GatewayEvent::KeyframeWanted { session }) => {
                println!("keyframe_wanted=1");
                if let Some((ingest, _, _)) = ingests.get_mut(&session) {
                    ingest.request_keyframe(time(Instant::now()));
                }
            }
            Some(other) => println!("event={other:?}"),
            None => {}
        }
        for (session, (ingest, number, group)) in &mut ingests {
            loop {
                match ingest.poll_output() {
                    Output::Block(draft) => {
                        let block = draft.into_block(*number, *group, [0; 32]);
                        *group = block.group;
                        *number += 1;
                        numbers.insert(*session, *number);
                        if gateway.deliver(*session, Arc::new(block)).is_err() {
                            println!("overloaded=1");
                        }
                    }
                    Output::Nack(track, lost) => gateway.nack(*session, track, lost).await,
                    Output::KeyframeWanted => gateway.request_keyframe(*session).await,
                    Output::Wait(_) => break,
                }
            }
        }
    }
}
