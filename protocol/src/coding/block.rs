//! A block: what was ingested in one video frame interval, and the unit of coding and latency.

use bytes::Bytes;

/// BLAKE3 of an encoded block. Blocks chain by it, so none can be taken out unseen.
pub type Digest = [u8; 32];

/// Which track of the rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// The one video track.
    Video,
    /// The one audio track.
    Audio,
}

/// Codecs carried verbatim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// RFC 7798.
    H265,
    /// AOM "RTP Payload Format For AV1".
    Av1,
}

/// Audio codecs carried verbatim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// RFC 7587.
    Opus,
}

/// What a viewer must be told about one track before it can decode it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrackFormat<C> {
    /// The codec.
    pub codec: C,
    /// RTP clock rate in Hz.
    pub clock_rate: u32,
    /// SDP `fmtp` parameters as the publisher negotiated them, without the payload type.
    pub fmtp: String,
}

/// The tracks of a rendition. Carried by every block that starts a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Format {
    /// The video track, unless the session is sound alone.
    pub video: Option<TrackFormat<VideoCodec>>,
    /// The audio track, unless the session is silent.
    pub audio: Option<TrackFormat<AudioCodec>>,
}

/// One RTP packet of a frame, without what each hop writes anew (sequence, SSRC, payload type).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The RTP marker bit.
    pub marker: bool,
    /// The RTP payload, verbatim.
    pub payload: Bytes,
}

/// One encoded frame of one track: the packets that share an RTP timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The track it belongs to.
    pub track: Track,
    /// RTP timestamp as the publisher sent it, in the track's clock rate, wrapping.
    pub timestamp: u32,
    /// When it was captured: µs since the Unix epoch by the root's clock, audio and video on one
    /// timeline.
    pub capture_us: u64,
    /// Its packets, in order.
    pub packets: Vec<Packet>,
}

/// One block of a rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Counts from 0 without gaps.
    pub number: u64,
    /// Number of the first block of its group.
    pub group: u64,
    /// Digest of the block before it, zeros for block 0.
    pub previous: Digest,
    /// When the root closed it: µs since the Unix epoch by the root's clock.
    pub closed_us: u64,
    /// The tracks; present exactly when `number == group`.
    pub format: Option<Format>,
    /// Frames in the order they were ingested.
    pub frames: Vec<Frame>,
}

impl Block {
    /// Whether it starts a group: a decoder can start here.
    #[must_use]
    pub fn starts_group(&self) -> bool {
        self.number == self.group
    }
}
