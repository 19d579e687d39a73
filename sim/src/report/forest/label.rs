//! Text in the picture: placed where it meets nothing, the weightiest first, or left out.

use super::layout::{HUB, polar};
use super::{Drawing, MIDDLE, WIDTH};
use crate::report::curve::quantile;
use crate::report::markup::{clip, escape, width};
use crate::report::number::{coordinate as c, spaced};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// Up to this many nodes, every one is named; of more, only the largest this many.
const NAMED_ALL: usize = 60;
const NAMED_SOME: usize = 22;

impl Drawing<'_> {
    /// Names of nodes and counts of fans, where they meet nothing, the largest first.
    pub(super) fn labels(&self, out: &mut String, rings: &str) {
        out.push_str(rings);
        let n = self.picture.nodes.len();
        // The hub and the column of ring labels are taken.
        let mut taken =
            vec![Area::around(0.0, 0.0, HUB, HUB), Area::around(0.0, -300.0, 34.0, 260.0)];
        let mut order: Vec<usize> = (0..n)
            .filter(|&i| self.shape.parent[i].is_some() || self.shape.roots.len() > 1)
            .collect();
        order.sort_by_key(|&i| (Reverse(self.shape.size[i]), i));
        let named: Vec<usize> = if n <= NAMED_ALL {
            order.clone()
        } else {
            let inner = |i: &&usize| !self.shape.children[**i].is_empty();
            order.iter().filter(inner).take(NAMED_SOME).copied().collect()
        };
        let large = if n <= NAMED_ALL { n } else { 3 * NAMED_SOME };
        for &i in order.iter().take(large) {
            let (x, y) = self.layout.point(i);
            taken.push(Area::around(x, y, self.dot(i), self.dot(i)));
        }
        for i in named {
            let below = self.shape.size[i] - 1;
            let node = &self.picture.nodes[i];
            let text = match below {
                0 => clip(&node.label, 24),
                _ => format!("{} +{}", clip(&node.label, 24), spaced(below as f64)),
            };
            let (x, y) = self.layout.point(i);
            place_label(out, &mut taken, (x, y), self.dot(i), &text, "halo", 19.0);
        }
        for &i in order.iter().chain(&self.shape.roots) {
            let Some((from, to)) = self.layout.fan[i].filter(|_| self.is_fan(i)) else { continue };
            let radii: Vec<f64> = self.leaves(i).map(|leaf| self.layout.radius[leaf]).collect();
            let radius = quantile(&radii, 0.8);
            if (to - from) * radius < 34.0 {
                continue;
            }
            let (x, y) = polar(radius + 14.0, (from + to) / 2.0);
            let text = format!("×{}", self.leaves(i).count());
            let half = width(&text, 16.0) / 2.0;
            let around = Area::around(x, y, half, 9.0);
            if taken.iter().all(|other| !other.meets(&around)) {
                let _ = write!(
                    out,
                    "<text class=\"count halo\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{text}</text>",
                    c(x),
                    c(y + 6.0)
                );
                taken.push(around);
            }
        }
    }
}

/// Writes `text` beside a dot at the first of four places where it meets nothing; else not.
fn place_label(
    out: &mut String,
    taken: &mut Vec<Area>,
    (x, y): (f64, f64),
    dot: f64,
    text: &str,
    class: &str,
    font: f64,
) {
    let half = width(text, font) / 2.0;
    let beside = dot + 7.0 + half;
    let above = dot + 14.0;
    let right = [(beside, 0.0), (0.0, above), (0.0, -above), (-beside, 0.0)];
    let left = [(-beside, 0.0), (0.0, above), (0.0, -above), (beside, 0.0)];
    for (dx, dy) in if x < 0.0 { left } else { right } {
        let around = Area::around(x + dx, y + dy, half, font / 2.0);
        let inside = around.left > 8.0 - MIDDLE.0 && around.right < WIDTH - MIDDLE.0 - 8.0;
        if inside && taken.iter().all(|other| !other.meets(&around)) {
            let _ = write!(
                out,
                "<text class=\"{class}\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
                c(x + dx),
                c(y + dy + font * 0.35),
                escape(text)
            );
            taken.push(around);
            return;
        }
    }
}

/// A rectangle that a label or a dot takes.
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Area {
    fn around(x: f64, y: f64, half_width: f64, half_height: f64) -> Self {
        Self {
            left: x - half_width,
            right: x + half_width,
            top: y - half_height,
            bottom: y + half_height,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}
