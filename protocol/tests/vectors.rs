//! The golden bytes of identities and sessions in `proto/vectors`, as an implementation in another
//! language would use them: from seeds to bytes, and from bytes back.
//!
//! `BANYAN_VECTORS=write cargo test -p banyan-protocol --test vectors` writes them anew after a
//! wire change.

use std::path::PathBuf;

use banyan_protocol::forest::Contact;
use banyan_protocol::identity::{
    Action, Delegation, MediaKey, NodeKey, PublisherKey, SessionId, SignedDelegation, Ticket,
};
use banyan_protocol::session::{DescriptorBuilder, Invite, Policy, Relay, SignedDescriptor, Watch};
use banyan_protocol::time::UnixSeconds;
use banyan_protocol::unit::Bitrate;

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
    let contact = |seed: u8, addresses: &[&str]| Contact {
        node: NodeKey::from_seed(&[seed; 32]).id(),
        addresses: addresses.iter().map(|a| a.parse().expect("an address")).collect(),
    };
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
