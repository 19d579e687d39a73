//! The forest of a session and the node it lives in: numbers ↔ keys and addresses, effects ↔ outputs.

use super::Live;
use crate::context::Context;
use crate::forest::{self, Action, Contact, Forest, Member, Peer, Role};
use crate::identity::NodeId;
use crate::output::{Event, Output};
use crate::peers::SessionPeers;
use crate::wire::control::{Body, Control};
use crate::wire::gossip::Gossip;

impl Live {
    /// Lets the forest act, and carries out what it asks for.
    pub(super) fn with_forest(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Forest, &mut forest::Context<'_>),
    ) {
        let mut actions = self.ask_forest(cx, act);
        // Nobody knows where these are. Each is asked again only after a while, so this ends.
        let mut unreachable = Vec::new();
        loop {
            for action in actions {
                self.carry_out(cx, action, &mut unreachable);
            }
            let Some(peer) = unreachable.pop() else { return };
            actions = self.ask_forest(cx, |forest, cx| forest.on_link_failed(cx, peer));
        }
    }

    fn ask_forest(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Forest, &mut forest::Context<'_>),
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let directory = SessionPeers { peers: cx.peers, outline: &self.outline };
        let (now, links, out) = (cx.now, &mut *cx.links, &mut actions);
        act(&mut self.forest, &mut forest::Context { now, links, directory: &directory, out });
        actions
    }

    fn carry_out(&mut self, cx: &mut Context<'_>, action: Action, unreachable: &mut Vec<Peer>) {
        let session = self.session();
        match action {
            Action::Connect(peer) => match cx.peers.contact(peer) {
                Some(contact) if !contact.addresses.is_empty() => {
                    cx.out.push(Output::Connect(contact.clone()));
                }
                _ => {
                    cx.links.on_down(peer);
                    unreachable.push(peer);
                }
            },
            Action::Disconnect(peer, why) => {
                if let Some(node) = cx.peers.id(peer) {
                    cx.out.push(Output::Disconnect(node, why));
                }
            }
            Action::Send(peer, message) => self.send(cx, peer, message),
            Action::Grafted { stripe, parent, old: _, depth, waited } => {
                let progress = &mut self.progress[usize::from(stripe)];
                let hungry = !waited.is_zero();
                let waited = if hungry { cx.now.since(progress.newest_at) } else { waited };
                progress.restart(cx.now, self.head.newest());
                if let Some(parent) = cx.peers.id(parent) {
                    cx.event(Event::Grafted { session, stripe, parent, depth, waited });
                }
            }
            Action::Orphaned { stripe, parent, cause } => {
                if let Some(parent) = cx.peers.id(parent) {
                    cx.event(Event::Orphaned { session, stripe, parent, cause });
                }
            }
            Action::Admitted { stripe, child, channel, resume } => {
                if let Some(child) = cx.peers.id(child) {
                    cx.event(Event::ChildAdmitted { session, stripe, child });
                    self.send_ring(cx, child, channel, stripe, resume, None);
                }
            }
            Action::Released { stripe, child } => {
                if let Some(child) = cx.peers.id(child) {
                    cx.event(Event::ChildReleased { session, stripe, child });
                }
            }
            Action::CandidatesWanted(stripes) => {
                cx.event(Event::CandidatesWanted { session, stripes });
            }
        }
    }

    fn send(&self, cx: &mut Context<'_>, peer: Peer, mut message: forest::Message) {
        if let Body::Graft(graft) = &mut message {
            let newest = self.progress[usize::from(graft.stripe)].newest;
            graft.resume = newest.map_or(0, |newest| newest + 1);
        }
        let mine = Contact::new(self.me, self.addresses.iter().copied());
        let me = self.forest.setup().me;
        let peers = &*cx.peers;
        let name = |p: Peer| if p == me { Some(mine.clone()) } else { peers.contact(p).cloned() };
        let body = message.map(name, |p| peers.id(p));
        if let (Some(node), Some(body)) = (peers.id(peer), body) {
            let session = self.session();
            cx.out.push(Output::Control(node, Control { session, body }.encode()));
        }
    }

    /// A control message of the forest came from `node`.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, node: NodeId, body: Body) {
        let now = cx.now;
        let Some(peer) = cx.peers.find(&node) else { return };
        // One that is named but has no number here, and that there is no room for, is left out.
        let peers = std::cell::RefCell::new(&mut *cx.peers);
        let number = |contact: Contact| {
            let first = contact.node == node;
            peers.borrow_mut().learn(now, &contact, first)
        };
        let message = body.map(number, |node| peers.borrow().find(&node));
        if let Some(message) = message {
            self.with_forest(cx, |forest, cx| forest.on_message(cx, peer, message));
        }
    }

    /// Discovery found members.
    pub(crate) fn on_found(&mut self, cx: &mut Context<'_>, contacts: &[Contact]) {
        let now = cx.now;
        let learn = |contact| cx.peers.learn(now, contact, true);
        let found: Vec<Peer> = contacts.iter().filter_map(learn).collect();
        self.with_forest(cx, |forest, cx| forest.on_found(cx, &found));
    }

    /// A member described itself by gossip.
    pub(crate) fn on_advert(&mut self, cx: &mut Context<'_>, gossip: Gossip) {
        let Gossip { member, interval, .. } = gossip;
        let now = cx.now;
        self.adverts.heard(now, member.contact.node, interval);
        let Some(member) = member.map(|contact| cx.peers.learn(now, &contact, true)) else {
            return;
        };
        self.with_forest(cx, |forest, cx| forest.on_advert(cx, member));
    }

    /// How this node describes itself.
    pub(super) fn member(&self, cx: &Context<'_>) -> Member {
        let member = self.forest.member(cx.now, cx.links);
        let contact = Contact::new(self.me, self.addresses.iter().copied());
        let Member {
            role, carries, slots, slots_free, depth, delay_us, age_s, reach, spot, ..
        } = member;
        Member { contact, role, carries, slots, slots_free, depth, delay_us, age_s, reach, spot }
    }

    /// Whether `peer` feeds this node a stripe.
    pub(super) fn is_parent(&self, peer: Option<Peer>, stripe: u8) -> bool {
        peer.is_some() && self.forest.parent(stripe) == peer
    }

    /// The children of a stripe and their channels.
    pub(super) fn children(&self, cx: &Context<'_>, stripe: u8) -> Vec<(NodeId, u32)> {
        let children = self.forest.children(stripe);
        children.filter_map(|(peer, channel)| Some((cx.peers.id(peer)?, channel))).collect()
    }

    pub(super) fn is_root(&self) -> bool {
        self.role == Role::Root
    }
}
