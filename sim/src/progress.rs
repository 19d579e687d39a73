//! How far a long run is: a line on standard error for whoever waits. It decides nothing.
//!
//! On a terminal one line is written over and over, at most once a second; into a file or pipe a
//! line goes every ten seconds; when quiet, nothing.

use crate::plan::Span;
use std::io::{IsTerminal as _, Write};
use std::time::{Duration, Instant};

/// Time between two lines on a terminal.
const TERMINAL_EVERY: Duration = Duration::from_secs(1);

/// Time between two lines elsewhere.
const FILE_EVERY: Duration = Duration::from_secs(10);

/// Speed is that of the last this many lines, more or less. Guess: fast enough to notice a slow
/// phase, slow enough to be read.
const SPEED_OVER: f64 = 5.0;

/// Shows how far a run is.
pub struct Progress {
    out: Option<Box<dyn Write>>,
    terminal: bool,
    total_us: u64,
    began: Instant,
    /// When the last line was written, and the simulated time then.
    shown: (Duration, u64),
    /// Simulated over real time, lately; 0 before it is known.
    speed: f64,
}

impl Progress {
    /// Of a run of `total_us` simulated µs, on standard error unless `quiet`.
    #[must_use]
    pub fn new(total_us: u64, quiet: bool) -> Self {
        let out = std::io::stderr();
        let terminal = out.is_terminal();
        Self::on((!quiet).then(|| Box::new(out) as Box<dyn Write>), terminal, total_us)
    }

    fn on(out: Option<Box<dyn Write>>, terminal: bool, total_us: u64) -> Self {
        let shown = (Duration::ZERO, 0);
        Self { out, terminal, total_us, began: Instant::now(), shown, speed: 0.0 }
    }

    /// The run is at `now_us`, with `alive` nodes. Cheap: may be told some thousand times a second.
    pub fn at(&mut self, now_us: u64, alive: usize) {
        if self.out.is_some() {
            self.at_elapsed(now_us, alive, self.began.elapsed());
        }
    }

    /// The run is over. What it took stays to be read.
    pub fn finish(mut self, alive: usize) {
        self.finish_elapsed(alive, self.began.elapsed());
    }

    fn at_elapsed(&mut self, now_us: u64, alive: usize, elapsed: Duration) {
        let every = if self.terminal { TERMINAL_EVERY } else { FILE_EVERY };
        let (shown_at, shown_us) = self.shown;
        let real = elapsed.saturating_sub(shown_at);
        if real < every {
            return;
        }
        let speed = now_us.saturating_sub(shown_us) as f64 / micros(real);
        self.speed = match self.speed {
            0.0 => speed,
            before => before + (speed - before) / SPEED_OVER,
        };
        self.shown = (elapsed, now_us);
        let left = self.total_us.saturating_sub(now_us) as f64 / self.speed;
        let left = if left.is_finite() {
            format!("{} left", people(left as u64))
        } else {
            "standing still".to_owned()
        };
        let percent = now_us * 100 / self.total_us.max(1);
        let line = format!(
            "{} of {} ({percent} %), {:.1} × real time, {alive} nodes, {left}",
            people(now_us),
            Span(self.total_us),
            self.speed,
        );
        self.write(&line);
    }

    fn finish_elapsed(&mut self, alive: usize, elapsed: Duration) {
        let speed = self.total_us as f64 / micros(elapsed).max(1.0);
        let took = people(micros(elapsed) as u64);
        let total = Span(self.total_us);
        self.write(&format!("{total} in {took}, {speed:.1} × real time, {alive} nodes"));
        if self.terminal {
            self.put("\n");
        }
    }

    fn write(&mut self, line: &str) {
        if self.terminal {
            // Back to the first column; what is left of a longer line is erased.
            self.put(&format!("\r{line}\x1b[K"));
        } else {
            self.put(&format!("{line}\n"));
        }
    }

    /// A run goes on when nobody can be told how far it is.
    fn put(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A time for people, to the second: `12 min 3 s`.
fn people(us: u64) -> String {
    let seconds = us / 1_000_000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    const MINUTE: u64 = 60_000_000;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("one thread").extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written of ten minutes that run at four times real time, told each 100 ms.
    fn shown(terminal: bool) -> String {
        let screen = Screen::default();
        let mut progress = Progress::on(Some(Box::new(screen.clone())), terminal, 10 * MINUTE);
        for tick in 1..1_500 {
            progress.at_elapsed(tick * 400_000, 10_000, Duration::from_millis(tick * 100));
        }
        progress.finish_elapsed(9_999, Duration::from_secs(150));
        let bytes = screen.0.lock().expect("one thread").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_file_gets_a_line_every_ten_seconds() {
        let text = shown(false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 15, "{text}");
        assert_eq!(
            lines[2],
            "2 min 0 s of 10 min (20 %), 4.0 × real time, 10000 nodes, 2 min 0 s left"
        );
        assert_eq!(lines[14], "10 min in 2 min 30 s, 4.0 × real time, 9999 nodes");
        assert!(!text.contains('\r'));
    }

    #[test]
    fn a_terminal_gets_one_line_each_second() {
        let text = shown(true);
        assert_eq!(text.matches('\r').count(), 150, "{text}");
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with("9999 nodes\x1b[K\n"));
    }

    #[test]
    fn a_run_that_stands_still_has_no_end_in_sight() {
        let screen = Screen::default();
        let mut progress = Progress::on(Some(Box::new(screen.clone())), false, MINUTE);
        progress.at_elapsed(0, 1, Duration::from_secs(10));
        let bytes = screen.0.lock().expect("one thread").clone();
        assert!(String::from_utf8_lossy(&bytes).ends_with("standing still\n"));
    }
}
