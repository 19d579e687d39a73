//! One node's part in one session: its place in the forest, and what it keeps of the media.

mod allowance;
mod control;
mod forest;
mod grant;
mod media;
mod owed;
mod share;
mod status;
mod upkeep;

use crate::capacity::AdvertInterval;
use crate::context::Context;
use crate::forest::{Contact, Forest, Head, Peer, Progress, Reach, Role, Setup, home, tag};
use crate::identity::{MediaKey, NodeId, SessionId};
use crate::input::JoinRole;
use crate::limits::CANDIDATES_MAX;
use crate::rng::Rng;
use crate::session::{Outline, Terms};
use crate::time::Timestamp;
use allowance::Allowances;
use media::Media;
use owed::Owed;
pub(crate) use share::Share;
pub use status::{SessionStatus, StripeStatus};
use std::net::SocketAddr;
use std::time::Duration;

/// A node's part in a session.
pub(crate) struct Live {
    me: NodeId,
    outline: Outline,
    role: Role,
    forest: Forest,
    /// Who the root is, by the publisher's word.
    terms: Terms,
    head: Head,
    /// How far each stripe has come.
    progress: Vec<Progress>,
    media: Media,
    allowances: Allowances,
    owed: Owed,
    /// Its part of the uplink, if the uplink is measured.
    share: Option<Share>,
    addresses: Vec<SocketAddr>,
    /// When this node speaks on the session's topic.
    adverts: AdvertInterval,
    tidy_at: Timestamp,
    refreshed_at: Option<Timestamp>,
    probed: (Timestamp, Duration),
    sent_bytes: u64,
    received_bytes: u64,
    ended: bool,
}

/// What a node is told when it enters a session.
pub(crate) struct Entry {
    pub me: NodeId,
    pub my_number: Peer,
    pub seed: [u8; 32],
    pub channel: u32,
    pub outline: Outline,
    pub slots: u16,
    pub share: Option<Share>,
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
        live.on_found(cx, bootstraps);
        live
    }

    fn new(now: Timestamp, entry: Entry, role: Role, stripes_max: u8, media: Media) -> Self {
        let Entry { me, my_number, seed, channel, outline, slots, share, addresses } = entry;
        let n = outline.stripes();
        let adverts = AdvertInterval::new(now, Rng::new(&seed, "adverts"));
        let setup = Setup {
            me: my_number,
            role,
            k: outline.k,
            n,
            home: home(&me, &outline.epoch_seed, n),
            tag: tag(&me, &outline.session),
            channel,
            slots,
            stripes_max,
            view_max: CANDIDATES_MAX,
            reach: Reach::default(),
            seed,
        };
        Self {
            me,
            role,
            forest: Forest::new(now, setup),
            terms: Terms::new(outline.session, outline.publisher, None),
            head: Head::default(),
            progress: vec![Progress::new(now); usize::from(n)],
            media,
            allowances: Allowances::new(outline.bitrate.bps()),
            owed: Owed::default(),
            share,
            addresses,
            adverts,
            tidy_at: now,
            refreshed_at: None,
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

    /// Whether nothing of `peer` is used any more.
    pub(crate) fn is_banned(&self, peer: Peer) -> bool {
        self.forest.is_banned(peer)
    }

    /// The addresses at which this node can be reached.
    pub(crate) fn set_addresses(&mut self, cx: &mut Context<'_>, addresses: &[SocketAddr]) {
        self.addresses = addresses.to_vec();
        self.with_forest(cx, |forest, cx| forest.describe_again(cx));
    }

    /// Whether the session needs the link to a node.
    pub(crate) fn needed(&self) -> impl Iterator<Item = Peer> + '_ {
        self.forest.needed()
    }

    /// Every node it names.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = Peer> + '_ {
        self.forest.mentioned()
    }
}
