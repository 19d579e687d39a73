use super::super::testing::{NOW, bootstrap, descriptor, invite, publisher};
use super::*;
use crate::identity::Action;
use crate::time::UnixSeconds;

fn ticket() -> String {
    let ticket = Ticket {
        session: descriptor().claimed_session(),
        action: Action::Watch,
        expires: UnixSeconds(NOW.0 + 60),
        not_before: None,
        id: None,
    };
    ticket.sign(&publisher())
}

#[test]
fn all_spellings_are_read_back() {
    for invite in [invite(), invite().with_ticket(ticket()), Invite::new(descriptor(), vec![])] {
        let link = invite.to_string();
        let bare = link.strip_prefix("banyan://").expect("the scheme").to_owned();
        let watch = invite.to_watch_link("https://portal.example");
        let session = invite.descriptor.claimed_session();
        assert_eq!(watch, format!("https://portal.example/watch/{session}#{bare}"));
        let (page, fragment) = watch.split_once('#').expect("a fragment");
        for text in [
            link.clone(),
            link.to_uppercase().replace(&bare.to_uppercase(), &bare),
            bare.clone(),
            watch.clone(),
            invite.to_watch_link("http://127.0.0.1:8080/"),
            invite.to_watch_link("https://portal.example/under/watch/"),
            format!("{page}?utm_source=mail#{fragment}"),
            format!("{page}/#{fragment}"),
            format!("  {}\r\n {}\n", &link[..60], &link[60..]),
        ] {
            assert_eq!(text.parse(), Ok(invite.clone()), "{text}");
        }
    }
}

#[test]
fn a_clipped_link_is_called_incomplete() {
    let whole = invite().to_watch_link("https://portal.example");
    let head = whole.find('#').expect("a fragment");
    for len in head + 1 + 4..whole.len() {
        assert_eq!(whole[..len].parse::<Invite>(), Err(InviteError::Incomplete), "{len}");
    }
    assert_eq!(whole[..=head].parse::<Invite>(), Err(InviteError::Incomplete));
    assert_eq!(whole[..head].parse::<Invite>(), Err(InviteError::Incomplete));

    let ticketed = invite().with_ticket(ticket()).to_string();
    let start = ticketed.find("&t=").expect("a ticket") + 3;
    for len in start..ticketed.len() {
        let error = ticketed[..len].parse::<Invite>();
        assert_eq!(error, Err(InviteError::IncompleteTicket), "{len}");
    }
}

#[test]
fn any_truncation_or_changed_character_is_an_error() {
    let whole = invite().to_string();
    for len in 0..whole.len() {
        assert!(whole[..len].parse::<Invite>().is_err(), "first {len} characters");
    }
    for at in "banyan://".len()..whole.len() {
        let mut changed = whole.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        assert!(changed.parse::<Invite>().is_err(), "character {at}");
    }
}

#[test]
fn other_texts_say_what_is_wrong() {
    let whole = invite().to_watch_link("https://portal.example");
    let other = "0".repeat(64);
    let session = descriptor().claimed_session().to_string();
    for (text, error) in [
        ("https://example.com/".to_owned(), InviteError::NotAnInvite),
        ("ftp://example.com/watch/".to_owned(), InviteError::NotAnInvite),
        ("hello world".to_owned(), InviteError::NotAnInvite),
        (String::new(), InviteError::Incomplete),
        ("banyan://".to_owned(), InviteError::Incomplete),
        (whole.replace(&session, &other), InviteError::OtherSession),
        (whole.replace(&session, &session[1..]), InviteError::Damaged),
        ("A".repeat(INVITE_TEXT_BYTES_MAX + 1), InviteError::TooLong),
        ("banyan://żółw".to_owned(), InviteError::Damaged),
    ] {
        assert_eq!(text.parse::<Invite>(), Err(error), "{text}");
    }
}

#[test]
fn too_much_is_left_out_when_written() {
    let many: Vec<Contact> = (0..20)
        .map(|i| bootstrap(i, &["0.0.0.0:1", "10.0.0.1:0", "224.0.0.1:9", "[::1]:1", "10.0.0.2:1"]))
        .collect();
    let invite = Invite::new(descriptor(), many);
    assert_eq!(invite.bootstraps.len(), INVITE_BOOTSTRAPS_MAX);
    assert!(invite.bootstraps.iter().all(|b| b.addresses.len() == 2));
    assert_eq!(invite.to_string().parse(), Ok(invite));
    assert_eq!(Invite::new(descriptor(), vec![bootstrap(1, &["10.0.0.1:0"])]).bootstraps, []);
}

