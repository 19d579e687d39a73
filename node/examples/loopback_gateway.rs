//! One gateway alone: what a publisher sends by WHIP is cut into blocks and served by WHEP, with
//! no mesh in between. For trying clients against the gateway.
//!
//! ```text
//! cargo run --example loopback_gateway -- 10.77.0.1:8090 10.77.0.1:5000
//! ```
//! prints the addresses of both sides. Any ticket is good.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use banyan_node::gateway::http::{Access, Denied, HttpConfig, Standing, routes};
use banyan_node::gateway::{Config, GatewayEvent, GatewayHandle, start};
use banyan_node::transport::Foreign;
use banyan_protocol::coding::Track;
use banyan_protocol::identity::{Action, SessionId};
use banyan_protocol::ingest::{Anchor, Ingest, Output};
use banyan_protocol::time::Timestamp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

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
    let mut address = |default: &str| -> anyhow::Result<SocketAddr> {
        let text = arguments.next().unwrap_or_else(|| default.to_owned());
        text.parse().with_context(|| format!("{text} is not ip:port"))
    };
    let (http, udp) = (address("127.0.0.1:8090")?, address("127.0.0.1:5000")?);
    let socket = Arc::new(UdpSocket::bind(udp).await?);
    let (to_gateway, foreign) = mpsc::channel(1024);
    let config = Config { candidates: vec![socket.local_addr()?], peers_max: 1000 };
    let (gateway, events) = start(config, foreign, socket.clone())?;
    tokio::spawn(receive(socket, to_gateway));
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

async fn receive(socket: Arc<UdpSocket>, to_gateway: mpsc::Sender<Foreign>) {
    let mut buffer = vec![0; 2048];
    while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
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
