//! One node's part in one session: who feeds it, whom it feeds, what it keeps of the media.

mod allowance;
mod control;
mod helper;
mod media;
mod upkeep;

use crate::bucket::Bucket;
use crate::context::Context;
use crate::forest::{
    Asker, Candidates, Children, Contact, Head, Member, Parents, Path, Role, Roster, StripeSet,
    Told, home, tag,
};
use crate::identity::{MediaKey, NodeId, SessionId};
use crate::input::JoinRole;
use crate::session::Outline;
use crate::time::Timestamp;
use allowance::Allowances;
use helper::Helper;
use media::Media;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Grafts at once for which a root tells all its children the paths. Guess: a session forms with
/// some dozens; after those the path of each second does.
const TELLINGS_BURST: u64 = 256;
/// The same per second for ever. Guess: 20 × `CHILDREN_MAX` short messages are no burden.
const TELLINGS_PER_SECOND: u64 = 20;

/// A node's part in a session.
pub(crate) struct Live {
    me: NodeId,
    outline: Outline,
    role: Role,
    stripes_max: u8,
    home: u8,
    slots: u16,
    pub(super) parents: Parents,
    children: Children,
    candidates: Candidates,
    head: Head,
    media: Media,
    allowances: Allowances,
    /// Members with whom a link is up and who said they are in the session.
    peers: BTreeSet<NodeId>,
    addresses: Vec<SocketAddr>,
    /// When to tell the peers about this node next.
    announce_at: Timestamp,
    advertise_at: Timestamp,
    paths_at: Timestamp,
    /// How often a root may still tell all its children the paths because of a graft.
    tellings: Bucket,
    refreshed_at: Option<Timestamp>,
    helper: Helper,
    wanted_at: Timestamp,
    probed: (Timestamp, Duration),
    sent_bytes: u64,
    received_bytes: u64,
    ended: bool,
}

/// What a node is told when it enters a session.
pub(crate) struct Entry {
    pub me: NodeId,
    pub seed: [u8; 32],
    pub channel: u32,
    pub outline: Outline,
    pub slots: u16,
    pub addresses: Vec<SocketAddr>,
}

impl Live {
    /// The publisher's node.
    pub(crate) fn root(
        now: Timestamp,
        entry: Entry,
        media_key: MediaKey,
        first_block: u64,
    ) -> Self {
        let media = Media::root(&entry.outline, media_key, first_block);
        Self::new(now, entry, Role::Root, 0, media)
    }

    /// Any other node.
    pub(crate) fn join(
        cx: &mut Context<'_>,
        entry: Entry,
        role: JoinRole,
        bootstraps: &[Contact],
    ) -> Self {
        let now = cx.now;
        let mut live = match role {
            JoinRole::Gateway => {
                let media = Media::gateway(&entry.outline);
                Self::new(now, entry, Role::Gateway, 0, media)
            }
            JoinRole::Helper { stripes_max } => {
                let media = Media::helper(&entry.outline);
                Self::new(now, entry, Role::Helper, stripes_max.max(1), media)
            }
        };
        for contact in bootstraps {
            live.candidates.learn_contact(now, cx.links, contact, Told::ByItself);
        }
        live.on_time(cx);
        live
    }

    fn new(now: Timestamp, entry: Entry, role: Role, stripes_max: u8, media: Media) -> Self {
        let Entry { me, seed, channel, outline, slots, addresses } = entry;
        let (session, n) = (outline.session, outline.stripes());
        let home = home(&me, &outline.epoch_seed, n);
        let asker = Asker {
            session,
            tag: tag(&me, &session),
            channel,
            helper: role == Role::Helper,
            home,
            slots,
        };
        let wanted = match role {
            Role::Root => StripeSet::EMPTY,
            Role::Gateway => StripeSet::all(n),
            Role::Helper => {
                let mut home_only = StripeSet::EMPTY;
                home_only.insert(home);
                home_only
            }
        };
        let mut children = Children::new(n, slots);
        match role {
            Role::Root => children.spread_over(n.into()),
            Role::Helper => children.spread_over(wanted.len()),
            Role::Gateway => {} // in a small session it may have to multiply any stripe
        }
        Self {
            me,
            role,
            stripes_max,
            home,
            slots,
            parents: Parents::new(now, asker, n, wanted),
            children,
            candidates: Candidates::new(me, &seed),
            head: Head::default(),
            media,
            allowances: Allowances::new(outline.bitrate.bps()),
            peers: BTreeSet::new(),
            addresses,
            announce_at: now,
            advertise_at: now,
            paths_at: now,
            tellings: Bucket::full(now, TELLINGS_BURST, TELLINGS_PER_SECOND),
            refreshed_at: None,
            helper: Helper::new(now),
            wanted_at: now,
            probed: (now, Duration::ZERO),
            sent_bytes: 0,
            received_bytes: 0,
            ended: false,
            outline,
        }
    }

    fn session(&self) -> SessionId {
        self.outline.session
    }

