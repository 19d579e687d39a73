//! How much to believe of what another node says it can give.
//!
//! What it gave is believed by what its children say they got from it, less the quarter of subnets
//! that say the most, times four thirds:
//!
//! ```text
//! believed = 4/3 · (sum over the subnets that report, without the ⌈n/4⌉ largest)
//! ```
//!
//! Where children get alike, that is the truth. **A liar gains at most a third**: say it can give C
//! bit/s, and at most a quarter of the n reporting subnets lie for it. What is left after the ⌈n/4⌉
//! largest are taken out are at most as many values as there are honest subnets, and the smallest of
//! all; so their sum is at most the sum of the honest, which is at most C, as honest children got
//! no more. Four thirds of C is the same bound as FlashFlow's 1/(1 − r) at r = 1/4 (arXiv
//! 2004.09583), and for the same reason.
//!
//! Before there is evidence, a claim counts a quarter, and never more than the caller allows to
//! anybody unknown: this part does not grow with the lie. It is gone once most children report
//! that they get too little.

use super::Subnet;
use crate::identity::NodeId;
use crate::time::Timestamp;
use crate::unit::Bitrate;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a report counts. Derived: three of the 10 s for which a receipt is written.
const REMEMBER: Duration = Duration::from_secs(30);
/// Most reporters remembered of one node. Guess: more say nothing new.
const REPORTERS_MAX: usize = 64;
/// One subnet in so many is taken for a liar's. Derived: above.
const LIARS: usize = 4;
/// A claim without evidence counts one part in so many. Spec: `forest.md` 5.4.
const UNPROVEN: u64 = 4;

/// What a child of a node got from it in a stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Who says so.
    pub reporter: NodeId,
    /// Where it is.
    pub subnet: Subnet,
    /// Bytes that came and were good.
    pub bytes: u64,
    /// Bytes that should have come.
    pub expected: u64,
    /// Length of the stretch; at least a second.
    pub time: Duration,
}

/// What is believed of one node's claim.
#[derive(Clone, Debug)]
pub struct Claim {
    claimed: Bitrate,
    reports: BTreeMap<NodeId, (Timestamp, Report)>,
}

impl Claim {
    /// A node says it can give `claimed`.
    #[must_use]
    pub const fn new(claimed: Bitrate) -> Self {
        Self { claimed, reports: BTreeMap::new() }
    }

    /// It says something else now. What is known of it stays.
    pub const fn restate(&mut self, claimed: Bitrate) {
        self.claimed = claimed;
    }

    /// Takes in a child's report. The caller has checked the signature and that the reporter is a
    /// child; the latest report of each counts.
    pub fn report(&mut self, now: Timestamp, report: Report) {
        self.reports.retain(|_, (at, _)| now.since(*at) <= REMEMBER);
        if report.time < Duration::from_secs(1) {
            return;
        }
        if self.reports.len() >= REPORTERS_MAX && !self.reports.contains_key(&report.reporter) {
            let oldest = self.reports.iter().min_by_key(|(_, (at, _))| *at).map(|(who, _)| *who);
            oldest.and_then(|who| self.reports.remove(&who));
        }
        self.reports.insert(report.reporter, (now, report));
    }

    /// What to count on, never more than it claims. `unknown_max` is what a node may count for of
    /// which nothing is known.
    #[must_use]
    pub fn believed(&self, now: Timestamp, unknown_max: Bitrate) -> Bitrate {
        let mut subnets: BTreeMap<Subnet, Sum> = BTreeMap::new();
        for (at, report) in self.reports.values() {
            if now.since(*at) <= REMEMBER {
                subnets.entry(report.subnet).or_default().add(report);
            }
        }
        let short = subnets.values().filter(|sum| sum.is_short()).count();
        let unproven = if short * 2 > subnets.len() {
            0
        } else {
            (self.claimed.bps() / UNPROVEN).min(unknown_max.bps())
        };
        let mut rates: Vec<u64> = subnets.values().map(|sum| sum.bps).collect();
        rates.sort_unstable();
        let kept = rates.len() - rates.len().div_ceil(LIARS);
        let sum: u128 = rates[..kept].iter().map(|bps| u128::from(*bps)).sum();
        let proven = u64::try_from(sum * LIARS as u128 / (LIARS as u128 - 1)).unwrap_or(u64::MAX);
        Bitrate::from_bps(proven.max(unproven).min(self.claimed.bps()))
    }
}

/// The reports of one subnet.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    bps: u64,
    bytes: u64,
    expected: u64,
}

impl Sum {
    fn add(&mut self, report: &Report) {
        let bps = u128::from(report.bytes) * 8_000 / report.time.as_millis().max(1);
        self.bps = self.bps.saturating_add(u64::try_from(bps).unwrap_or(u64::MAX));
        self.bytes = self.bytes.saturating_add(report.bytes);
        self.expected = self.expected.saturating_add(report.expected);
    }

    /// Whether less than three quarters of what should have come did.
    const fn is_short(&self) -> bool {
        self.bytes < self.expected / 4 * 3
    }
}

#[cfg(test)]
mod tests;
