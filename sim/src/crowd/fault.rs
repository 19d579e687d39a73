//! What goes wrong by the plan: partitions, outages, the root's death.

mod handover;
mod heal;

pub(super) use handover::Handover;
pub(super) use heal::Heals;

use super::life::IDLE_TIMEOUT_US;
use super::{Crowd, Event};
use crate::plan::{What, Who};
use crate::population::chance;
use banyan_protocol::forest::Peer;

impl Crowd {
    pub(super) fn plan_faults(&mut self) {
        for (index, fault) in self.plan.faults.clone().iter().enumerate() {
            let index = index as u16;
            self.wheel.push(fault.at_us, Event::Fault { index, ends: false });
            let for_us = match fault.what {
                What::Partition { for_us, .. } => Some(for_us),
                What::UplinkDrop { for_us, .. } => for_us,
                _ => None,
            };
            if let Some(for_us) = for_us {
                self.wheel.push(fault.at_us + for_us, Event::Fault { index, ends: true });
            }
        }
    }

    pub(super) fn fault(&mut self, index: usize, ends: bool) {
        let fault = self.plan.faults[index].clone();
        self.measures.faults.push(self.now_us);
        match fault.what {
            What::Partition { who, for_us } => self.partition(&who, ends, for_us),
            What::Outage { who } => {
                for node in self.met(&who) {
                    self.die(node);
                }
                self.heal();
            }
            What::UplinkDrop { who, by_ppm, .. } => {
                for node in self.met(&who) {
                    let full = u64::from(self.hosts[node as usize].node.upload_bps);
                    let left = full * u64::from(1_000_000 - by_ppm) / 1_000_000;
                    if let Some(media) = &mut self.media {
                        media.set_upload(node, if ends { full } else { left.max(1) });
                    }
                }
            }
            What::RootDeath => {
                self.die(self.root);
                self.root_died();
                self.heal();
            }
            What::RootHandover => {
                self.hand_over();
                self.heal();
            }
        }
    }

    /// The network falls in two, or is one again.
    fn partition(&mut self, who: &Who, ends: bool, for_us: u64) {
        if ends {
            self.registry.facts.iter_mut().for_each(|fact| fact.side = 0);
            self.heal();
        } else {
            for node in self.met(who) {
                self.registry.facts[node as usize].side = 1;
            }
            if for_us > IDLE_TIMEOUT_US {
                self.links_time_out();
            }
        }
        if let Some(media) = &mut self.media {
            media.network_changed(&self.registry);
        }
    }

    /// The links over which nothing comes any more go down at both ends.
    fn links_time_out(&mut self) {
        let at_us = self.now_us + IDLE_TIMEOUT_US;
        let living = self.living.iter().copied().chain([self.root]);
        for at in living.filter(|node| self.hosts[*node as usize].alive) {
            let host = &self.hosts[at as usize];
            let life = host.life;
            for peer in host.links.up().map(|peer| peer.0) {
                if !self.registry.is_reachable(at, peer) {
                    self.wheel.push(at_us, Event::LinkDown { at, peer, life });
                }
            }
        }
    }

    /// Whom a fault meets.
    fn met(&mut self, who: &Who) -> Vec<u32> {
        match who {
            Who::Publisher => vec![self.root],
            Who::Share(ppm) => {
                let living = self.living.clone();
                living.into_iter().filter(|_| chance(&mut self.rng, *ppm)).collect()
            }
            Who::Cities(cities) => {
                let there = |node: &u32| cities.contains(&self.registry.fact(*node).place.city);
                self.living.iter().copied().filter(there).collect()
            }
        }
    }

    /// A node was sent a spoilt shard: it cuts the sender, as the core's hub does.
    pub(super) fn forged(&mut self, node: u32, from: u32) {
        self.measures.forged += 1;
        let peer = Peer(from);
        if self.hosts[node as usize].links.is_up(peer) {
            self.saw_forgery(node, from);
        }
        if self.hosts[node as usize].links.on_down(peer) {
            let life = self.hosts[from as usize].life;
            let at_us = self.now_us + self.registry.one_way_us(node, from);
            self.wheel.push(at_us, Event::LinkDown { at: from, peer: node, life });
        }
        self.act(node, |forest, cx| forest.ban(cx, peer));
    }
}