    /// This node's way from the root in a stripe, if it has the stripe.
    fn path(&self, stripe: u8) -> Option<Path> {
        match self.role {
            Role::Root => Some(Path {
                tags: vec![tag(&self.me, &self.session())],
                stalled: false,
                short: self.short(),
            }),
            Role::Gateway | Role::Helper => self.parents.path(stripe),
        }
    }

    /// Root: the stripes in which no child is a helper.
    fn short(&self) -> StripeSet {
        let mut short = StripeSet::EMPTY;
        for stripe in 0..self.outline.stripes() {
            if !self.children.has_helper(stripe) {
                short.insert(stripe);
            }
        }
        short
    }

    fn carries(&self) -> StripeSet {
        match self.role {
            Role::Root => StripeSet::all(self.outline.stripes()),
            Role::Gateway | Role::Helper => self.parents.fed(),
        }
    }

    /// Whether nothing of `peer` is used any more.
    pub(crate) fn is_banned(&self, peer: &NodeId) -> bool {
        self.candidates.is_banned(peer)
    }

    /// How this node describes itself.
    fn member(&self, now: Timestamp) -> Member {
        Member {
            contact: Contact::new(self.me, self.addresses.iter().copied()),
            role: self.role,
            carries: self.carries(),
            slots_free: self.children.slots_free(now),
            depth: if self.role == Role::Root { 0 } else { self.parents.depth() },
        }
    }

    pub(crate) fn set_addresses(&mut self, now: Timestamp, addresses: &[SocketAddr]) {
        self.addresses = addresses.to_vec();
        self.announce_soon(now);
    }

    pub(crate) fn on_found(&mut self, cx: &mut Context<'_>, contacts: &[Contact]) {
        for contact in contacts {
            self.candidates.learn_contact(cx.now, cx.links, contact, Told::ByItself);
        }
        self.on_time(cx);
    }

    fn parents(&mut self) -> (&mut Parents, Roster<'_>) {
        let roster = Roster { candidates: &mut self.candidates, children: &self.children };
        (&mut self.parents, roster)
    }

    /// Nodes whose links this session needs.
    pub(crate) fn needed(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.parents.nodes().chain(self.children.nodes())
    }

    pub(crate) fn status(&self, now: Timestamp) -> SessionStatus {
        let stripes = (0..self.outline.stripes()).map(|stripe| {
            let feed = self.parents.feed(stripe);
            StripeStatus {
                stripe,
                wanted: self.role == Role::Root || feed.is_some_and(|feed| feed.wanted),
                parent: feed.and_then(|feed| feed.parent.as_ref()).map(|parent| parent.node),
                links: self.path(stripe).map(|path| path.depth()),
                backup: feed.and_then(|feed| feed.backups.first()).map(|contact| contact.node),
                silent: feed.and_then(|f| f.newest.map(|_| now.since(f.newest_at))),
                children: self.children.of(stripe).map(|(node, _)| node).collect(),
            }
        });
        SessionStatus {
            session: self.session(),
            role: self.role,
            home: self.home,
            slots: self.slots,
            slots_free: self.children.slots_free(now),
            members: self.candidates.len(),
            ended: self.ended,
            head: self.head.newest(),
            blocks: self.media.blocks(),
            parity_used: self.media.parity_used(),
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            blocks_lost: self.media.blocks_lost(),
            stripes: stripes.collect(),
        }
    }
}

/// One session on this node, for people and tests.
#[derive(Clone, Debug)]
pub struct SessionStatus {
    /// Which.
    pub session: SessionId,
    /// What this node is in it.
    pub role: Role,
    /// Its home stripe.
    pub home: u8,
    /// Children it can feed.
    pub slots: u16,
    /// Children it would still admit.
    pub slots_free: u16,
    /// Other members it knows of.
    pub members: usize,
    /// Whether the publisher ended it.
    pub ended: bool,
    /// The newest block seen.
    pub head: Option<u64>,
    /// Root: blocks made. Gateway: blocks rebuilt.
    pub blocks: u64,
    /// Gateway: shards that parity stood in for.
    pub parity_used: u64,
    /// Bytes of shards sent.
    pub sent_bytes: u64,
    /// Bytes of shards received, duplicates included.
    pub received_bytes: u64,
    /// Gateway: blocks that missed their deadline.
    pub blocks_lost: u64,
    /// Its stripes in order.
    pub stripes: Vec<StripeStatus>,
}

/// One stripe on this node.
#[derive(Clone, Debug)]
pub struct StripeStatus {
    /// Which.
    pub stripe: u8,
    /// Whether this node takes it at all.
    pub wanted: bool,
    /// Who feeds it.
    pub parent: Option<NodeId>,
    /// Links from the root, if it is fed.
    pub links: Option<u8>,
    /// Who is asked first when the parent falls silent.
    pub backup: Option<NodeId>,
    /// Time since the last shard from the parent.
    pub silent: Option<Duration>,
    /// Whom this node feeds.
    pub children: Vec<NodeId>,
}
