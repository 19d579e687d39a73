//! One uplink, several sessions: who gets how much of it.
//!
//! The publisher's own sessions come first. Of the rest each session gets what it asks for, or an
//! equal part where that is less: twice what it uses, so that it can grow, and at least what a
//! newcomer gives. So a session that was there first does not keep out one that came later, and none
//! holds what it does not use. What nobody asks for is shared equally.

use crate::unit::Bitrate;

/// What one session asks of the uplink.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Slots in use.
    pub used: u16,
    /// Slots that it is to have in any case, if the uplink reaches.
    pub least: u16,
    /// What one slot takes of the uplink, with what is to be kept free.
    pub slot: Bitrate,
    /// Whether it is this node's own, as the publisher.
    pub own: bool,
}

impl Demand {
    fn bps(&self) -> u64 {
        let slots = self.used.saturating_mul(2).max(self.least);
        u64::from(slots).saturating_mul(self.slot.bps())
    }
}

/// The part of `uplink` that each session gets, in the order of `demands`; together no more than
/// `uplink`, and all of it but rounding.
#[must_use]
pub fn split(uplink: Bitrate, demands: &[Demand]) -> Vec<Bitrate> {
    let mut parts = vec![0; demands.len()];
    let mut left = uplink.bps();
    for own in [true, false] {
        let these = demands.iter().enumerate().filter(|(_, demand)| demand.own == own);
        let mut these: Vec<(usize, u64)> = these.map(|(at, demand)| (at, demand.bps())).collect();
        these.sort_by_key(|(_, bps)| *bps);
        // The modest first: what they leave goes to the others.
        for (before, (at, bps)) in these.iter().enumerate() {
            let equal = left / (these.len() - before) as u64;
            parts[*at] = equal.min(*bps);
            left -= parts[*at];
        }
    }
    let more = left / demands.len().max(1) as u64;
    parts.into_iter().map(|part| Bitrate::from_bps(part + more)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn demand(used: u16, own: bool) -> Demand {
        Demand { used, least: 4, slot: Bitrate::from_kbps(1_000), own }
    }

    fn mbps(uplink: u64, demands: &[Demand]) -> Vec<u64> {
        let parts = split(Bitrate::from_kbps(uplink * 1_000), demands);
        parts.into_iter().map(|part| part.bps() / 1_000_000).collect()
    }

    #[test]
    fn sessions_share_what_there_is_by_what_they_use() {
        assert_eq!(mbps(20, &[]), [0; 0]);
        assert_eq!(mbps(20, &[demand(0, false)]), [20], "alone: all");
        assert_eq!(mbps(20, &[demand(0, false), demand(1, false)]), [10, 10], "idle: halves");
        assert_eq!(mbps(20, &[demand(20, false), demand(0, false)]), [16, 4], "a newcomer's part");
        assert_eq!(mbps(20, &[demand(16, false), demand(4, false)]), [12, 8], "it grows");
        assert_eq!(mbps(20, &[demand(12, false), demand(8, false)]), [10, 10], "up to its half");
        assert_eq!(mbps(20, &[demand(20, false), demand(7, true)]), [6, 14], "one's own first");
    }

    #[test]
    fn no_more_is_given_than_there_is_and_nothing_is_left_over() {
        let mut rng = Rng::new(&[3; 32], "split");
        for _ in 0..500 {
            let demands: Vec<Demand> = (0..1 + rng.below(8))
                .map(|_| Demand {
                    used: rng.below(200) as u16,
                    least: rng.below(20) as u16,
                    slot: Bitrate::from_bps(rng.below(3_000_000)),
                    own: rng.below(5) == 0,
                })
                .collect();
            let uplink = rng.below(200_000_000);
            let given: u64 =
                split(Bitrate::from_bps(uplink), &demands).iter().map(|part| part.bps()).sum();
            assert!(given <= uplink, "{demands:?}");
            assert!(uplink - given <= demands.len() as u64, "{demands:?}");
        }
    }
}
