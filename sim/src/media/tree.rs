//! Who sends which stripe to whom: children in their parent's order, and each child's parents.

use std::collections::BTreeMap;

/// No node.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Why copies over an edge need more than their arrival written down.
pub(crate) mod flag {
    /// The child has children of its own in the stripe, or another parent beside this one.
    pub(crate) const EVENT: u8 = 1;
    /// The child is dead and its parent does not know yet.
    pub(crate) const DEAD: u8 = 2;
    /// Nothing gets through.
    pub(crate) const CUT: u8 = 4;
    /// The child's downlink has a limit.
    pub(crate) const CAPPED: u8 = 8;
    /// No pair at all: the answer to a request.
    pub(crate) const PULLED: u8 = 16;
}

/// One pair, as its parent keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) child: u32,
    /// One way, without jitter.
    pub(crate) flight_us: u32,
    /// Packets lost of 65 536.
    pub(crate) loss: u16,
    /// Bits of [`flag`]; 0 is the quick case.
    pub(crate) flags: u8,
}

/// A node's children in the stripe in which it first had some: mostly its only ones.
#[derive(Clone, Debug, Default)]
struct Brood {
    stripe: u8,
    edges: Vec<Edge>,
}

/// All trees of the forest.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    capacity: usize,
    stripes: usize,
    broods: Vec<Brood>,
    more: BTreeMap<(u32, u8), Vec<Edge>>,
    /// By stripe, then child: the newest parent.
    parents: Vec<u32>,
    /// Parents before the newest that still send, the oldest first.
    earlier: BTreeMap<(u32, u8), Vec<u32>>,
}

impl Trees {
    pub(crate) fn new(capacity: usize, stripes: usize) -> Self {
        let parents = vec![NOBODY; capacity * stripes];
        let broods = vec![Brood::default(); capacity];
        let (more, earlier) = (BTreeMap::new(), BTreeMap::new());
        Self { capacity, stripes, broods, more, parents, earlier }
    }

    /// The children in service order.
    #[inline]
    pub(crate) fn children(&self, parent: u32, stripe: u8) -> &[Edge] {
        let brood = &self.broods[parent as usize];
        if brood.stripe == stripe {
            return &brood.edges;
        }
        if self.more.is_empty() {
            return &[];
        }
        self.more.get(&(parent, stripe)).map_or(&[], |edges| edges)
    }

    fn children_mut(&mut self, parent: u32, stripe: u8) -> &mut Vec<Edge> {
        let brood = &mut self.broods[parent as usize];
        if brood.edges.is_empty() && !self.more.contains_key(&(parent, stripe)) {
            brood.stripe = stripe;
        }
        if brood.stripe == stripe {
            return &mut brood.edges;
        }
        self.more.entry((parent, stripe)).or_default()
    }

    /// A living pair.
    pub(crate) fn edge_mut(&mut self, parent: u32, child: u32, stripe: u8) -> Option<&mut Edge> {
        let brood = &mut self.broods[parent as usize];
        let edges = if brood.stripe == stripe {
            &mut brood.edges
        } else {
            self.more.get_mut(&(parent, stripe))?
        };
        edges.iter_mut().find(|edge| edge.child == child && edge.flags & flag::DEAD == 0)
    }

    /// The same, to look at.
    pub(crate) fn edge(&self, parent: u32, child: u32, stripe: u8) -> Option<&Edge> {
        let mut edges = self.children(parent, stripe).iter();
        edges.find(|edge| edge.child == child && edge.flags & flag::DEAD == 0)
    }

    /// The newest parent, [`NOBODY`] if there is none. It may be dead.
    #[inline]
    pub(crate) fn parent(&self, child: u32, stripe: u8) -> u32 {
        self.parents[usize::from(stripe) * self.capacity + child as usize]
    }

    /// Whether the node believes to have a parent in any stripe.
    pub(crate) fn has_parents(&self, child: u32) -> bool {
        (0..self.stripes as u8).any(|stripe| self.parent(child, stripe) != NOBODY)
    }

    /// All nodes that send the stripe to `child`, the newest last.
    pub(crate) fn parents(&self, child: u32, stripe: u8) -> Vec<u32> {
        let mut parents = self.earlier.get(&(child, stripe)).cloned().unwrap_or_default();
        parents.extend(Some(self.parent(child, stripe)).filter(|parent| *parent != NOBODY));
        parents
    }

    /// Makes a pair, at `rank` among the children. If it exists it is moved and renewed.
    /// Whether it is new.
    pub(crate) fn graft(&mut self, parent: u32, stripe: u8, rank: usize, edge: Edge) -> bool {
        let child = edge.child;
        let new = self.edge(parent, child, stripe).is_none();
        let edges = self.children_mut(parent, stripe);
        edges.retain(|old| old.child != child || old.flags & flag::DEAD != 0);
        edges.insert(rank.min(edges.len()), edge);
        if new {
            let mut senders = self.parents(child, stripe);
            senders.retain(|old| *old != parent && self.edge(*old, child, stripe).is_some());
            if senders.is_empty() {
                self.earlier.remove(&(child, stripe));
            } else {
                self.earlier.insert((child, stripe), senders);
            }
            self.parents[usize::from(stripe) * self.capacity + child as usize] = parent;
        }
        new
    }

