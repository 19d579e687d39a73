use super::super::testing::publisher;
use super::*;

fn media() -> MediaKey {
    MediaKey::from_seed(&[2; 32])
}

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &[3; 16])
}

fn beacon(seq: u64) -> Beacon {
    Beacon { seq, newest_block: 300, time_us: 1_800_000_000_000_000 + seq * 1_000_000 }
}

fn signed(seq: u64) -> SignedBeacon {
    beacon(seq).sign(&session(), &media()).expect("a block's number")
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_micros(ms * 1000)
}

fn watch() -> BeaconWatch {
    BeaconWatch::new(at(0), session(), media().verifying_key())
}

#[test]
fn a_beacon_is_read_back_and_holds_for_its_session_and_key() {
    let bytes = signed(17).encode();
    let read = SignedBeacon::decode(&bytes).expect("ours");
    let key = media().verifying_key();
    assert_eq!(read.verify(&session(), &key), Ok(beacon(17)));
    let other = SessionId::from_bytes([1; 32]);
    assert_eq!(read.verify(&other, &key), Err(BadSignature));
    let stranger = MediaKey::from_seed(&[9; 32]).verifying_key();
    assert_eq!(read.verify(&session(), &stranger), Err(BadSignature));
}

#[test]
fn the_largest_fits_its_bound() {
    let largest = Beacon { seq: u64::MAX, newest_block: BLOCK_NUMBER_MAX, time_us: u64::MAX };
    let bytes = largest.sign(&session(), &media()).expect("a block's number").encode();
    println!("{} bytes, at most {}", signed(17).encode().len(), bytes.len());
    assert!(bytes.len() <= BEACON_BYTES_MAX, "{} bytes", bytes.len());
    let beyond = Beacon { newest_block: BLOCK_NUMBER_MAX + 1, ..largest };
    assert!(beyond.sign(&session(), &media()).is_err());
}

#[test]
fn any_changed_bit_and_any_truncation_is_noticed() {
    let bytes = signed(17).encode();
    let accepted = |bytes: &[u8]| {
        let read = SignedBeacon::decode(bytes).ok()?;
        read.verify(&session(), &media().verifying_key()).ok()
    };
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(accepted(&changed), None, "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert_eq!(accepted(&bytes[..len]), None, "first {len} bytes");
    }
}

#[test]
fn only_what_is_new_is_news() {
    let mut watch = watch();
    assert_eq!(watch.on_beacon(at(1_000), &signed(17)), Ok(true));
    assert_eq!(watch.on_beacon(at(2_000), &signed(17)), Ok(false));
    assert_eq!(watch.on_beacon(at(2_000), &signed(16)), Ok(false));
    let forged = beacon(99).sign(&session(), &MediaKey::from_seed(&[9; 32])).expect("in bounds");
    assert_eq!(watch.on_beacon(at(2_000), &forged), Err(BadSignature));
    assert_eq!((watch.stale_at(), watch.newest_block()), (at(4_000), Some(300)));
    watch.on_shard(at(3_000), 300);
    watch.on_shard(at(3_000), 120);
    assert_eq!(watch.stale_at(), at(4_000), "what was sent before proves nothing");
    watch.on_shard(at(3_500), 301);
    assert_eq!((watch.stale_at(), watch.newest_block()), (at(6_500), Some(301)));
    assert_eq!(watch.newest(), Some(&signed(17)));
}

#[test]
fn the_head_of_an_island_rejoins_and_each_level_below_waits_longer() {
    let mut watch = watch();
    watch.on_shard(at(500), 1);
    assert_eq!(watch.standing(at(3_499), 0), Standing::Fresh);
    assert_eq!(watch.standing(at(3_500), 0), Standing::Rejoin);
    for levels in 1..=15 {
        let until = at(3_500 + 300 * u64::from(levels));
        assert_eq!(watch.standing(at(3_500), levels), Standing::Wait(until));
        assert_eq!(watch.standing(until, levels), Standing::Rejoin);
    }
    // The head found the way back: news comes down before their turn.
    assert_eq!(watch.on_beacon(at(3_700), &signed(1)), Ok(true));
    assert_eq!(watch.standing(at(4_100), 2), Standing::Fresh);
    watch.rejoined(at(9_000));
    assert_eq!(watch.standing(at(11_999), 0), Standing::Fresh);
}

/// A pause of any length, with a beacon each second of which every other is lost, and the others are
/// up to 900 ms late.
#[test]
fn a_pause_is_no_island() {
    let mut watch = watch();
    for seq in (2..600).step_by(2) {
        let heard = at(seq * 1000 + seq * 77 % 900);
        assert_eq!(watch.standing(heard, 0), Standing::Fresh, "beacon {seq}");
        assert_eq!(watch.on_beacon(heard, &signed(seq)), Ok(true));
    }
}
