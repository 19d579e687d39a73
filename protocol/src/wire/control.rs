//! Control messages of a link: protobuf bytes ↔ [`Control`].
//!
//! spec: proto/SPEC.md#link

use super::DecodeError;
use super::fields::{array, decode_address, encode_address};
use super::proto::link as pb;
use crate::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet};
use crate::identity::{NodeId, SessionId};
use crate::limits::{
    ADDRESSES_MAX, CONTROL_BYTES_MAX, DELAY_US_MAX, GRANT_BYTES_MAX, MEMBERS_MAX, PATH_MAX,
    PLACES_MAX, PULL_BLOCKS_MAX, REDIRECTS_MAX, STRIPES_MAX,
};
use bytes::Bytes;
use prost::Message;

/// One control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The session it is about.
    pub session: SessionId,
    /// What it says.
    pub body: Body,
}

/// What a control message says, with other nodes named by `P` and their ids by `I`: by addresses and
/// keys on the wire, by [`Peer`](crate::forest::Peer)s within a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<P = Contact, I = NodeId> {
    /// The sender is in the session; `reply` asks for [`Body::Members`].
    Announce {
        /// The sender's own description.
        member: Member<P>,
        /// Whether to answer.
        reply: bool,
    },
    /// Other members.
    Members(Vec<Member<P>>),
    /// A child asks for a stripe.
    Graft(Graft<I>),
    /// Yes.
    Admitted {
        /// The stripe asked for.
        stripe: u8,
        /// The request answered.
        request: u32,
        /// The parent's path.
        path: Path,
        /// Nodes with the stripe that are not below the parent, its own parent first.
        backups: Vec<P>,
        /// The child that lost its place to this one, and will ask it for one.
        displaced: Option<P>,
    },
    /// No.
    Redirected {
        /// The stripe asked for.
        stripe: u8,
        /// The request answered.
        request: u32,
        /// Why not.
        refusal: Refusal,
        /// Whom to ask instead.
        members: Vec<Member<P>>,
    },
    /// The pair is dissolved.
    Prune {
        /// The stripe.
        stripe: u8,
        /// Why.
        reason: PruneReason,
        /// Whom the child may ask instead.
        successors: Vec<P>,
    },
    /// The parent's path changed.
    PathUpdate {
        /// The stripe.
        stripe: u8,
        /// The parent's path.
        path: Path,
        /// The parent's own parent.
        above: Option<P>,
    },
    /// How many more children the sender and all below it would take.
    Room {
        /// The stripe.
        stripe: u8,
        /// Children, at most.
        room: u16,
        /// Children it has in the stripe now.
        children: u16,
        /// Some of those that would.
        places: Vec<Member<P>>,
    },
    /// Asks for the shards of one stripe that did not come.
    Pull {
        /// The stripe.
        stripe: u8,
        /// What to write in front of them.
        channel: u32,
        /// First block wanted.
        from: u64,
        /// First block not wanted.
        until: u64,
    },
    /// A viewer needs a keyframe.
    Refresh,
    /// Another node is the root from now on.
    Grant {
        /// Who, and where.
        root: P,
        /// The publisher's word for it: a `SignedRootGrant`, not looked into yet.
        grant: Bytes,
    },
    /// The publisher ended the session.
    End {
        /// How many blocks it had.
        blocks: u64,
        /// The media key's signature.
        signature: [u8; 64],
    },
}

/// A child's request for one stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graft<I = NodeId> {
    /// The stripe.
    pub stripe: u8,
    /// Echoed in the answer.
    pub request: u32,
    /// What the parent writes in front of the shards.
    pub channel: u32,
    /// Children it offers to feed with this stripe.
    pub slots: u16,
    /// The first block it still needs; 0 asks for the current group.
    pub resume: u64,
    /// The silent parent it replaces.
    pub repair_of: Option<I>,
    /// Whether it is a helper.
    pub helper: bool,
    /// Stripes that come regularly.
    pub fed: u8,
    /// Whether it was sent on several times and wants to be taken also outside the home stripe.
    pub insist: bool,
    /// How it is reached: nobody is told to turn to a node that it cannot meet.
    pub reach: Reach,
}

