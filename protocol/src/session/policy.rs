//! What the publisher allows.
//!
//! A node refuses a policy that it does not understand: a value it does not know makes the
//! descriptor invalid for it, so a rule to come must be announced by a new value, not only by a
//! new field. spec: proto/SPEC.md#policy

use crate::wire::DecodeError;
use crate::wire::proto::session as wire;

/// Who may watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Watch {
    /// Anyone who has the invite.
    #[default]
    Open,
    /// Bearers of a ticket for [`crate::identity::Action::Watch`].
    Ticket,
}

/// Who may relay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Relay {
    /// Any node.
    #[default]
    Anyone,
}

/// What the publisher allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Who may watch.
    pub watch: Watch,
    /// Who may relay.
    pub relay: Relay,
}

const UNKNOWN: &str = "a rule this version does not know: update Banyan";

impl Policy {
    pub(crate) fn to_wire(self) -> wire::Policy {
        let watch = match self.watch {
            Watch::Open => wire::Watch::Open,
            Watch::Ticket => wire::Watch::Ticket,
        };
        let relay = match self.relay {
            Relay::Anyone => wire::Relay::Anyone,
        };
        wire::Policy { watch: watch.into(), relay: relay.into() }
    }

    pub(crate) fn from_wire(message: &wire::Policy) -> Result<Self, DecodeError> {
        let watch = match wire::Watch::try_from(message.watch) {
            Ok(wire::Watch::Open) => Watch::Open,
            Ok(wire::Watch::Ticket) => Watch::Ticket,
            Ok(wire::Watch::Unspecified) | Err(_) => {
                return Err(DecodeError::field("policy.watch", UNKNOWN));
            }
        };
        let relay = match wire::Relay::try_from(message.relay) {
            Ok(wire::Relay::Anyone) => Relay::Anyone,
            Ok(wire::Relay::Unspecified) | Err(_) => {
                return Err(DecodeError::field("policy.relay", UNKNOWN));
            }
        };
        Ok(Self { watch, relay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_round_trip_and_unknown_rules_are_refused() {
        for watch in [Watch::Open, Watch::Ticket] {
            let policy = Policy { watch, relay: Relay::Anyone };
            assert_eq!(Policy::from_wire(&policy.to_wire()), Ok(policy));
        }
        for (watch, relay) in [(0, 1), (1, 0), (3, 1), (1, 2), (-1, 1), (i32::MAX, 1)] {
            assert!(Policy::from_wire(&wire::Policy { watch, relay }).is_err(), "{watch} {relay}");
        }
    }
}
