//! Arithmetic in GF(2⁸) over x⁸ + x⁴ + x³ + x² + 1 (0x11d), and the one kernel that touches media.
//!
//! Matrices are small, so their entries go through tables. Media goes through [`combine`], which
//! needs neither tables nor unsafe code: it walks the coefficients' bits from the highest down,
//! doubling an accumulator in between, and both steps are plain byte-wise loops that the compiler
//! turns into vector instructions.

/// The polynomial without its top term. spec: proto/SPEC.md#code
const POLYNOMIAL: u8 = 0x1d;

/// Bytes that [`combine`] works on at a time. Measured: 64 keeps the accumulator in four 16-byte
/// registers; see `benches/coding.rs`.
const CHUNK: usize = 64;

/// Most inputs of [`combine`]: bits in a plane.
pub(super) const INPUTS_MAX: usize = 16;

const fn times_x(a: u8) -> u8 {
    (a << 1) ^ (((a as i8) >> 7) as u8 & POLYNOMIAL)
}

struct Tables {
    exp: [u8; 512],
    log: [u8; 256],
}

static TABLES: Tables = {
    let mut tables = Tables { exp: [0; 512], log: [0; 256] };
    let mut power = 1;
    let mut i = 0;
    while i < 255 {
        tables.exp[i] = power;
        tables.exp[i + 255] = power;
        tables.log[power as usize] = i as u8;
        power = times_x(power);
        i += 1;
    }
    tables
};

/// `a · b`.
pub(super) fn mul(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    let log = |x: u8| usize::from(TABLES.log[usize::from(x)]);
    TABLES.exp[log(a) + log(b)]
}

/// `1 / a`.
///
/// # Panics
/// If `a` is zero.
pub(super) fn inverse(a: u8) -> u8 {
    assert!(a != 0, "zero has no inverse");
    TABLES.exp[255 - usize::from(TABLES.log[usize::from(a)])]
}

/// Writes Σ `coefficients[i] · inputs[i]` to `out`. An input shorter than `out` counts as if zeros
/// followed it; a longer one counts up to `out`'s length.
///
/// # Panics
/// If there are not as many coefficients as inputs, or more than [`INPUTS_MAX`].
pub(super) fn combine(coefficients: &[u8], inputs: &[&[u8]], out: &mut [u8]) {
    assert!(coefficients.len() == inputs.len() && inputs.len() <= INPUTS_MAX);
    // planes[b] has bit i set when coefficient i has bit b set.
    let mut planes = [0_u16; 8];
    for (i, coefficient) in coefficients.iter().enumerate() {
        for (b, plane) in planes.iter_mut().enumerate() {
            *plane |= u16::from(coefficient >> b & 1) << i;
        }
    }
    let shortest = inputs.iter().map(|input| input.len()).min().unwrap_or(0).min(out.len());
    let (whole, rest) = out.split_at_mut(shortest - shortest % CHUNK);
    let tail = whole.len();
    for (n, out) in whole.chunks_exact_mut(CHUNK).enumerate() {
        let at = n * CHUNK;
        let acc = combine_chunk(&planes, |i| {
            inputs[i][at..].first_chunk().expect("every input is at least `shortest` long")
        });
        out.copy_from_slice(&acc);
    }
    let mut padded = [[0; CHUNK]; INPUTS_MAX];
    for (n, out) in rest.chunks_mut(CHUNK).enumerate() {
        for (padded, input) in padded.iter_mut().zip(inputs) {
            let input = input.get(tail + n * CHUNK..).unwrap_or(&[]);
            let len = input.len().min(CHUNK);
            padded[..len].copy_from_slice(&input[..len]);
            padded[len..].fill(0);
        }
        let acc = combine_chunk(&planes, |i| &padded[i]);
        out.copy_from_slice(&acc[..out.len()]);
    }
}

#[inline(always)]
fn combine_chunk<'a>(planes: &[u16; 8], input: impl Fn(usize) -> &'a [u8; CHUNK]) -> [u8; CHUNK] {
    let mut acc = [0; CHUNK];
    let mut blank = true;
    for &plane in planes.iter().rev() {
        if !blank {
            for a in &mut acc {
                *a = times_x(*a);
            }
        }
        let mut left = plane;
        while left != 0 {
            for (a, b) in acc.iter_mut().zip(input(left.trailing_zeros() as usize)) {
                *a ^= b;
            }
            left &= left - 1;
            blank = false;
        }
    }
    acc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_element_but_zero_has_an_inverse() {
        for a in 1..=255 {
            assert_eq!(mul(a, inverse(a)), 1, "{a}");
            assert_eq!(mul(a, 2), times_x(a), "{a}");
            assert_eq!(mul(a, 0), 0);
        }
    }

    proptest! {
        #[test]
        fn combine_equals_the_sum_of_products(
            coefficients in prop::collection::vec(any::<u8>(), 1..=INPUTS_MAX),
            lens in prop::collection::vec(0_usize..200, INPUTS_MAX),
            len in 0_usize..200,
            fill in any::<u8>(),
        ) {
            let inputs: Vec<Vec<u8>> = lens[..coefficients.len()]
                .iter()
                .enumerate()
                .map(|(i, len)| (0..*len).map(|j| (i * 31 + j * 7) as u8 ^ fill).collect())
                .collect();
            let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            let mut out = vec![0xee; len];
            combine(&coefficients, &slices, &mut out);
            for (j, out) in out.iter().enumerate() {
                let want = coefficients.iter().zip(&inputs).fold(0, |sum, (c, input)| {
                    sum ^ mul(*c, input.get(j).copied().unwrap_or(0))
                });
                prop_assert_eq!(*out, want);
            }
        }
    }
}
