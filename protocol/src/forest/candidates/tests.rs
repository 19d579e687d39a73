//! Whom a node names to others.

use super::*;
use crate::forest::path::Tag;
use crate::forest::stripe::StripeSet;

/// Nodes of four stripes.
struct Numbers;

impl Directory for Numbers {
    fn home(&self, peer: Peer) -> u8 {
        (peer.0 % 4) as u8
    }
    fn tag(&self, peer: Peer) -> Tag {
        peer.0
    }
    fn network(&self, peer: Peer) -> u32 {
        peer.0
    }
}

fn view(seed: u8) -> Candidates {
    Candidates::new(Peer(0), &[seed; 32], 48, 4)
}

fn praised(peer: u32) -> Member<Peer> {
    Member {
        contact: Peer(peer),
        role: Role::Gateway,
        carries: StripeSet::all(4),
        slots: 58,
        slots_free: 58,
        depth: 1,
        delay_us: 0,
        age_s: 0,
        reach: Default::default(),
    }
}

fn hear(view: &mut Candidates, ms: u64, peer: u32) {
    let now = Timestamp::from_micros(1_000_000 + ms * 1_000);
    view.learn(now, &Links::default(), &Numbers, praised(peer), Told::ByOthers);
}

#[test]
fn a_silent_parent_is_named_to_nobody() {
    let now = Timestamp::from_micros(1_000_000);
    let mut view = view(1);
    (1..4).for_each(|peer| hear(&mut view, 0, peer));
    view.shun(now, Peer(2), false);
    let named: Vec<u32> = view
        .with_stripe(now, 1, 8, Reach::Public, |_| false)
        .iter()
        .map(|member| member.contact.0)
        .collect();
    assert!(named.len() == 2 && !named.contains(&2), "{named:?}");
    assert!(view.sample(now, 8, Peer(0)).iter().all(|member| member.contact != Peer(2)));
}
