//! The rules, each as one look at the whole world.

use super::super::Crowd;
use super::grace::Grace;
use super::loops::loops;
use super::{DISAGREE_US, LOOP_US, NEWCOMER_US, under_way};
use banyan_protocol::forest::{Peer, Role};
use banyan_protocol::limits::LINKS_MAX;
use std::collections::BTreeMap;

impl Crowd {
    /// No node feeds more children, has more links or remembers more members than it may.
    pub(super) fn bounds_hold(&self) -> Result<(), String> {
        for node in self.everybody() {
            let host = &self.hosts[node as usize];
            let setup = host.forest.setup();
            let rows = [
                ("children", host.forest.children_len(), host.forest.children_max()),
                ("links", host.links.len(), LINKS_MAX),
                ("members in view", host.forest.members(), setup.view_max),
            ];
            for (what, has, max) in rows {
                if has > max {
                    return Err(format!("{} has {has} {what}, at most {max}", self.name(node)));
                }
            }
        }
        Ok(())
    }

    /// A gateway forwards in its home stripe and one other, unless its session is small.
    pub(super) fn homes_hold(&self, excused: &mut BTreeMap<(u32, u8), u32>) -> Result<(), String> {
        let before = std::mem::take(excused);
        for node in self.everybody() {
            let host = &self.hosts[node as usize];
            let setup = host.forest.setup();
            if setup.role != Role::Gateway {
                continue;
            }
            let away = (0..setup.n).filter(|stripe| *stripe != setup.home);
            let away = away.filter(|stripe| host.forest.has_children(*stripe));
            let away = away.fold(0_u32, |set, stripe| set | 1 << stripe);
            if away.count_ones() <= 1 {
                continue;
            }
            let key = (node, host.life);
            let newcomer = host.joined_us + NEWCOMER_US > self.now_us;
            let small = host.forest.is_small() || newcomer;
            let may = if small { away } else { before.get(&key).copied().unwrap_or(0) & away };
            if (away & !may).count_ones() > 1 || may == 0 {
                let stripes: Vec<u8> = (0..setup.n).filter(|s| away >> s & 1 == 1).collect();
                let who = self.name(node);
                return Err(format!("{who} forwards away from home in stripes {stripes:?}"));
            }
            excused.insert(key, may);
        }
        Ok(())
    }

    /// Nobody is its own ancestor for long.
    pub(super) fn no_loop_lasts(&self, grace: &mut Grace<(u8, u32)>) -> Result<(), String> {
        let mut wrong = Vec::new();
        for stripe in 0..self.stripes() {
            let up = |node: u32| {
                let host = &self.hosts[node as usize];
                host.forest.parent(stripe).filter(|_| host.alive).map(|parent| parent.0)
            };
            let found = loops(self.everybody(), self.hosts.len(), up);
            // Whoever gives itself a path right below the root cuts off what shows the loop: those
            // below find out as no shards come.
            let ring = |start: u32| std::iter::successors(Some(start), |node| up(*node));
            let ring = |start: u32| {
                let rest = ring(start).skip(1).take(self.hosts.len());
                std::iter::once(start).chain(rest.take_while(move |node| *node != start))
            };
            let hidden = |start: &u32| ring(*start).any(|node| self.hides_its_path(node));
            let found = found.into_iter().filter(|node| !hidden(node));
            wrong.extend(found.map(|node| (stripe, node)));
        }
        match grace.look(self.now_us, LOOP_US, wrong) {
            None => Ok(()),
            Some((stripe, node)) => {
                let who = self.name(node);
                Err(format!("{who} has been its own ancestor in stripe {stripe} for too long"))
            }
        }
    }

    /// Parent and child know of each other, or soon will.
    pub(super) fn pairs_agree(
        &self,
        grace: &mut Grace<(u8, u32, u32, bool)>,
    ) -> Result<(), String> {
        let mut wrong = Vec::new();
        for node in self.everybody() {
            let forest = &self.hosts[node as usize].forest;
            for stripe in 0..self.stripes() {
                if let Some(Peer(parent)) = forest.parent(stripe) {
                    let other = &self.hosts[parent as usize];
                    if !other.alive || !other.forest.is_child(stripe, Peer(node)) {
                        wrong.push((stripe, parent, node, false));
                    }
                }
                for (Peer(child), _) in forest.children(stripe) {
                    let other = &self.hosts[child as usize];
                    let says = other.forest.parent(stripe) == Some(Peer(node));
                    if !other.alive || !says || child == self.root {
                        wrong.push((stripe, node, child, true));
                    }
                }
            }
        }
        let Some((stripe, parent, child, feeds)) = grace.look(self.now_us, DISAGREE_US, wrong)
        else {
            return Ok(());
        };
        let (parent, child) = (self.name(parent), self.name(child));
        Err(if feeds {
            format!("{parent} takes {child} for its child in stripe {stripe}, which it is not")
        } else {
            format!("{child} takes {parent} for its parent in stripe {stripe}, which it is not")
        })
    }

    /// Every copy of a shard that was sent is under way or has come to one end.
    pub(super) fn copies_balance(&self, cleared: i128) -> Result<(), String> {
        let Some(media) = &self.media else { return Ok(()) };
        let (copies, pending) = (under_way(&media.figures) + cleared, media.pending() as i128);
        if (0..=pending).contains(&copies) {
            return Ok(());
        }
        Err(format!("{copies} copies of shards are under way, of at most {pending}"))
    }
}
