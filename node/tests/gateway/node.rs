//! What stands between a publisher and its viewers: a gateway on a socket, and ingest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use banyan_node::gateway::sdp::VIDEO_CODECS;
use banyan_node::gateway::{Config, GatewayEvent, GatewayHandle, start};
use banyan_node::transport::Foreign;
use banyan_protocol::coding::Track;
use banyan_protocol::identity::SessionId;
use banyan_protocol::ingest::{Anchor, Ingest, Output};
use banyan_protocol::time::Timestamp;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::Client;

pub(crate) const SESSION: SessionId = SessionId::from_bytes([0x5e; 32]);
pub(crate) const PACKETS_PER_FRAME: usize = 4;
pub(crate) const TICKS_PER_FRAME: u32 = 1800;

pub(crate) struct TestNode {
    pub(crate) gateway: GatewayHandle,
    pub(crate) address: SocketAddr,
    blocks: Arc<AtomicU64>,
    lose: Arc<AtomicBool>,
    live: watch::Receiver<bool>,
    events: mpsc::UnboundedReceiver<GatewayEvent>,
}

impl TestNode {
    pub(crate) async fn start() -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
        let address = socket.local_addr().expect("bound");
        let (to_gateway, foreign) = mpsc::channel(1024);
        let config = Config {
            candidates: vec![address],
            peers_max: 100,
            video_codecs: VIDEO_CODECS.to_vec(),
        };
        let (gateway, events) = start(config, foreign, socket.clone()).expect("starts");
        tokio::spawn(async move {
            let mut buffer = vec![0; 2048];
            while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
                let data = buffer[..len].to_vec().into();
                if to_gateway.send(Foreign { from, local_ip: None, data }).await.is_err() {
                    return;
                }
            }
        });
        let (blocks, (now_live, live)) = (Arc::new(AtomicU64::new(0)), watch::channel(false));
        let (to_test, from_gateway) = mpsc::unbounded_channel();
        let lose = Arc::new(AtomicBool::new(false));
        let mesh = Mesh { blocks: blocks.clone(), lose: lose.clone(), now_live, to_test };
        tokio::spawn(carry(gateway.clone(), events, mesh));
        Self { gateway, address, blocks, lose, live, events: from_gateway }
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }

    pub(crate) fn lose_next_block(&self) {
        self.lose.store(true, Ordering::Relaxed);
    }

    /// Films until viewers can be let in.
    pub(crate) async fn film_until_live(&self, camera: &mut Camera, publisher: &mut Client) {
        let mut shutter = tokio::time::interval(Duration::from_millis(20));
        while !*self.live.borrow() {
            tokio::select! {
                _ = shutter.tick() => {
                    camera.shoot(publisher);
                    publisher.flush().await;
                }
                () = publisher.turn() => {}
            }
        }
    }

    pub(crate) async fn next_event(
        &mut self,
        wanted: impl Fn(&GatewayEvent) -> bool,
    ) -> GatewayEvent {
        loop {
            let event = self.events.recv().await.expect("the gateway runs");
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Sends the gateway what is not meant for it, from a stranger, until aborted.
    pub(crate) fn make_noise(&self) -> JoinHandle<()> {
        let address = self.address;
        tokio::spawn(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            for n in 0_u32.. {
                let first = [0, 1, 20, 22, 64, 128, 144, 200, 255][n as usize % 9];
                let mut data = vec![n as u8; n as usize % 1500];
                data.insert(0, first);
                // A STUN header that promises more than there is.
                if first < 2 && data.len() > 8 {
                    data[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
                }
                drop(socket.send_to(&data, address).await);
                tokio::task::yield_now().await;
            }
        })
    }
}

/// What happens to blocks on their way from ingest to viewers.
struct Mesh {
    blocks: Arc<AtomicU64>,
    lose: Arc<AtomicBool>,
    now_live: watch::Sender<bool>,
    to_test: mpsc::UnboundedSender<GatewayEvent>,
}

async fn carry(gateway: GatewayHandle, mut events: mpsc::Receiver<GatewayEvent>, mesh: Mesh) {
    let origin = Instant::now();
    let time = |at: Instant| {
        Timestamp::from_micros(at.saturating_duration_since(origin).as_micros() as u64)
    };
    let mut ingest: Option<Ingest> = None;
    let (mut number, mut group) = (0, 0);
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    loop {
        let event = tokio::select! {
            event = events.recv() => match event {
                Some(event) => Some(event),
                None => return,
            },
            _ = tick.tick() => None,
        };
        match (&mut ingest, event) {
            (_, Some(GatewayEvent::PublisherConnected { format, nack, .. })) => {
                let at = time(Instant::now());
                let new = Ingest::new(format, Anchor { at, unix_us: 1_800_000_000_000_000 });
                ingest = Some(if nack.contains(&Track::Audio) {
                    new
                } else {
                    new.without_nack(Track::Audio)
                });
            }
            (Some(ingest), Some(GatewayEvent::Ingest { packet, arrived, .. })) => {
                ingest.handle_rtp(time(arrived), packet);
            }
            (Some(ingest), Some(GatewayEvent::SenderReport { report, .. })) => {
                let at = time(report.arrived);
                ingest.handle_sender_report(at, report.track, report.ntp, report.rtp);
            }
            (_, Some(event)) => drop(mesh.to_test.send(event)),
            (Some(ingest), None) => ingest.handle_timeout(time(Instant::now())),
            (None, None) => {}
        }
        let Some(ingest) = &mut ingest else { continue };
        loop {
            match ingest.poll_output() {
                Output::Block(draft) => {
                    let block = draft.into_block(number, group, [0; 32]);
                    (number, group) = (number + 1, block.group);
                    if !block.starts_group() && mesh.lose.swap(false, Ordering::Relaxed) {
                        gateway.lost(SESSION, block.number).expect("taken");
                    } else {
                        gateway.deliver(SESSION, Arc::new(block)).expect("taken");
                    }
                    mesh.blocks.store(number, Ordering::Relaxed);
                    mesh.now_live.send_replace(number > 2);
                }
                Output::Nack(track, lost) => gateway.nack(SESSION, track, lost).await,
                Output::KeyframeWanted => gateway.request_keyframe(SESSION).await,
                Output::Wait(_) => break,
            }
        }
    }
}

/// Makes VP8 and Opus packets that are none, but look so: each has its number in it.
pub(crate) struct Camera {
    frame: u32,
    pub(crate) frames_per_group: u32,
    started: Option<Instant>,
}

impl Camera {
    pub(crate) fn new() -> Self {
        Self { frame: 0, frames_per_group: 50, started: None }
    }

    pub(crate) fn frame(&self) -> u32 {
        self.frame
    }

    /// Sends one video frame and one of sound.
    pub(crate) fn shoot(&mut self, publisher: &mut Client) {
        self.started.get_or_insert_with(Instant::now);
        let frame = self.frame;
        let keyframe = frame.is_multiple_of(self.frames_per_group);
        for part in 0..PACKETS_PER_FRAME as u32 {
            let number = frame * PACKETS_PER_FRAME as u32 + part;
            // spec: RFC 7741 section 4.2, then RFC 6386 section 9.1.
            let mut data = vec![if part == 0 { 0x10 } else { 0x00 }];
            data.extend([u8::from(!keyframe), 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
            data.extend(number.to_be_bytes());
            data.resize(1000 + (number % 3) as usize, 7);
            let last = part + 1 == PACKETS_PER_FRAME as u32;
            publisher.send(true, (60_000 + number) as u16, frame * TICKS_PER_FRAME, last, &data);
        }
        let mut sound = vec![0xfc; 11];
        sound.extend(frame.to_be_bytes());
        publisher.send(false, (65_000 + frame) as u16, frame * 960, frame == 0, &sound);
        self.frame += 1;
    }
}

/// The number in a packet of [`Camera`].
pub(crate) fn count(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[11..15].try_into().expect("a camera's packet"))
}

pub(crate) fn is_keyframe(payload: &[u8]) -> bool {
    payload[0] & 0x10 != 0 && payload[1] & 1 == 0
}
