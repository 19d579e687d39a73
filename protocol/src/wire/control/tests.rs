use super::*;
use proptest::prelude::*;
use std::net::SocketAddr;

fn node() -> impl Strategy<Value = NodeId> {
    any::<[u8; 32]>().prop_map(NodeId::from_bytes)
}

fn contact() -> impl Strategy<Value = Contact> {
    (node(), prop::collection::vec(any::<SocketAddr>(), 0..=ADDRESSES_MAX)).prop_map(
        |(node, addresses)| {
            // Flow labels and scopes are no part of an address on the wire.
            let plain = addresses.iter().map(|a| SocketAddr::new(a.ip(), a.port())).collect();
            Contact { node, addresses: plain }
        },
    )
}

fn member() -> impl Strategy<Value = Member> {
    let role = prop_oneof![Just(Role::Root), Just(Role::Gateway), Just(Role::Helper)];
    let numbers = (any::<[u16; 3]>(), 0..=PATH_MAX as u8, 0..=DELAY_US_MAX);
    (contact(), role, any::<u32>(), numbers).prop_map(
        |(contact, role, carries, ([slots, slots_free, age_s], depth, delay_us))| Member {
            contact,
            role,
            carries: StripeSet::from_bits(carries),
            slots,
            slots_free,
            depth,
            delay_us,
            age_s,
            reach: [Reach::Public, Reach::Punchable, Reach::Hard][usize::from(age_s % 3)],
            spot: Spot::from_wire([
                i32::from(slots) % 10_001,
                -i32::from(depth),
                70,
                1 + i32::from(age_s % 100),
            ])
            .expect("within bounds"),
        },
    )
}

fn path() -> impl Strategy<Value = Path> {
    let tags = prop::collection::vec(any::<u32>(), 1..=PATH_MAX);
    (tags, any::<bool>(), any::<u32>(), 0..=DELAY_US_MAX).prop_map(
        |(tags, stalled, short, delay_us)| Path {
            tags: tags.into(),
            stalled,
            short: StripeSet::from_bits(short),
            delay_us,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let stripe = || 0..STRIPES_MAX;
    let contacts = || prop::collection::vec(contact(), 0..=2);
    prop_oneof![
        (member(), any::<bool>()).prop_map(|(member, reply)| Body::Announce { member, reply }),
        prop::collection::vec(member(), 0..=MEMBERS_MAX).prop_map(Body::Members),
        (
            stripe(),
            any::<[u32; 2]>(),
            any::<u16>(),
            any::<u64>(),
            prop::option::of(node()),
            (any::<bool>(), 0..=STRIPES_MAX, any::<bool>())
        )
            .prop_map(
                |(stripe, [request, channel], slots, resume, repair_of, (helper, fed, insist))| {
                    Body::Graft(Graft {
                        stripe,
                        request,
                        channel,
                        slots,
                        resume,
                        repair_of,
                        helper,
                        fed,
                        insist,
                        reach: [Reach::Public, Reach::Punchable, Reach::Hard][usize::from(fed % 3)],
                    })
                }
            ),
        (stripe(), any::<u32>(), path(), contacts(), prop::option::of(contact())).prop_map(
            |(stripe, request, path, backups, displaced)| {
                Body::Admitted { stripe, request, path, backups, displaced }
            }
        ),
        (stripe(), any::<u16>(), any::<u16>(), prop::collection::vec(member(), 0..=PLACES_MAX))
            .prop_map(|(stripe, room, children, places)| {
                Body::Room { stripe, room, children, places }
            }),
        (stripe(), any::<u32>(), prop::collection::vec(member(), 0..=REDIRECTS_MAX)).prop_map(
            |(stripe, request, members)| {
                Body::Redirected { stripe, request, refusal: Refusal::NotFed, members }
            }
        ),
        (stripe(), contacts()).prop_map(|(stripe, successors)| Body::Prune {
            stripe,
            reason: PruneReason::Preempted,
            successors
        }),
        (stripe(), path(), prop::option::of(contact()))
            .prop_map(|(stripe, path, above)| Body::PathUpdate { stripe, path, above }),
        (stripe(), any::<u32>(), 0..u64::MAX - PULL_BLOCKS_MAX, 1..=PULL_BLOCKS_MAX).prop_map(
            |(stripe, channel, from, n)| Body::Pull { stripe, channel, from, until: from + n }
        ),
        Just(Body::Refresh),
        (contact(), prop::collection::vec(any::<u8>(), 0..=GRANT_BYTES_MAX))
            .prop_map(|(root, grant)| Body::Grant { root, grant: grant.into() }),
        (any::<u64>(), any::<[u8; 32]>()).prop_map(|(blocks, half)| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&half);
            Body::End { blocks, signature }
        }),
    ]
}

proptest! {
    #[test]
    fn every_message_comes_back_as_it_went(session: [u8; 32], body in body()) {
        let message = Control { session: SessionId::from_bytes(session), body };
        let bytes = message.encode();
        prop_assert!(bytes.len() <= CONTROL_BYTES_MAX);
        prop_assert_eq!(Control::decode(bytes), Ok(message));
    }

    #[test]
    fn any_bytes_give_a_message_or_an_error(bytes: Vec<u8>) {
        let _ = Control::decode(bytes.into());
    }

    #[test]
    fn a_damaged_message_never_panics(session: [u8; 32], body in body(), at: prop::sample::Index, byte: u8) {
        let message = Control { session: SessionId::from_bytes(session), body };
        let mut bytes = message.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Control::decode(bytes.into());
    }
}

#[test]
fn what_breaks_a_bound_is_refused() {
    let session = Bytes::from_static(&[1; 32]);
    let frame = |body| pb::Frame { body: Some(body) }.encode_to_vec().into();
    let pull = |from, until| {
        frame(pb::frame::Body::Pull(pb::Pull {
            session: session.clone(),
            from,
            until,
            ..Default::default()
        }))
    };
    assert!(Control::decode(pull(5, 6)).is_ok());
    for bad in [
        pull(5, 5),
        pull(6, 5),
        pull(0, PULL_BLOCKS_MAX + 1),
        frame(pb::frame::Body::Grant(pb::Grant {
            session: session.clone(),
            root: Some(pb::Contact { node: session.clone(), addresses: Vec::new() }),
            grant: vec![0; GRANT_BYTES_MAX + 1].into(),
        })),
        frame(pb::frame::Body::Refresh(pb::Refresh { session: Bytes::from_static(b"short") })),
        frame(pb::frame::Body::PathUpdate(pb::PathUpdate {
            session: session.clone(),
            stripe: u32::from(STRIPES_MAX),
            path: Some(pb::Path { tags: vec![1], ..Default::default() }),
            above: None,
        })),
        frame(pb::frame::Body::PathUpdate(pb::PathUpdate {
            session: session.clone(),
            stripe: 0,
            path: Some(pb::Path { tags: vec![0; PATH_MAX + 1], ..Default::default() }),
            above: None,
        })),
        frame(pb::frame::Body::Members(pb::Members {
            session: session.clone(),
            members: vec![pb::Member::default(); MEMBERS_MAX + 1],
        })),
        Bytes::new(),
        vec![0; CONTROL_BYTES_MAX + 1].into(),
    ] {
        assert!(Control::decode(bad.clone()).is_err(), "{bad:?}");
    }
}
