use super::super::testing::{NOW, builder, descriptor, publisher};
use super::super::{Relay, Watch};
use super::*;
use crate::identity::MediaKey;

fn message() -> wire::Descriptor {
    wire::Descriptor::decode(descriptor().bytes.as_slice()).expect("ours")
}

/// Signs whatever it is given, as a hostile publisher would.
fn sign_raw(message: &wire::Descriptor) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let signature = publisher().sign_for(Domain::Descriptor, &bytes).to_vec().into();
    wire::SignedDescriptor { descriptor: bytes.into(), signature }.encode_to_vec()
}

#[test]
fn a_signed_descriptor_is_read_back_and_holds() {
    let signed = descriptor();
    let bytes = signed.encode();
    let read = SignedDescriptor::decode(&bytes).expect("ours");
    assert_eq!(read, signed);
    let session = read.verify(NOW).expect("fresh");
    assert_eq!(session.id(), SessionId::derive(&publisher().id(), &[3; 16]));
    assert_eq!(*session.media_key(), MediaKey::from_seed(&[2; 32]).verifying_key());
    assert_eq!(session.descriptor().title, "Sunday at the lake");
    assert_eq!((session.descriptor().k, session.descriptor().m), (8, 2));
    assert_eq!(session.stripes(), 10);
    assert_eq!(session.signed().encode(), bytes);
}

#[test]
fn the_largest_descriptor_fits_its_bound() {
    let title: String = std::iter::repeat_n('𝄞', TITLE_CHARS_MAX).collect();
    let far = UnixSeconds(u64::MAX - SESSION_SECONDS_MAX);
    let media = MediaKey::from_seed(&[2; 32]).verifying_key();
    let rate = Bitrate::from_bps(BITRATE_BPS_MAX);
    let signed = DescriptorBuilder::new([3; 16], [4; 32], media, rate, far)
        .expires(UnixSeconds(u64::MAX))
        .title(title)
        .sign(&publisher())
        .expect("within bounds");
    let bytes = signed.encode();
    assert!(bytes.len() < 800, "{} bytes", bytes.len());
    assert_eq!(SignedDescriptor::decode(&bytes), Ok(signed));
}

#[test]
fn stripes_follow_the_bitrate() {
    for (kbps, video, stripes) in [
        (1, true, (4, 2)),
        (2_000, true, (4, 2)),
        (2_001, true, (8, 2)),
        (5_000, true, (8, 2)),
        (5_001, true, (12, 2)),
        (64, false, (1, 1)),
    ] {
        assert_eq!(default_stripes(Bitrate::from_kbps(kbps), video), stripes, "{kbps} {video}");
    }
    let chosen = builder().stripes(16, 4).sign(&publisher()).expect("allowed");
    assert_eq!((chosen.claims().k, chosen.claims().m), (16, 4));
    let sound = builder().audio_only().sign(&publisher()).expect("allowed");
    assert_eq!((sound.claims().k, sound.claims().m), (1, 1));
}

#[test]
fn the_builder_refuses_what_a_reader_would() {
    let zero = Bitrate::from_bps(0);
    let media = MediaKey::from_seed(&[2; 32]).verifying_key();
    for (builder, field) in [
        (builder().stripes(0, 2), "k"),
        (builder().stripes(17, 2), "k"),
        (builder().stripes(4, 5), "m"),
        (builder().title("x".repeat(81)), "title"),
        (builder().title("two\nlines"), "title"),
        (builder().title("\u{202e}sdrawkcab"), "title"),
        (builder().expires(NOW), "expires"),
        (builder().expires(UnixSeconds(NOW.0 + SESSION_SECONDS_MAX + 1)), "expires"),
        (DescriptorBuilder::new([3; 16], [4; 32], media, zero, NOW), "bitrate"),
    ] {
        let error = builder.sign(&publisher()).expect_err(field).to_string();
        assert!(error.contains(&format!("bad {field}:")), "{field}: {error}");
    }
}

