//! What is signed while a session runs: capacity adverts, root grants, beacons.

use super::Target;
use crate::capacity::{Advert, SignedAdvert};
use crate::forest::{Coordinate, Role};
use crate::identity::{MediaKey, NodeKey, PublisherKey, SessionId};
use crate::limits::{ADVERT_BYTES_MAX, BEACON_BYTES_MAX, GRANT_BYTES_MAX};
use crate::session::{Beacon, RootGrant, SignedBeacon, SignedRootGrant};
use crate::time::UnixSeconds;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub(super) const ADVERT: Target = Target {
    name: "advert",
    rounds: 3_000,
    run: |bytes| {
        let Ok(read) = SignedAdvert::decode(bytes) else { return };
        let encoded = read.encode();
        assert!(encoded.len() <= ADVERT_BYTES_MAX);
        assert_eq!(SignedAdvert::decode(&encoded).as_ref(), Ok(&read));
        assert!(read.claims().slots_free <= read.claims().slots_max);
        if let Ok(said) = read.verify(&session(), NOW, None) {
            assert_eq!(said, &advert(), "the node signed nothing else");
        }
    },
    seeds: || vec![advert().sign(&node(5)).expect("within bounds").encode()],
};

pub(super) const ROOT_GRANT: Target = Target {
    name: "root_grant",
    rounds: 3_000,
    run: |bytes| {
        let Ok(read) = SignedRootGrant::decode(bytes) else { return };
        let encoded = read.encode();
        assert!(encoded.len() <= GRANT_BYTES_MAX);
        assert_eq!(SignedRootGrant::decode(&encoded).as_ref(), Ok(&read));
        if let Ok(said) = read.verify(&publisher().id(), &session(), NOW) {
            assert_eq!(said, &grant(), "the publisher signed nothing else");
        }
    },
    seeds: || vec![grant().sign(&publisher()).expect("within bounds").encode()],
};

pub(super) const BEACON: Target = Target {
    name: "beacon",
    rounds: 3_000,
    run: |bytes| {
        let Ok(read) = SignedBeacon::decode(bytes) else { return };
        let encoded = read.encode();
        assert!(encoded.len() <= BEACON_BYTES_MAX);
        assert_eq!(SignedBeacon::decode(&encoded).as_ref(), Ok(&read));
        if let Ok(said) = read.verify(&session(), &media().verifying_key()) {
            assert_eq!(said, beacon(), "the root signed nothing else");
        }
    },
    seeds: || vec![beacon().sign(&session(), &media()).expect("within bounds").encode()],
};

fn publisher() -> PublisherKey {
    PublisherKey::from_seed(&[1; 32])
}

fn media() -> MediaKey {
    MediaKey::from_seed(&[2; 32])
}

fn node(seed: u8) -> NodeKey {
    NodeKey::from_seed(&[seed; 32])
}

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &[3; 16])
}

fn advert() -> Advert {
    Advert {
        node: node(5).id(),
        session: session(),
        role: Role::Helper,
        region: 250,
        slots_max: 36,
        slots_free: 12,
        delay_ms: 61,
        depth: 2,
        coordinate: Coordinate::default(),
        interval: 83,
        seq: 1_800_000_007,
        expires: Advert::expiry(NOW, false),
    }
}

fn grant() -> RootGrant {
    RootGrant {
        session: session(),
        from: node(5).id(),
        to: node(6).id(),
        from_block: 1_000,
        term: 1,
        expires: UnixSeconds(NOW.0 + 3_600),
    }
}

fn beacon() -> Beacon {
    Beacon { seq: 17, newest_block: 300, time_us: 1_800_000_000_000_000 }
}
