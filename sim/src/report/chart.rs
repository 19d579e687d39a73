//! A plot as SVG, styled by the page it stands in.
//!
//! The box is small (440 wide) so that its text is still readable on a telephone. What the hover
//! script needs to turn pixels back into values stands in `data-` attributes.

use super::markup::{clip, escape, width};
use super::number::coordinate as c;
use super::plot::{Axis, Kind, Plot, Series};
use super::scale::{Scale, Tick};
use std::fmt::Write as _;

/// Width of the drawing, and height of the part with the curves.
const WIDTH: f64 = 440.0;
const CURVES: f64 = 210.0;
/// Pixels of text.
const FONT: f64 = 12.0;
/// Colours that the page has; more series repeat them, dashed.
pub(super) const COLOURS: usize = 8;
/// A series of at most this many points shows each as a dot. Guess.
const DOTS_MAX: usize = 15;

/// The frame of the curves, in pixels.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// `plot` as an `<svg>` element.
pub(super) fn svg(plot: &Plot) -> String {
    let mut out = String::new();
    let legend = legend(&plot.series);
    let top = legend.height + 24.0;
    let bottom = top + CURVES;
    let y = Scale::new(y_values(plot), plot.y.log, Some(5), (bottom, top));
    let y_ticks = y.ticks(5);
    let widest = y_ticks.iter().map(|tick| width(&tick.label, FONT)).fold(0.0, f64::max);
    let frame = Frame { left: widest.max(16.0) + 8.0, right: WIDTH - 12.0, top, bottom };
    let x = Scale::new(x_values(plot), plot.x.log, None, (frame.left, frame.right));
    let _ = write!(
        out,
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\" \
         data-x=\"{}\" data-y=\"{}\" data-x-label=\"{}\" data-y-label=\"{}\">",
        c(bottom + 38.0),
        escape(&plot.title),
        data(&x),
        data(&y),
        escape(&plot.x.label),
        escape(&plot.y.label),
    );
    out += &legend.svg;
    axes(&mut out, plot, &frame, (&x, &y), &y_ticks);
    let mut drawn = false;
    for (i, series) in plot.series.iter().enumerate() {
        let points = pixels(&series.points, &x, &y);
        drawn |= !points.is_empty();
        match plot.kind {
            Kind::Bars => {
                let place = (i, plot.series.len());
                bars(&mut out, &points, place, slot(plot, &x), base(&y, &frame), &series.name);
            }
            Kind::Line | Kind::Step => {
                curve(&mut out, &points, i, plot.kind == Kind::Step, &series.name);
            }
        }
    }
    if drawn {
        marks(&mut out, &plot.marks, &x, &frame);
    } else {
        let (middle, height) = ((frame.left + frame.right) / 2.0, (top + bottom) / 2.0);
        let _ = write!(
            out,
            "<text class=\"none\" x=\"{}\" y=\"{}\">nothing was measured</text>",
            c(middle),
            c(height)
        );
    }
    out + "</svg>"
}

/// The values that the x axis must hold: points, marks, and bars in full width.
fn x_values(plot: &Plot) -> impl Iterator<Item = f64> {
    let bar = if plot.kind == Kind::Bars { spacing(plot) / 2.0 } else { 0.0 };
    let points = plot.series.iter().flat_map(|series| &series.points);
    let points = points.flat_map(move |(x, _)| [x - bar, x + bar]);
    points.chain(plot.marks.iter().map(|(x, _)| *x))
}

fn y_values(plot: &Plot) -> impl Iterator<Item = f64> {
    let zero = (plot.kind == Kind::Bars).then_some(0.0);
    plot.series.iter().flat_map(|series| &series.points).map(|(_, y)| *y).chain(zero)
}

/// The least distance between neighbours in x: the room of a bar.
fn spacing(plot: &Plot) -> f64 {
    let mut xs: Vec<f64> =
        plot.series.iter().flat_map(|s| &s.points).map(|p| p.0).filter(|x| x.is_finite()).collect();
    xs.sort_by(f64::total_cmp);
    let gaps = xs.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0);
    let least = gaps.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

/// The room of a bar in pixels.
fn slot(plot: &Plot, x: &Scale) -> f64 {
    let room = x.place(x.low() + spacing(plot)).zip(x.place(x.low()));
    if plot.x.log { 14.0 } else { room.map_or(14.0, |(to, from)| to - from).max(1.0) }
}

/// Where bars stand.
fn base(y: &Scale, frame: &Frame) -> f64 {
    if y.is_log() { frame.bottom } else { y.place(0.0).unwrap_or(frame.bottom) }
}

fn pixels(points: &[(f64, f64)], x: &Scale, y: &Scale) -> Vec<(f64, f64)> {
    points.iter().filter_map(|(px, py)| Some((x.place(*px)?, y.place(*py)?))).collect()
}

