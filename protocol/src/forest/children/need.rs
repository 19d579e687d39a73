//! Who needs a place more, where there are too few.

use super::{Child, Children, Preempted};
use crate::forest::peer::Peer;
use crate::wire::control::Graft;
use std::cmp::Reverse;

impl Children {
    /// The leaf that makes room for a node that needs the place more; it looks elsewhere.
    pub(super) fn better_off(&self, graft: &Graft<Peer>) -> Option<Preempted> {
        let leaves = self.staying(graft.stripe).filter(|child| child.worth() == 0);
        let better_off = leaves.filter(|leaf| leaf.is_better_off(graft, self.k));
        let leaf = better_off.max_by_key(|leaf| (Reverse(leaf.reach), leaf.fed))?;
        Some(Preempted { stripe: graft.stripe, child: leaf.peer, successor: None })
    }
}

impl Child {
    /// Whether it can do without its place more easily than one that asks for it: it has more
    /// stripes than a block needs, for parity goes before viewers.
    ///
    /// It gives way to who has too few. And to whom many refused, to one that has two stripes less,
    /// so that none is left without any parity while others have all, and to one that meets fewer
    /// nodes: the places of public nodes are all there is for who meets nobody else.
    fn is_better_off(&self, than: &Graft<Peer>, k: u8) -> bool {
        let richer = self.fed >= than.fed.saturating_add(2);
        let freer = self.reach < than.reach && self.fed >= than.fed;
        self.fed > k && (than.fed < k || (than.insist && (richer || freer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::children::Admission;
    use crate::forest::member::Reach;
    use crate::time::Timestamp;

    const K: u8 = 8;

    fn graft(fed: u8, reach: Reach, insist: bool) -> Graft<Peer> {
        let (stripe, request, channel, slots, resume) = (1, 1, 9, 0, 0);
        let (repair_of, helper) = (None, false);
        Graft { stripe, request, channel, slots, resume, repair_of, helper, fed, insist, reach }
    }

    #[test]
    fn parity_goes_before_viewers_and_who_meets_all_before_who_meets_few() {
        use Reach::{Hard, Public, Punchable};
        // A leaf with that many stripes, this one among them; who asks, with that many.
        for ((leaf, its_reach), (fed, reach, insist), gives_way) in [
            ((9, Public), (7, Public, false), true),
            ((8, Public), (7, Hard, true), false),
            ((8, Public), (0, Hard, true), false),
            ((10, Public), (8, Public, false), false),
            ((10, Public), (8, Public, true), true),
            ((9, Public), (8, Public, true), false),
            ((9, Punchable), (8, Hard, true), true),
            ((9, Punchable), (9, Hard, true), true),
            ((9, Punchable), (9, Hard, false), false),
            ((9, Punchable), (9, Public, true), false),
            ((9, Hard), (9, Hard, true), false),
        ] {
            let now = Timestamp::from_micros(1_000_000);
            let mut children = Children::new(K, 1);
            children.admit(now, (Peer(1), 0), &graft(leaf - 1, its_reach, false));
            let answer = children.admit(now, (Peer(2), 0), &graft(fed, reach, insist));
            let left = Preempted { stripe: 1, child: Peer(1), successor: None };
            let expected =
                if gives_way { Admission::Admitted(Some(left)) } else { Admission::Full };
            assert_eq!(answer, expected, "{leaf} {its_reach:?}, {fed} {reach:?} {insist}");
        }
    }

    #[test]
    fn who_meets_most_nodes_goes_first() {
        let now = Timestamp::from_micros(1_000_000);
        let mut children = Children::new(K, 3);
        for (peer, reach) in [(1, Reach::Punchable), (2, Reach::Public), (3, Reach::Hard)] {
            children.admit(now, (Peer(peer), 0), &graft(9, reach, false));
        }
        let answer = children.admit(now, (Peer(4), 0), &graft(8, Reach::Hard, true));
        assert!(matches!(answer, Admission::Admitted(Some(Preempted { child: Peer(2), .. }))));
    }
}
