//! Waits until a tier of the tree has taken its place, so that the next one grows from it.
//!
//! Nodes that start at the same moment settle too, but a gateway would then sit where a helper
//! belongs, and the demo would show a flat tree.

use std::time::{Duration, Instant};

use super::plan::Kind;
use crate::http::client;
use crate::status::{NodeStatus, SessionStatus};

/// Longest wait; then the demo goes on, which is right too. Guess: a busy small machine needs two
/// seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks. Guess: short beside the time a node needs to start.
const PAUSE: Duration = Duration::from_millis(100);
/// Stripes a helper takes where they are short. Derived: as the mesh has it.
const HELPER_STRIPES: usize = 2;

/// What is to be waited for before a node starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// So many helpers carry what they can of the root's stripes.
    Carried(usize),
    /// A gateway has a parent on each stripe.
    Fed,
}

impl Until {
    /// What a node of kind `next` waits for, behind nodes of these kinds.
    pub(super) fn before(next: Kind, started: &[Kind]) -> Option<Self> {
        let helpers = started.iter().filter(|kind| **kind == Kind::Helper).count();
        match (next, started.last()?) {
            (Kind::Gateway, Kind::Helper) => Some(Self::Carried(helpers)),
            (Kind::Gateway, Kind::Gateway) => Some(Self::Fed),
            _ => None,
        }
    }

    fn is_reached(self, session: &SessionStatus) -> bool {
        let stripes = &session.stripes;
        if stripes.is_empty() {
            return false;
        }
        match self {
            Self::Carried(helpers) => {
                let carried = stripes.iter().filter(|stripe| !stripe.children.is_empty()).count();
                carried >= stripes.len().min(helpers * HELPER_STRIPES)
            }
            Self::Fed => stripes.iter().all(|stripe| stripe.depth.is_some()),
        }
    }
}

/// Waits until the node at `http` says so, or for as long as is sensible.
pub(super) async fn settle(http: &str, until: Until) {
    let Ok(http) = http.parse() else { return };
    let end = Instant::now() + PATIENCE;
    // One that does not answer has worse troubles, which others look after.
    while let Ok(status) = client::get_json::<NodeStatus>(http, "/api/status").await {
        if status.sessions.iter().any(|session| until.is_reached(session)) {
            return;
        }
        if Instant::now() > end {
            tracing::info!(?until, "the tree has not settled yet; going on");
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::StripeStatus;

    #[test]
    fn each_tier_waits_for_the_one_before() {
        use Kind::{Gateway, Helper, Root};
        for (next, started, until) in [
            (Root, &[][..], None),
            (Helper, &[Root], None),
            (Helper, &[Root, Helper], None),
            (Gateway, &[Root], None),
            (Gateway, &[Root, Helper, Helper], Some(Until::Carried(2))),
            (Gateway, &[Root, Helper, Gateway], Some(Until::Fed)),
        ] {
            assert_eq!(Until::before(next, started), until, "{next:?} after {started:?}");
        }
    }

    #[test]
    fn a_tier_is_there_when_all_it_can_carry_is_carried() {
        let session = |children: &[usize], depth: &[Option<u32>]| SessionStatus {
            stripes: children
                .iter()
                .zip(depth)
                .map(|(children, depth)| StripeStatus {
                    children: vec![String::new(); *children],
                    depth: *depth,
                    ..StripeStatus::default()
                })
                .collect(),
            ..SessionStatus::default()
        };
        let none = session(&[], &[]);
        assert!(!Until::Carried(0).is_reached(&none) && !Until::Fed.is_reached(&none));
        let half = session(&[1, 1, 0], &[Some(1), Some(2), None]);
        assert!(Until::Carried(1).is_reached(&half), "one helper carries two");
        assert!(!Until::Carried(2).is_reached(&half));
        assert!(!Until::Fed.is_reached(&half));
        let full = session(&[1, 1, 1], &[Some(1), Some(2), Some(2)]);
        assert!(Until::Carried(9).is_reached(&full) && Until::Fed.is_reached(&full));
    }
}
