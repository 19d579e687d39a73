//! Who notices when that a stripe is late: the core's rule ([`Pace`]), for all nodes at once.
//!
//! A real node has a timer for each stripe. Here all stripes are looked through once a tick, and
//! those that will be late before the next tick, unless something comes, are found with their exact
//! instant and looked at again then. A tick is shorter than the least patience, so the first shard
//! of a block that may be missed by the next tick has come by this one.

use super::arrivals::{Arrivals, LANES, NEVER, UNIT_US};
use super::lanes::{Window, first, set};
use super::tree::{NOBODY, Trees};
use banyan_protocol::forest::Pace;

/// Longest time between two looks, µs. Derived: below the least patience of [`Pace`], 40 ms.
pub(crate) const TICK_MAX_US: u64 = 1_000_000 / 30;
/// No stripe is late sooner after the first shard, µs. Basis: [`Pace`].
const PATIENCE_MIN_US: u64 = 40_000;
/// Nothing was told of the stripe's present silence.
const UNTOLD: u32 = u32::MAX;

/// What will be so unless something comes in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suspect {
    pub(crate) node: u32,
    /// `None`: all.
    pub(crate) stripe: Option<u8>,
    pub(crate) at_us: u64,
}

/// What all nodes know of the pace of their stripes. By stripe, then node.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    capacity: usize,
    /// Added to what the paces ask for, units of arrivals.
    slack: u16,
    paces: Vec<Pace>,
    /// The paces' patience in units of arrivals, with slack, clipped.
    patience: Vec<u16>,
    /// Blocks up to the newest there was when the stripe was last told late: the silence's name.
    told: Vec<u32>,
    /// Blocks before this one were made before the present parent was.
    calm: Vec<u32>,
    /// By node: not 0 if a newer block than the one looked at has come.
    newer: Vec<u16>,
}

/// One look: a time and how far it has to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) now_us: u64,
    pub(crate) until_us: u64,
    /// No stripe is late for the want of a block made so long ago.
    pub(crate) deadline_us: u64,
    /// Silence after which a node wonders, if slots reach that far back.
    pub(crate) silent_us: Option<u64>,
}

impl Watch {
    pub(crate) fn new(capacity: usize, stripes: usize, slack_us: u64) -> Self {
        let count = capacity * stripes;
        let slack = (slack_us / UNIT_US) as u16;
        Self {
            capacity,
            slack,
            paces: vec![Pace::default(); count],
            patience: vec![clip(Pace::default(), slack); count],
            told: vec![UNTOLD; count],
            calm: vec![0; count],
            newer: vec![0; capacity],
        }
    }

    fn at(&self, node: u32, stripe: u8) -> usize {
        usize::from(stripe) * self.capacity + node as usize
    }

    /// The stripe has a new parent, which will send what is made from `block` on: its pace is
    /// learned anew.
    pub(crate) fn renew(&mut self, node: u32, stripe: u8, block: u32) {
        let at = self.at(node, stripe);
        self.paces[at] = Pace::default();
        self.patience[at] = clip(Pace::default(), self.slack);
        (self.told[at], self.calm[at]) = (UNTOLD, block);
    }

    /// The stripe's pace at a node.
    pub(crate) fn pace(&self, node: u32, stripe: u8) -> Pace {
        self.paces[self.at(node, stripe)]
    }

    /// What the stripe had when it was told late, as `newest + 1`, 0 for nothing.
    pub(crate) fn told(&self, node: u32, stripe: u8) -> Option<u32> {
        Some(self.told[self.at(node, stripe)]).filter(|told| *told != UNTOLD)
    }

    /// Learns from the arrivals of a block between two times after its making.
    pub(crate) fn learn(&mut self, arrivals: &Arrivals, block: u32, from_us: u64, to_us: u64) {
        let (stripes, slack) = (self.paces.len() / self.capacity, self.slack);
        let rows: Vec<&[u16]> = (0..stripes).map(|stripe| arrivals.row(block, stripe)).collect();
        let from = (from_us / UNIT_US) as u16;
        let span = (to_us / UNIT_US) as u16 - from;
        for at in (0..self.capacity).step_by(LANES) {
            let first = first(&rows, at);
            for (stripe, row) in rows.iter().enumerate() {
                let cells = stripe * self.capacity + at..stripe * self.capacity + at + LANES;
                let paces = &mut self.paces[cells.clone()];
                let patience = &mut self.patience[cells.clone()];
                // What was sent for blocks before it took over says nothing of the present parent.
                let came = row[at..at + LANES].iter().zip(&first).zip(&self.calm[cells]);
                for ((pace, patience), ((came, first), calm)) in
                    paces.iter_mut().zip(patience).zip(came)
                {
                    if came.wrapping_sub(from) < span && block >= *calm {
                        pace.observe(u32::from(came - first) * UNIT_US as u32);
                        *patience = clip(*pace, slack);
                    }
                }
            }
        }
    }

