//! Lives: nodes join by an invite, leave with or without a word, and are found by discovery.

use super::host::{Host, NEVER};
use super::registry::Fact;
use super::{Crowd, Event, ROOT};
use crate::media::Joiner;
use crate::plan::Plan;
use crate::population::{Nat, Node, Replace, Role as Part, chance};
use banyan_protocol::forest::{Forest, Peer, Reach, Role, Setup};
use banyan_protocol::links::Links;
use banyan_protocol::time::Timestamp;

/// The number of a dead node is nobody's for this long, µs. Derived: longer than anybody remembers
/// it.
const REST_US: u64 = 150_000_000;
/// A dead node's peers learn it this late from their links, µs. Derived: the idle timeout of a real
/// link.
pub(super) const IDLE_TIMEOUT_US: u64 = 5_000_000;
/// Members that an invite or discovery names. Spec: proto/SPEC.md#invite.
const BOOTSTRAPS: usize = 8;
/// In a session of fewer members an invite names the root too.
const SMALL: usize = 64;
/// Discovery takes this long, µs. Spec: `forest.md` 2.3, 80 % of lookups within a continent.
const DISCOVERY_US: u64 = 500_000;
/// Of the records of the dead that are come across so many are named all the same, in millionths.
/// Guess: records live for minutes, but members that leave the view are not named again.
const STALE_PPM: u32 = 50_000;
/// A newcomer must have been there for this long to be named by others, µs.
const KNOWN_AFTER_US: u64 = 1_000_000;
/// Members remembered by one node. Spec: `forest.md` 5.2, active 6 and passive 48.
const VIEW_MAX: usize = 48;

/// Most numbers a plan needs at once: the living, and the dead that rest.
pub(super) fn numbers(plan: &Plan) -> u32 {
    let mean_us = plan.world.model.life_us.as_ref().map_or(f64::INFINITY, |life| life.mean());
    let dead = match plan.replace {
        Replace::None => 0.0,
        _ => 2.0 * f64::from(plan.world.nodes) * REST_US as f64 / mean_us,
    };
    plan.world.nodes + plan.world.nodes / 5 + dead as u32 + 1_000
}

impl Crowd {
    /// The publisher's node begins.
    pub(super) fn publish(&mut self) {
        let number = self.settle(self.publisher(), Role::Root);
        debug_assert_eq!(number, ROOT);
        if let Some(media) = &mut self.media {
            media.set_root(ROOT);
        }
        self.act(ROOT, |forest, cx| forest.on_time(cx));
    }

    pub(super) fn next_arrival(&mut self) {
        if let Some(at_us) = self.arrivals.next_us() {
            self.wheel.push(at_us.max(self.now_us), Event::Arrival);
        }
    }

    /// A node comes: it knows what its invite says.
    pub(super) fn arrive(&mut self) {
        let node = self.population.draw(&self.registry.places);
        let role = match node.role {
            Part::Gateway => Role::Gateway,
            Part::Helper => Role::Helper,
        };
        let number = self.settle(node, role);
        if let Some(life_us) = node.life_us {
            let life = self.hosts[number as usize].life;
            self.wheel.push(self.now_us + life_us, Event::Death { node: number, life });
        }
        self.measures.joins += 1;
        let mut bootstraps = self.named(number);
        if self.living.len() < SMALL {
            bootstraps.push(Peer(self.root));
        }
        let root = Peer(self.root);
        self.act(number, |forest, cx| {
            forest.set_root(root);
            forest.on_found(cx, &bootstraps);
        });
    }

