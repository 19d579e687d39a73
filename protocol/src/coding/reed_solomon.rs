//! The systematic k+m code: any k of a block's k+m pieces give the block back.
//!
//! Pieces 0..k are the block itself, cut; pieces k..k+m are parity. The parity rows are a Cauchy
//! matrix with its columns scaled so that the first row is all ones: scaling keeps every square
//! part of the matrix invertible, and the first parity piece is the plain XOR of the data.

use super::gf256::{INPUTS_MAX, combine, inverse, mul};
use crate::limits::{K_MAX, M_MAX};

#[cfg(test)]
mod tests;

const _: () = assert!(K_MAX as usize <= INPUTS_MAX);

/// Numbers of pieces that no code has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {k}+{m} code: k must be 1 to {K_MAX}, m 0 to {M_MAX}")]
pub struct BadCode {
    /// Data pieces asked for.
    pub k: u8,
    /// Parity pieces asked for.
    pub m: u8,
}

/// A k+m code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    k: u8,
    m: u8,
}

impl Code {
    /// The code with `k` data and `m` parity pieces.
    ///
    /// # Errors
    /// If `k` is not 1 to [`K_MAX`] or `m` not 0 to [`M_MAX`].
    pub const fn new(k: u8, m: u8) -> Result<Self, BadCode> {
        if k == 0 || k > K_MAX || m > M_MAX {
            return Err(BadCode { k, m });
        }
        Ok(Self { k, m })
    }

    /// Data pieces.
    #[must_use]
    pub const fn k(self) -> u8 {
        self.k
    }

    /// Parity pieces.
    #[must_use]
    pub const fn m(self) -> u8 {
        self.m
    }

    /// All pieces.
    #[must_use]
    pub const fn n(self) -> u8 {
        self.k + self.m
    }

    /// Length of each piece of a block of `block_len` bytes.
    #[must_use]
    pub const fn piece_len(self, block_len: usize) -> usize {
        block_len.div_ceil(self.k as usize)
    }

    /// Writes piece `index` of `block` to `out`, zeros after the block's end included.
    ///
    /// # Panics
    /// If there is no such piece or `out` is not [`Code::piece_len`] long.
    pub fn piece(self, block: &[u8], index: u8, out: &mut [u8]) {
        let len = self.piece_len(block.len());
        assert!(index < self.n() && out.len() == len, "piece {index}, {} bytes", out.len());
        if index < self.k {
            let data = cut(block, len, index);
            out[..data.len()].copy_from_slice(data);
            out[data.len()..].fill(0);
            return;
        }
        let mut inputs = [&[][..]; INPUTS_MAX];
        let mut coefficients = [0; INPUTS_MAX];
        for i in 0..self.k {
            inputs[usize::from(i)] = cut(block, len, i);
            coefficients[usize::from(i)] = coefficient(index - self.k, i);
        }
        let k = usize::from(self.k);
        combine(&coefficients[..k], &inputs[..k], out);
    }

    /// Gives the block of `block_len` bytes back from `pieces`, each with its index. Data pieces
    /// are preferred to parity; pieces beyond the k-th, repeated ones, ones of the wrong length and
    /// ones with an index that the code lacks are passed over. `None` if fewer than k are left.
    #[must_use]
    pub fn rebuild(self, block_len: usize, pieces: &[(u8, &[u8])]) -> Option<Vec<u8>> {
        let len = self.piece_len(block_len);
        let k = usize::from(self.k);
        let mut found: [Option<&[u8]>; (K_MAX + M_MAX) as usize] = [None; _];
        for &(index, piece) in pieces {
            if index < self.n() && piece.len() == len {
                found[usize::from(index)] = Some(piece);
            }
        }
        let (data, parity) = found.split_at(k);
        let missing: Vec<u8> = (0..self.k).filter(|i| data[usize::from(*i)].is_none()).collect();
        let rows: Vec<u8> = (0..self.m)
            .filter(|row| parity[usize::from(*row)].is_some())
            .take(missing.len())
            .collect();
        if rows.len() < missing.len() {
            return None;
        }

        let mut block = vec![0; k * len];
        for (out, piece) in block.chunks_exact_mut(len.max(1)).zip(data) {
            if let Some(piece) = piece {
                out.copy_from_slice(piece);
            }
        }
        // Parity row r says: parity[r] = Σ c(r, i)·data[i]. Solved for the missing data, each is a
        // combination of the parity used and of the data at hand.
        let solved = invert(&rows, &missing);
        let mut inputs = Vec::with_capacity(k);
        inputs.extend(rows.iter().filter_map(|row| parity[usize::from(*row)]));
        inputs.extend(data.iter().flatten());
        for (solved, lost) in solved.iter().zip(&missing) {
            let mut coefficients = Vec::with_capacity(k);
            coefficients.extend_from_slice(&solved[..rows.len()]);
            coefficients.extend((0..self.k).filter(|i| !missing.contains(i)).map(|i| {
                rows.iter().zip(solved).fold(0, |sum, (row, s)| sum ^ mul(*s, coefficient(*row, i)))
            }));
            let at = usize::from(*lost) * len;
            combine(&coefficients, &inputs, &mut block[at..at + len]);
        }
        block.truncate(block_len);
        Some(block)
    }
}

/// Data piece `index` of `block`, without the zeros that fill it up to `len`.
fn cut(block: &[u8], len: usize, index: u8) -> &[u8] {
    let from = (usize::from(index) * len).min(block.len());
    &block[from..(from + len).min(block.len())]
}

/// What data piece `column` is multiplied by in parity piece `row`. spec: proto/SPEC.md#code
fn coefficient(row: u8, column: u8) -> u8 {
    mul(K_MAX ^ column, inverse((K_MAX + row) ^ column))
}

/// The inverse of the square matrix of coefficients with these rows and columns.
fn invert(rows: &[u8], columns: &[u8]) -> [[u8; M_MAX as usize]; M_MAX as usize] {
    let size = rows.len();
    let mut left = [[0; M_MAX as usize]; M_MAX as usize];
    let mut right = left;
    for (r, row) in rows.iter().enumerate() {
        for (c, column) in columns.iter().enumerate() {
            left[r][c] = coefficient(*row, *column);
        }
        right[r][r] = 1;
    }
    for pivot in 0..size {
        // No row swaps: every leading part of the matrix is itself such a matrix, so invertible,
        // and a pivot is never zero.
        let scale = inverse(left[pivot][pivot]);
        for c in 0..size {
            left[pivot][c] = mul(left[pivot][c], scale);
            right[pivot][c] = mul(right[pivot][c], scale);
        }
        for r in (0..size).filter(|r| *r != pivot) {
            let factor = left[r][pivot];
            for c in 0..size {
                left[r][c] ^= mul(factor, left[pivot][c]);
                right[r][c] ^= mul(factor, right[pivot][c]);
            }
        }
    }
    right
}
