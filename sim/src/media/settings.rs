//! What a media plane is made with.

use super::stream::Stream;

/// Longest arrival that a slot can hold, and so the latest deadline, µs. Derived: 16 bits of 16 µs.
const DEADLINE_MAX_US: u64 = 1_000_000;

/// What a media plane is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is streamed.
    pub stream: Stream,
    /// Same seed, same chance.
    pub seed: u64,
    /// A block that is not complete at a viewer so long after it was made is missing there, µs.
    pub deadline_us: u64,
    /// From a shard's arrival to its being ready for the children (verification, queues), µs.
    pub processing_us: u64,
    /// Mean of the lognormal jitter of each copy, µs.
    pub jitter_us: u32,
    /// A viewer counts this long after its first complete block, µs.
    pub settle_us: u64,
    /// Whether a shard's signature is checked before it is kept or passed on, as the core does. That
    /// it may be left out shows that what is said of spoilt shards is measured.
    pub checks: bool,
}

impl Settings {
    /// The reference world's.
    #[must_use]
    pub fn reference(seed: u64) -> Self {
        Self {
            stream: Stream::reference(),
            seed,
            deadline_us: 400_000,
            processing_us: 1_000,
            jitter_us: 1_000,
            settle_us: 1_000_000,
            checks: true,
        }
    }

    /// # Errors
    /// Says which value is impossible, and what is possible.
    pub fn check(&self) -> Result<(), String> {
        self.stream.check()?;
        if self.deadline_us == 0 || self.deadline_us > DEADLINE_MAX_US {
            return Err(format!("deadline must be above 0 and at most {DEADLINE_MAX_US} µs"));
        }
        Ok(())
    }
}
