//! What must hold in every forest at all times. A world in which it does not is stopped at once.
//!
//! Nodes learn of each other by messages, so some things may be wrong for as long as a message, a
//! repair or a link's timeout takes: those count only when they last ([`Grace`]). The others count
//! at once.

mod grace;
mod loops;
mod rules;

use super::{Crowd, Event};
use crate::media::Figures;
use grace::Grace;
use std::collections::BTreeMap;
use std::fmt;

/// Between two looks, µs.
pub(super) const CHECK_US: u64 = 100_000;
/// In worlds of more nodes only every tenth look goes through all of them. Guess: a look takes
/// about 0.1 µs for each stripe of each node.
const SMALL: usize = 2_000;
/// In worlds of more nodes only every fiftieth look does.
const LARGE: usize = 200_000;
/// What is wrong in so many looks in a row has lasted; in fewer, it may have been mended and have gone
/// wrong again in between. Guess: a pair of nodes does not do so twice.
const LOOKS_MIN: u32 = 3;
/// What may be wrong for a while is looked for in every tenth look at most, as that takes longer.
/// Derived: a second, half of what is allowed.
const SELDOM: u64 = 10;
/// A loop may last so long, µs. Derived: paths are told at once when they change; a second per
/// second at the latest, and once more for what was under way.
const LOOP_US: u64 = 2_000_000;
/// Two nodes may disagree on being parent and child for so long, µs. Derived: a dead link is noticed
/// after 5 s; twice that.
const DISAGREE_US: u64 = 10_000_000;
/// Children outside the home stripe that a node took while its session was small to it are not held
/// against it; a newcomer knows few others for so long, µs.
const NEWCOMER_US: u64 = 10_000_000;

/// A rule that a world broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong, and with whom.
    pub what: String,
    /// When it was seen, µs.
    pub at_us: u64,
    /// The command that shows it again.
    pub again: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, us) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        writeln!(f, "a rule of the forest is broken: {}", self.what)?;
        write!(f, "seen after {s}.{us:06} s; run again: {}", self.again)
    }
}

impl std::error::Error for Violation {}

/// What the looks so far have left.
#[derive(Default)]
pub(super) struct Checks {
    looks: u64,
    /// Stripe and lowest node of loops.
    loops: Grace<(u8, u32)>,
    /// Stripe, parent and child, of which only one (true: the parent) says so.
    pairs: Grace<(u8, u32, u32, bool)>,
    /// Node and life of those that feed too many stripes, and the stripes they may feed.
    excused: BTreeMap<(u32, u8), u32>,
    /// Copies that were under way when the figures were last cleared.
    cleared_under_way: i128,
    /// The rule that was broken, if one was.
    pub(super) violation: Option<Violation>,
}

impl Checks {
    /// The media plane's figures are cleared after this.
    pub(super) fn clear(&mut self, figures: &Figures) {
        self.cleared_under_way += under_way(figures);
    }
}

/// Copies sent less those at their end.
fn under_way(figures: &Figures) -> i128 {
    let Figures { sent, arrived, duplicates, void, forged_received, .. } = *figures;
    let ended = [arrived, duplicates, void, forged_received];
    i128::from(sent) - ended.into_iter().map(i128::from).sum::<i128>()
}

impl Crowd {
    /// Looks whether all rules hold; the world stops if one does not.
    pub(super) fn check(&mut self) {
        self.checks.looks += 1;
        let every = match self.living.len() {
            nodes if nodes <= SMALL => 1,
            nodes if nodes <= LARGE => 10,
            _ => 50,
        };
        if self.checks.looks.is_multiple_of(every) {
            let mut checks = std::mem::take(&mut self.checks);
            if let Err(what) = self.hold(&mut checks) {
                let again = self.plan.report().command();
                checks.violation = Some(Violation { what, at_us: self.now_us, again });
            }
            self.checks = checks;
        }
        self.wheel.push(self.now_us + CHECK_US, Event::Check);
    }

    /// All rules in turn.
    fn hold(&self, checks: &mut Checks) -> Result<(), String> {
        self.bounds_hold()?;
        self.homes_hold(&mut checks.excused)?;
        if checks.looks.is_multiple_of(SELDOM) {
            self.no_loop_lasts(&mut checks.loops)?;
            self.pairs_agree(&mut checks.pairs)?;
        }
        self.copies_balance(checks.cleared_under_way)
    }

    /// All that live, the root too if it does.
    fn everybody(&self) -> impl Iterator<Item = u32> + '_ {
        let root = Some(self.root).filter(|root| self.hosts[*root as usize].alive);
        let living = self.living.iter().copied().filter(|node| *node != self.root);
        root.into_iter().chain(living)
    }

    /// A node for people: its number, and what is known of it.
    fn name(&self, node: u32) -> String {
        let setup = self.hosts[node as usize].forest.setup();
        format!("node {node} ({:?}, home {}, {} slots)", setup.role, setup.home, setup.slots)
    }
}

#[cfg(test)]
mod tests;
