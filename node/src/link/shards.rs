//! Shards on a link: a unidirectional stream each, the child's channel first, then the shard.
//!
//! Loss on one stream delays no other shard. Older blocks have priority; a shard still on its way
//! when its time is up is reset, so that a slow link skips instead of falling behind. Why streams
//! of one shard: docs/adr/0001-how-shards-travel.md.
//!
//! spec: proto/SPEC.md#link

mod receive;
mod send;

pub(super) use receive::receive;
pub(super) use send::ShardSender;

/// Application error code on a stream: too late to be of use. Spec: proto/SPEC.md#link.
const RESET_LATE: u32 = 1;

#[cfg(test)]
mod tests;
