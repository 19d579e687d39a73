//! Why this parent and not that one: the delay from the root that is to be expected through it.

use super::coordinate::Spot;
use super::known::Known;
use super::member::{Reach, Role};
use super::peer::Peer;
use super::told::Told;
use crate::links::Links;
use crate::time::Timestamp;
use std::time::Duration;

/// Weight of one more link from the root, where nothing better is known, µs. Measured: `forest.md`
/// 3.8, a mean hop is 39 ms.
const HOP_US: u64 = 40_000;
/// What a node needs to check a shard and pass it on, µs. Measured: `forest.md`, 1 ms.
pub(super) const FORWARD_US: u32 = 1_000;
/// Weight of being fed another stripe by the same member already, µs: one death should touch one
/// stripe. Guess, below one hop.
const SHARED_US: u64 = 15_000;
/// Weight of a parent that is not at home in the stripe, µs: it is asked where nobody else is to be
/// had. Guess, above any difference between those at home, and above a stranger.
pub(super) const AWAY_US: u64 = 1_000_000;
/// The same in a session so small that everybody may have to feed any stripe, µs. Guess: below a
/// stranger.
const AWAY_SMALL_US: u64 = 200_000;
/// Weight of a member that said it lacks the stripe, µs: asked where nobody has it. Guess.
const LACKS_US: u64 = 3 * AWAY_US;
/// And only so long after it said so: it may have found a parent meanwhile. Guess.
const LACKS: Duration = Duration::from_secs(1);
/// What it costs to punch a hole first, µs. Spec: `forest.md` 5.4.
const PUNCH_US: u64 = 20_000;
/// Round trip assumed of a member never linked to when it, or this node, does not know where it is.
/// Guess: one continent.
pub(super) const RTT_UNKNOWN: Duration = Duration::from_millis(40);

/// What a search wants.
pub(crate) struct Wish<'a> {
    pub stripe: u8,
    /// Members that may not be asked: children, banned, the parent to get away from.
    pub not: &'a dyn Fn(Peer) -> bool,
    /// How many other stripes a member feeds this node already.
    pub shared: &'a dyn Fn(Peer) -> u64,
    /// Nobody feeds the stripe: ask also those that say they are full.
    pub ask_full: bool,
    /// Many have refused: ask also those that said they lack the stripe.
    pub lost: bool,
    /// This node offers slots in the stripe: a full parent may well make room for it.
    pub strong: bool,
    /// Time matters more than the place: links that are up first.
    pub urgent: bool,
    /// Only members that promise less than this, µs.
    pub below_us: Option<u64>,
    /// How this node is reached.
    pub reach: Reach,
    /// The session is small.
    pub small: bool,
    /// Where this node is.
    pub spot: Spot,
}

/// Whether a member may help at all: a quick look before the score.
pub(super) fn may_help(now: Timestamp, known: &Known, wish: &Wish<'_>) -> bool {
    let Some(member) = &known.member else { return wish.below_us.is_none() };
    if member.role == Role::Root && member.slots_free == 0 && !wish.small {
        return false; // it is asked last, or not everybody could have a link to it
    }
    let gives = member.slots_free > 0 || wish.ask_full;
    !known.is_fresh(now)
        || (gives && member.carries.contains(wish.stripe))
        || (wish.lost && member.role == Role::Gateway && known.said_before(now, LACKS))
}

/// Delay in µs expected through a member that [`may_help`], or `None` if the two cannot meet.
pub(super) fn score(
    now: Timestamp,
    links: &Links,
    peer: Peer,
    known: &Known,
    wish: &Wish<'_>,
) -> Option<u64> {
    let linked = links.rtt(peer);
    let guessed = || known.member.and_then(|member| wish.spot.round_trip(member.spot));
    let rtt = linked.or_else(guessed).unwrap_or(RTT_UNKNOWN).as_micros() as u64;
    let Some(member) = &known.member else {
        // Not heard from yet: ask it after everyone who is known to have the stripe.
        return Some(rtt + 10 * HOP_US);
    };
    let connect = match linked {
        Some(_) => 0,
        None if !wish.reach.meets(member.reach) => return None,
        // Where there is time, a hole is punched once and used for long.
        None if wish.urgent && wish.reach.punches(member.reach) => PUNCH_US + 4 * rtt,
        None if wish.urgent => rtt,
        None => 0,
    };
    let full = match (member.slots_free, wish.strong) {
        (0, true) => HOP_US / 4,
        (0, false) => 2 * HOP_US,
        _ => 0,
    };
    let stale = if known.is_fresh(now) { 0 } else { HOP_US };
    let at_home = member.role != Role::Gateway || known.home == wish.stripe;
    let away = match (at_home, wish.small) {
        (true, _) => 0,
        (false, true) => AWAY_SMALL_US,
        (false, false) => AWAY_US,
    };
    let lacking = known.is_fresh(now) && !member.carries.contains(wish.stripe);
    let lacks = if lacking { LACKS_US } else { 0 };
    let shared = (wish.shared)(peer) * SHARED_US;
    // What others say of a member may be praise: it is no better than next to the root.
    let least_us = if known.told == Told::BY_ITSELF { 0 } else { HOP_US };
    let through = u64::from(member.delay_us).max(least_us) + rtt / 2 + u64::from(FORWARD_US);
    let through = through + u64::from(known.late_ms) * 1_000;
    Some(through + connect + full + stale + away + lacks + shared)
}