/// Why a parent says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No slot left.
    Full,
    /// Does not carry the stripe now.
    NotFed,
    /// The child is above the parent.
    Loop,
    /// Not in the session.
    Unknown,
    /// About to leave.
    Leaving,
}

/// Why a pair is dissolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneReason {
    /// The child has another parent.
    Replaced,
    /// The slot went to a stronger child.
    Preempted,
    /// The sender leaves the session.
    Leaving,
    /// The path shows a loop.
    Loop,
    /// The sender no longer carries the stripe.
    Dry,
}

impl<P, I> Body<P, I> {
    /// The same message with every node named in another way. Nodes without such a name are left
    /// out; a message that is about one of those is `None`.
    pub fn map<Q, J>(
        self,
        mut node: impl FnMut(P) -> Option<Q>,
        mut id: impl FnMut(I) -> Option<J>,
    ) -> Option<Body<Q, J>> {
        Some(match self {
            Self::Announce { member, reply } => {
                Body::Announce { member: member.map(&mut node)?, reply }
            }
            Self::Members(members) => {
                Body::Members(members.into_iter().filter_map(|m| m.map(&mut node)).collect())
            }
            Self::Graft(graft) => Body::Graft(Graft {
                stripe: graft.stripe,
                request: graft.request,
                channel: graft.channel,
                slots: graft.slots,
                resume: graft.resume,
                repair_of: graft.repair_of.and_then(&mut id),
                helper: graft.helper,
                fed: graft.fed,
                insist: graft.insist,
                reach: graft.reach,
            }),
            Self::Admitted { stripe, request, path, backups, displaced } => {
                let backups = backups.into_iter().filter_map(&mut node).collect();
                let displaced = displaced.and_then(node);
                Body::Admitted { stripe, request, path, backups, displaced }
            }
            Self::Redirected { stripe, request, refusal, members } => {
                let members = members.into_iter().filter_map(|m| m.map(&mut node)).collect();
                Body::Redirected { stripe, request, refusal, members }
            }
            Self::Prune { stripe, reason, successors } => {
                let successors = successors.into_iter().filter_map(node).collect();
                Body::Prune { stripe, reason, successors }
            }
            Self::PathUpdate { stripe, path, above } => {
                Body::PathUpdate { stripe, path, above: above.and_then(node) }
            }
            Self::Room { stripe, room, children, places } => {
                let places = places.into_iter().filter_map(|m| m.map(&mut node)).collect();
                Body::Room { stripe, room, children, places }
            }
            Self::Pull { stripe, channel, from, until } => {
                Body::Pull { stripe, channel, from, until }
            }
            Self::Refresh => Body::Refresh,
            Self::Grant { root, grant } => Body::Grant { root: node(root)?, grant },
            Self::End { blocks, signature } => Body::End { blocks, signature },
        })
    }
}

impl Control {
    /// Encodes it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let session = Bytes::copy_from_slice(self.session.as_bytes());
        let body = encode_body(session, &self.body);
        let encoded = pb::Frame { body: Some(body) }.encode_to_vec();
        debug_assert!(
            encoded.len() <= CONTROL_BYTES_MAX,
            "a control message of {} bytes",
            encoded.len()
        );
        encoded.into()
    }

    /// Decodes one message.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not a message of `proto/SPEC.md#link`, or break a bound.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.len() > CONTROL_BYTES_MAX {
            return Err(DecodeError::field("frame", "longer than a control message may be"));
        }
        let frame = pb::Frame::decode(bytes).map_err(|error| DecodeError::Field {
            field: "frame",
            why: error.to_string().into(),
        })?;
        decode_body(frame.body.ok_or(DecodeError::Truncated("frame"))?)
    }
}

