//! The root's place passes to the standby that the publisher named beforehand.
//!
//! The standby is another machine of the publisher's: same town, same uplink, kept free until it is
//! needed. The encoder reaches both.

use super::super::{Crowd, ROOT};
use crate::plan::What;
use crate::population::{Nat, Node, Role as Part};
use banyan_protocol::forest::{Peer, Role};

/// A standby that has heard nothing new for this long takes over, µs. Guess: far beyond any pause of
/// all stripes at once, below the second that DESIGN gives a hand-over.
const SILENT_US: u64 = 800_000;
/// Both feed the first tier for this long, µs. Spec: `forest.md` 5.6.
const OVERLAP_US: u64 = 2_000_000;
/// The old root goes so long after it said goodbye, µs.
const GOES_US: u64 = 1_000_000;

/// How far a hand-over is.
#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    /// Nothing is wrong.
    #[default]
    Idle,
    /// The standby asks the root for all stripes.
    Near,
    /// It is the root, and fed by the old one.
    Both { since_us: u64 },
    /// It is the source; the old root says goodbye.
    Goodbye { old: u32, since_us: u64 },
    /// The root has died; the standby does not know.
    Dead { since_us: u64 },
}

/// The standby, and the hand-over that goes on.
#[derive(Debug, Default)]
pub(in super::super) struct Handover {
    standby: Option<u32>,
    stage: Stage,
}

impl Crowd {
    /// Sets up the standby, if the plan has need of one.
    pub(in super::super) fn name_standby(&mut self) {
        let passes = |what: &What| matches!(what, What::RootDeath | What::RootHandover);
        if !self.plan.faults.iter().any(|fault| passes(&fault.what)) {
            return;
        }
        let node = Node { role: Part::Gateway, ..self.publisher() };
        let standby = self.settle(node, Role::Gateway);
        self.handover.standby = Some(standby);
        self.act(standby, |forest, cx| {
            forest.set_slots(cx.now, 0);
            forest.set_root(Peer(ROOT));
            forest.on_found(cx, &[Peer(ROOT)]);
        });
    }

    /// The machine of a publisher.
    pub(in super::super) fn publisher(&self) -> Node {
        let publisher = self.plan.publisher;
        Node {
            place: publisher.place,
            life_us: None,
            upload_bps: publisher.upload_bps,
            download_bps: 1_000_000_000,
            bloat_us: 0,
            loss_ppm: 0,
            skew_us: 0,
            nat: Nat::Public,
            role: Part::Gateway,
        }
    }

    /// The root hands over in good order.
    pub(super) fn hand_over(&mut self) {
        let Some(standby) = self.handover.standby else { return };
        self.handover.stage = Stage::Near;
        let root = self.root;
        self.act(root, |forest, _| forest.set_heir(Peer(standby)));
        self.act(standby, |forest, cx| forest.turn_to(cx, Peer(root)));
    }

    /// The root has died.
    pub(super) fn root_died(&mut self) {
        self.handover.stage = Stage::Dead { since_us: self.now_us };
    }

    /// Goes on with a hand-over, if there is one.
    pub(in super::super) fn look_at_handover(&mut self) {
        let Some(standby) = self.handover.standby else { return };
        let (root, now_us) = (self.root, self.now_us);
        match self.handover.stage {
            Stage::Idle => {}
            Stage::Near => {
                let forest = &self.hosts[standby as usize].forest;
                let near = |stripe| forest.parent(stripe) == Some(Peer(root));
                if (0..self.stripes()).all(near) {
                    self.take_over(standby);
                    self.handover.stage = Stage::Both { since_us: now_us };
                } else {
                    self.act(standby, |forest, cx| forest.turn_to(cx, Peer(root)));
                }
            }
            Stage::Both { since_us } => {
                if since_us + OVERLAP_US <= now_us {
                    self.move_source(standby);
                    self.act(root, |forest, cx| forest.leave(cx));
                    self.handover.stage = Stage::Goodbye { old: root, since_us: now_us };
                }
            }
            Stage::Goodbye { old, since_us } => {
                if since_us + GOES_US <= now_us {
                    self.die(old);
                    self.handover.stage = Stage::Idle;
                }
            }
            Stage::Dead { since_us } => {
                if self.is_silent(standby, since_us) {
                    self.take_over(standby);
                    self.move_source(standby);
                    self.handover.stage = Stage::Idle;
                }
            }
        }
    }

    /// Whether a node has heard nothing new for long: by the media, or as they would tell.
    fn is_silent(&self, node: u32, since_us: u64) -> bool {
        let newest = self.media.as_ref().map(|media| {
            let stripes = 0..self.stripes();
            let newest = stripes.filter_map(|stripe| media.newest(node, stripe)).max();
            newest.map_or(0, |block| media.settings().stream.made_us(block))
        });
        newest.unwrap_or(since_us) + SILENT_US <= self.now_us
    }

    fn take_over(&mut self, standby: u32) {
        let slots = self.slots(self.hosts[standby as usize].node.upload_bps, Role::Root);
        // The hub checks grants; here they hold.
        self.act(standby, |forest, cx| forest.become_root(cx, slots, bytes::Bytes::new()));
    }

    /// The encoder sends to the standby from now on.
    fn move_source(&mut self, standby: u32) {
        self.root = standby;
        if let Some(media) = &mut self.media {
            media.set_root(standby);
        }
        self.act(standby, |forest, cx| forest.stand_alone(cx));
    }
}

#[cfg(test)]
mod tests;
