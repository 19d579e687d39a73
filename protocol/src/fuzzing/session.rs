//! Delegations, descriptors, invites and tickets.

use super::Target;
use crate::forest::Contact;
use crate::identity::{
    Action, Delegation, MediaKey, NodeKey, PublisherKey, SessionId, SignedDelegation, Ticket,
};
use crate::limits::{ADDRESSES_MAX, DESCRIPTOR_BYTES_MAX, INVITE_BOOTSTRAPS_MAX};
use crate::session::{DescriptorBuilder, Invite, SignedDescriptor};
use crate::time::UnixSeconds;
use crate::unit::Bitrate;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub(super) const DELEGATION: Target = Target {
    name: "delegation",
    rounds: 3_000,
    run: |bytes| {
        let Ok(delegation) = SignedDelegation::decode(bytes) else { return };
        let again = SignedDelegation::decode(&delegation.encode());
        assert_eq!(again.as_ref(), Ok(&delegation));
        let session = delegation.claims().session;
        if delegation.verify(&publisher().id(), &session, NOW).is_ok() {
            assert_eq!(delegation.claims(), &claims(), "the publisher signed nothing else");
        }
    },
    seeds: || vec![claims().issue(&publisher()).encode()],
};

pub(super) const DESCRIPTOR: Target = Target {
    name: "descriptor",
    rounds: 3_000,
    run: |bytes| {
        let Ok(signed) = SignedDescriptor::decode(bytes) else { return };
        let encoded = signed.encode();
        assert!(encoded.len() <= DESCRIPTOR_BYTES_MAX);
        assert_eq!(SignedDescriptor::decode(&encoded).as_ref(), Ok(&signed));
        if let Ok(session) = signed.verify(NOW) {
            assert_eq!(session.descriptor(), descriptor().claims(), "nothing else was signed");
        }
    },
    seeds: || vec![descriptor().encode()],
};

pub(super) const INVITE: Target = Target {
    name: "invite",
    rounds: 3_000,
    run: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Ok(invite) = text.parse::<Invite>() {
            check_invite(&invite);
        }
    },
    seeds: || {
        let ticketed = invite().with_ticket(ticket().sign(&publisher()));
        let bare = invite().to_string().replace("banyan://", "");
        let watch = ticketed.to_watch_link("https://portal.example");
        [invite().to_string(), bare, watch].map(String::into_bytes).to_vec()
    },
};

/// The content of an invite behind a checksum that is right, which a fuzzer would never guess.
pub(super) const INVITE_CONTENT: Target = Target {
    name: "invite_content",
    rounds: 3_000,
    run: |bytes| {
        if let Ok(invite) = Invite::decode_content(bytes) {
            check_invite(&invite);
        }
    },
    seeds: || vec![invite().encode_content()],
};

pub(super) const TICKET: Target = Target {
    name: "ticket",
    rounds: 3_000,
    run: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let publisher = publisher().id();
        if let Ok(read) = Ticket::verify(text, &publisher, &session(), Action::Watch, NOW) {
            assert_eq!(read, ticket(), "the publisher signed nothing else");
            assert!(Ticket::looks_whole(text));
        }
    },
    seeds: || vec![ticket().sign(&publisher()).into_bytes()],
};

fn check_invite(invite: &Invite) {
    assert!(invite.bootstraps.len() <= INVITE_BOOTSTRAPS_MAX);
    assert!(invite.bootstraps.iter().all(|b| (1..=ADDRESSES_MAX).contains(&b.addresses.len())));
    assert_eq!(invite.to_string().parse().as_ref(), Ok(invite));
    assert_eq!(invite.to_watch_link("https://x").parse().as_ref(), Ok(invite));
}

fn publisher() -> PublisherKey {
    PublisherKey::from_seed(&[1; 32])
}

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &[3; 16])
}

fn claims() -> Delegation {
    Delegation {
        media_key: MediaKey::from_seed(&[2; 32]).verifying_key(),
        session: session(),
        not_before: NOW,
        expires: UnixSeconds(NOW.0 + 3_600),
    }
}

fn descriptor() -> SignedDescriptor {
    let media_key = MediaKey::from_seed(&[2; 32]).verifying_key();
    DescriptorBuilder::new([3; 16], [4; 32], media_key, Bitrate::from_kbps(4_000), NOW)
        .title("Sunday at the lake")
        .sign(&publisher())
        .expect("within bounds")
}

fn invite() -> Invite {
    let address = |text: &str| text.parse().expect("an address");
    let node = NodeKey::from_seed(&[5; 32]).id();
    let addresses = [address("203.0.113.7:4433"), address("[2001:db8::7]:4433")];
    Invite::new(descriptor(), vec![Contact::new(node, addresses)])
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