fn encode_body(session: Bytes, body: &Body) -> pb::frame::Body {
    use pb::frame::Body as Pb;
    match body {
        Body::Announce { member, reply } => Pb::Announce(pb::Announce {
            session,
            member: Some(encode_member(member)),
            reply: *reply,
            interval: 0, // of gossip alone
        }),
        Body::Members(members) => Pb::Members(pb::Members {
            session,
            members: members.iter().map(encode_member).collect(),
        }),
        Body::Graft(graft) => Pb::Graft(pb::Graft {
            session,
            stripe: graft.stripe.into(),
            request: graft.request,
            channel: graft.channel,
            slots: graft.slots.into(),
            resume: graft.resume,
            repair_of: graft
                .repair_of
                .map_or_else(Bytes::new, |node| Bytes::copy_from_slice(node.as_bytes())),
            helper: graft.helper,
            fed: graft.fed.into(),
            insist: graft.insist,
            reach: encode_reach(graft.reach).into(),
        }),
        Body::Admitted { stripe, request, path, backups, displaced } => {
            Pb::Admitted(pb::Admitted {
                session,
                stripe: (*stripe).into(),
                request: *request,
                path: Some(encode_path(path)),
                backups: backups.iter().map(encode_contact).collect(),
                displaced: displaced.as_ref().map(encode_contact),
            })
        }
        Body::Redirected { stripe, request, refusal, members } => Pb::Redirected(pb::Redirected {
            session,
            stripe: (*stripe).into(),
            request: *request,
            refusal: match refusal {
                Refusal::Full => pb::Refusal::Full,
                Refusal::NotFed => pb::Refusal::NotFed,
                Refusal::Loop => pb::Refusal::Loop,
                Refusal::Unknown => pb::Refusal::Unknown,
                Refusal::Leaving => pb::Refusal::Leaving,
            }
            .into(),
            members: members.iter().map(encode_member).collect(),
        }),
        Body::Prune { stripe, reason, successors } => Pb::Prune(pb::Prune {
            session,
            stripe: (*stripe).into(),
            reason: match reason {
                PruneReason::Replaced => pb::PruneReason::Replaced,
                PruneReason::Preempted => pb::PruneReason::Preempted,
                PruneReason::Leaving => pb::PruneReason::Leaving,
                PruneReason::Loop => pb::PruneReason::Loop,
                PruneReason::Dry => pb::PruneReason::Dry,
            }
            .into(),
            successors: successors.iter().map(encode_contact).collect(),
        }),
        Body::PathUpdate { stripe, path, above } => Pb::PathUpdate(pb::PathUpdate {
            session,
            stripe: (*stripe).into(),
            path: Some(encode_path(path)),
            above: above.as_ref().map(encode_contact),
        }),
        Body::Room { stripe, room, children, places } => Pb::Room(pb::Room {
            session,
            stripe: (*stripe).into(),
            room: (*room).into(),
            children: (*children).into(),
            places: places.iter().map(encode_member).collect(),
        }),
        Body::Pull { stripe, channel, from, until } => Pb::Pull(pb::Pull {
            session,
            stripe: (*stripe).into(),
            channel: *channel,
            from: *from,
            until: *until,
        }),
        Body::Refresh => Pb::Refresh(pb::Refresh { session }),
        Body::Grant { root, grant } => {
            Pb::Grant(pb::Grant { session, root: Some(encode_contact(root)), grant: grant.clone() })
        }
        Body::End { blocks, signature } => Pb::End(pb::End {
            session,
            blocks: *blocks,
            signature: Bytes::copy_from_slice(signature),
        }),
    }
}

