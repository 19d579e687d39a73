//! What the media plane asks of the network between nodes.

/// The network between two node numbers. Asked when a pair is made and when
/// [`Media::network_changed`](super::Media::network_changed) is called, not for each shard.
pub trait Net {
    /// One way, µs, without jitter.
    fn one_way_us(&self, from: u32, to: u32) -> u32;

    /// Packets lost of a million.
    fn loss_ppm(&self, from: u32, to: u32) -> u32;

    /// Whether anything gets through at all (partitions, outages).
    fn reachable(&self, from: u32, to: u32) -> bool;
}
