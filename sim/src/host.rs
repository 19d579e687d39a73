//! One node of the world: a core, and what it has handed out.

use banyan_protocol::identity::{NodeId, NodeKey};
use banyan_protocol::output::{Event, Output};
use banyan_protocol::time::Timestamp;
use banyan_protocol::{Banyan, coding::Block};
use std::sync::Arc;

/// A node.
pub struct Host {
    /// Its core.
    pub banyan: Banyan,
    /// Who it is.
    pub id: NodeId,
    /// Whether it runs. A dead one neither sends nor receives.
    pub alive: bool,
    /// Blocks it delivered, with the time.
    pub delivered: Vec<(Timestamp, Arc<Block>)>,
    /// What happened to it, with the time.
    pub events: Vec<(Timestamp, Event)>,
    /// What it had for nodes that are not of this world, with the time.
    pub to_strangers: Vec<(Timestamp, Output)>,
    /// The wake-up that counts; older ones are spurious.
    pub wake: Option<Timestamp>,
}

impl Host {
    /// Node number `index` of the world with `seed`.
    #[must_use]
    pub fn new(index: u32, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&index.to_be_bytes());
        bytes[4..12].copy_from_slice(&seed.to_be_bytes());
        let id = NodeKey::from_seed(&bytes).id();
        Self {
            banyan: Banyan::new(id, bytes),
            id,
            alive: true,
            delivered: Vec::new(),
            events: Vec::new(),
            to_strangers: Vec::new(),
            wake: None,
        }
    }
}