fn decode_body(body: pb::frame::Body) -> Result<Control, DecodeError> {
    use pb::frame::Body as Pb;
    let (session, body) = match body {
        Pb::Announce(m) => {
            let member = decode_member(m.member.ok_or(DecodeError::Truncated("member"))?)?;
            (m.session, Body::Announce { member, reply: m.reply })
        }
        Pb::Members(m) => (m.session, Body::Members(decode_members(m.members, MEMBERS_MAX)?)),
        Pb::Graft(m) => {
            let graft = Graft {
                stripe: stripe(m.stripe)?,
                request: m.request,
                channel: m.channel,
                slots: m.slots.min(u32::from(u16::MAX)) as u16,
                resume: m.resume,
                repair_of: match m.repair_of.len() {
                    0 => None,
                    _ => Some(NodeId::from_bytes(array("repair_of", &m.repair_of)?)),
                },
                helper: m.helper,
                fed: m.fed.min(STRIPES_MAX.into()) as u8,
                insist: m.insist,
                reach: decode_reach(m.reach()),
            };
            (m.session, Body::Graft(graft))
        }
        Pb::Admitted(m) => {
            let body = Body::Admitted {
                stripe: stripe(m.stripe)?,
                request: m.request,
                path: decode_path(m.path.ok_or(DecodeError::Truncated("path"))?)?,
                backups: decode_contacts("backups", m.backups)?,
                displaced: m.displaced.map(decode_contact).transpose()?,
            };
            (m.session, body)
        }
        Pb::Redirected(m) => {
            let refusal = match m.refusal() {
                pb::Refusal::Full | pb::Refusal::Unspecified => Refusal::Full,
                pb::Refusal::NotFed => Refusal::NotFed,
                pb::Refusal::Loop => Refusal::Loop,
                pb::Refusal::Unknown => Refusal::Unknown,
                pb::Refusal::Leaving => Refusal::Leaving,
            };
            let body = Body::Redirected {
                stripe: stripe(m.stripe)?,
                request: m.request,
                refusal,
                members: decode_members(m.members, REDIRECTS_MAX)?,
            };
            (m.session, body)
        }
        Pb::Prune(m) => {
            let reason = match m.reason() {
                pb::PruneReason::Replaced | pb::PruneReason::Unspecified => PruneReason::Replaced,
                pb::PruneReason::Preempted => PruneReason::Preempted,
                pb::PruneReason::Leaving => PruneReason::Leaving,
                pb::PruneReason::Loop => PruneReason::Loop,
                pb::PruneReason::Dry => PruneReason::Dry,
            };
            let successors = decode_contacts("successors", m.successors)?;
            (m.session, Body::Prune { stripe: stripe(m.stripe)?, reason, successors })
        }
        Pb::PathUpdate(m) => {
            let path = decode_path(m.path.ok_or(DecodeError::Truncated("path"))?)?;
            let above = m.above.map(decode_contact).transpose()?;
            (m.session, Body::PathUpdate { stripe: stripe(m.stripe)?, path, above })
        }
        Pb::Room(m) => {
            let room = m.room.min(u32::from(u16::MAX)) as u16;
            let places = decode_members(m.places, PLACES_MAX)?;
            let children = m.children.min(u32::from(u16::MAX)) as u16;
            (m.session, Body::Room { stripe: stripe(m.stripe)?, room, children, places })
        }
        Pb::Pull(m) => {
            if m.until <= m.from || m.until - m.from > PULL_BLOCKS_MAX {
                return Err(DecodeError::field("pull", "asks for no block or too many"));
            }
            let stripe = stripe(m.stripe)?;
            (m.session, Body::Pull { stripe, channel: m.channel, from: m.from, until: m.until })
        }
        Pb::Refresh(m) => (m.session, Body::Refresh),
        Pb::Grant(m) => {
            if m.grant.len() > GRANT_BYTES_MAX {
                return Err(DecodeError::field("grant", "more than 256 bytes"));
            }
            let root = decode_contact(m.root.ok_or(DecodeError::Truncated("root"))?)?;
            (m.session, Body::Grant { root, grant: m.grant })
        }
        Pb::End(m) => {
            let signature = array("signature", &m.signature)?;
            (m.session, Body::End { blocks: m.blocks, signature })
        }
    };
    Ok(Control { session: SessionId::from_bytes(array("session", &session)?), body })
}

fn stripe(value: u32) -> Result<u8, DecodeError> {
    u8::try_from(value)
        .ok()
        .filter(|stripe| *stripe < STRIPES_MAX)
        .ok_or(DecodeError::field("stripe", "out of range"))
}

fn encode_contact(contact: &Contact) -> pb::Contact {
    pb::Contact {
        node: Bytes::copy_from_slice(contact.node.as_bytes()),
        addresses: contact.addresses.iter().map(encode_address).collect(),
    }
}

fn decode_contact(contact: pb::Contact) -> Result<Contact, DecodeError> {
    if contact.addresses.len() > ADDRESSES_MAX {
        return Err(DecodeError::field("addresses", "too many"));
    }
    let node = NodeId::from_bytes(array("node", &contact.node)?);
    let addresses: Result<Vec<_>, _> =
        contact.addresses.iter().map(|b| decode_address(b)).collect();
    Ok(Contact { node, addresses: addresses? })
}

