//! What is streamed: when each block is made and how large its shards are.

/// Bytes of a shard for each byte of its share of the block, in percent: header and signature.
/// Basis: `forest.md`, "header 10 %".
const OVERHEAD_PCT: u64 = 110;
/// Payload of one packet, bytes. Basis: QUIC's smallest path MTU (RFC 9000, 14.1).
pub(crate) const PACKET_BYTES: u32 = 1200;

/// One rendition of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Media, bit/s, without parity and headers.
    pub bitrate_bps: u64,
    /// Blocks in a second.
    pub blocks_per_s: u32,
    /// Of these only every so manieth is simulated: 1 for every shard, `blocks_per_s` for a probe
    /// once a second. The engine counts simulated blocks only.
    pub every: u32,
    /// Shards that rebuild a block.
    pub k: u8,
    /// Parity shards of a block.
    pub m: u8,
    /// Of the stream's blocks (simulated or not) every so manieth is a keyframe.
    pub keyframe_every: u32,
    /// A keyframe's size in percent of the mean.
    pub keyframe_pct: u32,
}

impl Stream {
    /// The reference stream: 4 Mbit/s, 30 blocks/s, 8+2, a keyframe of twice the mean each 2 s.
    #[must_use]
    pub fn reference() -> Self {
        let (k, m) = (8, 2);
        let (keyframe_every, keyframe_pct) = (60, 200);
        Self {
            bitrate_bps: 4_000_000,
            blocks_per_s: 30,
            every: 1,
            k,
            m,
            keyframe_every,
            keyframe_pct,
        }
    }

    /// The same stream, simulated once a second only.
    #[must_use]
    pub fn as_probe(self) -> Self {
        Self { every: self.blocks_per_s, ..self }
    }

    /// # Errors
    /// Says which value is impossible.
    pub fn check(&self) -> Result<(), String> {
        let least = [
            ("bitrate", self.bitrate_bps),
            ("blocks_per_s", u64::from(self.blocks_per_s)),
            ("every", u64::from(self.every)),
            ("k", u64::from(self.k)),
            ("keyframe_every", u64::from(self.keyframe_every)),
            ("keyframe_pct", u64::from(self.keyframe_pct)),
        ];
        if let Some((name, _)) = least.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} must not be 0"));
        }
        if self.stripes() > 32 || self.m > 7 {
            return Err("more than 32 stripes or 7 parity stripes: lower k or m".into());
        }
        if self.blocks_per_s > 1000 {
            return Err("blocks_per_s is above 1000: lower it".into());
        }
        if u64::from(self.keyframe_pct) > 100 * u64::from(self.keyframe_every) {
            return Err("keyframe_pct leaves nothing for the blocks between keyframes: \
                        raise keyframe_every or lower keyframe_pct"
                .into());
        }
        Ok(())
    }

    /// Number of stripes.
    #[must_use]
    pub fn stripes(&self) -> usize {
        usize::from(self.k) + usize::from(self.m)
    }

    /// When simulated block `block` is made, µs.
    #[must_use]
    pub fn made_us(&self, block: u32) -> u64 {
        u64::from(block) * u64::from(self.every) * 1_000_000 / u64::from(self.blocks_per_s)
    }

    /// Time between two simulated blocks, µs.
    #[must_use]
    pub fn interval_us(&self) -> u64 {
        self.made_us(1)
    }

    /// Bytes of one shard of simulated block `block`, headers included.
    #[must_use]
    pub fn shard_bytes(&self, block: u32) -> u32 {
        let number = u64::from(block) * u64::from(self.every);
        let between = u64::from(self.keyframe_every);
        let factor = u64::from(self.keyframe_pct);
        // Size in hundredths of `between` or of `between - 1` means: whole numbers throughout.
        let (part, of) = if number.is_multiple_of(between) {
            (factor, 100)
        } else {
            (100 * between - factor, 100 * (between - 1))
        };
        let bits = self.bitrate_bps * OVERHEAD_PCT * part;
        let per = 8 * u64::from(self.blocks_per_s) * u64::from(self.k) * 100 * of;
        (bits / per.max(1)).max(1) as u32
    }

    /// Bit/s of one stripe, headers included.
    #[must_use]
    pub fn stripe_bps(&self) -> u64 {
        self.bitrate_bps * OVERHEAD_PCT / 100 / u64::from(self.k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_larger_and_the_mean_holds() {
        let stream = Stream { keyframe_every: 30, ..Stream::reference() };
        let mean = 4_000_000.0 / 8.0 / 30.0 / 8.0 * 1.1;
        let sizes: Vec<u32> = (0..30).map(|block| stream.shard_bytes(block)).collect();
        assert!((f64::from(sizes[0]) - 2.0 * mean).abs() < 1.0);
        assert!(sizes[1..].iter().all(|size| *size == sizes[1]));
        let measured = sizes.iter().map(|size| f64::from(*size)).sum::<f64>() / 30.0;
        assert!((measured - mean).abs() < 1.0, "{measured} is not {mean}");
        assert_eq!(stream.made_us(30), 1_000_000);
    }

    #[test]
    fn a_probe_has_the_size_of_the_stream_it_probes() {
        let stream = Stream::reference();
        let probe = stream.as_probe();
        assert_eq!(probe.interval_us(), 1_000_000);
        assert_eq!(probe.shard_bytes(0), stream.shard_bytes(0));
        assert_eq!(probe.shard_bytes(1), stream.shard_bytes(30));
    }

    #[test]
    fn impossible_values_are_named() {
        let reference = Stream::reference();
        reference.check().expect("possible");
        for (stream, word) in [
            (Stream { k: 0, ..reference }, "k "),
            (Stream { every: 0, ..reference }, "every"),
            (Stream { k: 40, ..reference }, "stripes"),
            (Stream { keyframe_every: 1, ..reference }, "keyframe_pct"),
        ] {
            assert!(stream.check().expect_err("impossible").contains(word));
        }
        Stream { keyframe_every: 1, keyframe_pct: 100, ..reference }.check().expect("all alike");
    }
}
