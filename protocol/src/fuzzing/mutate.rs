//! Seeded mutations of known inputs: flips, cuts, splices, and numbers at their edges.

use crate::rng::Rng;

/// Longest input made. Guess: above every bound but that of a block, which is reached by seeds.
const BYTES_MAX: usize = 4096;

/// Numbers at which lengths and counts go wrong.
const EDGES: [u64; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// Makes inputs from others. The same name gives the same sequence.
pub struct Mutator(Rng);

impl Mutator {
    /// A mutator for the target called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Rng::new(&[0xf2; 32], name))
    }

    /// One of `inputs`, changed a little or a lot. Unchanged at times.
    #[must_use]
    pub fn next(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(inputs).cloned().unwrap_or_default();
        for _ in 0..self.0.below(5) {
            self.change(&mut input, inputs);
        }
        input.truncate(BYTES_MAX.max(input.len() / 2));
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.at(input.len());
        match self.0.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.0.below(8),
            1 if at < input.len() => input[at] = self.0.next_u64() as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(..at)),
            4 => {
                let fresh: Vec<u8> =
                    (0..=self.0.below(16)).map(|_| self.0.next_u64() as u8).collect();
                input.splice(at..at, fresh);
            }
            5 => {
                let edge = EDGES[self.at(EDGES.len() - 1)].to_be_bytes();
                let width = 1 << self.0.below(4);
                let end = input.len().min(at + width);
                input.splice(at..end, edge[8 - width..].iter().copied());
            }
            6 => {
                let other = self.pick(inputs).cloned().unwrap_or_default();
                input.truncate(at);
                input.extend_from_slice(&other[self.at(other.len())..]);
            }
            _ => {
                let from = self.at(at);
                let again = input[from..at].to_vec();
                input.splice(at..at, again);
            }
        }
    }

    /// A position from 0 to `len`, both included.
    fn at(&mut self, len: usize) -> usize {
        self.0.below(len as u64 + 1) as usize
    }

    fn pick<'a>(&mut self, inputs: &'a [Vec<u8>]) -> Option<&'a Vec<u8>> {
        let count = inputs.len() as u64;
        if count == 0 { None } else { inputs.get(self.0.below(count) as usize) }
    }
}
