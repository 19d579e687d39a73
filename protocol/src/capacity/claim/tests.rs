use super::*;
use crate::rng::Rng;
use std::net::{IpAddr, Ipv4Addr};

const NOW: Timestamp = Timestamp::from_micros(100_000_000);
const UNKNOWN: Bitrate = Bitrate::from_kbps(2_200);
const NOTHING: Bitrate = Bitrate::from_bps(0);

fn report(who: u32, subnet: u32, kbps: u64, expected_kbps: u64) -> Report {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&who.to_be_bytes());
    let bytes = |kbps: u64| kbps.saturating_mul(125).saturating_mul(10);
    Report {
        reporter: NodeId::from_bytes(id),
        subnet: Subnet::of(IpAddr::V4(Ipv4Addr::from_bits(subnet << 8))),
        bytes: bytes(kbps),
        expected: bytes(expected_kbps),
        time: Duration::from_secs(10),
    }
}

fn claim(mbps: u64, reports: impl IntoIterator<Item = Report>) -> Claim {
    let mut claim = Claim::new(Bitrate::from_kbps(mbps * 1000));
    reports.into_iter().for_each(|report| claim.report(NOW, report));
    claim
}

fn kbps(claim: &Claim, unknown_max: Bitrate) -> u64 {
    claim.believed(NOW, unknown_max).bps() / 1000
}

#[test]
fn without_evidence_a_quarter_counts_and_never_more_than_anybody_gets() {
    assert_eq!(kbps(&claim(4, []), UNKNOWN), 1_000);
    assert_eq!(kbps(&claim(8, []), UNKNOWN), 2_000);
    for lie in [10, 100, 1_000_000] {
        assert_eq!(kbps(&claim(lie, []), UNKNOWN), 2_200);
    }
}

#[test]
fn what_children_got_is_believed_up_to_the_claim() {
    for (children, believed) in [(1, 0), (2, 733), (4, 2_200), (8, 4_400), (40, 22_000)] {
        let claim = claim(50, (0..children).map(|i| report(i, i, 550, 550)));
        let kbps = kbps(&claim, NOTHING);
        assert!((believed..=believed + 1).contains(&kbps), "{children} children: {kbps}");
    }
    let modest = claim(10, (0..40).map(|i| report(i, i, 550, 550)));
    assert_eq!(kbps(&modest, UNKNOWN), 10_000);
}

/// Derived in the module's text: a quarter of the subnets may say anything.
#[test]
fn a_liar_with_a_quarter_of_the_subnets_gains_a_third_at_most() {
    let mut rng = Rng::new(&[9; 32], "liars");
    let mut most = 0;
    for _ in 0..20_000 {
        let subnets = 1 + rng.below(60) as u32;
        let liars = rng.below(u64::from(subnets / 4) + 1) as u32;
        let mut can_give = 0;
        let mut reports = Vec::new();
        for i in liars..subnets {
            let got = rng.below(1_000);
            can_give += got;
            reports.push(report(i, i, got, 550));
        }
        // They say nothing, much, or what the largest honest child says, to be among the kept.
        let said = [0, u64::MAX, 1_000, rng.below(2_000)][rng.below(4) as usize];
        reports.extend((0..liars).map(|i| report(i, i, said, 0)));
        let believed = kbps(&claim(1_000_000_000, reports), NOTHING);
        assert!(believed * 3 <= can_give * 4, "{believed} of {can_give}: {liars} of {subnets} lie");
        if can_give > 5_000 {
            most = most.max(believed * 100 / can_give);
        }
    }
    println!("believed at most {most} % of the truth");
    assert!(most > 100, "the lies were not even tried: {most} %");
}

#[test]
fn many_identities_in_one_subnet_are_one_voice() {
    let honest = (0..8).map(|i| report(i, i, 550, 550));
    let sybils = (100..150).map(|i| report(i, 99, 100_000, 550));
    let lied = kbps(&claim(1_000, honest.clone().chain(sybils)), NOTHING);
    assert!(lied <= 8 * 550 * 4 / 3, "{lied}");
}

#[test]
fn one_that_does_not_deliver_is_not_trusted_in_advance() {
    let robbed = claim(100, (0..5).map(|i| report(i, i, 50, 550)));
    assert!(kbps(&robbed, UNKNOWN) <= 250 * 4 / 3);
    // One child with a bad line of its own is not enough.
    let unlucky = claim(100, (0..5).map(|i| report(i, i, if i == 0 { 50 } else { 550 }, 550)));
    assert!(kbps(&unlucky, UNKNOWN) >= 2_200);
}

#[test]
fn reports_are_forgotten_and_bounded() {
    let mut claim = claim(100, (0..1_000).map(|i| report(i, i, 550, 550)));
    assert_eq!(claim.reports.len(), REPORTERS_MAX);
    let later = NOW + REMEMBER + Duration::from_micros(1);
    assert_eq!(claim.believed(later, UNKNOWN), UNKNOWN);
    let short = Report { time: Duration::from_millis(999), ..report(7, 7, 550, 550) };
    claim.report(later, short);
    assert!(claim.reports.is_empty(), "a moment is no evidence");
    claim.restate(NOTHING);
    assert_eq!(claim.believed(NOW, UNKNOWN), NOTHING);
}
