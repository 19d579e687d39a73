//! The shards of one block on their way to becoming it.
//!
//! An assembly opens with a shard whose signature was checked, so what it believes about the block
//! (code, length, group) is the publisher's word; a forger can add a shard that fails later, but
//! cannot make honest shards look wrong. The rest are checked together once there are k.

use super::rebuild::{Inconsistency, Outcome, Outcomes, Push, Violation};
use super::{Checker, Shard, ShardHeader};

/// A shard and where it came from.
struct Held<S> {
    shard: Shard,
    source: S,
    checked: bool,
}

/// Shards of one block, at most one per stripe.
pub(super) struct Assembly<S> {
    /// What the first shard says about the block; its stripe means nothing here.
    header: ShardHeader,
    held: Vec<Held<S>>,
}

impl<S: Copy> Assembly<S> {
    /// Starts with a shard that was checked.
    pub(super) fn open(source: S, shard: Shard) -> Self {
        let header = *shard.header();
        let mut held = Vec::with_capacity(usize::from(header.code.n()));
        held.push(Held { shard, source, checked: true });
        Self { header, held }
    }

    pub(super) const fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// Whether there is a shard of `stripe`.
    pub(super) fn has(&self, stripe: u8) -> bool {
        self.held.iter().any(|held| held.shard.stripe() == stripe)
    }

    /// How many shards are missing for a rebuild.
    pub(super) fn needed(&self) -> u8 {
        self.header.code.k().saturating_sub(self.held.len() as u8)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.held.iter().map(|held| held.shard.encoded().len()).sum()
    }

    /// Takes one more shard of this block. On a contradiction signatures decide: a shard that fails
    /// is its source's fault, two that pass are the publisher's.
    pub(super) fn add(
        &mut self,
        checker: &Checker,
        source: S,
        shard: Shard,
        checked: bool,
        outcomes: &mut Outcomes<S>,
    ) -> Push {
        if !self.header.same_block(shard.header()) {
            return self.contradiction(checker, source, &shard, checked, outcomes);
        }
        if let Some(at) = self.held.iter().position(|held| held.shard.stripe() == shard.stripe()) {
            let held = &mut self.held[at];
            if held.shard.encoded() == shard.encoded() {
                held.checked |= checked;
                return Push::Duplicate;
            }
            if !held.checked && checker.check(&held.shard).is_err() {
                outcomes.bad(held.source, &held.shard);
                self.held.swap_remove(at);
            } else {
                held.checked = true;
                return self.contradiction(checker, source, &shard, checked, outcomes);
            }
        }
        self.held.push(Held { shard, source, checked });
        Push::Kept
    }

    /// Judges a shard that contradicts a checked one.
    fn contradiction(
        &self,
        checker: &Checker,
        source: S,
        shard: &Shard,
        checked: bool,
        outcomes: &mut Outcomes<S>,
    ) -> Push {
        if !checked && checker.check(shard).is_err() {
            outcomes.bad(source, shard);
            return Push::Bad;
        }
        outcomes.push(Outcome::Violated {
            block: self.header.block,
            violation: Violation::Equivocation,
        });
        Push::Inconsistent(Inconsistency::Equivocation)
    }

    /// Checks what is not checked yet, all at once, and drops and reports what fails.
    pub(super) fn check(&mut self, checker: &Checker, outcomes: &mut Outcomes<S>) {
        let open: Vec<usize> = (0..self.held.len()).filter(|at| !self.held[*at].checked).collect();
        let shards: Vec<&Shard> = open.iter().map(|at| &self.held[*at].shard).collect();
        let bad = checker.check_batch(&shards).err().unwrap_or_default();
        for held in &mut self.held {
            held.checked = true;
        }
        for at in &bad {
            let held = &self.held[open[*at]];
            outcomes.bad(held.source, &held.shard);
        }
        // From the back, so that removing one moves none that is still to be removed.
        for at in bad.iter().rev() {
            self.held.remove(open[*at]);
        }
    }

    /// The encoded block and how many parity shards it took, if enough checked shards are here.
    /// Call after [`Assembly::check`].
    pub(super) fn rebuild(&self) -> Option<(Vec<u8>, u8)> {
        let code = self.header.code;
        if self.needed() > 0 {
            return None;
        }
        let pieces: Vec<(u8, &[u8])> = self
            .held
            .iter()
            .filter(|held| held.checked)
            .map(|held| (held.shard.stripe(), held.shard.payload()))
            .collect();
        let block = code.rebuild(self.header.block_len as usize, &pieces)?;
        let data = pieces.iter().filter(|(stripe, _)| *stripe < code.k()).count();
        Some((block, code.k() - data as u8))
    }
}
