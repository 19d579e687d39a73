//! `[stream]`: what is published, checked.

use super::rate;
use crate::plan::{Stream, StreamFile};
use anyhow::{Context as _, ensure};
use banyan_protocol::limits::{K_MAX, M_MAX};

/// The fastest stream. Guess: no camera gives more.
const FRAME_RATE_MAX: u32 = 240;

/// The largest keyframe, in mean blocks. Guess: above it, a group is all keyframe.
const KEYFRAME_FACTOR_MAX: f64 = 50.0;

/// Checks `[stream]`.
pub(super) fn resolve(file: &StreamFile) -> anyhow::Result<Stream> {
    let StreamFile { bitrate, k, m, frame_rate, keyframe_every, keyframe_factor } = *file;
    let bitrate_bps = u64::from(rate("stream.bitrate", bitrate)?);
    ensure!((1..=K_MAX).contains(&k), "stream.k = {k} is not between 1 and {K_MAX}");
    ensure!(m <= M_MAX, "stream.m = {m} is not between 0 and {M_MAX}");
    ensure!(
        (1..=FRAME_RATE_MAX).contains(&frame_rate),
        "stream.frame_rate = {frame_rate} is not between 1 and {FRAME_RATE_MAX} per second"
    );
    let blocks = keyframe_every.0 * u64::from(frame_rate) / 1_000_000;
    let group_blocks = u32::try_from(blocks).ok().filter(|blocks| (1..=100_000).contains(blocks));
    let group_blocks = group_blocks.with_context(|| {
        format!(
            "stream.keyframe_every = \"{keyframe_every}\" makes groups of {blocks} blocks, which \
             must be 1 to 100000"
        )
    })?;
    let factor_max = KEYFRAME_FACTOR_MAX.min(f64::from(group_blocks));
    ensure!(
        (1.0..=factor_max).contains(&keyframe_factor),
        "stream.keyframe_factor = {keyframe_factor} is not between 1 and {factor_max}, the blocks \
         of a group or {KEYFRAME_FACTOR_MAX}"
    );
    let keyframe_percent = (keyframe_factor * 100.0).round() as u32;
    Ok(Stream { bitrate_bps, k, m, frame_rate, group_blocks, keyframe_percent })
}
