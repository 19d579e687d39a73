//! Control messages of a link.

use bytes::Bytes;

use super::Target;
use crate::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet};
use crate::identity::{NodeId, SessionId};
use crate::limits::CONTROL_BYTES_MAX;
use crate::wire::control::{Body, Control, Graft, PruneReason, Refusal};
use crate::wire::gossip::Gossip;

pub(super) const CONTROL: Target = Target {
    name: "control",
    rounds: 3_000,
    run: |bytes| {
        if let Ok(gossip) = Gossip::decode(Bytes::copy_from_slice(bytes)) {
            assert_eq!(Gossip::decode(gossip.encode()), Ok(gossip));
        }
        let Ok(message) = Control::decode(Bytes::copy_from_slice(bytes)) else { return };
        let encoded = message.encode();
        assert!(encoded.len() <= CONTROL_BYTES_MAX);
        assert_eq!(Control::decode(encoded), Ok(message));
    },
    seeds: || bodies().into_iter().map(seed).collect(),
};

fn seed(body: Body) -> Vec<u8> {
    Control { session: SessionId::from_bytes([7; 32]), body }.encode().to_vec()
}

/// One message of each kind.
fn bodies() -> Vec<Body> {
    let address = |text: &str| text.parse().expect("an address");
    let contact = Contact::new(
        NodeId::from_bytes([1; 32]),
        [address("203.0.113.7:4433"), address("[2001:db8::7]:4433")],
    );
    let member = Member {
        contact: contact.clone(),
        role: Role::Helper,
        carries: StripeSet::from_bits(0b101),
        slots: 9,
        slots_free: 3,
        depth: 2,
        delay_us: 61_000,
        age_s: 7,
        reach: Reach::Hard,
        spot: Spot::from_wire([-120, 85, 40, 11]).expect("within bounds"),
    };
    let path = Path {
        tags: vec![1, 2, 3].into(),
        stalled: true,
        short: StripeSet::from_bits(1),
        delay_us: 42_000,
    };
    let graft = Graft {
        stripe: 1,
        request: 2,
        channel: 3,
        slots: 4,
        resume: 5,
        repair_of: Some(NodeId::from_bytes([6; 32])),
        helper: true,
        fed: 5,
        insist: true,
        reach: Reach::Punchable,
    };
    vec![
        Body::Announce { member: member.clone(), reply: true },
        Body::Members(vec![member.clone(), member.clone()]),
        Body::Graft(graft),
        Body::Admitted {
            stripe: 1,
            request: 2,
            path: path.clone(),
            backups: vec![contact.clone()],
            displaced: Some(contact.clone()),
        },
        Body::Redirected {
            stripe: 1,
            request: 2,
            refusal: Refusal::Full,
            members: vec![member.clone()],
        },
        Body::Prune { stripe: 1, reason: PruneReason::Leaving, successors: vec![contact.clone()] },
        Body::PathUpdate { stripe: 1, path, above: Some(contact.clone()) },
        Body::Room { stripe: 1, room: 7, children: 3, places: vec![member.clone()] },
        Body::Pull { stripe: 1, channel: 2, from: 3, until: 4 },
        Body::Refresh,
        Body::Grant { root: contact, grant: vec![7; 196].into() },
        Body::End { blocks: 9, signature: [8; 64] },
    ]
}