    /// Gives a node a number and a forest.
    pub(super) fn settle(&mut self, node: Node, role: Role) -> u32 {
        let rested = self.dead.front().is_some_and(|(at, _)| at + REST_US <= self.now_us);
        // One that has not rested stays where it is, or no number ever came back.
        let free = if rested { self.dead.pop_front() } else { None };
        let number = match free {
            Some((_, number)) => number,
            None => self.hosts.len() as u32,
        };
        let lie = self.liars.draw(number);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.rng.next_u64().to_be_bytes());
        let stream = self.plan.stream;
        let home = self.rng.below(stream.stripes().into()) as u8;
        let fact = Fact {
            place: node.place,
            tag: self.rng.next_u64() as u32,
            network: self.liars.network(number, self.rng.next_u64() as u32),
            loss_ppm: node.loss_ppm,
            home,
            nat: node.nat,
            side: 0,
        };
        let setup = Setup {
            me: Peer(number),
            role,
            k: stream.k,
            n: stream.stripes(),
            home,
            tag: fact.tag,
            channel: 1,
            slots: self.liars.slots(number, self.slots(node.upload_bps, role)),
            stripes_max: 2,
            reach: match node.nat {
                Nat::Public => Reach::Public,
                Nat::Punchable => Reach::Punchable,
                Nat::Hard => Reach::Hard,
            },
            view_max: VIEW_MAX,
            seed,
        };
        let life = self.hosts.get(number as usize).map_or(0, |host| host.life.wrapping_add(1));
        let host = Host {
            forest: Forest::new(Timestamp::from_micros(self.now_us), setup),
            links: Links::default(),
            node,
            wake_us: NEVER,
            joined_us: self.now_us,
            ready_us: NEVER,
            tidied_us: self.now_us,
            control_bytes: 0,
            life,
            alive: true,
        };
        if number as usize == self.hosts.len() {
            self.hosts.push(host);
            self.registry.facts.push(fact);
            self.seats.push(u32::MAX);
        } else {
            self.hosts[number as usize] = host;
            self.registry.facts[number as usize] = fact;
        }
        if role != Role::Root {
            self.unknown.push_back((self.now_us, number, life));
            self.seats[number as usize] = self.living.len() as u32;
            self.living.push(number);
        }
        if let Some(media) = &mut self.media {
            let joiner = Joiner {
                upload_bps: node.upload_bps.into(),
                // A downlink ten times the stream's rate is no limit.
                download_bps: Some(u64::from(node.download_bps))
                    .filter(|bps| *bps < 10 * self.plan.stream.bitrate_bps),
                bloat_us: node.bloat_us,
                // Figures are of what the honest see.
                viewer: role == Role::Gateway && lie.is_none(),
            };
            media.join(number, joiner, self.now_us);
            media.set_conduct(number, self.liars.conduct(number));
        }
        number
    }

    /// Children that an uplink can feed: four fifths of it, at the root seven tenths.
    pub(super) fn slots(&self, upload_bps: u32, role: Role) -> u16 {
        let stream = self.plan.stream;
        let stripe_bps = stream.bitrate_bps * 11 / 10 / u64::from(stream.k);
        let share = if role == Role::Root { 6 } else { 8 };
        let slots = (u64::from(upload_bps) * share / 10 / stripe_bps).min(u16::MAX.into()) as u16;
        // One copy of each stripe, or there is no session.
        if role == Role::Root { slots.max(stream.stripes().into()) } else { slots }
    }

    /// Members that an invite or discovery names to `node`: who is reached by all and was there for a
    /// moment; in a small session anybody.
    fn named(&mut self, node: u32) -> Vec<Peer> {
        let few = self.living.len() <= SMALL;
        while let Some(&(at_us, number, life)) = self.unknown.front()
            && at_us + KNOWN_AFTER_US <= self.now_us
        {
            self.unknown.pop_front();
            let lives = self.is(number, life);
            if lives && self.hosts[number as usize].node.nat == Nat::Public {
                self.published.push((number, life));
            }
        }
        let mut named = Vec::with_capacity(BOOTSTRAPS + 1);
        for _ in 0..3 * BOOTSTRAPS {
            let from = if few { self.living.len() } else { self.published.len() };
            if named.len() == BOOTSTRAPS || from == 0 {
                break;
            }
            let at = self.rng.below(from as u64) as usize;
            let (other, life) = match few {
                true => (self.living[at], None),
                false => (self.published[at].0, Some(self.published[at].1)),
            };
            let gone = life.is_some_and(|life| !self.is(other, life));
            // Records of the dead stay for a while.
            if gone && !chance(&mut self.rng, STALE_PPM) {
                self.published.swap_remove(at);
                continue;
            }
            if other != node && !named.contains(&Peer(other)) {
                named.push(Peer(other));
            }
        }
        named
    }

    pub(super) fn discover(&mut self, node: u32) {
        let life = self.hosts[node as usize].life;
        self.measures.discoveries += 1;
        self.wheel.push(self.now_us + DISCOVERY_US, Event::Found { node, life });
    }

    pub(super) fn found(&mut self, node: u32, life: u8) {
        if self.is(node, life) {
            let mut found = self.named(node);
            if self.living.len() < SMALL && node != self.root {
                found.push(Peer(self.root));
            }
            self.act(node, |forest, cx| forest.on_found(cx, &found));
        }
    }

    /// A node's time is over: it goes without a word, or says goodbye first.
    pub(super) fn leave(&mut self, node: u32, life: u8) {
        if !self.is(node, life) {
            return;
        }
        if !chance(&mut self.rng, self.plan.abrupt_ppm) {
            self.act(node, |forest, cx| forest.leave(cx));
        }
        self.die(node);
        if let Some(at_us) = self.arrivals.replaced_us(self.now_us) {
            self.wheel.push(at_us, Event::Replacement);
        }
    }

    /// `kill -9`.
    pub(super) fn die(&mut self, node: u32) {
        let host = &mut self.hosts[node as usize];
        if !host.alive {
            return;
        }
        host.alive = false;
        self.measures.died(host, self.now_us);
        let peers: Vec<Peer> = host.links.up().collect();
        let stripes = self.plan.stream.stripes();
        let children: Vec<(u8, u32)> = (0..stripes)
            .flat_map(|s| self.hosts[node as usize].forest.children(s).map(move |(p, _)| (s, p.0)))
            .collect();
        for peer in peers {
            let life = self.hosts[peer.0 as usize].life;
            let at_us = self.now_us + IDLE_TIMEOUT_US;
            self.wheel.push(at_us, Event::LinkDown { at: peer.0, peer: node, life });
        }
        if let Some(media) = &mut self.media {
            media.kill(node, self.now_us);
        }
        for (stripe, child) in children {
            self.bereave(child, stripe, node);
        }
        self.dead.push_back((self.now_us, node));
        let seat = self.seats[node as usize] as usize;
        if node != ROOT {
            self.living.swap_remove(seat);
            if let Some(moved) = self.living.get(seat) {
                self.seats[*moved as usize] = seat as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanFile;

    #[test]
    fn the_numbers_of_the_dead_come_back() {
        let text = "[world]\nnodes = 40\n[run]\nduration = '300 s'\nwarm_up = '2 s'\n\
                    media = 'none'\n[churn]\nmean_life = '20 s'";
        let file: PlanFile = text.parse().expect("a plan");
        let plan = Plan::resolve("numbers", &file, None).expect("a plan");
        let mut crowd = Crowd::new(&plan).expect("a world");
        while crowd.step(300_000_000) {}
        // Some 40 live, and 2 die each second and rest for 150 of them.
        let (numbers, joins) = (crowd.hosts.len(), crowd.measures.joins);
        assert!(joins > 500 && numbers < 420, "{numbers} numbers for {joins} nodes");
    }
}
