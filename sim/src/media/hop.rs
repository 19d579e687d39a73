//! What is on its way and matters when it comes.

/// What happens at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A copy comes in at `node`.
    Arrive,
    /// A copy that `from` spoilt comes in at `node`.
    ArriveSpoilt,
    /// `from` notices that its copy to `node` was lost (the `attempt`-th).
    Repeat {
        /// How often it was sent before.
        attempt: u8,
        /// Whether `node` had asked for it, and need not be a child.
        pulled: bool,
    },
    /// The turn of an older block that `from` owes its new child `node`.
    Feed,
    /// `node` looks whether `stripe` is late.
    Late,
    /// `node` looks whether all its stripes are silent.
    Silent,
    /// `node`'s request reaches `from`: all after `block`.
    Pull,
}

/// One event of the media plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) kind: Kind,
    pub(crate) stripe: u8,
    /// Lives of the two node numbers: an event for an earlier life is harmless.
    pub(crate) node_life: u8,
    pub(crate) from_life: u8,
    pub(crate) node: u32,
    pub(crate) from: u32,
    pub(crate) block: u32,
    /// Time since the copy left its sender's modem, µs.
    pub(crate) travel_us: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small() {
        assert!(size_of::<Hop>() <= 24);
    }
}
