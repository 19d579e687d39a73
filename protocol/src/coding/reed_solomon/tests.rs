use super::*;
use proptest::prelude::*;

fn sample(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64).map(|i| ((i + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn pieces(code: Code, block: &[u8]) -> Vec<Vec<u8>> {
    (0..code.n())
        .map(|index| {
            let mut piece = vec![0xaa; code.piece_len(block.len())];
            code.piece(block, index, &mut piece);
            piece
        })
        .collect()
}

fn rebuild(code: Code, len: usize, pieces: &[Vec<u8>], keep: u32) -> Option<Vec<u8>> {
    let kept: Vec<(u8, &[u8])> = (0..code.n())
        .filter(|i| keep >> i & 1 == 1)
        .map(|i| (i, pieces[usize::from(i)].as_slice()))
        .collect();
    code.rebuild(len, &kept)
}

#[test]
fn any_k_pieces_rebuild_and_fewer_do_not() {
    for k in 1..=8 {
        for m in 0..=M_MAX {
            let code = Code::new(k, m).expect("in bounds");
            let block = sample(usize::from(k) * 5 - 2, u64::from(k * 16 + m));
            let pieces = pieces(code, &block);
            for keep in 0..1_u32 << code.n() {
                let got = rebuild(code, block.len(), &pieces, keep);
                let enough = keep.count_ones() >= u32::from(k);
                assert_eq!(got.as_ref(), enough.then_some(&block), "{k}+{m} keep {keep:b}");
            }
        }
    }
}

#[test]
fn any_four_of_the_largest_code_may_be_lost() {
    let code = Code::new(K_MAX, M_MAX).expect("in bounds");
    let block = sample(16 * 70 + 3, 1);
    let pieces = pieces(code, &block);
    let all = (1_u32 << code.n()) - 1;
    for lost in (0..=all).filter(|lost| lost.count_ones() == 4) {
        assert_eq!(rebuild(code, block.len(), &pieces, all & !lost).as_ref(), Some(&block));
    }
}

#[test]
fn the_first_parity_piece_is_the_xor_of_the_data() {
    let code = Code::new(8, 2).expect("in bounds");
    let pieces = pieces(code, &sample(8 * 33, 7));
    for at in 0..33 {
        assert_eq!(pieces[8][at], pieces[..8].iter().fold(0, |sum, piece| sum ^ piece[at]));
    }
}

#[test]
fn codes_out_of_bounds_are_refused() {
    for (k, m) in [(0, 2), (K_MAX + 1, 0), (8, M_MAX + 1), (255, 255)] {
        assert_eq!(Code::new(k, m), Err(BadCode { k, m }));
    }
}

#[test]
fn foreign_pieces_are_passed_over() {
    let code = Code::new(2, 1).expect("in bounds");
    let block = sample(10, 3);
    let pieces = pieces(code, &block);
    let (a, b): (&[u8], &[u8]) = (&pieces[0], &pieces[1]);
    assert_eq!(code.rebuild(10, &[(0, a), (0, a), (1, &b[..4]), (9, b)]), None);
    assert_eq!(code.rebuild(10, &[(9, a), (1, b), (0, a)]), Some(block));
    assert_eq!(code.rebuild(0, &[]), None);
    assert_eq!(code.rebuild(0, &[(0, &[]), (1, &[])]), Some(vec![]));
}

proptest! {
    #[test]
    fn random_losses_are_rebuilt(
        k in 1..=K_MAX,
        m in 0..=M_MAX,
        len in 1_usize..6000,
        seed: u64,
        order in prop::collection::vec(any::<u32>(), 20),
    ) {
        let code = Code::new(k, m).expect("in bounds");
        let block = sample(len, seed);
        let pieces = pieces(code, &block);
        let mut indices: Vec<u8> = (0..code.n()).collect();
        indices.sort_by_key(|i| order[usize::from(*i)]);
        let kept: Vec<(u8, &[u8])> = indices[..usize::from(k)]
            .iter()
            .map(|i| (*i, pieces[usize::from(*i)].as_slice()))
            .collect();
        prop_assert_eq!(code.rebuild(len, &kept), Some(block));
    }
}
