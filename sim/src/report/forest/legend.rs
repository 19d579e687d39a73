//! What stands around the tree: title, facts, colours, depths, and how to read it.

use super::{COLOURS, Drawing};
use crate::report::curve::quantile;
use crate::report::markup::{clip, escape};
use crate::report::number::{coordinate as c, spaced};
use std::fmt::Write as _;

impl Drawing<'_> {
    /// Title and facts above the tree; colours, depths and how to read it below.
    pub(super) fn legend(&self, out: &mut String) {
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
            escape(&clip(self.title(), 62)),
            escape(&facts.join(" · "))
        );
        self.places(out, 1250.0);
        self.uplinks(out, 1390.0);
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
             branch feeds more nodes."
                .to_owned(),
            "+n counts all nodes below one, ×n the leaves of one parent in a fan. The area of a dot is \
             its uplink."
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

    /// Three uplinks as dots, so that an area can be read as Mbit/s.
    fn uplinks(&self, out: &mut String, y: f64) {
        let mut x = 48.0;
        for (upload, unit) in [(5.0, ""), (20.0, ""), (100.0, " Mbit/s uplink")] {
            let radius = self.dot_of(upload);
            let _ = write!(
                out,
                "<circle class=\"f{}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\"/>\
                 <text class=\"soft\" x=\"{}\" y=\"{}\">{upload}{unit}</text>",
                COLOURS - 1,
                c(x),
                c(y - 6.0),
                c(x + radius + 8.0),
                c(y)
            );
            x += 2.0 * radius + 60.0;
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
