//! From values to pixels, with ticks at round numbers.

use super::number;

/// The next round number from `step` up: 1, 2 or 5 times a power of ten.
pub(super) fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let times = step / power;
    // 5.000000001 of a division is a 5.
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| times <= round * (1.0 + 1e-9));
    round.unwrap_or(10.0) * power
}

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Where.
    pub(super) at: f64,
    /// Its label; empty for a small tick.
    pub(super) label: String,
}

/// Maps values `low..=high` to pixels `from..=to`.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    log: bool,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale for all of `values`. Linear ones begin at 0 unless that wastes most of the room.
    /// `rounded` ends the scale on a tick. Without a usable value it runs from 0 to 1.
    pub(super) fn new(
        values: impl Iterator<Item = f64>,
        log: bool,
        rounded: Option<usize>,
        (from, to): (f64, f64),
    ) -> Self {
        let usable = values.filter(|v| v.is_finite() && (!log || *v > 0.0));
        let range = usable.fold(None, |range: Option<(f64, f64)>, v| {
            Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
        });
        let (mut low, mut high) = range.unwrap_or((if log { 0.1 } else { 0.0 }, 1.0));
        if log {
            if rounded.is_some() || low == high {
                low = 10f64.powf((low.log10() + 1e-9).floor());
                high = 10f64.powf((high.log10() - 1e-9).ceil());
            }
            if low >= high {
                high = low * 10.0;
            }
        } else {
            if low > 0.0 && low < 0.8 * high {
                low = 0.0;
            }
            if low == high {
                (low, high) = if low > 0.0 { (0.0, high) } else { (low, low + 1.0) };
            }
            if let Some(ticks) = rounded {
                let step = round_step((high - low) / ticks.max(1) as f64);
                low = (low / step + 1e-9).floor() * step;
                high = (high / step - 1e-9).ceil() * step;
            }
        }
        Self { log, low, high, from, to }
    }

    /// The pixel of `value`, or `None` if the scale has no place for it.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let share = if self.log {
            (value > 0.0).then(|| (value / self.low).ln() / (self.high / self.low).ln())
        } else {
            Some((value - self.low) / (self.high - self.low))
        };
        share.filter(|s| s.is_finite()).map(|share| self.from + share * (self.to - self.from))
    }

    /// The lowest value.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// The highest value.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Whether it is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// Ticks at round numbers, about `count` of them with a label.
    pub(super) fn ticks(&self, count: usize) -> Vec<Tick> {
        if self.log { self.log_ticks(count) } else { self.linear_ticks(count) }
    }

    fn linear_ticks(&self, count: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / count.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil();
        let ticks = (0..=4 * count).map(|i| (first + i as f64) * step);
        let ticks = ticks.take_while(|at| *at <= self.high + step * 1e-9);
        ticks.map(|at| Tick { at, label: label(at, step) }).collect()
    }

    fn log_ticks(&self, count: usize) -> Vec<Tick> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = (self.high / self.low).log10();
        let every = (decades / count.max(1) as f64).ceil().max(1.0) as i32;
        let labelled: &[i32] = match decades {
            d if d <= 1.2 => &[1, 2, 3, 5, 7],
            d if d <= 2.2 => &[1, 2, 5],
            d if d <= 3.2 => &[1, 3],
            _ => &[1],
        };
        let mut ticks = Vec::new();
        for decade in first..=last {
            for times in 1..10 {
                let at = f64::from(times) * 10f64.powi(decade);
                let named = labelled.contains(&times) && (decade - first) % every == 0;
                if at < self.low * (1.0 - 1e-9) || at > self.high * (1.0 + 1e-9) {
                    continue;
                }
                if named {
                    ticks.push(Tick { at, label: label(at, at) });
                } else if every == 1 || times == 1 {
                    ticks.push(Tick { at, label: String::new() });
                }
            }
        }
        ticks
    }
}

/// The label of a tick at `at` where neighbours are `step` away: 0.25, 130, 20k, 1M. As many
/// decimals as the step has, so that no two labels are alike.
fn label(at: f64, step: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let worth = |(unit, _): &(f64, &str)| {
        at.abs() >= *unit && step >= unit / 100.0 && (at.abs() >= 1e4 || step >= 1e3)
    };
    let (unit, suffix) = units.into_iter().find(worth).unwrap_or((1.0, ""));
    // A hair below a power of ten is one.
    let decimals = (1e-9 - (step / unit).log10()).ceil().clamp(0.0, 12.0) as usize;
    number::trimmed(format!("{:.decimals$}", at / unit)) + suffix
}
