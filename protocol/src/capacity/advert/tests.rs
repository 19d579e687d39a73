use super::*;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn key() -> NodeKey {
    NodeKey::from_seed(&[5; 32])
}

fn session() -> SessionId {
    SessionId::from_bytes([7; 32])
}

fn advert() -> Advert {
    Advert {
        node: key().id(),
        session: session(),
        role: Role::Helper,
        region: 250,
        slots_max: 36,
        slots_free: 12,
        delay_ms: 61,
        depth: 2,
        coordinate: Coordinate::from_wire([-12_000, 8_500, 4_000, 110]).expect("within bounds"),
        interval: 10,
        seq: 1_800_000_000,
        expires: Advert::expiry(NOW, false),
    }
}

fn signed(advert: &Advert) -> SignedAdvert {
    advert.sign(&key()).expect("within bounds")
}

/// Signs whatever it is given, as a hostile node would.
fn hostile(spoil: impl FnOnce(&mut wire::Advert)) -> Vec<u8> {
    let mut message = wire::Advert::decode(signed(&advert()).bytes).expect("ours");
    spoil(&mut message);
    let bytes = message.encode_to_vec();
    let signature = key().sign_for(Domain::Advert, &bytes).to_vec().into();
    wire::SignedAdvert { advert: bytes.into(), signature }.encode_to_vec()
}

#[test]
fn an_advert_is_read_back_and_holds() {
    let signed = signed(&advert());
    let read = SignedAdvert::decode(&signed.encode()).expect("ours");
    assert_eq!(read, signed);
    assert_eq!(read.verify(&session(), NOW, None), Ok(&advert()));
    assert_eq!(read.keep_for(NOW), Duration::from_secs(20));
    assert_eq!(read.keep_for(UnixSeconds(0)), Duration::from_secs(60));
}

#[test]
fn the_largest_fits_its_bound() {
    let largest = Advert {
        region: u16::MAX,
        slots_max: CHILDREN_MAX as u16,
        slots_free: CHILDREN_MAX as u16,
        delay_ms: u16::MAX,
        depth: PATH_MAX as u8 - 1,
        coordinate: Coordinate::from_wire([-1_000_000, 1_000_000, 1_000_000, 1000])
            .expect("within bounds"),
        interval: u16::MAX,
        seq: u32::MAX,
        expires: UnixSeconds(1 << 34),
        ..advert()
    };
    let (usual, largest) = (signed(&advert()).encode().len(), signed(&largest).encode().len());
    println!("{usual} bytes, at most {largest}");
    assert!(usual <= 180 && largest <= ADVERT_BYTES_MAX, "{usual} bytes, at most {largest}");
}

#[test]
fn what_does_not_hold_is_told_apart() {
    let verify = |advert: &Advert, now: u64, newest| {
        signed(advert).verify(&session(), UnixSeconds(now), newest).map(|_| ())
    };
    let (now, leeway) = (NOW.0, ADVERT_LEEWAY_SECONDS);
    let good = advert();
    let elsewhere = Advert { session: SessionId::from_bytes([8; 32]), ..good };
    assert_eq!(verify(&elsewhere, now, None), Err(AdvertError::WrongSession));
    assert_eq!(verify(&good, now, Some(good.seq - 1)), Ok(()));
    for newest in [good.seq, u32::MAX] {
        assert_eq!(verify(&good, now, Some(newest)), Err(AdvertError::Superseded));
    }
    assert_eq!(verify(&good, now + 19 + leeway, None), Ok(()));
    assert_eq!(verify(&good, now + 20 + leeway, None), Err(AdvertError::Expired));
    let stable = Advert { expires: Advert::expiry(NOW, true), ..good };
    assert_eq!(verify(&stable, now + 59 + leeway, None), Ok(()));
    assert_eq!(verify(&stable, now - leeway, None), Ok(()));
    assert_eq!(verify(&stable, now - leeway - 1, None), Err(AdvertError::TooLong));
    let endless = Advert { expires: UnixSeconds(u64::MAX), ..good };
    assert_eq!(verify(&endless, now, None), Err(AdvertError::TooLong));
    let forged = hostile(|a| a.node = NodeKey::from_seed(&[6; 32]).id().as_bytes().to_vec().into());
    let forged = SignedAdvert::decode(&forged).expect("well-formed");
    assert_eq!(forged.verify(&session(), NOW, None), Err(AdvertError::BadSignature));
}

#[test]
fn each_field_out_of_its_bounds_is_named() {
    type Spoil = fn(&mut wire::Advert);
    let rows: [(&str, Spoil); 15] = [
        ("node", |a| a.node = vec![0; 31].into()),
        ("session", |a| a.session = vec![0; 33].into()),
        ("role", |a| a.role = 0),
        ("role", |a| a.role = 9),
        ("region", |a| a.region = 65_536),
        ("slots_max", |a| a.slots_max = 1_025),
        ("slots_free", |a| a.slots_free = 37),
        ("delay_ms", |a| a.delay_ms = u32::MAX),
        ("depth", |a| a.depth = 16),
        ("coordinate", |a| a.coordinate = None),
        ("coordinate", |a| a.coordinate.as_mut().expect("ours").x = i32::MIN),
        ("coordinate", |a| a.coordinate.as_mut().expect("ours").height = u32::MAX),
        ("coordinate", |a| a.coordinate.as_mut().expect("ours").error = 0),
        ("interval", |a| a.interval = 65_536),
        ("advert", |a| a.node = vec![0; 200].into()),
    ];
    for (field, spoil) in rows {
        let error = SignedAdvert::decode(&hostile(spoil)).expect_err(field).to_string();
        let named = [format!("bad {field}:"), format!("truncated {field}")];
        assert!(named.iter().any(|n| error.starts_with(n.as_str())), "{field}: {error}");
    }
    let crowded = Advert { slots_max: 1_025, ..advert() };
    assert!(crowded.sign(&key()).is_err(), "the writer has the reader's rules");
}

#[test]
fn any_changed_bit_and_any_truncation_is_noticed() {
    let bytes = signed(&advert()).encode();
    let accepts = |bytes: &[u8]| {
        SignedAdvert::decode(bytes).is_ok_and(|a| a.verify(&session(), NOW, None).is_ok())
    };
    assert!(accepts(&bytes));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepts(&changed), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(!accepts(&bytes[..len]), "first {len} bytes");
    }
}
