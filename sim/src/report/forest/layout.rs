//! Where each node of a tree stands: the root in the middle, further out is later.
//!
//! Radius is delay, so that a look says how far the leaves are and which branch is slow. A branch
//! owns a sector as wide as its share of the nodes: ten thousand nodes still find room, because
//! the circle grows outwards as the tree does. Leaves of one parent stand side by side in one
//! fan, grouped by place.

use crate::report::curve::quantile;
use crate::report::picture::{ForestPicture, Shape};
use std::f64::consts::{FRAC_PI_2, TAU};

/// Radius of the disc in the middle: room for the first tier to spread, pixels.
pub(super) const HUB: f64 = 46.0;
/// Radius of the latest node, pixels.
pub(super) const RIM: f64 = 520.0;
/// What is kept free at the top for the labels of the rings, radians to each side.
const TOP: f64 = 0.075;
/// What stays free between branches: this part of their sectors, but no more than this angle at
/// each side. Guess: seen, and still dense.
const GAP: f64 = 0.05;
const GAP_MAX: f64 = 0.03;

/// Places of nodes, polar: angle clockwise from the top in radians, radius in pixels.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Per node: angle.
    pub(super) angle: Vec<f64>,
    /// Per node: distance from the middle.
    pub(super) radius: Vec<f64>,
    /// Per node: the sector of the leaves among its children.
    pub(super) fan: Vec<Option<(f64, f64)>>,
    /// The delay at the rim, ms.
    pub(super) rim_ms: f64,
    /// How many nodes are later than the rim shows, and stand on it.
    pub(super) beyond: usize,
}

impl Layout {
    /// Places all nodes of `picture`.
    pub(super) fn new(picture: &ForestPicture, shape: &Shape) -> Self {
        let n = picture.nodes.len();
        let delays: Vec<f64> = picture.nodes.iter().map(|node| node.delay_ms).collect();
        let latest = quantile(&delays, 1.0);
        // A few stragglers must not squeeze everybody else into the middle.
        let rim_ms = latest.min(1.3 * quantile(&delays, 0.99));
        let rim_ms = if rim_ms > 0.0 { rim_ms } else { 1.0 };
        let mut layout = Self {
            angle: vec![0.0; n],
            radius: vec![HUB; n],
            fan: vec![None; n],
            rim_ms,
            beyond: delays.iter().filter(|delay| **delay > rim_ms * 1.0001).count(),
        };
        let mut sector = vec![(0.0, 0.0); n];
        let all: Vec<_> = shape.roots.iter().map(|&r| (vec![r], shape.size[r])).collect();
        for (roots, from, to) in split(all, TOP, TAU - TOP) {
            sector[roots[0]] = (from, to);
        }
        for &at in &shape.order {
            let (from, to) = sector[at];
            layout.angle[at] = (from + to) / 2.0;
            layout.radius[at] = match shape.parent[at] {
                None if shape.roots.len() == 1 => 0.0,
                None => HUB,
                // Without a measured delay: a little outside of its parent.
                Some(parent) if !delays[at].is_finite() => (layout.radius[parent] + 20.0).min(RIM),
                Some(_) => layout.radius_of(delays[at]),
            };
            let leaf = |child: &usize| shape.children[*child].is_empty();
            let (mut leaves, inner): (Vec<usize>, Vec<usize>) =
                shape.children[at].iter().copied().partition(leaf);
            leaves.sort_by(|a, b| picture.nodes[*a].place.cmp(&picture.nodes[*b].place));
            let mut blocks: Vec<_> = inner.into_iter().map(|i| (vec![i], shape.size[i])).collect();
            if !leaves.is_empty() {
                let size = leaves.len();
                blocks.push((leaves, size));
            }
            for (nodes, from, to) in split(blocks, from, to) {
                if shape.children[nodes[0]].is_empty() {
                    layout.fan[at] = Some((from, to));
                    let step = (to - from) / nodes.len() as f64;
                    for (i, &leaf) in nodes.iter().enumerate() {
                        let start = from + i as f64 * step;
                        sector[leaf] = (start, start + step);
                    }
                } else {
                    sector[nodes[0]] = (from, to);
                }
            }
        }
        layout
    }

    /// The radius of a delay.
    pub(super) fn radius_of(&self, delay_ms: f64) -> f64 {
        HUB + (delay_ms / self.rim_ms).clamp(0.0, 1.0) * (RIM - HUB)
    }

    /// Where node `i` is, relative to the middle, in pixels.
    pub(super) fn point(&self, i: usize) -> (f64, f64) {
        polar(self.radius[i], self.angle[i])
    }
}

/// From angle clockwise from the top and radius to pixels right and down of the middle.
pub(super) fn polar(radius: f64, angle: f64) -> (f64, f64) {
    ((angle - FRAC_PI_2).cos() * radius, (angle - FRAC_PI_2).sin() * radius)
}

/// Shares out `from..to` among blocks by their sizes, the largest in the middle so that the
/// thickest branches run straight, and a gap at both sides of each.
fn split(mut blocks: Vec<(Vec<usize>, usize)>, from: f64, to: f64) -> Vec<(Vec<usize>, f64, f64)> {
    blocks.sort_by_key(|(nodes, size)| (*size, nodes[0]));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (i, block) in blocks.into_iter().enumerate() {
        if i % 2 == 0 { before.push(block) } else { after.push(block) }
    }
    after.reverse();
    before.extend(after);
    let total: usize = before.iter().map(|(_, size)| size).sum();
    let gap = if before.len() > 1 { GAP } else { 0.0 };
    let mut at = from;
    let place = |(nodes, size): (Vec<usize>, usize)| {
        let wide = (to - from) * size as f64 / total.max(1) as f64;
        let start = at;
        at += wide;
        let gap = (wide * gap).min(GAP_MAX);
        (nodes, start + gap, start + wide - gap)
    };
    before.into_iter().map(place).collect()
}
