//! The only loop over [`Banyan::poll_output`]: the node and the simulator differ in [`Effects`]
//! alone.

use crate::Banyan;
use crate::input::Input;
use crate::output::Output;
use crate::time::Timestamp;

/// Carries out what the core asks for.
pub trait Effects {
    /// Carries out one effect. Never called with [`Output::Wait`].
    fn carry_out(&mut self, output: Output);
}

/// Feeds one input, carries out all that follows from it, and returns when to wake the core.
pub fn step(
    banyan: &mut Banyan,
    now: Timestamp,
    input: Input,
    effects: &mut impl Effects,
) -> Option<Timestamp> {
    banyan.handle_input(now, input);
    loop {
        match banyan.poll_output() {
            Output::Wait(deadline) => return deadline,
            output => effects.carry_out(output),
        }
    }
}
