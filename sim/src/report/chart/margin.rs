//! What stands around the curves: axes, marks with their labels, the legend.

use super::{ROW, WIDTH, style};
use crate::report::markup::{clip, escape, width};
use crate::report::number::coordinate as c;
use crate::report::plot::{Axis, Plot, Series};
use crate::report::scale::{Scale, Tick};
use std::fmt::Write as _;

/// Pixels of text.
const FONT: f64 = 12.0;

/// The frame of the curves, in pixels.
pub(super) struct Frame {
    /// Where the label of the y axis stands.
    pub(super) label: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// About how wide `text` is.
pub(super) fn wide(text: &str) -> f64 {
    width(text, FONT)
}

/// Grid, ticks and labels of both axes.
pub(super) fn axes(
    out: &mut String,
    plot: &Plot,
    frame: &Frame,
    (x, y): (&Scale, &Scale),
    y_ticks: &[Tick],
) {
    for tick in y_ticks {
        let Some(at) = y.place(tick.at) else { continue };
        if tick.label.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{} {}H{}\"/><text class=\"tick\" x=\"{}\" y=\"{}\" \
             text-anchor=\"end\">{}</text>",
            c(frame.left),
            c(at),
            c(frame.right),
            c(frame.left - 6.0),
            c(at + 4.0),
            tick.label
        );
    }
    let _ = write!(
        out,
        "<path class=\"axis\" d=\"M{} {}H{}\"/>",
        c(frame.left),
        c(frame.bottom),
        c(frame.right)
    );
    let mut free_from = f64::NEG_INFINITY;
    for tick in x.ticks(6) {
        let Some(at) = x.place(tick.at) else { continue };
        let long = if tick.label.is_empty() { 3.0 } else { 5.0 };
        let _ = write!(out, "<path class=\"axis\" d=\"M{} {}v{long}\"/>", c(at), c(frame.bottom));
        let half = wide(&tick.label) / 2.0;
        if !tick.label.is_empty() && at - half > free_from {
            free_from = at + half + 6.0;
            let middle = at.min(WIDTH - half);
            let _ = write!(
                out,
                "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                c(middle),
                c(frame.bottom + 18.0),
                tick.label
            );
        }
    }
    let named = |axis: &Axis| escape(&clip(&axis.label, 60));
    let _ = write!(
        out,
        "<text class=\"label\" x=\"0\" y=\"{}\">{}</text>\
         <text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        c(frame.label),
        named(&plot.y),
        c(frame.right),
        c(frame.bottom + 34.0),
        named(&plot.x)
    );
}

/// A vertical line, its label centred above the curves in a row of its own if others are near.
pub(super) struct Mark {
    at: f64,
    label: String,
    middle: f64,
    /// 0 is the lowest.
    pub(super) row: usize,
}

/// Places the labels of marks so that none meet.
pub(super) fn place_marks(marks: &[(f64, String)], x: &Scale) -> Vec<Mark> {
    let mut placed: Vec<Mark> = Vec::new();
    for (value, label) in marks {
        let Some(at) = x.place(*value) else { continue };
        let label = clip(label, 40);
        let half = wide(&label) / 2.0;
        let middle = at.min(WIDTH - half).max(half);
        let meets =
            |mark: &Mark| (mark.middle - middle).abs() < wide(&mark.label) / 2.0 + half + 8.0;
        let mut row = 0;
        while placed.iter().any(|mark| mark.row == row && meets(mark)) {
            row += 1;
        }
        placed.push(Mark { at, label, middle, row });
    }
    placed
}

/// Draws the lines and their labels.
pub(super) fn draw_marks(out: &mut String, marks: &[Mark], frame: &Frame) {
    for Mark { at, label, middle, row } in marks {
        let y = frame.top - 5.0 - *row as f64 * ROW;
        let _ = write!(
            out,
            "<path class=\"mark\" d=\"M{} {}V{}\"/><text class=\"marked\" x=\"{}\" y=\"{}\" \
             text-anchor=\"middle\">{}</text>",
            c(*at),
            c(y + 3.0),
            c(frame.bottom),
            c(*middle),
            c(y),
            escape(label)
        );
    }
}

/// Names and colours of series, as HTML to stand above the plot; empty if there is only one.
pub(in crate::report) fn legend(series: &[Series]) -> String {
    if series.len() < 2 {
        return String::new();
    }
    let key = |(i, series): (usize, &Series)| {
        let (colour, dashed) = style(i);
        let name = escape(&clip(&series.name, 60));
        format!(
            "<li><svg class=\"plot\" viewBox=\"0 0 18 4\" aria-hidden=\"true\">\
             <path class=\"key {colour}{dashed}\" d=\"M0 2h18\"/></svg>{name}</li>"
        )
    };
    let keys: String = series.iter().enumerate().map(key).collect();
    format!("<ul class=\"legend\">{keys}</ul>")
}
