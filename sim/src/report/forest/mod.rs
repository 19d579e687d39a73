//! One stripe's tree as a picture, for thirty nodes and for ten thousand.
//!
//! Links thicken with what hangs below them; colour is place, area is uplink; the leaves of a
//! crowded parent are one fan with their count. Dots of one colour and size are one path, so
//! that ten thousand of them are a few hundred kilobytes.

mod label;
mod layout;
mod legend;
mod names;
mod style;

use super::curve::quantile;
use super::markup::escape;
use super::number::coordinate as c;
use super::picture::{ForestPicture, Shape};
use super::scale::Scale;
use layout::{HUB, Layout, RIM, polar};
use names::Names;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The drawing, and its middle.
const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 1500.0;
const MIDDLE: (f64, f64) = (600.0, 660.0);
/// Colours for places; the last is for all other places.
const COLOURS: usize = 8;
/// A parent with more leaves than this gets a fan, in a picture with more nodes than the other.
const LEAVES_MAX: usize = 6;
const NODES_FEW: usize = 150;

/// `picture` as a self-contained SVG, light or dark as the reader's system is.
#[must_use]
pub fn forest_svg(picture: &ForestPicture) -> String {
    let shape = Shape::new(picture);
    let drawing = Drawing {
        layout: Layout::new(picture, &shape),
        places: Names::most_common(picture.nodes.iter().map(|node| node.place.as_str()), COLOURS),
        roles: Names::most_common(
            picture
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(i, node)| shape.parent[i].is_some().then_some(node.role.as_str())),
            3,
        )
        .with_first(&["gateway", "helper"]),
        size: dot_scale(picture),
        picture,
        shape,
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"forest\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\"><title>{}</title><style>{}</style>\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>",
        escape(drawing.title()),
        style::rules()
    );
    let _ = write!(out, "<g transform=\"translate({} {})\">", c(MIDDLE.0), c(MIDDLE.1));
    let ticks = drawing.rings(&mut out);
    drawing.fans(&mut out);
    drawing.links(&mut out);
    drawing.dots(&mut out);
    drawing.hub(&mut out);
    drawing.labels(&mut out, &ticks);
    out += "</g>";
    drawing.legend(&mut out);
    out + "</svg>\n"
}

struct Drawing<'a> {
    picture: &'a ForestPicture,
    shape: Shape,
    layout: Layout,
    places: Names,
    roles: Names,
    /// Pixels of radius per root of Mbit/s.
    size: f64,
}

/// How large dots are: fewer nodes, larger dots.
fn dot_scale(picture: &ForestPicture) -> f64 {
    let uploads: Vec<f64> = picture.nodes.iter().map(|node| node.upload_mbps).collect();
    let large = quantile(&uploads, 0.99).max(1.0).sqrt();
    let radius = (60.0 / (picture.nodes.len().max(1) as f64).powf(0.32)).clamp(3.2, 15.0);
    radius / large
}

