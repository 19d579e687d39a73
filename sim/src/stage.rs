//! A session on a stage: a root that publishes made-up media, helpers and gateways.

use crate::world::{Network, World};
use banyan_protocol::coding::{Format, Frame, Packet, Track, TrackFormat, VideoCodec};
use banyan_protocol::identity::{MediaKey, PublisherKey, SessionId};
use banyan_protocol::ingest::Draft;
use banyan_protocol::input::{Command, JoinRole};
use banyan_protocol::output::Event;
use banyan_protocol::session::{Outline, RootGrant, SignedRootGrant};
use banyan_protocol::time::UnixSeconds;
use banyan_protocol::unit::Bitrate;
use bytes::Bytes;
use std::time::Duration;

/// One block per video frame.
pub const FRAME: Duration = Duration::from_micros(33_333);

/// A session and its world. Node 0 is the root.
pub struct Stage {
    /// The world.
    pub world: World,
    /// The session.
    pub outline: Outline,
    published: u64,
    group_blocks: u64,
    /// Who gets the blocks.
    source: usize,
}

impl Stage {
    /// Whose session it is.
    #[must_use]
    pub fn publisher() -> PublisherKey {
        PublisherKey::from_seed(&[8; 32])
    }

    /// A session of k+m stripes whose root feeds `root_slots` children.
    #[must_use]
    pub fn new(nodes: u32, seed: u64, network: Network, (k, m): (u8, u8), root_slots: u16) -> Self {
        let media_key = MediaKey::from_seed(&[9; 32]);
        let outline = Outline {
            session: SessionId::from_bytes([7; 32]),
            k,
            m,
            bitrate: Bitrate::from_kbps(1_000),
            media_key: media_key.verifying_key(),
            publisher: Self::publisher().id(),
            epoch_seed: [seed as u8; 32],
        };
        let mut world = World::new(nodes, seed, network);
        let publish = Command::Publish {
            outline: Box::new(outline.clone()),
            media_key: Box::new(media_key),
            slots: root_slots,
            first_block: 0,
        };
        world.command(0, publish);
        Self { world, outline, published: 0, group_blocks: 30, source: 0 }
    }

    /// The root's node starts again after it was killed, and goes on at block `first_block`.
    pub fn reopen(&mut self, i: usize, slots: u16, first_block: u64) {
        self.world.revive(i);
        let media_key = Box::new(MediaKey::from_seed(&[9; 32]));
        let outline = Box::new(self.outline.clone());
        self.world.command(i, Command::Publish { outline, media_key, slots, first_block });
    }

    /// The publisher's word that node `i` is the root, the `term`-th after the first.
    #[must_use]
    pub fn grant(&self, i: usize, term: u64) -> SignedRootGrant {
        let grant = RootGrant {
            session: self.outline.session,
            from: self.world.hosts[self.source].id,
            to: self.world.hosts[i].id,
            from_block: 0,
            term,
            expires: UnixSeconds(u64::MAX),
        };
        grant.sign(&Self::publisher()).expect("it is within its bounds")
    }

    /// Node `i` takes up the root's place, and gets the blocks from now on.
    pub fn take_over(&mut self, i: usize, slots: u16, term: u64) {
        let grant = Box::new(self.grant(i, term));
        let (session, media_key) = (self.outline.session, MediaKey::from_seed(&[9; 32]).into());
        self.world.command(i, Command::TakeOver { session, grant, media_key, slots });
        self.source = i;
    }

    /// A node joins; it knows the root.
    pub fn join(&mut self, i: usize, role: JoinRole, slots: u16) {
        let bootstraps = vec![self.world.contact(0)];
        let outline = Box::new(self.outline.clone());
        self.world.command(i, Command::Join { outline, role, slots, bootstraps });
    }

    /// Publishes one block per [`FRAME`] for a while.
    pub fn publish(&mut self, duration: Duration) {
        for _ in 0..duration.as_micros() / FRAME.as_micros() {
            let draft = self.draft();
            self.world.command(self.source, Command::Ingest(self.outline.session, draft));
            self.published += 1;
            self.world.run(FRAME);
        }
    }

    /// Blocks published so far.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published
    }

    /// Blocks that node `i` gave up.
    #[must_use]
    pub fn lost(&self, i: usize) -> usize {
        let events = self.world.hosts[i].events.iter();
        events.filter(|(_, event)| matches!(event, Event::BlocksLost { .. })).count()
    }

    fn draft(&self) -> Draft {
        let starts_group = self.published.is_multiple_of(self.group_blocks);
        let size = if starts_group { 8_000 } else { 4_000 };
        let payload = Bytes::from(vec![self.published as u8; 1_000]);
        let packets = (0..size / 1_000)
            .map(|i| Packet { marker: i == size / 1_000 - 1, payload: payload.clone() });
        let frame = Frame {
            track: Track::Video,
            timestamp: (self.published * 3_000) as u32,
            capture_us: self.world.now().as_micros(),
            packets: packets.collect(),
        };
        let video = TrackFormat { codec: VideoCodec::Vp8, clock_rate: 90_000, fmtp: String::new() };
        Draft {
            starts_group,
            closed_us: self.world.now().as_micros(),
            format: starts_group.then_some(Format { video: Some(video), audio: None }),
            frames: vec![frame],
        }
    }
}
