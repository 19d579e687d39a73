//! [`Banyan`]: routes inputs to the sessions, owns the links and the outbox; holds no policy.

use crate::capacity::{Demand, Sent, Uplink, split};
use crate::context::Context;
use crate::forest::{Action, Peer, Role};
use crate::identity::{NodeId, SessionId};
use crate::input::{Command, Input};
use crate::limits::SESSIONS_MAX;
use crate::links::Links;
use crate::output::{Event, Farewell, OrphanCause, Outbox, Output, Violation};
use crate::peers::Peers;
use crate::session::{Entry, Live, Outline, SessionStatus, Share};
use crate::time::Timestamp;
use crate::unit::Bitrate;
use crate::wire::control::{Body, Control, Refusal};
use crate::wire::gossip::Gossip;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The uplink is split between the sessions this often. Spec: [`Budget`](crate::capacity::Budget)
/// is updated about once a second.
const SHARE_EVERY: Duration = Duration::from_secs(1);
/// Links are looked over this often.
const LINKS_EVERY: Duration = Duration::from_secs(2);
/// Nodes that nobody names any more are forgotten this soon while names pour in. Guess: a hundredth
/// of the time it takes.
const CROWDED_EVERY: Duration = Duration::from_millis(100);

/// One node: everything it does that is not input or output.
///
/// The driver's contract: feed one input with [`Banyan::handle_input`], then drain
/// [`Banyan::poll_output`] to [`Output::Wait`]; feed [`Input::Wake`] at the time it names.
pub struct Banyan {
    me: NodeId,
    seed: [u8; 32],
    now: Timestamp,
    drained: bool,
    links: Links,
    tidied_at: Timestamp,
    peers: Peers,
    /// This node's own number, once it takes part in something.
    mine: Option<Peer>,
    addresses: Vec<SocketAddr>,
    uplink: Uplink,
    /// When the uplink was last split between the sessions.
    shared_at: Timestamp,
    lives: BTreeMap<SessionId, Live>,
    /// Channel → session, for shards that come in. A channel is never used twice.
    channels: BTreeMap<u32, SessionId>,
    next_channel: u32,
    out: Outbox,
}

impl Banyan {
    /// A node that takes part in nothing yet. `seed` decides every random choice it will make.
    #[must_use]
    pub fn new(me: NodeId, seed: [u8; 32]) -> Self {
        Self {
            me,
            seed,
            now: Timestamp::ZERO,
            drained: true,
            links: Links::default(),
            tidied_at: Timestamp::ZERO,
            peers: Peers::default(),
            mine: None,
            addresses: Vec::new(),
            uplink: Uplink::default(),
            shared_at: Timestamp::ZERO,
            lives: BTreeMap::new(),
            channels: BTreeMap::new(),
            next_channel: 1,
            out: Outbox::default(),
        }
    }

    /// Feeds one stimulus at `now`. Infallible: a misbehaving peer is an [`Output`], not an error.
    ///
    /// # Panics
    /// If time goes backwards, or the outputs of the last input were not drained.
    pub fn handle_input(&mut self, now: Timestamp, input: Input) {
        assert!(now >= self.now, "time went backwards: {:?} -> {now:?}", self.now);
        assert!(self.drained, "drain poll_output to Output::Wait first");
        self.now = now;
        self.drained = false;
        match input {
            Input::Command(command) => self.on_command(command),
            Input::LinkUp { peer: node, address, rtt } => {
                let peer = self.peers.on_up(now, node, address);
                match peer.filter(|peer| self.links.on_up(now, *peer, rtt)) {
                    Some(peer) => self.each(|live, cx| live.on_link_up(cx, peer)),
                    None => self.out.push(Output::Disconnect(node, Farewell::Full)),
                }
            }
            Input::LinkFailed(node) => {
                if let Some(peer) = self.peers.find(&node) {
                    self.links.on_down(peer);
                    self.each(|live, cx| live.on_link_failed(cx, peer));
                }
            }
            Input::LinkDown(node) => {
                if let Some(peer) = self.peers.find(&node) {
                    self.links.on_down(peer);
                    self.each(|live, cx| live.on_link_down(cx, peer, OrphanCause::LinkDown));
                }
            }
            Input::Rtt(node, rtt) => {
                if let Some(peer) = self.peers.find(&node) {
                    self.links.on_rtt(peer, rtt);
                }
            }
            Input::Control(peer, bytes) => self.on_control(peer, bytes),
            Input::Shard(peer, channel, bytes) => self.on_shard(peer, channel, bytes),
            Input::Found(session, contacts) => {
                self.with(&session, |live, cx| live.on_found(cx, &contacts));
            }
            Input::Advert(from, bytes) => {
                // Gossip passes through strangers: what cannot be read is nobody's fault here.
                if let Ok(gossip) = Gossip::decode(bytes)
                    && gossip.member.contact.node == from
                {
                    let session = gossip.session;
                    self.with(&session, |live, cx| live.on_advert(cx, gossip));
                }
            }
            Input::Addresses(addresses) => {
                self.each(|live, cx| live.set_addresses(cx, &addresses));
                self.addresses = addresses;
            }
            Input::Sent(links) => self.on_sent(&links),
            Input::Wake => {}
        }
        self.each(|live, cx| live.on_time(cx));
        let every = if self.peers.is_crowded() { CROWDED_EVERY } else { LINKS_EVERY };
        if self.tidied_at + every <= now {
            self.tidied_at = now;
            self.tidy();
        }
    }

