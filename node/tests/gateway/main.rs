//! The gateway with real WebRTC clients over real sockets: WHIP's and WHEP's media path without
//! their HTTP. Between publisher and viewers stands what the node does: ingest into blocks.

mod client;
mod node;

use std::time::Duration;

use banyan_node::gateway::sdp::Offer;
use banyan_node::gateway::{GatewayEvent, Gone, Refusal};
use rtc::peer_connection::state::RTCPeerConnectionState;

use client::{Client, Loss, Received};
use node::{Camera, PACKETS_PER_FRAME, SESSION, TestNode};

/// Far more than any of these take; a hang ends in a failure instead of never.
const PATIENCE: Duration = Duration::from_secs(60);

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("done in time")
}

async fn publisher(node: &TestNode, loss: Loss) -> Client {
    let mut client = Client::new(true, loss).await;
    let offer = Offer::read(&client.offer()).expect("a good offer");
    client.accept(node.gateway.publish(SESSION, offer, None).await.expect("admitted").sdp);
    while client.state != RTCPeerConnectionState::Connected {
        client.turn().await;
    }
    client
}

async fn viewer(node: &TestNode, loss: Loss) -> Client {
    let mut client = Client::new(false, loss).await;
    let offer = Offer::read(&client.offer()).expect("a good offer");
    client.accept(node.gateway.watch(SESSION, offer, None).await.expect("admitted").sdp);
    client
}

/// Films with `camera` until `done`, all clients running.
async fn film(
    camera: &mut Camera,
    publisher: &mut Client,
    viewer: &mut Client,
    done: impl Fn(&Client) -> bool,
) {
    let mut shutter = tokio::time::interval(Duration::from_millis(20));
    while !done(viewer) {
        tokio::select! {
            _ = shutter.tick() => {
                camera.shoot(publisher);
                publisher.flush().await;
            }
            () = publisher.turn() => {}
            () = viewer.turn() => {}
        }
    }
}

/// A viewer's packets of one track in order of sequence, duplicates taken out.
fn in_order(viewer: &Client, video: bool) -> Vec<Received> {
    let mut packets: Vec<Received> =
        viewer.received.iter().filter(|packet| packet.video == video).cloned().collect();
    let first = packets.first().map_or(0, |packet| packet.sequence);
    packets.sort_by_key(|packet| packet.sequence.wrapping_sub(first).wrapping_add(1000));
    packets.dedup();
    packets
}

/// The numbers that the camera wrote into packets.
fn counts(packets: &[Received]) -> Vec<u32> {
    packets.iter().map(|packet| node::count(&packet.payload)).collect()
}

fn assert_contiguous(packets: &[Received]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
    }
    let counts = counts(packets);
    for pair in counts.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "verbatim and in order: {counts:?}");
    }
}

fn video_packets(viewer: &Client) -> usize {
    viewer.received.iter().filter(|packet| packet.video).count()
}

#[tokio::test]
async fn picture_and_sound_pass_verbatim_and_in_order() {
    patiently(async {
        let node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 300).await;
        let (video, audio) = (in_order(&viewer, true), in_order(&viewer, false));
        assert_contiguous(&video);
        assert_contiguous(&audio);
        assert!(audio.len() > 20, "{}", audio.len());
        assert!(node::is_keyframe(&video[0].payload));
        assert!(video[0].sequence < 1 << 15 && audio[0].sequence < 1 << 15);
        for frame in video.chunks_exact(PACKETS_PER_FRAME) {
            assert!(frame.iter().all(|packet| packet.timestamp == frame[0].timestamp));
            assert!(frame.last().expect("a frame").marker && !frame[0].marker);
        }
        let stats = node.gateway.stats().await;
        assert_eq!(stats.len(), 2);
        assert!(stats.iter().all(|peer| peer.connected));
    })
    .await;
}

