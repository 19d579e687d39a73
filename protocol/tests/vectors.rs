//! The golden bytes of `proto/vectors`, as an implementation in another language would use them: from
//! seeds to bytes, and from bytes back.
//!
//! `BANYAN_VECTORS=write cargo test -p banyan-protocol --test vectors` writes them anew after a
//! wire change.

use std::path::PathBuf;
use std::time::Duration;

use banyan_protocol::capacity::{Advert, SignedAdvert};
use banyan_protocol::coding::{
    AudioCodec, Block, Checker, Coder, Format, Frame, Packet, Shard, Track, TrackFormat, VideoCodec,
};
use banyan_protocol::forest::{
    Contact, Coordinate, Member, Path, Reach, Role, Spot, StripeSet, home, tag,
};
use banyan_protocol::identity::{
    Action, Delegation, MediaKey, NodeId, NodeKey, PublisherKey, SessionId, SignedDelegation,
    Ticket,
};
use banyan_protocol::session::{
    Beacon, DescriptorBuilder, Invite, Policy, Relay, RootGrant, SignedBeacon, SignedDescriptor,
    SignedRootGrant, Watch,
};
use banyan_protocol::time::UnixSeconds;
use banyan_protocol::unit::Bitrate;
use banyan_protocol::wire::control::{Body, Control, Graft, PruneReason, Refusal};
use banyan_protocol::wire::gossip::Gossip;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const NONCE: [u8; 16] = [3; 16];

/// A vector: comments and `name = value` lines, in a file of `proto/vectors`.
struct Vector {
    file: &'static str,
    text: String,
}

impl Vector {
    fn new(file: &'static str, about: &str) -> Self {
        Self { file, text: format!("# {about}\n") }
    }

    fn field(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.text += &format!("{name} = {value}\n");
        self
    }

    fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        self.field(name, hex)
    }

    /// Compares with the file, or writes it.
    fn check(self) {
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../proto/vectors").join(self.file);
        if std::env::var_os("BANYAN_VECTORS").is_some_and(|v| v == "write") {
            std::fs::write(&path, self.text).expect("writing a vector");
            return;
        }
        let golden = std::fs::read_to_string(&path).expect("reading a vector");
        assert_eq!(self.text, golden, "{} differs: see the top of this test", self.file);
    }
}

fn publisher() -> PublisherKey {
    PublisherKey::from_seed(&[1; 32])
}

fn media() -> MediaKey {
    MediaKey::from_seed(&[2; 32])
}

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &NONCE)
}

fn descriptor() -> SignedDescriptor {
    DescriptorBuilder::new(NONCE, [4; 32], media().verifying_key(), Bitrate::from_kbps(4_000), NOW)
        .title("Sunday at the lake")
        .policy(Policy { watch: Watch::Ticket, relay: Relay::Anyone })
        .sign(&publisher())
        .expect("within bounds")
}

fn ticket() -> Ticket {
    Ticket {
        session: session(),
        action: Action::Watch,
        expires: UnixSeconds(NOW.0 + 600),
        not_before: Some(NOW),
        id: Some("seat 12".to_owned()),
    }
}

fn node(seed: u8) -> NodeId {
    NodeKey::from_seed(&[seed; 32]).id()
}

fn contact(seed: u8, addresses: &[&str]) -> Contact {
    Contact::new(node(seed), addresses.iter().map(|a| a.parse().expect("an address")))
}

#[test]
fn delegation() {
    let delegation = Delegation {
        media_key: media().verifying_key(),
        session: session(),
        not_before: NOW,
        expires: UnixSeconds(NOW.0 + 86_400),
    };
    let signed = delegation.clone().issue(&publisher());
    let bytes = signed.encode();
    let read = SignedDelegation::decode(&bytes).expect("ours");
    assert_eq!(read.verify(&publisher().id(), &session(), NOW), Ok(&delegation));
    Vector::new("delegation.txt", "SignedDelegation of session.proto, see SPEC.md#delegation")
        .bytes("publisher_seed", publisher().seed())
        .field("publisher", publisher().id())
        .bytes("media_seed", media().seed())
        .bytes("media_key", media().verifying_key().as_bytes())
        .bytes("nonce", &NONCE)
        .field("session", session())
        .field("not_before", NOW.0)
        .field("expires", NOW.0 + 86_400)
        .bytes("encoded", &bytes)
        .check();
}