fn decode_contacts(
    field: &'static str,
    contacts: Vec<pb::Contact>,
) -> Result<Vec<Contact>, DecodeError> {
    if contacts.len() > 2 {
        return Err(DecodeError::field(field, "more than two"));
    }
    contacts.into_iter().map(decode_contact).collect()
}

pub(super) fn encode_member(member: &Member) -> pb::Member {
    pb::Member {
        contact: Some(encode_contact(&member.contact)),
        role: match member.role {
            Role::Root => pb::Role::Root,
            Role::Gateway => pb::Role::Gateway,
            Role::Helper => pb::Role::Helper,
        }
        .into(),
        carries: member.carries.bits(),
        slots_free: member.slots_free.into(),
        depth: member.depth.into(),
        slots: member.slots.into(),
        delay_us: member.delay_us,
        age_s: member.age_s.into(),
        reach: encode_reach(member.reach).into(),
        spot: encode_spot(member.spot),
    }
}

pub(super) fn decode_member(member: pb::Member) -> Result<Member, DecodeError> {
    let role = match member.role() {
        pb::Role::Root => Role::Root,
        pb::Role::Gateway => Role::Gateway,
        pb::Role::Helper => Role::Helper,
        pb::Role::Unspecified => return Err(DecodeError::field("role", "is not given")),
    };
    let reach = decode_reach(member.reach());
    Ok(Member {
        reach,
        spot: decode_spot(member.spot)?,
        contact: decode_contact(member.contact.ok_or(DecodeError::Truncated("contact"))?)?,
        role,
        carries: StripeSet::from_bits(member.carries),
        slots_free: member.slots_free.min(u32::from(u16::MAX)) as u16,
        depth: member.depth.min(PATH_MAX as u32) as u8,
        slots: member.slots.min(u32::from(u16::MAX)) as u16,
        delay_us: member.delay_us.min(DELAY_US_MAX),
        age_s: member.age_s.min(u32::from(u16::MAX)) as u16,
    })
}

fn encode_spot(spot: Spot) -> Option<pb::Spot> {
    let [x, y, height, error] = spot.to_wire();
    let (height, error) = (height.unsigned_abs(), error.unsigned_abs());
    (spot != Spot::default()).then_some(pb::Spot { x, y, height, error })
}

fn decode_spot(spot: Option<pb::Spot>) -> Result<Spot, DecodeError> {
    let Some(pb::Spot { x, y, height, error }) = spot else { return Ok(Spot::default()) };
    let small = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    Spot::from_wire([x, y, small(height), small(error)])
        .ok_or(DecodeError::field("spot", "nowhere on Earth"))
}

fn encode_reach(reach: Reach) -> pb::Reach {
    match reach {
        Reach::Public => pb::Reach::Public,
        Reach::Punchable => pb::Reach::Punchable,
        Reach::Hard => pb::Reach::Hard,
    }
}

fn decode_reach(reach: pb::Reach) -> Reach {
    match reach {
        pb::Reach::Public | pb::Reach::Unspecified => Reach::Public,
        pb::Reach::Punchable => Reach::Punchable,
        pb::Reach::Hard => Reach::Hard,
    }
}

fn decode_members(members: Vec<pb::Member>, max: usize) -> Result<Vec<Member>, DecodeError> {
    if members.len() > max {
        return Err(DecodeError::field("members", "too many"));
    }
    members.into_iter().map(decode_member).collect()
}

fn encode_path(path: &Path) -> pb::Path {
    pb::Path {
        tags: path.tags.to_vec(),
        stalled: path.stalled,
        short: path.short.bits(),
        delay_us: path.delay_us,
    }
}

fn decode_path(path: pb::Path) -> Result<Path, DecodeError> {
    if path.tags.is_empty() || path.tags.len() > PATH_MAX {
        return Err(DecodeError::field("path", "is empty or too long"));
    }
    Ok(Path {
        tags: path.tags.into(),
        stalled: path.stalled,
        short: StripeSet::from_bits(path.short),
        delay_us: path.delay_us.min(DELAY_US_MAX),
    })
}

#[cfg(test)]
mod tests;