#[test]
fn the_largest_invite_fits_its_bound() {
    let address = "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    let many = (0..8).map(|i| bootstrap(i, &[address; 4])).collect();
    let text = Invite::new(descriptor(), many).to_watch_link("https://portal.example");
    assert!(text.len() < 3_000, "{}", text.len());
}

#[test]
fn too_much_is_refused_when_read() {
    let node = || vec![7; 32].into();
    let good = || vec![10, 0, 0, 1, 0, 1].into();
    let bootstrap = |addresses: Vec<bytes::Bytes>| wire::Bootstrap { node: node(), addresses };
    let at = |bytes: &[u8]| vec![bootstrap(vec![bytes.to_vec().into()])];
    let rows: Vec<(&str, Vec<wire::Bootstrap>)> = vec![
        ("bootstraps", (0..9).map(|_| bootstrap(vec![good()])).collect()),
        ("bootstrap.addresses", vec![bootstrap(vec![])]),
        ("bootstrap.addresses", vec![bootstrap((0..5).map(|_| good()).collect())]),
        (
            "bootstrap.node",
            vec![wire::Bootstrap { node: vec![7; 31].into(), addresses: vec![good()] }],
        ),
        ("address", at(&[])),
        ("address", at(&[10, 0, 0, 1, 1])),
        ("address", at(&[10, 0, 0, 1, 0, 0])),
        ("address", at(&[0, 0, 0, 0, 0, 1])),
        ("address", at(&[224, 0, 0, 1, 0, 1])),
        ("address", at(&[0; 18])),
    ];
    for (field, bootstraps) in rows {
        let message = wire::Invite { descriptor: Some(descriptor().to_wire()), bootstraps };
        let text = body::write(&message.encode_to_vec());
        match text.parse::<Invite>() {
            Err(InviteError::Content(DecodeError::Field { field: named, .. })) => {
                assert_eq!(named, field);
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    let empty = body::write(&wire::Invite::default().encode_to_vec());
    assert!(matches!(empty.parse::<Invite>(), Err(InviteError::Content(_))));
}

mod properties {
    use proptest::prelude::*;

    use super::super::super::DescriptorBuilder;
    use super::*;
    use crate::identity::{MediaKey, PublisherKey};
    use crate::session::Policy;
    use crate::unit::Bitrate;

    fn invites() -> impl Strategy<Value = Invite> {
        let seeds = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 16]>(), any::<[u8; 32]>());
        let values =
            (1..=100_000_000u64, 0..=u64::MAX / 2, "[^\\p{C}\\p{Z}]{0,80}", 1..=16u8, 0..=4u8);
        let contacts = proptest::collection::vec(
            (any::<[u8; 32]>(), proptest::collection::vec(any::<SocketAddr>(), 0..6)),
            0..10,
        );
        (seeds, values, contacts).prop_map(|(seeds, (bps, created, title, k, m), contacts)| {
            let media = MediaKey::from_seed(&seeds.1).verifying_key();
            let (rate, created) = (Bitrate::from_bps(bps), UnixSeconds(created));
            let descriptor = DescriptorBuilder::new(seeds.2, seeds.3, media, rate, created)
                .title(title)
                .stripes(k, m)
                .policy(Policy::default())
                .sign(&PublisherKey::from_seed(&seeds.0))
                .expect("within bounds");
            let contact = |(node, addresses): ([u8; 32], Vec<SocketAddr>)| Contact {
                node: NodeId::from_bytes(node),
                // Flow label and scope do not travel.
                addresses: addresses.iter().map(|a| SocketAddr::new(a.ip(), a.port())).collect(),
            };
            Invite::new(descriptor, contacts.into_iter().map(contact).collect())
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_holds(invite in invites(), portal in "[a-z.]{1,30}") {
            prop_assert_eq!(invite.to_string().parse(), Ok(invite.clone()));
            let watch = invite.to_watch_link(&format!("https://{portal}"));
            let read: Invite = watch.parse().expect("ours");
            let created = invite.descriptor.claims().created;
            let session = read.descriptor.verify(created).expect("fresh");
            prop_assert_eq!(session.id(), invite.descriptor.claimed_session());
            prop_assert_eq!(read, invite);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>(), start in "(banyan|https)://(x/watch/)?") {
            let _ = text.parse::<Invite>();
            prop_assert!((start + &text).parse::<Invite>().is_err());
        }
    }
}
