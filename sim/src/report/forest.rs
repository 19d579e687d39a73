//! One stripe's tree as a picture, for thirty nodes and for ten thousand.
//!
//! Links thicken with what hangs below them; colour is place, area is uplink; the leaves of a
//! crowded parent are one fan with their count. Dots of one colour and size are one path, so
//! that ten thousand of them are a few hundred kilobytes.

use super::curve::quantile;
use super::layout::{HUB, Layout, RIM, polar};
use super::markup::{clip, escape, width};
use super::number::{coordinate as c, spaced};
use super::picture::{ForestPicture, Shape};
use super::scale::Scale;
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
/// Up to this many nodes, every one is named; of more, only the largest this many.
const NAMED_ALL: usize = 60;
const NAMED_SOME: usize = 22;

const STYLE: &str = "\
.forest{--ink:#1d2a24;--soft:#5d6b64;--line:#d9dfda;--paper:#fbfcfa;--c0:#2a72b8;--c1:#d9730d;\
--c2:#3a9a5b;--c3:#b5478f;--c4:#8067c9;--c5:#a88412;--c6:#1f9aa5;--c7:#8a938e;\
font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}\
@media(prefers-color-scheme:dark){.forest{--ink:#e8eee9;--soft:#9daba3;--line:#2c3832;\
--paper:#131a16;--c0:#62a8ea;--c1:#f2994a;--c2:#62c584;--c3:#e07fbd;--c4:#ab97f0;--c5:#d8b53f;\
--c6:#4cc5d0;--c7:#7f8a84}}\
.forest .paper{fill:var(--paper)}.forest text{fill:var(--ink);font-size:19px}\
.forest .title{font-size:28px;font-weight:650}.forest .soft{fill:var(--soft)}\
.forest .halo{stroke:var(--paper);stroke-width:5px;paint-order:stroke;stroke-linejoin:round}\
.forest .ring{fill:none;stroke:var(--line);stroke-width:1.5}\
.forest .link{fill:none;stroke-linecap:round;opacity:.42}.forest .fan{opacity:.17}\
.forest .dot{fill:none;stroke-linecap:round}.forest .hole{stroke:var(--paper)}\
.forest .hub{fill:var(--ink)}.forest .hubname{fill:var(--paper);font-weight:650}\
.forest .count{font-size:16px;fill:var(--soft)}.forest .bar{fill:var(--soft);opacity:.55}\
.forest .edge{fill:none;stroke:var(--paper);stroke-width:1.2}";

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
        ),
        size: dot_scale(picture),
        picture,
        shape,
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"forest\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\"><title>{}</title><style>{STYLE}{}</style>\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>",
        escape(drawing.title()),
        colours()
    );
    let _ = write!(out, "<g transform=\"translate({} {})\">", c(MIDDLE.0), c(MIDDLE.1));
    let ticks = drawing.rings(&mut out);
    drawing.fans(&mut out);
    drawing.links(&mut out);
    drawing.dots(&mut out);
    drawing.hub(&mut out);
    drawing.labels(&mut out, ticks);
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

/// The names that get a colour or a mark of their own, the most common first.
struct Names {
    named: Vec<(String, usize)>,
    others: usize,
    room: usize,
}

impl Names {
    fn most_common<'a>(names: impl Iterator<Item = &'a str>, room: usize) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        let mut named: Vec<_> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let others = named.iter().skip(room - 1).map(|(_, n)| n).sum();
        named.truncate(room - 1);
        Self { named, others, room }
    }

    /// The number of `name`, the last one for all without one of their own.
    fn index(&self, name: &str) -> usize {
        self.named.iter().position(|(known, _)| known == name).unwrap_or(self.room - 1)
    }
}

