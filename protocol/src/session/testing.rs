//! A session to test with.

use std::net::SocketAddr;

use super::{DescriptorBuilder, Invite, SignedDescriptor};
use crate::forest::Contact;
use crate::identity::{MediaKey, NodeKey, PublisherKey};
use crate::time::UnixSeconds;
use crate::unit::Bitrate;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub(crate) fn publisher() -> PublisherKey {
    PublisherKey::from_seed(&[1; 32])
}

pub(crate) fn builder() -> DescriptorBuilder {
    let media = MediaKey::from_seed(&[2; 32]).verifying_key();
    DescriptorBuilder::new([3; 16], [4; 32], media, Bitrate::from_kbps(4_000), NOW)
        .title("Sunday at the lake")
}

pub(crate) fn descriptor() -> SignedDescriptor {
    builder().sign(&publisher()).expect("within bounds")
}

pub(crate) fn bootstrap(seed: u8, addresses: &[&str]) -> Contact {
    let address = |a: &&str| a.parse::<SocketAddr>().expect("an address");
    Contact {
        node: NodeKey::from_seed(&[seed; 32]).id(),
        addresses: addresses.iter().map(address).collect(),
    }
}

pub(crate) fn invite() -> Invite {
    let bootstraps = vec![
        bootstrap(5, &["203.0.113.7:4433", "[2001:db8::7]:4433"]),
        bootstrap(6, &["198.51.100.9:9"]),
    ];
    Invite::new(descriptor(), bootstraps)
}
