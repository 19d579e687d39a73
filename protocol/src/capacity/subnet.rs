//! What counts as one place in the network: identities are free, addresses less so.

use std::net::IpAddr;

/// The /24 of an IPv4 address or the /48 of an IPv6 address. Spec: `forest.md` 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet(u64);

/// Tells the two families apart; above any /48.
const V4: u64 = 1 << 63;

impl Subnet {
    /// The subnet of `address`. An IPv4 address written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => Self(V4 | u64::from(u32::from(ip) >> 8)),
            IpAddr::V6(ip) => Self((u128::from(ip) >> 80) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_and_families_are_apart() {
        let of = |text: &str| Subnet::of(text.parse().expect("an address"));
        assert_eq!(of("203.0.113.7"), of("203.0.113.200"));
        assert_eq!(of("203.0.113.7"), of("::ffff:203.0.113.9"));
        assert_ne!(of("203.0.113.7"), of("203.0.114.7"));
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:3::8"));
        assert_ne!(of("2001:db8:1::7"), of("2001:db8:2::7"));
        assert_ne!(of("0.0.1.0"), of("0:0:1::"));
    }
}