impl Drawing<'_> {
    fn title(&self) -> &str {
        if self.picture.title.is_empty() { "One tree of the forest" } else { &self.picture.title }
    }

    /// Radius of a node's dot.
    fn dot(&self, i: usize) -> f64 {
        self.dot_of(self.picture.nodes[i].upload_mbps)
    }

    /// Radius of the dot of an uplink, in steps so that dots can share a path.
    fn dot_of(&self, upload_mbps: f64) -> f64 {
        let radius = if upload_mbps > 0.0 { upload_mbps.sqrt() * self.size } else { 0.0 };
        (radius.clamp(0.8, 20.0) * 4.0).round() / 4.0
    }

    fn colour(&self, i: usize) -> usize {
        self.places.index(&self.picture.nodes[i].place)
    }

    /// Circles of equal delay. Returns the labels, to be written over everything.
    fn rings(&self, out: &mut String) -> String {
        let rim = [0.0, self.layout.rim_ms];
        let scale = Scale::new(rim.into_iter(), false, None, (HUB, RIM));
        let mut labels = String::new();
        for tick in scale.ticks(5).into_iter().filter(|tick| tick.at > 0.0) {
            let radius = self.layout.radius_of(tick.at);
            let _ = write!(out, "<circle class=\"ring\" r=\"{}\"/>", c(radius));
            let _ = write!(
                labels,
                "<text class=\"soft halo\" text-anchor=\"middle\" y=\"{}\">{} ms</text>",
                c(6.0 - radius),
                tick.label
            );
        }
        labels
    }

    /// Whether the leaves of node `i` are drawn as one fan.
    fn is_fan(&self, i: usize) -> bool {
        self.picture.nodes.len() > NODES_FEW && self.leaves(i).count() > LEAVES_MAX
    }

    fn leaves(&self, i: usize) -> impl Iterator<Item = usize> {
        let children = &self.shape.children;
        children[i].iter().copied().filter(|&child| children[child].is_empty())
    }

    fn fans(&self, out: &mut String) {
        let mut paths: BTreeMap<usize, String> = BTreeMap::new();
        for i in 0..self.picture.nodes.len() {
            let Some((from, to)) = self.layout.fan[i].filter(|_| self.is_fan(i)) else { continue };
            let radii: Vec<f64> = self.leaves(i).map(|leaf| self.layout.radius[leaf]).collect();
            // From the parent out to where half of the leaves are.
            let far = quantile(&radii, 0.5);
            let near = self.start(i);
            // From the disc in the middle a fan is part of a ring; from elsewhere it spreads.
            let ring = self.shape.parent[i].is_none();
            let (first, last) =
                if ring { (from, to) } else { (self.layout.angle[i], self.layout.angle[i]) };
            let wide = u8::from(to - from > std::f64::consts::PI);
            let path = paths.entry(self.colour(i)).or_default();
            let _ = write!(
                path,
                "M{}{}{}{}",
                point(near, first),
                link((near, first), (far, from)),
                arc(far, to, wide, 1),
                link((far, to), (near, last)),
            );
            if ring {
                *path += &arc(near, from, wide, 0);
            }
            path.push('z');
        }
        for (colour, path) in paths {
            let _ = write!(out, "<path class=\"fan f{colour}\" d=\"{path}\"/>");
        }
    }

    /// Where links from node `i` begin: the rim of the disc if it is the only root.
    fn start(&self, i: usize) -> f64 {
        self.layout.radius[i].max(if self.shape.parent[i].is_none() { HUB } else { 0.0 })
    }

    fn links(&self, out: &mut String) {
        // By width and colour: (tenths of a pixel, colour). The thick ones are drawn last.
        let mut paths: BTreeMap<(u32, usize), String> = BTreeMap::new();
        let all = self.picture.nodes.len().max(2) as f64;
        for (i, parent) in self.shape.parent.iter().enumerate() {
            let Some(parent) = *parent else { continue };
            if self.shape.children[i].is_empty() && self.is_fan(parent) {
                continue;
            }
            let share = (self.shape.size[i] as f64 / all).sqrt();
            let wide = 0.6 + (10.0 * share).min(9.0) + if all < 200.0 { 0.8 } else { 0.0 };
            let near = self.start(parent);
            let far = self.layout.radius[i];
            let hub = self.shape.parent[parent].is_none();
            let from = if hub { self.layout.angle[i] } else { self.layout.angle[parent] };
            let to = self.layout.angle[i];
            let path = paths.entry(((wide * 2.0).round() as u32 * 5, self.colour(i))).or_default();
            let _ = write!(path, "M{}{}", point(near, from), link((near, from), (far, to)));
        }
        for ((tenths, colour), path) in paths {
            let _ = write!(
                out,
                "<path class=\"link s{colour}\" stroke-width=\"{}\" d=\"{path}\"/>",
                c(f64::from(tenths) / 10.0)
            );
        }
    }

    /// All nodes but the roots: filled, with a hole, or square, by role.
    fn dots(&self, out: &mut String) {
        let mut paths: BTreeMap<(bool, u32, usize, usize), String> = BTreeMap::new();
        for (i, node) in self.picture.nodes.iter().enumerate() {
            if self.shape.parent[i].is_none() && self.shape.roots.len() == 1 {
                continue;
            }
            let (x, y) = self.layout.point(i);
            let inner = !self.shape.children[i].is_empty();
            let quarters = (self.dot(i) * 4.0) as u32;
            let role = self.roles.index(&node.role);
            let path = paths.entry((inner, quarters, role, self.colour(i))).or_default();
            let _ = write!(path, "M{} {}h0", c(x), c(y));
        }
        for ((inner, quarters, role, colour), path) in paths {
            let wide = f64::from(quarters) / 2.0;
            let square = if role == 2 { " square" } else { "" };
            let faint = if inner || self.picture.nodes.len() <= NODES_FEW {
                ""
            } else {
                " opacity=\".75\""
            };
            if inner && wide >= 4.0 {
                let around = wide + 2.4;
                let _ = write!(
                    out,
                    "<path class=\"dot{square} hole\" stroke-width=\"{}\" d=\"{path}\"/>",
                    c(around)
                );
            }
            let _ = write!(
                out,
                "<path class=\"dot{square} s{colour}\"{faint} stroke-width=\"{}\" d=\"{path}\"/>",
                c(wide)
            );
            if role == 1 && wide >= 3.0 {
                let hole = wide * 0.5;
                let _ = write!(
                    out,
                    "<path class=\"dot hole\" stroke-width=\"{}\" d=\"{path}\"/>",
                    c(hole)
                );
            }
        }
    }

    fn hub(&self, out: &mut String) {
        let name = match self.shape.roots.as_slice() {
            [] => return,
            [root] => {
                let label = &self.picture.nodes[*root].label;
                if (1..=7).contains(&label.chars().count()) { label.clone() } else { "root".into() }
            }
            roots => format!("{} roots", roots.len()),
        };
        let _ = write!(
            out,
            "<circle class=\"hub\" r=\"{}\"/><text class=\"hubname\" text-anchor=\"middle\" \
             y=\"7\">{}</text>",
            c(HUB - 4.0),
            escape(&name)
        );
    }
}

/// A place in the drawing, `x y`.
fn point(radius: f64, angle: f64) -> String {
    let (x, y) = polar(radius, angle);
    format!("{} {}", c(x), c(y))
}

/// On along a circle to `angle`; `wide` is 1 past half of it, `sweep` 1 clockwise.
fn arc(radius: f64, angle: f64, wide: u8, sweep: u8) -> String {
    format!("A{} {} 0 {wide} {sweep} {}", c(radius), c(radius), point(radius, angle))
}

/// What follows the start of a link from one (radius, angle) to another: it leaves and arrives
/// along the radius. A wide one winds round the middle instead of cutting through it.
fn link((near, from): (f64, f64), (far, to): (f64, f64)) -> String {
    const WIDE: f64 = 0.7;
    const STEPS: usize = 28;
    if (to - from).abs() < WIDE {
        let half = (near + far) / 2.0;
        return format!("C{} {} {}", point(half, from), point(half, to), point(far, to));
    }
    let step = |i: usize| {
        let t = i as f64 / STEPS as f64;
        let turned = t * t * (3.0 - 2.0 * t);
        format!("L{}", point(near + t * (far - near), from + turned * (to - from)))
    };
    (1..=STEPS).map(step).collect()
}
