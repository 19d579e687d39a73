//! What must hold in every forest at all times.

use super::Crowd;

impl Crowd {
    /// Looks whether the forest is one.
    pub(super) fn check(&mut self) {}
}
