//! A plot as SVG, styled by the page it stands in.
//!
//! The box is small (440 wide) so that its text is still readable on a telephone. What the hover
//! script needs to turn pixels back into values stands in `data-` attributes.

mod margin;

use super::markup::escape;
use super::number::{coordinate as c, fine};
use super::plot::{Kind, Plot};
use super::scale::Scale;
pub(super) use margin::legend;
use margin::{Frame, axes, draw_marks, place_marks};
use std::fmt::Write as _;

/// Width of the drawing, and height of the part with the curves.
const WIDTH: f64 = 440.0;
const CURVES: f64 = 210.0;
/// What stays free at the right, and the height of a row of labels of marks.
const RIGHT: f64 = 12.0;
const ROW: f64 = 15.0;
/// Colours that the page has; more series repeat them, dashed.
const COLOURS: usize = 8;
/// A series of at most this many points shows each as a dot. Guess.
const DOTS_MAX: usize = 15;
/// A line that turns more often than this is drawn thin. Guess.
const TURNS_MAX: usize = 80;

/// `plot` as an `<svg>` element.
pub(super) fn svg(plot: &Plot) -> String {
    let mut out = String::new();
    let rough = Scale::new(x_values(plot), plot.x.log, None, (24.0, WIDTH - RIGHT));
    let rows = place_marks(&plot.marks, &rough).iter().map(|mark| mark.row + 1).max();
    let label = 12.0;
    let top = label + 16.0 + rows.unwrap_or(0) as f64 * ROW;
    let bottom = top + CURVES;
    let y = Scale::new(y_values(plot), plot.y.log, Some(5), (bottom, top));
    let y_ticks = y.ticks(5);
    let widest = y_ticks.iter().map(|tick| margin::wide(&tick.label)).fold(0.0, f64::max);
    let frame = Frame { label, left: widest.max(16.0) + 8.0, right: WIDTH - RIGHT, top, bottom };
    let x = Scale::new(x_values(plot), plot.x.log, None, (frame.left, frame.right));
    let marks = place_marks(&plot.marks, &x);
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
        draw_marks(&mut out, &marks, &frame);
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
    let room = match (plot.kind, plot.x.log) {
        (Kind::Bars, false) => (spacing(plot) / 2.0, 1.0),
        (Kind::Bars, true) => (0.0, 1.5),
        (Kind::Line | Kind::Step, _) => (0.0, 1.0),
    };
    let points = plot.series.iter().flat_map(|series| &series.points);
    let points = points.flat_map(move |(x, _)| [x / room.1 - room.0, x * room.1 + room.0]);
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

fn curve(out: &mut String, points: &[(f64, f64)], i: usize, steps: bool, name: &str) {
    let mut path = String::new();
    for (n, (x, y)) in points.iter().enumerate() {
        let _ = match (n, steps) {
            (0, _) => write!(path, "M{} {}", fine(*x), fine(*y)),
            (_, true) => write!(path, "H{}V{}", fine(*x), fine(*y)),
            (_, false) => write!(path, "L{} {}", fine(*x), fine(*y)),
        };
    }
    let (colour, dashed) = style(i);
    let name = escape(name);
    // A line that goes up and down all the time would fill the plot.
    let turns = points.windows(3).filter(|p| (p[1].1 - p[0].1) * (p[2].1 - p[1].1) < 0.0).count();
    let thin = if turns > TURNS_MAX { " thin" } else { "" };
    let _ = write!(
        out,
        "<path class=\"curve {colour}{dashed}{thin}\" data-name=\"{name}\" d=\"{path}\"/>"
    );
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
    let centres: String =
        points.iter().map(|(x, y)| format!("{} {} ", fine(*x), fine(*y))).collect();
    let _ = write!(
        out,
        "<path class=\"bars {}\" data-name=\"{}\" data-points=\"{}\" d=\"{path}\"/>",
        style(i).0,
        escape(name),
        centres.trim_end()
    );
}

/// The colour of series `i` and whether it is dashed.
fn style(i: usize) -> (String, &'static str) {
    (format!("s{}", i % COLOURS), if i < COLOURS { "" } else { " dashed" })
}