#[tokio::test]
async fn a_late_viewer_starts_at_the_keyframe_and_catches_up() {
    patiently(async {
        let node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        camera.frames_per_group = 1000;
        let mut shutter = tokio::time::interval(Duration::from_millis(5));
        while node.blocks() < 60 {
            tokio::select! {
                _ = shutter.tick() => {
                    camera.shoot(&mut publisher);
                    publisher.flush().await;
                }
                () = publisher.turn() => {}
            }
        }
        let mut viewer = viewer(&node, Loss::default()).await;
        let behind = camera.frame();
        film(&mut camera, &mut publisher, &mut viewer, |v| {
            v.received.iter().any(|p| {
                p.video && node::count(&p.payload) / PACKETS_PER_FRAME as u32 > behind + 20
            })
        })
        .await;
        let video = in_order(&viewer, true);
        assert_contiguous(&video);
        assert_eq!(node::count(&video[0].payload), 0, "from the first keyframe");
        let stamps: Vec<u32> = video.iter().map(|packet| packet.timestamp).collect();
        assert!(stamps.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < 90_000));
        // The group that was missed is drawn together: the viewer is not kept behind by its length.
        let past =
            video.iter().position(|p| node::count(&p.payload) == 50 * PACKETS_PER_FRAME as u32);
        let span = stamps[past.expect("frame 50")].wrapping_sub(stamps[0]);
        assert!(span < 50 * node::TICKS_PER_FRAME / 32, "{span}");
    })
    .await;
}

#[tokio::test]
async fn what_a_viewer_misses_is_sent_again() {
    patiently(async {
        let node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let loss = Loss { inbound: Some(7), outbound: None };
        let mut viewer = viewer(&node, loss).await;
        // Enough to see whether what is missing at the end is the newest only.
        film(&mut camera, &mut publisher, &mut viewer, |viewer| {
            let whole = in_order(viewer, true);
            let gap = whole.windows(2).position(|p| p[1].sequence != p[0].sequence.wrapping_add(1));
            gap.unwrap_or(whole.len()) > 400
        })
        .await;
        assert_contiguous(&in_order(&viewer, true)[..400]);
        let stats = serde_json::to_value(node.gateway.stats().await).expect("JSON");
        let viewers = stats.as_array().expect("a list").iter().filter(|p| p["role"] == "viewer");
        let again: u64 = viewers.filter_map(|peer| peer["retransmitted"].as_u64()).sum();
        assert!(again >= 400 / 7, "{again}");
    })
    .await;
}

#[tokio::test]
async fn what_is_lost_on_the_way_from_a_publisher_is_asked_for() {
    patiently(async {
        let node = TestNode::start().await;
        let loss = Loss { inbound: None, outbound: Some(9) };
        let (mut publisher, mut camera) = (publisher(&node, loss).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 400).await;
        assert_contiguous(&in_order(&viewer, true));
    })
    .await;
}

