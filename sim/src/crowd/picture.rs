//! One stripe's tree at the end, to be drawn.

use super::Crowd;
use crate::population::Role;
use crate::report::{ForestPicture, TreeNode};

/// A larger world is not drawn. Guess: dots of a pixel tell nobody anything.
const NODES_MAX: usize = 20_000;
/// The stripe that is drawn: any is as good as another.
const STRIPE: u8 = 0;

impl Crowd {
    /// The tree of a stripe: all that hang below the root now.
    pub(super) fn picture(&self) -> Option<ForestPicture> {
        if self.living.len() > NODES_MAX || !self.hosts[self.root as usize].alive {
            return None;
        }
        let below = self.below_root(STRIPE);
        let nodes: Vec<_> = below.into_iter().map(|(node, up)| self.drawn(node, up)).collect();
        let (of, after_s) = (self.stripes(), self.now_us / 1_000_000);
        let beside = self.living.len() + 1 - nodes.len();
        let beside =
            if beside == 0 { String::new() } else { format!(", {beside} nodes without it") };
        let title = format!("Stripe {} of {of} after {after_s} s{beside}", STRIPE + 1);
        Some(ForestPicture { title, nodes })
    }

    /// All nodes that a stripe reaches from the root, parents first, each with the place of its
    /// parent in this list.
    fn below_root(&self, stripe: u8) -> Vec<(u32, Option<usize>)> {
        let mut reached = vec![(self.root, None)];
        let mut seen = vec![false; self.hosts.len()];
        seen[self.root as usize] = true;
        let mut next = 0;
        while let Some((parent, _)) = reached.get(next).copied() {
            for (child, _) in self.hosts[parent as usize].forest.children(stripe) {
                // A child that died is still fed for a while.
                let host = &self.hosts[child.0 as usize];
                let hangs = host.alive && host.forest.parent(stripe).map(|p| p.0) == Some(parent);
                if hangs && !std::mem::replace(&mut seen[child.0 as usize], true) {
                    reached.push((child.0, Some(next)));
                }
            }
            next += 1;
        }
        reached
    }

    /// Stripes at nodes that have a parent and yet hang from nothing that hangs from the root; over
    /// all stripes. They are repaired from above, or they are an island.
    pub(super) fn adrift(&self) -> usize {
        let with_parent = |stripe| {
            let fed = |node: &&u32| self.hosts[**node as usize].forest.parent(stripe).is_some();
            self.living.iter().filter(fed).count()
        };
        let beside =
            |stripe| (with_parent(stripe) + 1).saturating_sub(self.below_root(stripe).len());
        (0..self.stripes()).map(beside).sum()
    }

    fn drawn(&self, node: u32, parent: Option<usize>) -> TreeNode {
        let host = &self.hosts[node as usize];
        let measured_us = self.media.as_ref().and_then(|media| media.delay_us(node, STRIPE));
        let estimate_us = || host.forest.delay_us(&host.links, STRIPE).map(u64::from);
        let role = match host.node.role {
            _ if node == self.root => "root",
            _ if self.liars.lie(node).is_some() => "liar",
            Role::Gateway => "gateway",
            Role::Helper => "helper",
        };
        let city = &self.registry.places.cities()[usize::from(host.node.place.city)];
        TreeNode {
            label: if node == self.root { "root".into() } else { format!("n{node}") },
            parent,
            delay_ms: match measured_us.or_else(estimate_us) {
                _ if node == self.root => 0.0,
                Some(us) => us as f64 / 1_000.0,
                None => f64::NAN,
            },
            upload_mbps: f64::from(host.node.upload_bps) / 1e6,
            role: role.into(),
            place: city.country.into(),
        }
    }
}
