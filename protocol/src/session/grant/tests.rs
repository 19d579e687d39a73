use super::super::testing::{NOW, publisher};
use super::*;
use crate::identity::NodeKey;

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &[3; 16])
}

fn node(seed: u8) -> NodeId {
    NodeKey::from_seed(&[seed; 32]).id()
}

fn grant(term: u64, from: u8, to: u8) -> RootGrant {
    RootGrant {
        session: session(),
        from: node(from),
        to: node(to),
        from_block: 900 * term,
        term,
        expires: UnixSeconds(NOW.0 + 3_600),
    }
}

fn signed(grant: RootGrant) -> SignedRootGrant {
    grant.sign(&publisher()).expect("within bounds")
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_micros(ms * 1000)
}

fn terms() -> Terms {
    Terms::new(session(), publisher().id(), Some(node(5)))
}

#[test]
fn a_grant_is_read_back_and_holds_in_its_time_for_its_session_and_publisher() {
    let signed = signed(grant(1, 5, 6));
    let bytes = signed.encode();
    assert!(bytes.len() <= 196, "{} bytes", bytes.len());
    let read = SignedRootGrant::decode(&bytes).expect("ours");
    assert_eq!(read, signed);
    let verify = |publisher: &PublisherId, session: &SessionId, now: u64| {
        read.verify(publisher, session, UnixSeconds(now)).map(|_| ())
    };
    let id = publisher().id();
    assert_eq!(verify(&id, &session(), NOW.0 + 3_599), Ok(()));
    assert_eq!(verify(&id, &session(), NOW.0 + 3_600), Err(GrantError::Expired));
    let other = SessionId::derive(&id, &[4; 16]);
    assert_eq!(verify(&id, &other, NOW.0), Err(GrantError::WrongSession));
    let stranger = PublisherKey::from_seed(&[9; 32]).id();
    assert_eq!(verify(&stranger, &session(), NOW.0), Err(GrantError::BadSignature));
}

#[test]
fn the_largest_fits_its_bound() {
    let largest = RootGrant {
        from_block: BLOCK_NUMBER_MAX,
        term: u64::MAX,
        expires: UnixSeconds(u64::MAX),
        ..grant(1, 5, 6)
    };
    let bytes = signed(largest).encode();
    println!("{} bytes", bytes.len());
    assert!(bytes.len() <= GRANT_BYTES_MAX, "{} bytes", bytes.len());
}

#[test]
fn the_highest_term_is_root_and_the_one_before_feeds_on_for_a_while() {
    let mut terms = terms();
    assert_eq!((terms.root(), terms.term()), (Some(node(5)), 0));
    assert_eq!(terms.offer(at(0), NOW, &signed(grant(1, 5, 6))), Ok(true));
    assert_eq!((terms.root(), terms.term()), (Some(node(6)), 1));
    assert!(terms.may_feed(at(0), &node(6)));
    assert!(terms.may_feed(at(1_999), &node(5)) && !terms.may_feed(at(2_000), &node(5)));
    assert!(!terms.may_feed(at(0), &node(7)));
    assert_eq!([899, 900].map(|b| terms.root_of(b)), [Some(node(5)), Some(node(6))]);
    // Term 2 never came here.
    assert_eq!(terms.offer(at(5_000), NOW, &signed(grant(3, 7, 8))), Ok(true));
    assert_eq!(terms.offer(at(5_001), NOW, &signed(grant(2, 6, 7))), Ok(false));
    assert_eq!(terms.offer(at(5_002), NOW, &signed(grant(3, 7, 8))), Ok(false));
    assert_eq!((terms.root(), terms.term()), (Some(node(8)), 3));
    assert!(terms.may_feed(at(5_003), &node(6)), "it was the root here until now");
    assert_eq!(terms.grant().map(|held| held.claims().term), Some(3));
}

#[test]
fn what_does_not_hold_changes_nothing() {
    let mut terms = terms();
    let forged = grant(9, 5, 6).sign(&PublisherKey::from_seed(&[9; 32])).expect("within bounds");
    assert_eq!(terms.offer(at(0), NOW, &forged), Err(GrantError::BadSignature));
    let late = UnixSeconds(NOW.0 + 3_600);
    assert_eq!(terms.offer(at(0), late, &signed(grant(9, 5, 6))), Err(GrantError::Expired));
    let session = SessionId::from_bytes([1; 32]);
    let elsewhere = signed(RootGrant { session, ..grant(9, 5, 6) });
    assert_eq!(terms.offer(at(0), NOW, &elsewhere), Err(GrantError::WrongSession));
    assert_eq!((terms.root(), terms.term()), (Some(node(5)), 0));
    terms.offer(at(0), NOW, &signed(grant(1, 5, 6))).expect("valid");
    assert_eq!(terms.root(), Some(node(6)), "and once taken up it stays, whatever the clock");
}

#[test]
fn of_two_grants_for_one_term_everybody_keeps_the_same() {
    let (a, b) = (signed(grant(1, 5, 6)), signed(grant(1, 5, 7)));
    let keep = |first: &SignedRootGrant, second: &SignedRootGrant| {
        let mut terms = terms();
        for grant in [first, second, first, second] {
            terms.offer(at(0), NOW, grant).expect("valid");
        }
        terms.root()
    };
    assert_eq!(keep(&a, &b), keep(&b, &a));
}

#[test]
fn a_grant_out_of_bounds_is_not_written() {
    for (field, bad) in [
        ("to", grant(1, 5, 5)),
        ("term", grant(0, 5, 6)),
        ("from_block", RootGrant { from_block: u64::MAX, ..grant(1, 5, 6) }),
        ("to", RootGrant { to: NodeId::from_bytes([0; 32]), ..grant(1, 5, 6) }),
        ("from", RootGrant { from: NodeId::from_bytes([2; 32]), ..grant(1, 5, 6) }),
    ] {
        let error = bad.sign(&publisher()).expect_err(field).to_string();
        assert!(error.starts_with(&format!("bad {field}:")), "{field}: {error}");
    }
}

#[test]
fn any_changed_bit_and_any_truncation_is_noticed() {
    let bytes = signed(grant(1, 5, 6)).encode();
    let accepts = |bytes: &[u8]| {
        SignedRootGrant::decode(bytes)
            .is_ok_and(|g| g.verify(&publisher().id(), &session(), NOW).is_ok())
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