    /// Closes links that no session needs, and forgets nodes that none names.
    fn tidy(&mut self) {
        let mut needed: Vec<Peer> = self.lives.values().flat_map(Live::needed).collect();
        needed.sort_unstable();
        let mut actions = Vec::new();
        let is_needed = |peer: Peer| needed.binary_search(&peer).is_ok();
        self.links.close_idle(self.now, is_needed, &mut actions);
        for action in actions {
            if let Action::Disconnect(peer, why) = action
                && let Some(node) = self.peers.id(peer)
            {
                self.out.push(Output::Disconnect(node, why));
            }
        }
        let linked = self.links.all();
        let mut used: Vec<Peer> =
            self.lives.values().flat_map(Live::mentioned).chain(linked).chain(self.mine).collect();
        used.sort_unstable();
        used.dedup();
        self.peers.keep(&used);
    }

    /// Returns queued effects in order, and at last [`Output::Wait`] with the next deadline.
    #[must_use]
    pub fn poll_output(&mut self) -> Output {
        self.out.pop().unwrap_or_else(|| {
            self.drained = true;
            let lives = self.lives.values().filter_map(Live::deadline).min();
            let links = (!self.lives.is_empty()).then_some(self.tidied_at + LINKS_EVERY);
            Output::Wait(lives.into_iter().chain(links).min())
        })
    }

    /// What this node is doing, for people and tests.
    #[must_use]
    pub fn status(&self) -> Vec<SessionStatus> {
        self.lives.values().map(|live| live.status(self.now, &self.peers)).collect()
    }

    /// What the uplink is expected to carry for others, once that is measured.
    #[must_use]
    pub fn uplink(&self) -> Option<Bitrate> {
        self.uplink.expected()
    }

