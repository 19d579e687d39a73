//! What liars say.

use super::super::Crowd;
use crate::plan::Lie;
use banyan_protocol::forest::{Member, Message, Path, Peer, Reach, Role, Spot, StripeSet};
use banyan_protocol::limits::{MEMBERS_MAX, REDIRECTS_MAX};
use banyan_protocol::wire::control::Body;

/// Slots that a liar praises a friend with. Derived: those of 40 Mbit/s, which many have.
const PRAISED_SLOTS: u16 = 58;

impl Crowd {
    /// The message as `node` sends it.
    pub(in super::super) fn falsify(&mut self, node: u32, message: Message) -> Message {
        match self.liars.lie(node) {
            Some(Lie::Depth | Lie::Sybil) => self.near_the_root(node, message),
            Some(Lie::Eclipse) => self.among_friends(node, message),
            _ => message,
        }
    }

    /// Right below the root, without delay, with all slots free. The path ends with the node's own
    /// mark, as no other is accepted.
    fn near_the_root(&self, node: u32, mut message: Message) -> Message {
        let shorten = |path: &mut Path| {
            path.tags = [self.root, node].iter().map(|way| self.registry.fact(*way).tag).collect();
            (path.stalled, path.delay_us) = (false, 0);
        };
        match &mut message {
            Body::Announce { member, .. } => {
                member.slots = member.slots.max(PRAISED_SLOTS);
                member.slots_free = member.slots;
                (member.depth, member.delay_us) = (1, 0);
            }
            Body::Admitted { path, .. } | Body::PathUpdate { path, .. } => shorten(path),
            _ => {}
        }
        message
    }

    /// Whoever asks for others hears of friends only, and the best of them.
    fn among_friends(&mut self, node: u32, mut message: Message) -> Message {
        match &mut message {
            Body::Members(members) => *members = self.friends(node, MEMBERS_MAX),
            Body::Redirected { members, .. } => *members = self.friends(node, REDIRECTS_MAX),
            _ => {}
        }
        message
    }

    fn friends(&mut self, node: u32, count: usize) -> Vec<Member<Peer>> {
        let is_friend = |other: &u32| {
            *other != node
                && self.hosts[*other as usize].alive
                && self.liars.lie(*other) == Some(Lie::Eclipse)
        };
        let mut friends: Vec<u32> = self.liars.friends.iter().copied().filter(is_friend).collect();
        self.liars.rng.sample(&mut friends, count);
        let praise = |friend: &u32| Member {
            contact: Peer(*friend),
            role: Role::Gateway,
            carries: StripeSet::all(self.stripes()),
            slots: PRAISED_SLOTS,
            slots_free: PRAISED_SLOTS,
            depth: 1,
            delay_us: 0,
            age_s: 0,
            reach: Reach::Public,
            spot: Spot::default(),
        };
        friends.iter().map(praise).collect()
    }
}