#[tokio::test]
async fn a_live_publisher_keeps_its_place_and_one_that_left_does_not() {
    patiently(async {
        let mut node = TestNode::start().await;
        let mut first = publisher(&node, Loss::default()).await;
        let mut second = Client::new(true, Loss::default()).await;
        let offer = Offer::read(&second.offer()).expect("a good offer");
        let refused = node.gateway.publish(SESSION, offer.clone(), None).await;
        assert_eq!(refused, Err(Refusal::PublisherLive));
        use rtc::sansio::Protocol;
        first.connection.close().expect("closes");
        first.flush().await;
        let gone =
            node.next_event(|event| matches!(event, GatewayEvent::PublisherGone { .. })).await;
        assert_eq!(gone, GatewayEvent::PublisherGone { session: SESSION, why: Gone::Left });
        assert!(node.gateway.publish(SESSION, offer, None).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ends_is_over_for_its_viewers() {
    patiently(async {
        let mut node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 10).await;
        node.gateway.ended(SESSION).expect("taken");
        let gone = node.next_event(|event| matches!(event, GatewayEvent::ViewerGone { .. })).await;
        assert!(matches!(gone, GatewayEvent::ViewerGone { why: Gone::Ended, .. }), "{gone:?}");
        while viewer.alerts == 0 {
            viewer.turn().await;
        }
        let offer = Offer::read(&Client::new(false, Loss::default()).await.offer()).expect("good");
        assert_eq!(node.gateway.watch(SESSION, offer, None).await, Err(Refusal::NotLive));
    })
    .await;
}

#[tokio::test]
async fn noise_on_the_port_disturbs_nobody() {
    patiently(async {
        let node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        let noise = node.make_noise();
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 300).await;
        assert!(!noise.is_finished(), "there was noise all the time");
        noise.abort();
        assert_contiguous(&in_order(&viewer, true));
        assert_eq!(node.gateway.stats().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_babbles_harms_not_even_itself() {
    patiently(async {
        let node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 100).await;
        viewer.babble(node.address).await;
        publisher.babble(node.address).await;
        let before = video_packets(&viewer);
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > before + 200).await;
        assert_contiguous(&in_order(&viewer, true));
    })
    .await;
}

#[tokio::test]
async fn a_viewer_that_asks_gets_the_cached_keyframe_or_the_publisher_is_asked() {
    patiently(async {
        let mut node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        // A second after the start: before, the keyframe is still on its way.
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 400).await;
        viewer.ask_for_keyframe();
        viewer.flush().await;
        let before = in_order(&viewer, true);
        let newest = before.last().expect("media came").sequence;
        let is_replay = |packet: &Received| {
            let ahead = packet.sequence.wrapping_sub(newest);
            packet.video && ahead > 0 && ahead < 1000 && node::is_keyframe(&packet.payload)
        };
        film(&mut camera, &mut publisher, &mut viewer, |v| v.received.iter().any(is_replay)).await;
        let packets = in_order(&viewer, true);
        assert!(packets.windows(2).all(|p| p[1].sequence == p[0].sequence.wrapping_add(1)));
        assert!(packets.windows(2).all(|p| p[1].timestamp.wrapping_sub(p[0].timestamp) < 1 << 31));
        // A group too long ago is not sent again.
        camera.frames_per_group = u32::MAX;
        let since = node.blocks();
        film(&mut camera, &mut publisher, &mut viewer, |_| node.blocks() > since + 120).await;
        viewer.ask_for_keyframe();
        viewer.flush().await;
        let wanted = |event: &GatewayEvent| matches!(event, GatewayEvent::KeyframeWanted { .. });
        assert_eq!(
            node.next_event(wanted).await,
            GatewayEvent::KeyframeWanted { session: SESSION }
        );
    })
    .await;
}

#[tokio::test]
async fn a_lost_block_is_a_gap_in_sequence_and_a_wish_for_a_keyframe() {
    patiently(async {
        let mut node = TestNode::start().await;
        let (mut publisher, mut camera) = (publisher(&node, Loss::default()).await, Camera::new());
        node.film_until_live(&mut camera, &mut publisher).await;
        let mut viewer = viewer(&node, Loss::default()).await;
        film(&mut camera, &mut publisher, &mut viewer, |v| video_packets(v) > 40).await;
        node.lose_next_block();
        let lost = |viewer: &Client| {
            let counts = counts(&in_order(viewer, true));
            counts.windows(2).position(|pair| pair[1] != pair[0] + 1)
        };
        film(&mut camera, &mut publisher, &mut viewer, |v| {
            lost(v).is_some_and(|at| video_packets(v) > at + 20)
        })
        .await;
        let packets = in_order(&viewer, true);
        let at = lost(&viewer).expect("lost");
        assert_eq!(packets[at + 1].sequence, packets[at].sequence.wrapping_add(2));
        let wanted = |event: &GatewayEvent| matches!(event, GatewayEvent::KeyframeWanted { .. });
        node.next_event(wanted).await;
    })
    .await;
}
