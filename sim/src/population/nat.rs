//! Routers before nodes: who can reach whom.

use super::WHOLE_PPM;
use banyan_protocol::rng::Rng;

/// How a node is reached from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// Anybody reaches it: a public address, a forwarded port, UPnP.
    Public,
    /// Behind a router that keeps one mapping per socket: a hole can be punched.
    Punchable,
    /// Behind a router with a mapping per destination: it reaches only public nodes.
    Hard,
}

/// How two nodes come to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// One dials the other.
    Direct,
    /// By a punched hole, arranged through others: three round trips more.
    Punched,
    /// Not at all.
    Never,
}

impl Nat {
    /// How a node of this kind, dialling one of the `other`, comes to a link.
    #[must_use]
    pub fn meets(self, other: Self) -> Meeting {
        match (self, other) {
            (_, Self::Public) => Meeting::Direct,
            // The public node is dialled back, or punches from its side: both need a go-between.
            (Self::Public | Self::Punchable, Self::Punchable) | (Self::Public, Self::Hard) => {
                Meeting::Punched
            }
            (Self::Hard, Self::Punchable | Self::Hard) | (Self::Punchable, Self::Hard) => {
                Meeting::Never
            }
        }
    }
}

/// How many nodes are of which kind, in millionths; the rest is [`Nat::Hard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatShares {
    /// Of [`Nat::Public`].
    pub public_ppm: u32,
    /// Of [`Nat::Punchable`].
    pub punchable_ppm: u32,
}

impl Default for NatShares {
    /// Derived: with 24 % hard, 30 % of all pairs cannot meet (0.24² + 2 · 0.24 · 0.51), which is
    /// what hole punching has been measured to fail.
    fn default() -> Self {
        Self { public_ppm: 250_000, punchable_ppm: 510_000 }
    }
}

impl NatShares {
    /// A node's kind.
    pub fn draw(&self, rng: &mut Rng) -> Nat {
        let ticket = rng.below(u64::from(WHOLE_PPM)) as u32;
        if ticket < self.public_ppm {
            Nat::Public
        } else if ticket - self.public_ppm < self.punchable_ppm {
            Nat::Punchable
        } else {
            Nat::Hard
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_ten_pairs_of_the_default_cannot_meet() {
        let mut rng = Rng::new(&[2; 32], "nat");
        let shares = NatShares::default();
        let mut count = |meeting: Meeting| {
            let pairs = (0..50_000).filter(|_| {
                let (one, other) = (shares.draw(&mut rng), shares.draw(&mut rng));
                assert_eq!(one.meets(other) == Meeting::Never, other.meets(one) == Meeting::Never);
                one.meets(other) == meeting
            });
            pairs.count() / 500
        };
        assert!((29..=31).contains(&count(Meeting::Never)));
        assert!((24..=26).contains(&count(Meeting::Direct)));
    }
}
