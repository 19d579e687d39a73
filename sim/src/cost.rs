//! What a run takes of the machine it runs on. The world knows nothing of it, and the same seed
//! may take more or less another time.

use banyan_sim::report::Figure;
use std::time::Duration;

/// Kibibytes in a megabyte, as a share: 1024 / 10^6.
const MB_PER_KIB: f64 = 0.001_024;

/// The figures of a run that took this long: seconds, and the most memory that the program ever
/// had, where the system says so (`/proc`).
pub(crate) fn figures(took: Duration) -> Vec<Figure> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = peak_rss_kib(&status).map(|kib| kib as f64 * MB_PER_KIB);
    let real = Figure::count("real_s", took.as_secs_f64());
    [real].into_iter().chain(memory.map(|mb| Figure::count("peak_rss_mb", mb))).collect()
}

fn peak_rss_kib(status: &str) -> Option<u64> {
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_it_is_told() {
        let status = "Name:\tbanyan-sim\nVmPeak:\t  999 kB\nVmHWM:\t  123456 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak_rss_kib(status), Some(123_456));
        assert_eq!(peak_rss_kib("Name:\tbanyan-sim\nVmHWM:\tmuch\n"), None);
        assert_eq!(peak_rss_kib(""), None);
        assert!(figures(Duration::from_millis(1_500)).iter().any(|f| f.name == "real_s"));
    }
}
