//! The root's place passes from one node to another, which the publisher granted it.
//!
//! In good order the old root feeds its heir every stripe first ([`Forest::set_heir`],
//! [`Forest::turn_to`]); then the heir takes over ([`Forest::become_root`]) and tells everybody by the
//! grant; who hung from the old root turns to the new one and is fed by the old one until it is taken;
//! at last the heir is the source itself ([`Forest::stand_alone`]). When the old root has died, only
//! the last two happen, at once. Whether a grant holds is the hub's to check.

use super::action::Action;
use super::context::Context;
use super::machine::Forest;
use super::member::Role;
use super::peer::Peer;
use super::stripe::StripeSet;
use super::told::Told;
use crate::wire::control::Body;
use bytes::Bytes;

impl Forest {
    /// Root: admits `heir` beyond the slots from now on, in every stripe.
    pub fn set_heir(&mut self, heir: Peer) {
        self.children.set_heir(heir);
    }

    /// Asks `peer` for every stripe that is wanted; who feeds them now does so until it says yes.
    pub fn turn_to(&mut self, cx: &mut Context<'_>, peer: Peer) {
        for stripe in self.parents.wanted().iter() {
            let (parents, mut who) = self.split();
            parents.turn_to(cx, &mut who, stripe, peer);
        }
    }

    /// Becomes the root, with room for so many children, and tells all it has links with. What still
    /// comes from the old root is passed on.
    pub fn become_root(&mut self, cx: &mut Context<'_>, slots: u16, grant: Bytes) {
        self.setup.role = Role::Root;
        self.parents.root = None;
        self.root_granted = true;
        self.parents.stay();
        self.children.spread_over(StripeSet::all(self.setup.n));
        self.set_slots(cx.now, slots);
        self.pass_on_grant(cx, self.setup.me, &grant, None);
        let stripes: Vec<u8> = self.children.stripes().collect();
        for stripe in stripes {
            self.tell_path(cx, stripe, 0);
        }
        self.announce_soon(cx.now);
    }

    /// The new root is the source now: it takes nothing from others any more.
    pub fn stand_alone(&mut self, cx: &mut Context<'_>) {
        for stripe in self.parents.wanted().iter() {
            self.parents.want(cx, stripe, false);
        }
    }

    /// `from` tells of another root, by a grant that holds: who hangs from the old one, or is adrift
    /// with others below, turns to it. Everybody is told once.
    pub(super) fn on_grant(&mut self, cx: &mut Context<'_>, from: Peer, root: Peer, grant: &Bytes) {
        let old = self.parents.root;
        if root == self.setup.me || (self.root_granted && old == Some(root)) {
            return;
        }
        self.root_granted = true;
        self.set_root(root);
        self.candidates.learn_contact(cx.now, cx.links, cx.directory, root, Told::BY_ITSELF);
        self.pass_on_grant(cx, root, grant, Some(from));
        for stripe in self.parents.wanted().iter() {
            let parent = self.parent(stripe);
            let lost = parent.is_none() && self.children.has_any(stripe);
            if lost || (parent.is_some() && parent == old) {
                let (parents, mut who) = self.split();
                parents.turn_to(cx, &mut who, stripe, root);
            }
        }
    }

    /// Whether this was the root until another took its place: it feeds whom it has, and takes nobody.
    pub(super) fn has_handed_over(&self) -> bool {
        self.setup.role == Role::Root && self.root_granted && self.parents.root.is_some()
    }

    /// Tells all with whom a link is up, also those that have not said yet that they are members.
    fn pass_on_grant(&self, cx: &mut Context<'_>, root: Peer, grant: &Bytes, from: Option<Peer>) {
        let peers: Vec<Peer> = cx.links.up().filter(|peer| Some(*peer) != from).collect();
        for peer in peers {
            let grant = grant.clone();
            cx.out.push(Action::Send(peer, Body::Grant { root, grant }));
        }
    }
}
