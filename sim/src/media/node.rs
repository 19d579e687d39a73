//! One node as the media plane sees it.

use super::uplink::Uplink;

/// A node that joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joiner {
    /// Its uplink, bit/s.
    pub upload_bps: u64,
    /// Its downlink, bit/s; `None` if that never matters.
    pub download_bps: Option<u64>,
    /// Most delay that its modem adds to what it has to queue, µs.
    pub bloat_us: u32,
    /// Whether it wants whole blocks. Helpers do not.
    pub viewer: bool,
}

/// What a node does with what it should pass on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// It passes it on.
    #[default]
    Honest,
    /// A black hole in the stripes whose bits are set: it passes nothing on.
    Withholds(u32),
    /// A polluter: it passes on what no receiver accepts.
    Spoils,
}

/// One node number and its present or last life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) uplink: Uplink,
    pub(crate) downlink: Downlink,
    pub(crate) died_us: u64,
    pub(crate) conduct: Conduct,
    /// Counts lives, so that events of an earlier one are known.
    pub(crate) life: u8,
    pub(crate) alive: bool,
}

impl Node {
    /// A number that nobody has yet.
    pub(crate) fn vacant() -> Self {
        Self {
            uplink: Uplink::new(1, 0),
            downlink: Downlink::default(),
            died_us: 0,
            conduct: Conduct::Honest,
            life: 0,
            alive: false,
        }
    }

    /// Whether it keeps what it should pass on of `stripe`.
    pub(crate) fn withholds(&self, stripe: u8) -> bool {
        matches!(self.conduct, Conduct::Withholds(stripes) if stripes >> stripe & 1 == 1)
    }
}

/// A node's way down, if it has a limit: busy until.
///
/// Copies are booked when they are sent, not when they come. One that comes before another that
/// was booked earlier does not wait for that one; it only takes its time. So order among copies a
/// few milliseconds apart is an approximation here, the load is not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Downlink {
    bps: u64,
    busy_until_us: u64,
    latest_us: u64,
}

impl Downlink {
    pub(crate) fn new(bps: Option<u64>) -> Self {
        Self { bps: bps.unwrap_or(0), busy_until_us: 0, latest_us: 0 }
    }

    pub(crate) fn has_limit(&self) -> bool {
        self.bps > 0
    }

    /// A copy of `bytes` comes to the modem at `at_us`: when it is through.
    pub(crate) fn receive(&mut self, bytes: u32, at_us: u64) -> u64 {
        if self.bps == 0 {
            return at_us;
        }
        let takes_us = u64::from(bytes) * 8 * 1_000_000 / self.bps;
        let overtakes = at_us < self.latest_us;
        self.busy_until_us = self.busy_until_us.max(at_us) + takes_us;
        self.latest_us = self.latest_us.max(at_us);
        if overtakes { at_us + takes_us } else { self.busy_until_us }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_downlink_makes_copies_wait_but_not_for_later_ones() {
        let mut downlink = Downlink::new(Some(8_000_000)); // a byte each µs
        assert_eq!(downlink.receive(1000, 5_000), 6_000);
        assert_eq!(downlink.receive(1000, 5_000), 7_000);
        assert_eq!(downlink.receive(1000, 90_000), 91_000);
        assert_eq!(downlink.receive(1000, 20_000), 21_000);
        assert_eq!(Downlink::new(None).receive(1000, 5_000), 5_000);
    }
}