/// What the hover script needs of a scale.
fn data(scale: &Scale) -> String {
    let kind = if scale.is_log() { "log" } else { "linear" };
    let from = scale.place(scale.low()).unwrap_or(0.0);
    let to = scale.place(scale.high()).unwrap_or(0.0);
    format!("{} {} {} {} {kind}", scale.low(), scale.high(), c(from), c(to))
}

fn axes(out: &mut String, plot: &Plot, frame: &Frame, (x, y): (&Scale, &Scale), y_ticks: &[Tick]) {
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
        let half = width(&tick.label, FONT) / 2.0;
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
        c(frame.top - 12.0),
        named(&plot.y),
        c(frame.right),
        c(frame.bottom + 34.0),
        named(&plot.x)
    );
}

fn curve(out: &mut String, points: &[(f64, f64)], i: usize, steps: bool, name: &str) {
    let mut path = String::new();
    for (n, (x, y)) in points.iter().enumerate() {
        let _ = match (n, steps) {
            (0, _) => write!(path, "M{} {}", c(*x), c(*y)),
            (_, true) => write!(path, "H{}V{}", c(*x), c(*y)),
            (_, false) => write!(path, "L{} {}", c(*x), c(*y)),
        };
    }
    let (colour, dashed) = style(i);
    let name = escape(name);
    let _ =
        write!(out, "<path class=\"curve {colour}{dashed}\" data-name=\"{name}\" d=\"{path}\"/>");
    if points.len() <= DOTS_MAX {
        let dots: String = points.iter().map(|(x, y)| format!("M{} {}h0", c(*x), c(*y))).collect();
        let _ = write!(out, "<path class=\"dots {colour}\" d=\"{dots}\"/>");
    }
}

fn bars(
    out: &mut String,
    points: &[(f64, f64)],
    (i, of): (usize, usize),
    slot: f64,
    base: f64,
    name: &str,
) {
    // A hairline stays between bars as long as there is room for one.
    let used = if slot > 4.0 { slot * 0.86 } else { slot };
    let wide = used / of as f64;
    let mut path = String::new();
    for (x, y) in points {
        let left = x - used / 2.0 + i as f64 * wide;
        let _ = write!(path, "M{} {}V{}h{}V{}z", c(left), c(base), c(*y), c(wide), c(base));
    }
    let centres: String = points.iter().map(|(x, y)| format!("{} {} ", c(*x), c(*y))).collect();
    let _ = write!(
        out,
        "<path class=\"bars {}\" data-name=\"{}\" data-points=\"{}\" d=\"{path}\"/>",
        style(i).0,
        escape(name),
        centres.trim_end()
    );
}

/// Vertical lines; labels that would meet go one row down.
fn marks(out: &mut String, marks: &[(f64, String)], x: &Scale, frame: &Frame) {
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for (value, label) in marks {
        let Some(at) = x.place(*value) else { continue };
        let label = clip(label, 40);
        let long = width(&label, FONT) + 6.0;
        let left = at + long > frame.right;
        let (from, to) = if left { (at - long, at) } else { (at, at + long) };
        let mut row = frame.top + 13.0;
        while taken.iter().any(|(f, t, r)| *r == row && from < *t && *f < to) {
            row += 16.0;
        }
        taken.push((from, to, row));
        let _ = write!(
            out,
            "<path class=\"mark\" d=\"M{} {}V{}\"/><text class=\"marked\" x=\"{}\" y=\"{}\" \
             text-anchor=\"{}\">{}</text>",
            c(at),
            c(frame.top),
            c(frame.bottom),
            c(if left { at - 5.0 } else { at + 5.0 }),
            c(row),
            if left { "end" } else { "start" },
            escape(&label)
        );
    }
}

/// The colour of series `i` and whether it is dashed.
fn style(i: usize) -> (String, &'static str) {
    (format!("s{}", i % COLOURS), if i < COLOURS { "" } else { " dashed" })
}

struct Legend {
    svg: String,
    height: f64,
}

/// Names of the series in rows above the plot; none if there is only one.
fn legend(series: &[Series]) -> Legend {
    let mut legend = Legend { svg: String::new(), height: 0.0 };
    if series.len() < 2 {
        return legend;
    }
    let (mut x, mut row) = (0.0, 0);
    for (i, series) in series.iter().enumerate() {
        let name = clip(&series.name, 50);
        let wide = 22.0 + width(&name, FONT) + 14.0;
        if x > 0.0 && x + wide > WIDTH {
            (x, row) = (0.0, row + 1);
        }
        let y = 12.0 + f64::from(row) * 18.0;
        let (colour, dashed) = style(i);
        let _ = write!(
            legend.svg,
            "<path class=\"key {colour}{dashed}\" d=\"M{} {}h16\"/>\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            c(x),
            c(y - 4.0),
            c(x + 22.0),
            c(y),
            escape(&name)
        );
        x += wide;
    }
    legend.height = f64::from(row + 1) * 18.0 + 4.0;
    legend
}