#[test]
fn each_field_out_of_its_bounds_is_named() {
    type Spoil = fn(&mut wire::Descriptor);
    let rows: [(&str, Spoil); 18] = [
        ("publisher", |d| d.publisher = vec![0; 31].into()),
        ("publisher", |d| d.publisher = vec![0; 32].into()),
        ("nonce", |d| d.nonce = vec![0; 17].into()),
        ("title", |d| d.title = "\u{7}".into()),
        ("delegation", |d| d.delegation = None),
        ("delegation", |d| {
            d.delegation.as_mut().expect("ours").delegation = vec![0xff; 9].into();
        }),
        ("delegation.signature", |d| {
            d.delegation.as_mut().expect("ours").signature = vec![0; 63].into();
        }),
        ("bitrate", |d| d.bitrate = 0),
        ("bitrate", |d| d.bitrate = u64::MAX),
        ("k", |d| d.k = 0),
        ("k", |d| d.k = 256 + 8),
        ("m", |d| d.m = u32::MAX),
        ("expires", |d| d.expires = d.created),
        ("expires", |d| d.expires = u64::MAX),
        ("policy", |d| d.policy = None),
        ("policy.watch", |d| d.policy.as_mut().expect("ours").watch = 3),
        ("policy.relay", |d| d.policy.as_mut().expect("ours").relay = 0),
        ("epoch_seed", |d| d.epoch_seed = vec![].into()),
    ];
    for (field, spoil) in rows {
        let mut message = message();
        spoil(&mut message);
        let error = SignedDescriptor::decode(&sign_raw(&message)).expect_err(field).to_string();
        let named = [format!("bad {field}:"), format!("truncated {field}")];
        assert!(named.iter().any(|n| error.starts_with(n.as_str())), "{field}: {error}");
    }
}

#[test]
fn time_is_checked_with_mercy_for_slow_clocks_only() {
    let signed = descriptor();
    let at = |now| signed.verify(UnixSeconds(now)).map(|_| ());
    assert_eq!(at(NOW.0 - CLOCK_SKEW_SECONDS_MAX - 1), Err(DescriptorError::NotYetValid));
    assert_eq!(at(NOW.0 - CLOCK_SKEW_SECONDS_MAX), Ok(()));
    assert_eq!(at(NOW.0 + SESSION_SECONDS_DEFAULT - 1), Ok(()));
    assert_eq!(at(NOW.0 + SESSION_SECONDS_DEFAULT), Err(DescriptorError::Expired));
    assert_eq!(at(u64::MAX), Err(DescriptorError::Expired));
}

#[test]
fn another_key_cannot_speak_for_the_publisher() {
    let stranger = PublisherKey::from_seed(&[9; 32]);
    let mut signed = descriptor();
    signed.signature = stranger.sign_for(Domain::Descriptor, &signed.bytes);
    assert_eq!(signed.verify(NOW), Err(DescriptorError::BadSignature));

    // A delegation that the stranger signed, or for another session, inside a valid descriptor.
    let delegation = |key: &PublisherKey, nonce| {
        let media_key = MediaKey::from_seed(&[2; 32]).verifying_key();
        let session = SessionId::derive(&publisher().id(), &nonce);
        let claims =
            Delegation { media_key, session, not_before: NOW, expires: UnixSeconds(NOW.0 + 60) };
        claims.issue(key).to_wire()
    };
    for (delegation, expected) in [
        (delegation(&stranger, [3; 16]), DelegationError::BadSignature),
        (delegation(&publisher(), [8; 16]), DelegationError::WrongSession),
    ] {
        let message = wire::Descriptor { delegation: Some(delegation), ..message() };
        let signed = SignedDescriptor::decode(&sign_raw(&message)).expect("well-formed");
        assert_eq!(signed.verify(NOW), Err(DescriptorError::Delegation(expected)));
    }
}

#[test]
fn any_changed_bit_and_any_truncation_is_noticed() {
    let bytes = descriptor().encode();
    let accepts =
        |bytes: &[u8]| SignedDescriptor::decode(bytes).is_ok_and(|d| d.verify(NOW).is_ok());
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

#[test]
fn fields_to_come_survive_being_passed_on() {
    // Field 100, a string, as a later version might add it: not known here, and still signed.
    let mut bytes = message().encode_to_vec();
    bytes.extend_from_slice(&[0xa2, 0x06, 3, b'n', b'e', b'w']);
    let signature = publisher().sign_for(Domain::Descriptor, &bytes).to_vec().into();
    let outer = wire::SignedDescriptor { descriptor: bytes.into(), signature }.encode_to_vec();
    let session = SignedDescriptor::decode(&outer).expect("readable").verify(NOW).expect("signed");
    assert_eq!(session.signed().encode(), outer);
}

#[test]
fn a_descriptor_beyond_its_bound_is_refused() {
    let mut bytes = message().encode_to_vec();
    bytes.extend_from_slice(&[0xa2, 0x06, 0x80, 0x08]);
    bytes.resize(bytes.len() + 1024, b'x');
    let signature = publisher().sign_for(Domain::Descriptor, &bytes).to_vec().into();
    let outer = wire::SignedDescriptor { descriptor: bytes.into(), signature };
    assert!(SignedDescriptor::decode(&outer.encode_to_vec()).is_err());
    assert!(SignedDescriptor::from_wire(&outer).is_err());
}

#[test]
fn policies_travel() {
    let policy = Policy { watch: Watch::Ticket, relay: Relay::Anyone };
    let signed = builder().policy(policy).sign(&publisher()).expect("allowed");
    assert_eq!(signed.verify(NOW).expect("fresh").descriptor().policy, policy);
}
