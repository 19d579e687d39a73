//! One stripe's tree as data, and what of it holds: who hangs from whom, how deep, how many.

use super::number;
use serde::{Deserialize, Serialize};

/// A node of the tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TreeNode {
    /// What to call it, short.
    pub label: String,
    /// Its parent's place in [`ForestPicture::nodes`]; the root has none.
    pub parent: Option<usize>,
    /// Delay from the root, ms.
    #[serde(with = "number::drawn")]
    pub delay_ms: f64,
    /// Its uplink, Mbit/s.
    #[serde(with = "number::drawn")]
    pub upload_mbps: f64,
    /// `root`, `helper`, `gateway` or another role.
    pub role: String,
    /// Where it is: a city, a region. Places are told apart by colour.
    pub place: String,
}

/// One stripe's tree, to be drawn by [`super::forest_svg`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForestPicture {
    /// What it is: `Stripe 3 of 10 after 60 s`.
    pub title: String,
    /// The nodes in any order. Those without a parent share the centre of the picture.
    pub nodes: Vec<TreeNode>,
}

/// The shape of a picture: only parents that exist, no loops.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Per node: its children.
    pub(super) children: Vec<Vec<usize>>,
    /// Per node: its parent, if it has one that leads to a root.
    pub(super) parent: Vec<Option<usize>>,
    /// Per node: edges from its root.
    pub(super) depth: Vec<usize>,
    /// Per node: how many there are in its subtree, itself included.
    pub(super) size: Vec<usize>,
    /// Those without a parent, the largest tree first.
    pub(super) roots: Vec<usize>,
    /// All nodes, parents before children.
    pub(super) order: Vec<usize>,
}

impl Shape {
    /// Finds the shape. A parent that does not exist counts as none; a loop is cut at its first
    /// member, so that whatever a faulty run hands over can be looked at.
    pub(super) fn new(picture: &ForestPicture) -> Self {
        let n = picture.nodes.len();
        let named = |i: usize| picture.nodes[i].parent.filter(|&p| p < n && p != i);
        let mut shape = Self {
            children: vec![Vec::new(); n],
            parent: (0..n).map(named).collect(),
            depth: vec![0; n],
            size: vec![1; n],
            ..Self::default()
        };
        shape.cut_loops();
        for i in 0..n {
            match shape.parent[i] {
                Some(parent) => shape.children[parent].push(i),
                None => shape.roots.push(i),
            }
        }
        shape.order.extend(&shape.roots);
        let mut next = 0;
        while next < shape.order.len() {
            let at = shape.order[next];
            for child in shape.children[at].clone() {
                shape.depth[child] = shape.depth[at] + 1;
                shape.order.push(child);
            }
            next += 1;
        }
        for &at in shape.order.iter().rev() {
            if let Some(parent) = shape.parent[at] {
                shape.size[parent] += shape.size[at];
            }
        }
        let size = &shape.size;
        shape.roots.sort_by_key(|&root| (std::cmp::Reverse(size[root]), root));
        shape
    }

    fn cut_loops(&mut self) {
        const NEW: usize = usize::MAX;
        let mut seen_from = vec![NEW; self.parent.len()];
        for start in 0..self.parent.len() {
            let mut at = start;
            while seen_from[at] == NEW {
                seen_from[at] = start;
                match self.parent[at] {
                    Some(parent) => at = parent,
                    None => break,
                }
            }
            if seen_from[at] == start && self.parent[at].is_some() {
                self.parent[at] = None;
            }
        }
    }

    /// How many nodes there are at each depth.
    pub(super) fn tiers(&self) -> Vec<usize> {
        let mut tiers = vec![0; self.depth.iter().max().map_or(0, |deepest| deepest + 1)];
        for &depth in &self.depth {
            tiers[depth] += 1;
        }
        tiers
    }
}
