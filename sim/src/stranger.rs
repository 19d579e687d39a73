//! Someone outside the world who links to one of its nodes, and tells it whatever it likes.

use crate::world::World;
use banyan_protocol::coding::Shard;
use banyan_protocol::identity::{NodeId, SessionId};
use banyan_protocol::input::Input;
use banyan_protocol::output::{Event, Farewell, Output, Violation};
use banyan_protocol::wire::control::{Body, Control};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// A stranger and the node it is linked to.
#[derive(Clone, Copy, Debug)]
pub struct Stranger {
    /// Who it says it is, and proved to be.
    pub id: NodeId,
    victim: usize,
}

impl Stranger {
    /// Stranger number `number` links to a node. It is told apart by its number alone.
    pub fn link(world: &mut World, victim: usize, number: u16) -> Self {
        let [a, b] = number.to_be_bytes();
        let mut id = [0xee; 32];
        (id[0], id[1]) = (a, b);
        let id = NodeId::from_bytes(id);
        let address = SocketAddr::from(([192, 0, a, b], 4433));
        let rtt = Duration::from_millis(1);
        world.input(victim, Input::LinkUp { peer: id, address, rtt });
        Self { id, victim }
    }

    /// Sends a control message.
    pub fn say(&self, world: &mut World, session: SessionId, body: Body) {
        self.babble(world, Control { session, body }.encode());
    }

    /// Sends bytes where a control message should be.
    pub fn babble(&self, world: &mut World, bytes: Bytes) {
        world.input(self.victim, Input::Control(self.id, bytes));
    }

    /// Sends bytes where a shard should be.
    pub fn throw(&self, world: &mut World, channel: u32, bytes: Bytes) {
        world.input(self.victim, Input::Shard(self.id, channel, bytes));
    }

    fn got<'a>(&self, world: &'a World) -> impl Iterator<Item = &'a Output> {
        let id = self.id;
        let outputs = world.hosts[self.victim].to_strangers.iter().map(|(_, output)| output);
        outputs.filter(move |output| match output {
            Output::Control(to, _) | Output::Disconnect(to, _) => *to == id,
            Output::Shard(shard) => shard.to.iter().any(|(to, _)| *to == id),
            _ => false,
        })
    }

    /// What it was told.
    #[must_use]
    pub fn heard(&self, world: &World) -> Vec<Body> {
        let messages = self.got(world).filter_map(|output| match output {
            Output::Control(_, bytes) => Control::decode(bytes.clone()).ok(),
            _ => None,
        });
        messages.map(|message| message.body).collect()
    }

    /// The shards it was sent.
    #[must_use]
    pub fn shards(&self, world: &World) -> Vec<Shard> {
        let shards = self.got(world).filter_map(|output| match output {
            Output::Shard(shard) => Shard::decode(shard.bytes.clone()).ok(),
            _ => None,
        });
        shards.collect()
    }

    /// For which rule it was cut, if it was.
    #[must_use]
    pub fn cut_for(&self, world: &World) -> Option<Violation> {
        self.got(world).find_map(|output| match output {
            Output::Disconnect(_, Farewell::Violation(violation)) => Some(*violation),
            _ => None,
        })
    }

    /// How often the victim said that it broke a rule.
    #[must_use]
    pub fn accused(&self, world: &World) -> usize {
        let events = world.hosts[self.victim].events.iter();
        let accused =
            |event: &&_| matches!(event, (_, Event::Violated { peer, .. }) if *peer == self.id);
        events.filter(accused).count()
    }
}
