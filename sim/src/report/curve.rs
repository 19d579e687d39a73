//! From samples to the points of a plot: distributions, histograms, courses over time, shares.
//!
//! Samples need not be sorted; those that are not finite are left out. Every curve has at most
//! [`POINTS_MAX`] points and keeps its ends exactly, because the tail is what a bar is about.

use super::scale::round_step;

/// Points of a curve at most. Derived: more than one per pixel of a plot cannot be seen.
pub const POINTS_MAX: usize = 400;

/// The shares whose samples a thinned distribution always keeps.
const KEPT: [f64; 8] = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// The smallest sample that at least the share `q` (0–1) of all do not exceed; NaN of none.
#[must_use]
pub fn quantile(samples: &[f64], q: f64) -> f64 {
    let sorted = sorted(samples);
    if sorted.is_empty() { f64::NAN } else { sorted[rank(sorted.len(), q)] }
}

/// The distribution: at x, the percentage of samples that are at most x.
#[must_use]
pub fn cdf(samples: &[f64]) -> Vec<(f64, f64)> {
    let sorted = sorted(samples);
    let percent = 100.0 / sorted.len().max(1) as f64;
    thinned(sorted.len()).into_iter().map(|i| (sorted[i], (i + 1) as f64 * percent)).collect()
}

/// The tail: at x, the percentage of samples that are at least x. Show it on a log y axis.
#[must_use]
pub fn tail(samples: &[f64]) -> Vec<(f64, f64)> {
    let sorted = sorted(samples);
    let n = sorted.len();
    let percent = 100.0 / n.max(1) as f64;
    thinned(n).into_iter().map(|i| (sorted[i], (n - i) as f64 * percent)).collect()
}

/// The distribution of samples that were counted, as (value, how many) in the order of values.
#[must_use]
pub fn counted_cdf(counts: &[(f64, u64)]) -> Vec<(f64, f64)> {
    let total = counts.iter().map(|(_, count)| count).sum::<u64>().max(1) as f64;
    let mut sum = 0;
    let mut points = Vec::with_capacity(counts.len());
    for (value, count) in counts {
        sum += count;
        points.push((*value, sum as f64 / total * 100.0));
    }
    thinned(points.len()).into_iter().map(|i| points[i]).collect()
}

/// The tail of samples that were counted: at x, the percentage of them that are at least x.
#[must_use]
pub fn counted_tail(counts: &[(f64, u64)]) -> Vec<(f64, f64)> {
    let total = counts.iter().map(|(_, count)| count).sum::<u64>();
    let mut left = total;
    let mut points = Vec::with_capacity(counts.len());
    for (value, count) in counts {
        points.push((*value, left as f64 / total.max(1) as f64 * 100.0));
        left -= count;
    }
    thinned(points.len()).into_iter().map(|i| points[i]).collect()
}

/// Bars of equal, round width: (middle, samples in it). About `bars` of them, empty ones too.
/// Whole samples get bars around whole numbers.
#[must_use]
pub fn histogram(samples: &[f64], bars: usize) -> Vec<(f64, f64)> {
    let sorted = sorted(samples);
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let bars = bars.clamp(1, POINTS_MAX);
    let whole = sorted.iter().all(|sample| sample.fract() == 0.0);
    let wanted = (high - low) / bars as f64;
    let mut width = if wanted > 0.0 { round_step(wanted) } else { 1.0 };
    if whole {
        width = width.max(1.0).round();
    }
    // A bar of whole numbers starts half a unit below the first of them.
    let offset = if whole { 0.5 } else { 0.0 };
    let start = ((low + offset) / width).floor() * width - offset;
    let place = |sample: f64| ((sample - start) / width).max(0.0) as usize;
    let mut counts = vec![0u64; place(high).min(2 * POINTS_MAX) + 1];
    let last = counts.len() - 1;
    for &sample in &sorted {
        counts[place(sample).min(last)] += 1;
    }
    let middle = |i: usize| start + (i as f64 + 0.5) * width;
    counts.iter().enumerate().map(|(i, &count)| (middle(i), count as f64)).collect()
}

/// A course over time, `(time, value)`, thinned so that every spike stays: of each stretch of
/// time the lowest and the highest value are kept, and the first and last of all.
#[must_use]
pub fn course(samples: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
    let mut samples: Vec<_> = samples.iter().copied().filter(finite).collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    if samples.len() <= POINTS_MAX {
        return samples;
    }
    let stretches = POINTS_MAX / 2 - 1;
    let mut keep = vec![0, samples.len() - 1];
    for stretch in 0..stretches {
        let from = samples.len() * stretch / stretches;
        let to = samples.len() * (stretch + 1) / stretches;
        let value = |i: &usize| samples[*i].1;
        keep.extend((from..to).min_by(|a, b| value(a).total_cmp(&value(b))));
        keep.extend((from..to).max_by(|a, b| value(a).total_cmp(&value(b))));
    }
    keep.sort_unstable();
    keep.dedup();
    keep.into_iter().map(|i| samples[i]).collect()
}

/// The Lorenz curve of what each contributed, and its Gini coefficient: at x % of the nodes, the
/// least giving first, the percentage of all that they gave. 0 says all gave alike, near 1 that
/// one gave everything; NaN if nobody gave anything. Contributions below 0 count as 0.
#[must_use]
pub fn lorenz(contributions: &[f64]) -> (Vec<(f64, f64)>, f64) {
    let sorted: Vec<f64> = sorted(contributions).into_iter().map(|c| c.max(0.0)).collect();
    let (n, total) = (sorted.len(), sorted.iter().sum::<f64>());
    if total <= 0.0 {
        return (Vec::new(), f64::NAN);
    }
    let mut sum = 0.0;
    let mut weighted = 0.0;
    let mut shares = vec![(0.0, 0.0)];
    for (i, contribution) in sorted.iter().enumerate() {
        sum += contribution;
        weighted += (i + 1) as f64 * contribution;
        shares.push(((i + 1) as f64 / n as f64 * 100.0, sum / total * 100.0));
    }
    let gini = 2.0 * weighted / (n as f64 * total) - (n as f64 + 1.0) / n as f64;
    (thinned(shares.len()).into_iter().map(|i| shares[i]).collect(), gini)
}

/// The finite ones of `samples`, in order.
fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = samples.iter().copied().filter(|s| s.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The place of the quantile `q` among `n` sorted samples (nearest rank).
fn rank(n: usize, q: f64) -> usize {
    // 0.99 × 100 is 99.00000000000001 for some n: a hair must not move the rank.
    let place = (q * n as f64 - 1e-9).ceil();
    (place.max(1.0) as usize - 1).min(n - 1)
}

/// Which of `n` sorted samples to keep: all if few, else half of them evenly, the rest ever
/// denser towards both ends, and always the ends and the quantiles [`KEPT`].
fn thinned(n: usize) -> Vec<usize> {
    if n <= POINTS_MAX {
        return (0..n).collect();
    }
    let even = POINTS_MAX / 2;
    let dense = (POINTS_MAX - even - KEPT.len()) / 2;
    let mut keep: Vec<usize> = (0..even).map(|i| i * (n - 1) / (even - 1)).collect();
    for i in 0..dense {
        // 0 … n/10 in steps that grow by a constant factor.
        let step = (n as f64 / 10.0).powf(i as f64 / (dense - 1) as f64) as usize - 1;
        keep.extend([step, n - 1 - step]);
    }
    keep.extend(KEPT.map(|q| rank(n, q)));
    keep.sort_unstable();
    keep.dedup();
    keep
}
