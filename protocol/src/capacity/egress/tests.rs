use super::*;

const FRAME: Duration = Duration::from_micros(33_333);

/// A line with a queue before it, and what measures it, in steps of a frame time.
pub(in crate::capacity) struct Line {
    pub(in crate::capacity) now: Timestamp,
    pub(in crate::capacity) egress: Egress,
    /// What the line carries.
    pub(in crate::capacity) bps: u64,
    queued: u64,
    frames: u64,
}

impl Line {
    pub(in crate::capacity) fn new(bps: u64, limit: u64) -> Self {
        let now = Timestamp::ZERO;
        let egress = Egress::new(now, Bitrate::from_bps(limit), FRAME);
        Self { now, egress, bps, queued: 0, frames: 0 }
    }

    /// One frame time in which `offered` bit/s are sent; a frame in thirty is `burst` times the
    /// mean of the others.
    pub(in crate::capacity) fn step(&mut self, offered: u64, burst: u64) {
        let mean = offered * 33_333 / 8_000_000 * 30 / (29 + burst);
        self.queued += if self.frames.is_multiple_of(30) { mean * burst } else { mean };
        self.frames += 1;
        self.now = self.now + FRAME;
        let sent = self.queued.min(self.bps * 33_333 / 8_000_000);
        self.queued -= sent;
        let queue = Duration::from_micros(self.queued * 8_000_000 / self.bps);
        self.egress.sample(self.now, sent, queue);
    }

    fn run(&mut self, offered: u64, seconds: u64) {
        (0..30 * seconds).for_each(|_| self.step(offered, 2));
    }

    fn uplink(&self) -> u64 {
        self.egress.uplink().bps()
    }
}

#[test]
fn a_claim_above_the_line_is_measured_down_to_it() {
    let mut line = Line::new(10_000_000, 25_000_000);
    assert_eq!(line.uplink(), 25_000_000, "the owner's word, until shown otherwise");
    let steps = (0..60).take_while(|_| {
        line.step(12_000_000, 2);
        !line.egress.is_saturated(line.now)
    });
    let until_full = steps.count() as u64 * 33;
    assert!(until_full < 1_000, "{until_full} ms until a line at 120 % is seen to be full");
    line.run(12_000_000, 3);
    assert!((9_500_000..=10_500_000).contains(&line.uplink()), "{}", line.uplink());
}

#[test]
fn keyframes_are_not_a_full_line() {
    for burst in [1, 2, 3] {
        let mut line = Line::new(10_000_000, 10_000_000);
        for _ in 0..900 {
            line.step(8_000_000, burst);
            assert!(!line.egress.is_saturated(line.now), "keyframes of {burst} means");
        }
        let measured = line.egress.measured(line.now).expect("half a minute").bps();
        assert!((7_500_000..=8_500_000).contains(&measured), "{measured}");
    }
}

#[test]
fn measured_is_what_was_carried_and_never_above_the_limit() {
    let mut line = Line::new(50_000_000, 6_000_000);
    assert_eq!(line.egress.measured(line.now), None);
    line.run(4_000_000, 30);
    let measured = |line: &Line| line.egress.measured(line.now).map_or(0, Bitrate::bps);
    assert!((3_700_000..=4_300_000).contains(&measured(&line)), "{}", measured(&line));
    line.run(500_000, 20);
    assert!(measured(&line) > 3_700_000, "less to send is no smaller line: {}", measured(&line));
    line.run(500_000, 60);
    assert!(measured(&line) < 600_000, "what was is forgotten after a minute");
    line.run(9_000_000, 60);
    assert_eq!(measured(&line), 6_000_000);
    assert_eq!(line.uplink(), 6_000_000);
}

#[test]
fn when_somebody_elses_upload_ends_the_line_is_found_again() {
    let mut line = Line::new(10_000_000, 10_000_000);
    line.run(7_000_000, 10);
    line.bps = 4_000_000;
    for _ in 0..900 {
        line.step(line.uplink() * 4 / 5, 2);
    }
    assert!((3_000_000..=4_600_000).contains(&line.uplink()), "{}", line.uplink());
    line.bps = 10_000_000;
    let found = (0..20_000).position(|_| {
        line.step(line.uplink() * 4 / 5, 2);
        line.uplink() >= 9_500_000
    });
    let seconds = found.expect("it is found") / 30;
    println!("found again after {seconds} s");
    assert!(seconds < 180, "{seconds} s");
}

#[test]
fn a_ceiling_that_stays_is_tried_ever_less_often() {
    let mut line = Line::new(10_000_000, 100_000_000);
    let mut full = Vec::new();
    let mut before = false;
    for frame in 0..30 * 3600 {
        // Four fifths of what it is thought to carry, as the budget does.
        line.step(line.uplink() * 4 / 5, 2);
        if line.egress.is_saturated(line.now) && !before {
            full.push(frame / 30);
        }
        before = line.egress.is_saturated(line.now);
    }
    println!("full at {full:?} s");
    assert!(full.len() <= 14, "{} times in an hour: {full:?}", full.len());
    assert!((8_500_000..=12_600_000).contains(&line.uplink()), "{}", line.uplink());
}

#[test]
fn silence_is_neither_a_full_line_nor_a_slow_one() {
    let mut line = Line::new(10_000_000, 10_000_000);
    line.run(9_000_000, 20);
    line.run(15_000_000, 3);
    assert!(line.egress.is_saturated(line.now));
    line.now = line.now + Duration::from_secs(1);
    assert!(!line.egress.is_saturated(line.now));
    let before = line.uplink();
    line.now = line.now + Duration::from_secs(20);
    line.queued = 0;
    line.run(8_000_000, 10);
    assert!(line.uplink() >= before, "{} after {before}", line.uplink());
    let measured = line.egress.measured(line.now).expect("a minute");
    assert!(measured.bps() > 7_500_000, "{measured}");
}
