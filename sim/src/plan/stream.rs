//! What is published, in blocks.

/// The stream of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Mean rate of the media, without parity.
    pub bitrate_bps: u64,
    /// Shards that rebuild a block.
    pub k: u8,
    /// Parity shards.
    pub m: u8,
    /// Blocks per second.
    pub frame_rate: u32,
    /// Blocks per group: each group begins with a keyframe.
    pub group_blocks: u32,
    /// Size of a keyframe, in hundredths of the mean block.
    pub keyframe_percent: u32,
}

impl Stream {
    /// Stripes: n.
    #[must_use]
    pub fn stripes(&self) -> u8 {
        self.k + self.m
    }

    /// When a block is complete at the publisher, in µs after the first.
    #[must_use]
    pub fn block_at_us(&self, block: u64) -> u64 {
        // Rounded from the start, so that no error adds up.
        block * 1_000_000 / u64::from(self.frame_rate)
    }

    /// Whether a block begins a group.
    #[must_use]
    pub fn is_keyframe(&self, block: u64) -> bool {
        block.is_multiple_of(u64::from(self.group_blocks))
    }

    /// Media in a block, in bytes. The other blocks of a group are smaller by what its keyframe is
    /// larger, so that the bitrate holds.
    #[must_use]
    pub fn block_bytes(&self, block: u64) -> u32 {
        let blocks = u64::from(self.group_blocks);
        // Bytes of a group, times a hundred frame rates.
        let group = self.bitrate_bps * blocks * 100 / 8;
        let key = self.bitrate_bps * u64::from(self.keyframe_percent) / 8;
        let part =
            if self.is_keyframe(block) { key } else { group.saturating_sub(key) / (blocks - 1) };
        (part / (100 * u64::from(self.frame_rate))) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_blocks_has_the_bitrate_whatever_the_keyframes() {
        for (frame_rate, group_blocks, keyframe_percent) in
            [(30, 60, 200), (30, 1, 100), (25, 50, 800), (60, 120, 100), (30, 2, 150)]
        {
            let bitrate_bps = 4_000_000;
            let stream =
                Stream { bitrate_bps, k: 8, m: 2, frame_rate, group_blocks, keyframe_percent };
            let blocks = u64::from(frame_rate * group_blocks);
            let bytes: u64 = (0..blocks).map(|block| u64::from(stream.block_bytes(block))).sum();
            let rate = bytes as f64 * 8.0 / f64::from(group_blocks);
            assert!((rate / bitrate_bps as f64 - 1.0).abs() < 0.001, "{stream:?}: {rate}");
            assert_eq!(stream.block_at_us(blocks), u64::from(group_blocks) * 1_000_000);
            let mean = bitrate_bps as f64 / 8.0 / f64::from(frame_rate);
            let key = f64::from(stream.block_bytes(0)) / mean * 100.0;
            assert!((key - f64::from(keyframe_percent)).abs() < 0.1, "{stream:?}: {key} %");
        }
    }
}