/// `.s0{stroke:…}.f0{fill:…}` for each colour.
fn colours() -> String {
    (0..COLOURS)
        .map(|i| format!(".forest .s{i}{{stroke:var(--c{i})}}.forest .f{i}{{fill:var(--c{i})}}"))
        .collect()
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

    /// Radius of a node's dot, in steps so that dots can share a path.
    fn dot(&self, i: usize) -> f64 {
        let upload = self.picture.nodes[i].upload_mbps;
        let radius = if upload > 0.0 { upload.sqrt() * self.size } else { 0.0 };
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
            let half = (self.start(i) + far) / 2.0;
            let own = self.layout.angle[i];
            let origin = point(self.start(i), own);
            let path = paths.entry(self.colour(i)).or_default();
            let _ = write!(
                path,
                "M{origin}C{} {} {}A{} {} 0 {} 1 {}C{} {} {origin}z",
                point(half, own),
                point(half, from),
                point(far, from),
                c(far),
                c(far),
                u8::from(to - from > std::f64::consts::PI),
                point(far, to),
                point(half, to),
                point(half, own),
            );
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
            link(path, (near, from), (far, to));
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
            let square = if role == 2 { " stroke-linecap=\"square\"" } else { "" };
            let faint = if inner { "" } else { " opacity=\".75\"" };
            if inner && wide >= 4.0 {
                let around = wide + 2.4;
                let _ = write!(
                    out,
                    "<path class=\"dot hole\"{square} stroke-width=\"{}\" d=\"{path}\"/>",
                    c(around)
                );
            }
            let _ = write!(
                out,
                "<path class=\"dot s{colour}\"{square}{faint} stroke-width=\"{}\" d=\"{path}\"/>",
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
            [root] => clip(&self.picture.nodes[*root].label, 8),
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

    /// Names of nodes and counts of fans, where they meet nothing, the largest first.
    fn labels(&self, out: &mut String, rings: String) {
        out.push_str(&rings);
        let n = self.picture.nodes.len();
        // The hub and the column of ring labels are taken.
        let mut taken =
            vec![Box::around(0.0, 0.0, HUB, HUB), Box::around(0.0, -300.0, 34.0, 260.0)];
        let mut order: Vec<usize> = (0..n)
            .filter(|&i| self.shape.parent[i].is_some() || self.shape.roots.len() > 1)
            .collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(self.shape.size[i]), i));
        let named: Vec<usize> = if n <= NAMED_ALL {
            order.clone()
        } else {
            let inner = |i: &&usize| !self.shape.children[**i].is_empty();
            order.iter().filter(inner).take(NAMED_SOME).copied().collect()
        };
        let large = if n <= NAMED_ALL { n } else { 3 * NAMED_SOME };
        for &i in order.iter().take(large) {
            let (x, y) = self.layout.point(i);
            taken.push(Box::around(x, y, self.dot(i), self.dot(i)));
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
            let around = Box::around(x, y, half, 9.0);
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

    fn legend(&self, out: &mut String) {
        let nodes = &self.picture.nodes;
        let delays: Vec<f64> = nodes.iter().map(|node| node.delay_ms).collect();
        let tiers = self.shape.tiers();
        let mut facts = vec![format!("{} nodes", spaced(nodes.len() as f64))];
        if quantile(&delays, 1.0).is_finite() {
            let at = |q| spaced(quantile(&delays, q).round());
            facts.push(format!("half within {} ms", at(0.5)));
            facts.push(format!("99 % within {} ms", at(0.99)));
            facts.push(format!("the last at {} ms", at(1.0)));
        }
        if self.layout.beyond > 0 {
            facts.push(format!("{} later ones drawn on the rim", self.layout.beyond));
        }
        let _ = write!(
            out,
            "<text class=\"title\" x=\"40\" y=\"56\">{}</text>\
             <text class=\"soft\" x=\"40\" y=\"90\">{}</text>",
            escape(&clip(self.title(), 70)),
            escape(&facts.join(" · "))
        );
        self.places(out, 1250.0);
        self.tiers(out, &tiers, 1250.0);
        for (i, line) in self.caption().iter().enumerate() {
            let y = 1428.0 + 27.0 * i as f64;
            let _ = write!(out, "<text class=\"soft\" x=\"40\" y=\"{}\">{line}</text>", c(y));
        }
    }

    /// How to read it.
    fn caption(&self) -> [String; 3] {
        let mut marks = Vec::new();
        let shapes = ["filled", "with a hole", "square"];
        if self.roles.named.len() + self.roles.others.min(1) > 1 {
            for ((role, count), shape) in self.roles.named.iter().zip(shapes) {
                marks.push(format!("{shape}: {} ({})", clip(role, 16), spaced(*count as f64)));
            }
            if self.roles.others > 0 {
                marks.push(format!("square: others ({})", spaced(self.roles.others as f64)));
            }
        }
        let mut lines = [
            "The root is in the middle; the further out a node, the later the stripe reaches it. A thicker \
             branch feeds more nodes:"
                .to_owned(),
            "+n are all those below a node, ×n a fan of n leaves of one parent. The area of a dot is \
             the node's uplink."
                .to_owned(),
            String::new(),
        ];
        if !marks.is_empty() {
            lines[2] = format!("Dots by role: {}.", escape(&marks.join(" · ")));
        }
        lines
    }

    /// Colours of places, two columns.
    fn places(&self, out: &mut String, top: f64) {
        let mut entries: Vec<(usize, String, usize)> = self
            .places
            .named
            .iter()
            .enumerate()
            .map(|(i, (name, count))| {
                let name = if name.is_empty() { "somewhere" } else { name.as_str() };
                (i, clip(name, 22), *count)
            })
            .collect();
        if self.places.others > 0 {
            entries.push((COLOURS - 1, "other places".into(), self.places.others));
        }
        for (n, (colour, name, count)) in entries.iter().enumerate() {
            let (x, y) = (48.0 + 310.0 * (n / 4) as f64, top + 34.0 * (n % 4) as f64);
            let _ = write!(
                out,
                "<circle class=\"f{colour}\" cx=\"{}\" cy=\"{}\" r=\"8\"/>\
                 <text x=\"{}\" y=\"{}\">{} <tspan class=\"soft\">{}</tspan></text>",
                c(x),
                c(y - 6.0),
                c(x + 18.0),
                c(y),
                escape(name),
                spaced(*count as f64)
            );
        }
    }

    /// How many nodes at which depth, as bars.
    fn tiers(&self, out: &mut String, tiers: &[usize], top: f64) {
        const ROWS: usize = 6;
        let mut rows: Vec<(String, usize)> = (1..tiers.len().min(ROWS))
            .map(|depth| (format!("depth {depth}"), tiers[depth]))
            .collect();
        if tiers.len() > ROWS {
            let more = if tiers.len() > ROWS + 1 { "+" } else { "" };
            rows.push((format!("depth {ROWS}{more}"), tiers[ROWS..].iter().sum()));
        }
        let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
        for (i, (name, count)) in rows.iter().enumerate() {
            let y = top - 10.0 + 26.0 * i as f64;
            let long = 280.0 * *count as f64 / most as f64;
            let _ = write!(
                out,
                "<text class=\"soft\" text-anchor=\"end\" x=\"790\" y=\"{}\">{name}</text>\
                 <rect class=\"bar\" x=\"802\" y=\"{}\" width=\"{}\" height=\"16\" rx=\"2\"/>\
                 <text class=\"soft\" x=\"{}\" y=\"{}\">{}</text>",
                c(y),
                c(y - 14.0),
                c(long.max(1.0)),
                c(812.0 + long),
                c(y),
                spaced(*count as f64)
            );
        }
    }
}

/// A place in the drawing, `x y`.
fn point(radius: f64, angle: f64) -> String {
    let (x, y) = polar(radius, angle);
    format!("{} {}", c(x), c(y))
}

/// A link from one (radius, angle) to another, leaving and arriving along the radius. A wide one
/// winds round the middle instead of cutting through it.
fn link(path: &mut String, (near, from): (f64, f64), (far, to): (f64, f64)) {
    const WIDE: f64 = 0.7;
    const STEPS: usize = 14;
    let _ = write!(path, "M{}", point(near, from));
    if (to - from).abs() < WIDE {
        let half = (near + far) / 2.0;
        let _ = write!(path, "C{} {} {}", point(half, from), point(half, to), point(far, to));
        return;
    }
    for step in 1..=STEPS {
        let t = step as f64 / STEPS as f64;
        let turned = t * t * (3.0 - 2.0 * t);
        let _ = write!(path, "L{}", point(near + t * (far - near), from + turned * (to - from)));
    }
}

/// Writes `text` beside a dot at the first of four places where it meets nothing; else not.
fn place_label(
    out: &mut String,
    taken: &mut Vec<Box>,
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
        let around = Box::around(x + dx, y + dy, half, font / 2.0);
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
struct Box {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Box {
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