    /// Dissolves a pair; of one with a dead child, that one. Whether there was any.
    pub(crate) fn prune(&mut self, parent: u32, child: u32, stripe: u8) -> bool {
        let edges = self.children_mut(parent, stripe);
        let dead = edges.iter().position(|e| e.child == child && e.flags & flag::DEAD != 0);
        let found = dead.or_else(|| edges.iter().position(|edge| edge.child == child));
        if let Some(at) = found {
            edges.remove(at);
        }
        if edges.is_empty() {
            self.more.remove(&(parent, stripe));
        }
        if dead.is_none() {
            let mut senders = self.parents(child, stripe);
            senders.retain(|sender| *sender != parent);
            let newest = senders.pop().unwrap_or(NOBODY);
            self.parents[usize::from(stripe) * self.capacity + child as usize] = newest;
            if senders.is_empty() {
                self.earlier.remove(&(child, stripe));
            } else {
                self.earlier.insert((child, stripe), senders);
            }
        }
        found.is_some()
    }

    /// Takes all children of a node that died: (stripe, children).
    pub(crate) fn take_children(&mut self, parent: u32) -> Vec<(u8, Vec<Edge>)> {
        let brood = std::mem::take(&mut self.broods[parent as usize]);
        let mut all = vec![(brood.stripe, brood.edges)];
        for stripe in 0..self.stripes as u8 {
            all.extend(self.more.remove(&(parent, stripe)).map(|edges| (stripe, edges)));
        }
        all.retain(|(_, edges)| !edges.is_empty());
        all
    }

    /// Forgets the parents of a node that died, and marks it dead with them.
    pub(crate) fn bury(&mut self, child: u32) {
        for stripe in 0..self.stripes as u8 {
            for parent in self.parents(child, stripe) {
                if let Some(edge) = self.edge_mut(parent, child, stripe) {
                    edge.flags |= flag::DEAD;
                }
            }
            self.parents[usize::from(stripe) * self.capacity + child as usize] = NOBODY;
            self.earlier.remove(&(child, stripe));
        }
    }

    /// Every pair, to be changed: (parent, edge).
    pub(crate) fn edges_mut(&mut self) -> impl Iterator<Item = (u32, &mut Edge)> {
        let broods = self.broods.iter_mut().zip(0_u32..);
        let first = broods.flat_map(|(b, node)| b.edges.iter_mut().map(move |e| (node, e)));
        let more = self.more.iter_mut();
        first.chain(more.flat_map(|((node, _), edges)| edges.iter_mut().map(|e| (*node, e))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(child: u32) -> Edge {
        Edge { child, flight_us: 1, loss: 0, flags: 0 }
    }

    fn order(trees: &Trees, parent: u32, stripe: u8) -> Vec<u32> {
        trees.children(parent, stripe).iter().map(|edge| edge.child).collect()
    }

    #[test]
    fn children_keep_the_order_they_are_given() {
        let mut trees = Trees::new(64, 3);
        assert!(trees.graft(0, 1, 9, edge(5)));
        assert!(trees.graft(0, 1, 9, edge(6)));
        assert!(trees.graft(0, 1, 0, edge(7)));
        assert_eq!(order(&trees, 0, 1), [7, 5, 6]);
        assert!(!trees.graft(0, 1, 0, edge(6)), "it is there already");
        assert_eq!(order(&trees, 0, 1), [6, 7, 5]);
        assert!(trees.graft(0, 2, 0, edge(5)), "a second stripe");
        assert_eq!((order(&trees, 0, 2), order(&trees, 0, 0)), (vec![5], vec![]));
        assert!(trees.prune(0, 7, 1) && !trees.prune(0, 7, 1));
        assert_eq!((trees.parent(5, 1), trees.parent(5, 2), trees.parent(7, 1)), (0, 0, NOBODY));
        assert_eq!(size_of::<Edge>(), 12);
    }

    #[test]
    fn a_child_may_have_two_parents_for_a_while() {
        let mut trees = Trees::new(64, 2);
        trees.graft(1, 0, 0, edge(5));
        trees.graft(2, 0, 0, edge(5));
        assert_eq!((trees.parents(5, 0), trees.parent(5, 0)), (vec![1, 2], 2));
        trees.prune(1, 5, 0);
        assert_eq!(trees.parents(5, 0), [2]);
        trees.graft(3, 0, 0, edge(5));
        trees.prune(3, 5, 0);
        assert_eq!(trees.parents(5, 0), [2], "back to the one that still sends");
    }

    #[test]
    fn the_dead_stay_with_their_parents_until_pruned_and_take_their_children_with_them() {
        let mut trees = Trees::new(64, 2);
        trees.graft(1, 0, 0, edge(5));
        trees.graft(5, 0, 0, edge(6));
        trees.graft(5, 1, 0, edge(7));
        assert_eq!(trees.take_children(5).len(), 2);
        trees.bury(5);
        assert_eq!((trees.children(5, 0), trees.parent(5, 0)), (&[][..], NOBODY));
        assert_eq!(trees.children(1, 0)[0].flags, flag::DEAD);
        assert_eq!(trees.parent(6, 0), 5, "the orphan does not know");
        // The number lives again under the same parent, which then hears of the death.
        trees.graft(1, 0, 1, edge(5));
        trees.prune(1, 5, 0);
        assert_eq!((order(&trees, 1, 0), trees.parent(5, 0)), (vec![5], 1));
        assert_eq!(trees.children(1, 0)[0].flags, 0);
        // An orphan that finds another parent has that one only.
        trees.graft(2, 0, 0, edge(6));
        assert_eq!(trees.parents(6, 0), [2]);
    }
}