    /// Every peer with a link.
    pub fn linked(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.links.up().filter_map(|peer| self.peers.id(peer))
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Give(limit) => self.uplink.set_limit(self.now, limit),
            Command::Publish { outline, media_key, slots, first_block } => {
                if let Some(entry) = self.enter(*outline, Role::Root, slots) {
                    let session = entry.outline.session;
                    self.lives
                        .insert(session, Live::root(self.now, entry, *media_key, first_block));
                }
            }
            Command::Join { outline, role, slots, bootstraps } => {
                let session = outline.session;
                let Some(entry) = self.enter(*outline, role.into(), slots) else {
                    // Already in it: the invite may still name members unknown here.
                    self.with(&session, |live, cx| live.on_found(cx, &bootstraps));
                    return;
                };
                let Self { now, links, peers, uplink, out, .. } = self;
                let mut cx = Context { now: *now, links, peers, uplink, out };
                let live = Live::join(&mut cx, entry, role, &bootstraps);
                self.lives.insert(session, live);
                for peer in self.links.up().collect::<Vec<Peer>>() {
                    self.with(&session, |live, cx| live.on_link_there(cx, peer));
                }
            }
            Command::Ingest(session, draft) => {
                self.with(&session, |live, cx| live.ingest(cx, draft));
            }
            Command::TakeOver { session, grant, media_key, slots } => {
                self.with(&session, |live, cx| {
                    live.take_over(cx, &grant, *media_key, slots);
                });
            }
            Command::Refresh(session) => self.with(&session, |live, cx| live.refresh(cx)),
            Command::Leave(session) => {
                self.with(&session, |live, cx| live.leave(cx));
                self.lives.remove(&session);
                self.channels.retain(|_, of| *of != session);
            }
        }
    }

    /// What a new session needs, unless this node is in it already or in too many.
    fn enter(&mut self, outline: Outline, role: Role, slots: u16) -> Option<Entry> {
        if self.lives.contains_key(&outline.session) || self.lives.len() >= SESSIONS_MAX {
            return None;
        }
        let my_number = self.peers.number(self.now, self.me)?;
        self.mine = Some(my_number);
        let channel = self.next_channel;
        self.next_channel += 1;
        self.channels.insert(channel, outline.session);
        let seed = blake3::keyed_hash(&self.seed, outline.session.as_bytes());
        let share = self.uplink.limit().map(|limit| {
            let mut demands: Vec<Demand> = self.lives.values().map(Live::demand).collect();
            demands.push(Share::demand_of(&outline, role, 0));
            let parts = split(self.uplink.expected().unwrap_or(limit), &demands);
            let part = parts.last().copied().unwrap_or(limit);
            Share::new(self.now, &outline, role, (limit, part), slots)
        });
        Some(Entry {
            me: self.me,
            my_number,
            seed: *seed.as_bytes(),
            channel,
            outline,
            slots: share.as_ref().map_or(slots, Share::slots),
            share,
            addresses: self.addresses.clone(),
        })
    }

    /// The links took so much. Once a second, and when the uplink falls behind, each session learns
    /// what part of it it has.
    fn on_sent(&mut self, links: &[Sent]) {
        let was_behind = self.uplink.is_behind(self.now);
        self.uplink.on_sent(self.now, links);
        let behind = self.uplink.is_behind(self.now);
        if self.now < self.shared_at + SHARE_EVERY && (was_behind || !behind) {
            return;
        }
        self.shared_at = self.now;
        let Some(expected) = self.uplink.expected() else { return };
        let saturated = self.uplink.is_saturated(self.now);
        let demands: Vec<Demand> = self.lives.values().map(Live::demand).collect();
        let mut parts = split(expected, &demands).into_iter();
        self.each(|live, cx| {
            if let Some(part) = parts.next() {
                live.on_share(cx, part, saturated);
            }
            if behind {
                live.on_congested(cx);
            }
        });
    }

    fn on_control(&mut self, peer: NodeId, bytes: Bytes) {
        let number = self.peers.find(&peer).filter(|number| self.links.is_up(*number));
        let Some(number) = number else {
            return; // cut a moment ago, and this was on its way
        };
        if !self.peers.on_control(self.now, number) {
            self.violated(peer, Violation::Flood);
            return;
        }
        let Ok(Control { session, body }) = Control::decode(bytes) else {
            self.violated(peer, Violation::Control);
            return;
        };
        let Self { now, links, peers, uplink, out, lives, .. } = self;
        let mut cx = Context { now: *now, links, peers, uplink, out };
        let Some(live) = lives.get_mut(&session) else {
            // Whoever asks must not wait for an answer.
            if let Body::Graft(graft) = body {
                let (stripe, request) = (graft.stripe, graft.request);
                let (refusal, members) = (Refusal::Unknown, Vec::new());
                cx.send(peer, session, Body::Redirected { stripe, request, refusal, members });
            }
            return;
        };
        if let Err(violation) = live.on_control(&mut cx, peer, body) {
            self.violated(peer, violation);
        }
    }

    fn on_shard(&mut self, peer: NodeId, channel: u32, bytes: Bytes) {
        if !self.is_up(&peer) {
            return; // cut a moment ago, and this was on its way
        }
        // A channel of a session just left: the parent has not heard of it yet.
        let Some(session) = self.channels.get(&channel).copied() else { return };
        let Self { now, links, peers, uplink, out, lives, .. } = self;
        let mut cx = Context { now: *now, links, peers, uplink, out };
        let Some(live) = lives.get_mut(&session) else { return };
        if let Err(violation) = live.on_shard(&mut cx, peer, bytes) {
            self.violated(peer, violation);
        }
        let mut forgers = Vec::new();
        self.with(&session, |live, cx| forgers = live.take_forgers(cx));
        for forger in forgers {
            self.violated(forger, Violation::Forged);
        }
    }

    fn is_up(&self, node: &NodeId) -> bool {
        self.peers.find(node).is_some_and(|peer| self.links.is_up(peer))
    }

    /// Cuts a peer that broke a rule, in every session.
    fn violated(&mut self, node: NodeId, violation: Violation) {
        let Some(peer) = self.peers.find(&node) else { return };
        let banned = self.lives.values().all(|live| live.is_banned(peer));
        if banned && !self.links.is_up(peer) {
            return; // for an earlier one: this was found on the way
        }
        self.out.event(Event::Violated { peer: node, violation });
        if self.links.on_down(peer) {
            self.out.push(Output::Disconnect(node, Farewell::Violation(violation)));
        }
        self.each(|live, cx| live.ban(cx, peer));
    }

    fn each(&mut self, mut act: impl FnMut(&mut Live, &mut Context<'_>)) {
        let Self { now, links, peers, uplink, out, lives, .. } = self;
        let mut cx = Context { now: *now, links, peers, uplink, out };
        lives.values_mut().for_each(|live| act(live, &mut cx));
    }

    fn with(&mut self, session: &SessionId, act: impl FnOnce(&mut Live, &mut Context<'_>)) {
        let Self { now, links, peers, uplink, out, lives, .. } = self;
        let mut cx = Context { now: *now, links, peers, uplink, out };
        if let Some(live) = lives.get_mut(session) {
            act(live, &mut cx);
        }
    }
}
