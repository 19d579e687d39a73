use super::*;
use crate::coding::sample::{SESSION, checker, coder, key, publisher};

fn flip(shard: &Shard, at: usize) -> Option<Shard> {
    let mut encoded = shard.encoded().to_vec();
    encoded[at] ^= 1;
    Shard::decode(encoded.into()).ok()
}

#[test]
fn a_change_anywhere_is_found() {
    let shard = publisher(3).nth(4).expect("endless").remove(2);
    assert_eq!(checker().check(&shard), Ok(()));
    let mut decoded = 0;
    for at in 0..shard.encoded().len() {
        if let Some(changed) = flip(&shard, at) {
            decoded += 1;
            let bad = BadShard { block: changed.block(), stripe: changed.stripe() };
            assert_eq!(checker().check(&changed), Err(bad), "byte {at}");
        }
    }
    assert!(decoded > 64 + shard.payload().len());
}

#[test]
fn a_shard_holds_for_its_session_and_key_only() {
    let shard = publisher(3).next().expect("endless").remove(0);
    let other_session = SessionId::from_bytes([8; 32]);
    let other_key = MediaKey::from_seed(&[9; 32]).verifying_key();
    assert!(Checker::new(other_session, key().verifying_key()).check(&shard).is_err());
    assert!(Checker::new(SESSION, other_key).check(&shard).is_err());
}

#[test]
fn a_batch_names_exactly_the_bad() {
    let shards = publisher(3).next().expect("endless");
    for bad in 0..1_u32 << shards.len() {
        let shards: Vec<Shard> = shards
            .iter()
            .enumerate()
            .map(|(i, shard)| match bad >> i & 1 {
                0 => shard.clone(),
                _ => flip(shard, SHARD_PAYLOAD_AT + i).expect("a payload may be anything"),
            })
            .collect();
        let named: Vec<usize> = (0..shards.len()).filter(|i| bad >> i & 1 == 1).collect();
        let want = if named.is_empty() { Ok(()) } else { Err(named) };
        assert_eq!(checker().check_batch(&shards.iter().collect::<Vec<_>>()), want);
        if bad < 2 {
            assert_eq!(checker().check_batch(&[&shards[0]]).is_err(), bad == 1);
        }
    }
    assert_eq!(checker().check_batch(&[]), Ok(()));
}

#[test]
fn each_shard_is_one_allocation_of_its_size() {
    let block = Bytes::from(vec![3; 1000]);
    for shard in coder().encode(3, 1, &block) {
        assert_eq!(shard.encoded().len(), SHARD_PAYLOAD_AT + 250);
        let encoded = shard.encoded().clone();
        drop(shard);
        assert!(encoded.is_unique());
    }
}

#[test]
#[should_panic(expected = "0 bytes")]
fn an_empty_block_is_a_bug_of_the_caller() {
    let _ = coder().encode(0, 0, &Bytes::new());
}