#[test]
fn session_descriptor() {
    let signed = descriptor();
    let bytes = signed.encode();
    let session = SignedDescriptor::decode(&bytes).expect("ours").verify(NOW).expect("fresh");
    let d = session.descriptor();
    Vector::new(
        "descriptor.txt",
        "SignedDescriptor of session.proto, see SPEC.md#session-descriptor",
    )
    .bytes("publisher_seed", publisher().seed())
    .field("publisher", d.publisher)
    .bytes("nonce", &d.nonce)
    .field("session", session.id())
    .field("title", &d.title)
    .bytes("media_key", session.media_key().as_bytes())
    .field("bitrate", d.bitrate.bps())
    .field("k", d.k)
    .field("m", d.m)
    .field("created", d.created.0)
    .field("expires", d.expires.0)
    .field("policy.watch", "2 (ticket)")
    .field("policy.relay", "1 (anyone)")
    .bytes("epoch_seed", &d.epoch_seed)
    .bytes("encoded", &bytes)
    .check();
}

#[test]
fn invite() {
    let bootstraps = vec![
        contact(5, &["203.0.113.7:4433", "[2001:db8::7]:4433"]),
        contact(6, &["198.51.100.9:9"]),
    ];
    let plain = Invite::new(descriptor(), bootstraps);
    let full = plain.clone().with_ticket(ticket().sign(&publisher()));
    let watch = full.to_watch_link("https://portal.example");
    assert_eq!(plain.to_string().parse(), Ok(plain.clone()));
    assert_eq!(watch.parse(), Ok(full.clone()));
    Vector::new("invite.txt", "Invites as text, see SPEC.md#invite; descriptor of descriptor.txt")
        .bytes("descriptor", &plain.descriptor.encode())
        .field(
            "bootstrap",
            format_args!("{} 203.0.113.7:4433 [2001:db8::7]:4433", full.bootstraps[0].node),
        )
        .field("bootstrap", format_args!("{} 198.51.100.9:9", full.bootstraps[1].node))
        .field("link", &plain)
        .field("watch_link_with_ticket", watch)
        .check();
}

#[test]
fn ticket_as_jwt() {
    let text = ticket().sign(&publisher());
    let read = Ticket::verify(&text, &publisher().id(), &session(), Action::Watch, NOW);
    assert_eq!(read, Ok(ticket()));
    Vector::new("ticket.txt", "A ticket, see SPEC.md#ticket")
        .bytes("publisher_seed", publisher().seed())
        .field("publisher", publisher().id())
        .field("sid", session())
        .field("act", Action::Watch)
        .field("exp", NOW.0 + 600)
        .field("nbf", NOW.0)
        .field("jti", "seat 12")
        .field("encoded", text)
        .check();
}

/// A block of one video frame in two packets and one audio frame, the start of its group.
fn media_block() -> Block {
    let packet = |marker, text: &'static str| Packet { marker, payload: text.into() };
    Block {
        number: 300,
        group: 300,
        previous: [6; 32],
        closed_us: 1_800_000_000_040_000,
        format: Some(Format {
            video: Some(TrackFormat {
                codec: VideoCodec::H264,
                clock_rate: 90_000,
                fmtp: "packetization-mode=1".to_owned(),
            }),
            audio: Some(TrackFormat {
                codec: AudioCodec::Opus,
                clock_rate: 48_000,
                fmtp: String::new(),
            }),
        }),
        frames: vec![
            Frame {
                track: Track::Video,
                timestamp: 0x0102_0304,
                capture_us: 1_800_000_000_000_000,
                packets: vec![packet(false, "first packet"), packet(true, "last")],
            },
            Frame {
                track: Track::Audio,
                timestamp: 0xffff_fc40,
                capture_us: 1_800_000_000_010_000,
                packets: vec![packet(true, "sound")],
            },
        ],
    }
}

