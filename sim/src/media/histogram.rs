//! Many durations in little memory: counts in bins of equal width.

/// Counts of durations. The last bin holds all that is too long for the others.
#[derive(Clone, Debug)]
pub struct Histogram {
    bin_us: u64,
    bins: Vec<u64>,
    count: u64,
    sum_us: u64,
    max_us: u64,
}

impl Histogram {
    /// Bins of `bin_us` (not 0) up to `span_us`.
    #[must_use]
    pub fn new(bin_us: u64, span_us: u64) -> Self {
        assert!(bin_us > 0, "a bin has a width");
        let bins = vec![0; (span_us / bin_us + 1) as usize];
        Self { bin_us, bins, count: 0, sum_us: 0, max_us: 0 }
    }

    /// Counts one duration.
    #[inline]
    pub fn add(&mut self, us: u64) {
        let last = self.bins.len() - 1;
        self.bins[((us / self.bin_us) as usize).min(last)] += 1;
        self.count += 1;
        self.sum_us += us;
        self.max_us = self.max_us.max(us);
    }

    /// Width of a bin, µs.
    #[must_use]
    pub fn bin_us(&self) -> u64 {
        self.bin_us
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean in µs, exact; 0 if nothing was counted.
    #[must_use]
    pub fn mean_us(&self) -> u64 {
        self.sum_us.checked_div(self.count).unwrap_or(0)
    }

    /// The largest, exact; 0 if nothing was counted.
    #[must_use]
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The duration that `ppm` of a million do not exceed, to one bin (its upper edge, or the
    /// largest counted if that is less); 0 if nothing was counted.
    #[must_use]
    pub fn quantile_us(&self, ppm: u32) -> u64 {
        let rank = (u128::from(self.count) * u128::from(ppm)).div_ceil(1_000_000).max(1) as u64;
        let mut below = 0;
        for (bin, count) in self.bins[..self.bins.len() - 1].iter().enumerate() {
            below += count;
            if below >= rank {
                return ((bin as u64 + 1) * self.bin_us).min(self.max_us);
            }
        }
        self.max_us
    }

    /// The bins that are not empty, as (lower edge in µs, count), for plots.
    pub fn bins(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let bins = self.bins.iter().enumerate().filter(|(_, count)| **count > 0);
        bins.map(|(bin, count)| (bin as u64 * self.bin_us, *count))
    }

    /// What was counted since an `earlier` state of the same counts. Its maximum is known to a bin.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.bins.iter().zip(&earlier.bins);
        let bins: Vec<u64> = pairs.map(|(now, then)| now.saturating_sub(*then)).collect();
        let last = bins.iter().rposition(|count| *count > 0);
        let max_us = last.map_or(0, |bin| ((bin as u64 + 1) * self.bin_us).min(self.max_us));
        Self {
            bin_us: self.bin_us,
            count: bins.iter().sum(),
            sum_us: self.sum_us.saturating_sub(earlier.sum_us),
            max_us,
            bins,
        }
    }

    /// Forgets all, for example what was counted while the world warmed up.
    pub fn clear(&mut self) {
        self.bins.fill(0);
        (self.count, self.sum_us, self.max_us) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_one_bin() {
        let mut histogram = Histogram::new(250, 2_000_000);
        assert_eq!(histogram.quantile_us(500_000), 0);
        (1..=1000).for_each(|ms| histogram.add(ms * 1000));
        for (ppm, ms) in [(10_000, 10), (500_000, 500), (990_000, 990), (999_000, 999)] {
            let us = histogram.quantile_us(ppm);
            assert!(us.abs_diff(ms * 1000) <= 250, "{ppm} ppm is {us} µs");
        }
        assert_eq!(histogram.quantile_us(1_000_000), 1_000_000);
        assert_eq!((histogram.count(), histogram.mean_us()), (1000, 500_500));
    }

    #[test]
    fn what_came_since_is_counted_alone() {
        let mut histogram = Histogram::new(1000, 10_000);
        histogram.add(9_500);
        let earlier = histogram.clone();
        (0..4).for_each(|_| histogram.add(2_500));
        let since = histogram.since(&earlier);
        assert_eq!((since.count(), since.mean_us(), since.max_us()), (4, 2_500, 3_000));
        assert_eq!(since.quantile_us(990_000), 3_000);
        assert_eq!(earlier.since(&earlier).count(), 0);
    }

    #[test]
    fn what_is_too_long_for_the_bins_keeps_its_maximum() {
        let mut histogram = Histogram::new(1000, 10_000);
        histogram.add(5_000);
        histogram.add(77_777);
        assert_eq!(histogram.quantile_us(990_000), 77_777);
        assert_eq!(histogram.bins().collect::<Vec<_>>(), [(5_000, 1), (10_000, 1)]);
        histogram.clear();
        assert_eq!((histogram.count(), histogram.max_us()), (0, 0));
    }
}