    /// Looks through all stripes of all nodes: which will be late, or silent, until the next look?
    pub(crate) fn look(
        &mut self,
        arrivals: &Arrivals,
        trees: &Trees,
        look: Look,
        made_us: impl Fn(u32) -> u64 + Copy,
        suspects: &mut Vec<Suspect>,
    ) {
        let stripes = self.paces.len() / self.capacity;
        let silent = look.silent_us.map(|us| (us / UNIT_US) as u16);
        self.newer.fill(0);
        let mut rows: Vec<&[u16]> = Vec::with_capacity(stripes);
        for block in (arrivals.oldest()..arrivals.made()).rev() {
            let made = made_us(block);
            if made >= look.now_us {
                continue;
            }
            let window = Window::of(look.now_us - made, look.until_us - made);
            rows.clear();
            rows.extend((0..stripes).map(|stripe| arrivals.row(block, stripe)));
            let young = look.now_us - made <= look.deadline_us;
            let any_late = young && look.until_us - made > PATIENCE_MIN_US;
            for at in (0..self.capacity).step_by(LANES) {
                let first = first(&rows, at);
                if let Some(silent) = silent {
                    self.look_silent(trees, (&first, at), (silent, window, made), suspects);
                }
                if !any_late {
                    continue;
                }
                for (stripe, row) in rows.iter().enumerate() {
                    let cells = stripe * self.capacity + at;
                    let patience = &self.patience[cells..cells + LANES];
                    let mut hits = [0_u8; LANES];
                    let lanes = first.iter().zip(patience).zip(&row[at..at + LANES]);
                    for (hit, ((first, patience), came)) in hits.iter_mut().zip(lanes) {
                        let late_at = first.saturating_add(*patience);
                        *hit = u8::from(window.holds(late_at) & (*came > late_at));
                    }
                    for lane in set(&hits) {
                        let node = (at + lane) as u32;
                        let late_at = first[lane].saturating_add(self.patience[cells + lane]);
                        let at_us = made + u64::from(late_at) * UNIT_US;
                        if trees.parent(node, stripe as u8) != NOBODY {
                            let what = (node, stripe as u8, block);
                            self.suspect(arrivals, what, at_us, made_us, suspects);
                        }
                    }
                }
            }
        }
    }

    /// A stripe of which `block` will not be there at `at_us`: told, unless a newer one will be, or
    /// it was told before, or the block is older than the stripe's parent.
    fn suspect(
        &mut self,
        arrivals: &Arrivals,
        (node, stripe, block): (u32, u8, u32),
        at_us: u64,
        made_us: impl Fn(u32) -> u64,
        suspects: &mut Vec<Suspect>,
    ) {
        let index = self.at(node, stripe);
        let had = arrivals.newest(node, stripe, at_us, made_us).map_or(0, |newest| newest + 1);
        if block >= self.calm[index] && had <= block && self.told[index] != had {
            self.told[index] = had;
            suspects.push(Suspect { node, stripe: Some(stripe), at_us });
        }
    }

    /// Of some nodes: whose newest block came so long ago that they wonder?
    fn look_silent(
        &mut self,
        trees: &Trees,
        (first, at): (&[u16; LANES], usize),
        (silent, window, made_us): (u16, Window, u64),
        suspects: &mut Vec<Suspect>,
    ) {
        let newer = &mut self.newer[at..at + LANES];
        let mut hits = [0_u8; LANES];
        for (hit, (first, newer)) in hits.iter_mut().zip(first.iter().zip(newer)) {
            *hit = u8::from((*newer == 0) & window.holds(first.saturating_add(silent)));
            *newer |= u16::from(*first != NEVER);
        }
        for lane in set(&hits) {
            let node = (at + lane) as u32;
            if trees.has_parents(node) {
                let at_us = made_us + u64::from(first[lane].saturating_add(silent)) * UNIT_US;
                suspects.push(Suspect { node, stripe: None, at_us });
            }
        }
    }

    /// For a probe, whose blocks are too far apart to wait for two: who had something of the block
    /// before, but has nothing of `block` at its deadline?
    pub(crate) fn look_empty(
        &self,
        arrivals: &Arrivals,
        trees: &Trees,
        (block, now_us): (u32, u64),
        suspects: &mut Vec<Suspect>,
    ) {
        let stripes = 0..self.paces.len() / self.capacity;
        let Some(before) = block.checked_sub(1).filter(|before| arrivals.has_slot(*before)) else {
            return;
        };
        let rows: Vec<&[u16]> = stripes.clone().map(|s| arrivals.row(block, s)).collect();
        let rows_before: Vec<&[u16]> = stripes.map(|s| arrivals.row(before, s)).collect();
        for at in (0..self.capacity).step_by(LANES) {
            let (now, before) = (first(&rows, at), first(&rows_before, at));
            for lane in 0..LANES {
                let node = (at + lane) as u32;
                if now[lane] == NEVER && before[lane] != NEVER && trees.has_parents(node) {
                    suspects.push(Suspect { node, stripe: None, at_us: now_us });
                }
            }
        }
    }

    /// An arrival that was written down ahead will not be: is the stripe late before the next
    /// look because of that?
    pub(crate) fn look_again(
        &mut self,
        arrivals: &Arrivals,
        (node, stripe, block): (u32, u8, u32),
        look: Look,
        made_us: impl Fn(u32) -> u64,
        suspects: &mut Vec<Suspect>,
    ) {
        let stripes = (self.paces.len() / self.capacity) as u8;
        let came = (0..stripes).filter_map(|sibling| arrivals.came(node, sibling, block));
        let Some(first) = came.min() else { return };
        let late_after = first.saturating_add(self.patience[self.at(node, stripe)]);
        let at_us = made_us(block) + u64::from(late_after) * UNIT_US;
        if (look.now_us..=look.until_us).contains(&at_us) {
            self.suspect(arrivals, (node, stripe, block), at_us, made_us, suspects);
        }
    }
}

fn clip(pace: Pace, slack: u16) -> u16 {
    let patience = (u64::from(pace.patience_us()) / UNIT_US).min(u64::from(NEVER)) as u16;
    patience.saturating_add(slack)
}