/// Names and bytes of the consecutive parts of `encoded`, cut at these lengths.
fn parts<'a>(mut encoded: &'a [u8], cuts: &[(&'a str, usize)]) -> Vec<(&'a str, &'a [u8])> {
    let parts = cuts
        .iter()
        .map(|(name, len)| {
            let (part, rest) = encoded.split_at(*len);
            encoded = rest;
            (*name, part)
        })
        .collect();
    assert!(encoded.is_empty(), "{} bytes without a name", encoded.len());
    parts
}

#[test]
fn block() {
    let block = media_block();
    let encoded = block.encode().expect("within bounds");
    assert_eq!(Block::decode(&encoded), Ok(block));
    let frame = [("track", 1), ("timestamp", 4), ("capture_us", 8), ("packets", 1)];
    let mut cuts = vec![("version", 1), ("number", 8), ("group", 8), ("previous", 32)];
    cuts.extend([("closed_us", 8)]);
    cuts.extend([("video.codec", 1), ("video.clock_rate", 4)]);
    cuts.extend([("video.fmtp_length", 1), ("video.fmtp", 20)]);
    cuts.extend([("audio.codec", 1), ("audio.clock_rate", 4), ("audio.fmtp_length", 1)]);
    cuts.push(("frames", 1));
    cuts.extend(frame);
    cuts.extend([("payload_head", 1), ("payload", 12), ("payload_head", 1), ("payload", 4)]);
    cuts.extend(frame);
    cuts.extend([("payload_head", 1), ("payload", 5)]);
    let mut vector = Vector::new(
        "block.hex",
        "A block, see SPEC.md#block: the fields up to the last payload are its bytes",
    );
    for (name, bytes) in parts(&encoded, &cuts) {
        vector = vector.bytes(name, bytes);
    }
    vector.bytes("digest", &Block::digest(&encoded)).check();
}

#[test]
fn shards() {
    let block = media_block();
    let encoded = block.encode().expect("within bounds");
    let coder = Coder::new(session(), 1, 3, 2, media()).expect("a code");
    let checker = Checker::new(session(), media().verifying_key());
    let payload = encoded.len().div_ceil(3);
    let cuts = [
        ("version", 1),
        ("rendition", 1),
        ("stripe", 1),
        ("k", 1),
        ("m", 1),
        ("block", 8),
        ("group", 8),
        ("block_len", 4),
        ("signature", 64),
        ("payload", payload),
    ];
    let mut vector = Vector::new(
        "shard.hex",
        "The 3+2 shards of the block of block.hex, see SPEC.md#shard: version to payload each",
    )
    .bytes("media_seed", media().seed())
    .field("session", session());
    for shard in coder.encode(block.number, block.group, &encoded) {
        let read = Shard::decode(shard.encoded().clone()).expect("ours");
        assert_eq!(checker.check(&read), Ok(()));
        for (name, bytes) in parts(shard.encoded(), &cuts) {
            vector = vector.bytes(name, bytes);
        }
    }
    vector.check();
}

#[test]
fn places_in_the_forest() {
    let vector = Vector::new(
        "forest.txt",
        "Where three nodes are at home among 10 stripes, see SPEC.md#home-stripe; their tags, see \
         SPEC.md#path-tags",
    );
    let vector = vector.bytes("epoch_seed", &[4; 32]).field("session", session());
    [5, 6, 7]
        .into_iter()
        .fold(vector, |vector, seed| {
            vector
                .field("node", node(seed))
                .field("home", home(&node(seed), &[4; 32], 10))
                .bytes("tag", &tag(&node(seed), &session()).to_be_bytes())
        })
        .check();
}

/// Stripes 0 and 3.
fn two_stripes() -> StripeSet {
    StripeSet::from_bits(0b1001)
}

#[test]
fn control() {
    let member = Member {
        contact: contact(5, &["203.0.113.7:4433", "[2001:db8::7]:4433"]),
        role: Role::Helper,
        carries: two_stripes(),
        slots: 14,
        slots_free: 12,
        depth: 2,
        delay_us: 61_500,
        age_s: 3,
        reach: Reach::Punchable,
        spot: Spot::from_wire([-120, 85, 40, 11]).expect("within bounds"),
    };
    let path = Path {
        tags: [7, 5].iter().map(|seed| tag(&node(*seed), &session())).collect(),
        stalled: true,
        short: two_stripes(),
        delay_us: 42_000,
    };
    let other = contact(6, &["198.51.100.9:9"]);
    let graft = Graft {
        stripe: 3,
        request: 17,
        channel: 2,
        slots: 12,
        resume: 301,
        repair_of: Some(node(7)),
        helper: true,
        fed: 5,
        insist: true,
        reach: Reach::Hard,
    };
    let blocks = 1_000u64;
    let end = [b"banyan/v1/end\0", session().as_bytes().as_slice(), &blocks.to_be_bytes()].concat();
    let handed = RootGrant {
        session: session(),
        from: node(5),
        to: node(6),
        from_block: 900,
        term: 1,
        expires: UnixSeconds(1_790_000_000),
    };
    let handed = handed.sign(&publisher()).expect("within bounds").encode();
    let (stripe, request) = (3, 17);
    let told = member.clone();
    let bodies = [
        ("announce", Body::Announce { member: member.clone(), reply: true }),
        ("members", Body::Members(vec![member.clone()])),
        ("graft", Body::Graft(graft)),
        (
            "admitted",
            Body::Admitted {
                stripe,
                request,
                path: path.clone(),
                backups: vec![other.clone()],
                displaced: Some(other.clone()),
            },
        ),
        (
            "redirected",
            Body::Redirected {
                stripe,
                request,
                refusal: Refusal::Full,
                members: vec![member.clone()],
            },
        ),
        (
            "prune",
            Body::Prune { stripe, reason: PruneReason::Leaving, successors: vec![other.clone()] },
        ),
        ("path_update", Body::PathUpdate { stripe, path, above: Some(other.clone()) }),
        ("room", Body::Room { stripe, room: 40, children: 12, places: vec![member.clone()] }),
        ("pull", Body::Pull { stripe, channel: 2, from: 301, until: 305 }),
        ("refresh", Body::Refresh),
        ("grant", Body::Grant { root: contact(6, &["198.51.100.9:9"]), grant: handed.into() }),
        ("end", Body::End { blocks, signature: media().sign(&end) }),
    ];
    let vector = Vector::new(
        "control.hex",
        "A Frame of link.proto of each kind, see SPEC.md#link: protobuf, without its length",
    )
    .bytes("media_seed", media().seed())
    .field("session", session());
    let advert = Gossip { session: session(), member: told, interval: Duration::from_secs(83) };
    assert_eq!(Gossip::decode(advert.encode()), Ok(advert.clone()));
    bodies
        .into_iter()
        .fold(vector, |vector, (name, body)| {
            let control = Control { session: session(), body };
            let encoded = control.encode();
            assert_eq!(Control::decode(encoded.clone()), Ok(control), "{name}");
            vector.bytes(name, &encoded)
        })
        .bytes("advert", &advert.encode())
        .check();
}

#[test]
fn beacon() {
    let beacon = Beacon { seq: 17, newest_block: 300, time_us: 1_800_000_000_000_000 };
    let bytes = beacon.sign(&session(), &media()).expect("within bounds").encode();
    let read = SignedBeacon::decode(&bytes).expect("ours");
    assert_eq!(read.verify(&session(), &media().verifying_key()), Ok(beacon));
    Vector::new("beacon.txt", "Beacon of session.proto, see SPEC.md#beacon")
        .bytes("media_seed", media().seed())
        .bytes("media_key", media().verifying_key().as_bytes())
        .field("session", session())
        .field("seq", beacon.seq)
        .field("newest_block", beacon.newest_block)
        .field("time_us", beacon.time_us)
        .bytes("encoded", &bytes)
        .check();
}

#[test]
fn root_grant() {
    let grant = RootGrant {
        session: session(),
        from: node(5),
        to: node(6),
        from_block: 1_000,
        term: 1,
        expires: UnixSeconds(NOW.0 + 3_600),
    };
    let bytes = grant.sign(&publisher()).expect("within bounds").encode();
    let read = SignedRootGrant::decode(&bytes).expect("ours");
    assert_eq!(read.verify(&publisher().id(), &session(), NOW), Ok(&grant));
    Vector::new("root-grant.txt", "SignedRootGrant of session.proto, see SPEC.md#root-grant")
        .bytes("publisher_seed", publisher().seed())
        .field("publisher", publisher().id())
        .field("session", session())
        .field("from", grant.from)
        .field("to", grant.to)
        .field("from_block", grant.from_block)
        .field("term", grant.term)
        .field("expires", grant.expires.0)
        .bytes("encoded", &bytes)
        .check();
}

#[test]
fn signed_advert() {
    let key = NodeKey::from_seed(&[5; 32]);
    let coordinate = [-12_000, 8_500, 4_000, 110];
    let advert = Advert {
        node: key.id(),
        session: session(),
        role: Role::Helper,
        region: 250,
        slots_max: 36,
        slots_free: 12,
        delay_ms: 61,
        depth: 2,
        coordinate: Coordinate::from_wire(coordinate).expect("within bounds"),
        interval: 83,
        seq: 1_800_000_007,
        expires: Advert::expiry(NOW, false),
    };
    let bytes = advert.sign(&key).expect("within bounds").encode();
    let read = SignedAdvert::decode(&bytes).expect("ours");
    assert_eq!(read.verify(&session(), NOW, None), Ok(&advert));
    let [x, y, height, error] = coordinate;
    Vector::new("advert.txt", "SignedAdvert of capacity.proto, see SPEC.md#signed-advert")
        .bytes("node_seed", key.seed())
        .field("node", advert.node)
        .field("session", session())
        .field("role", "3 (helper)")
        .field("region", advert.region)
        .field("slots_max", advert.slots_max)
        .field("slots_free", advert.slots_free)
        .field("delay_ms", advert.delay_ms)
        .field("depth", advert.depth)
        .field("coordinate", format_args!("x {x}, y {y}, height {height}, error {error}"))
        .field("interval", advert.interval)
        .field("seq", advert.seq)
        .field("expires", advert.expires.0)
        .bytes("encoded", &bytes)
        .check();
}
