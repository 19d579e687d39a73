//! Serving a session to viewers: blocks in, RTP out.
//!
//! A session's packets are kept once, in a ring for each track ([`ring`]), and counted: the n-th
//! packet of a track is the n-th for everybody. A viewer ([`viewer`]) is little more than a place
//! in that count and an offset, which make its own contiguous sequence numbers, and a packet it
//! lost is found again by subtracting.

pub(crate) mod pace;
pub(crate) mod ring;
pub(crate) mod stream;
pub(crate) mod track;
pub(crate) mod viewer;
