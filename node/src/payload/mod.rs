//! RTP payload formats: encoded frames ↔ RTP payloads.
//!
//! Only for media that does not come from, or go to, a WebRTC peer: a file published as a live
//! source, and what a native viewer writes to a file. The mesh itself carries payloads verbatim.
//!
//! Our own and not those of `rtc-rtp`, because theirs panic on truncated OBUs and aggregates, never
//! mark a VP9 frame as inter-picture predicted (so every frame looks like a keyframe), start VP9
//! picture ids at random, and drop H264 parameter sets that do not fit one packet.

mod av1;
mod bits;
mod h264;
mod h265;
mod vp8;
mod vp9;

use banyan_protocol::coding::{Packet, VideoCodec};
use bytes::Bytes;

pub use bits::Bits;
pub use h264::annex_b;

/// Longest payload made. Derived: what Chromium makes (1170 bytes at most), so that with the headers
/// of SRTP, UDP and IPv6 it fits a path of 1280 bytes.
pub const PAYLOAD_BYTES: usize = 1160;

/// Why bytes are no frame, or payloads no RTP payloads, of their codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec:?}: {what}")]
pub struct PayloadError {
    codec: VideoCodec,
    what: &'static str,
}

impl PayloadError {
    const fn new(codec: VideoCodec, what: &'static str) -> Self {
        Self { codec, what }
    }
}

/// What a source must know of a frame before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// Whether a decoder can start with it.
    pub keyframe: bool,
    /// Whether it brings the parameter sets (H264) or sequence header (AV1) that a decoder needs.
    pub self_contained: bool,
}

/// Frames → RTP payloads, for one track.
#[derive(Debug)]
pub struct Packetiser {
    codec: VideoCodec,
    /// Counts frames; VP8 and VP9 say it in each payload.
    picture_id: u16,
}

impl Packetiser {
    /// A packetiser for `codec`. H265 can be taken apart, but not packed: no browser sends it.
    #[must_use]
    pub fn new(codec: VideoCodec) -> Self {
        Self { codec, picture_id: 0 }
    }

    /// The payloads of one frame, the last of which takes the marker. H264 is a list of NAL units,
    /// each behind four bytes of length; AV1 a temporal unit of OBUs with sizes.
    ///
    /// # Errors
    /// If `frame` is not one frame of the codec.
    pub fn packetise(&mut self, frame: &Bytes) -> Result<Vec<Bytes>, PayloadError> {
        if frame.is_empty() {
            return Err(PayloadError::new(self.codec, "an empty frame"));
        }
        let picture_id = self.picture_id;
        self.picture_id = (picture_id + 1) & 0x7fff;
        match self.codec {
            VideoCodec::Vp8 => Ok(vp8::packetise(frame, picture_id)),
            VideoCodec::Vp9 => vp9::packetise(frame, picture_id),
            VideoCodec::H264 => h264::packetise(frame),
            VideoCodec::Av1 => av1::packetise(frame),
            VideoCodec::H265 => Err(PayloadError::new(self.codec, "cannot be packed")),
        }
    }
}

/// What `frame` is.
///
/// # Errors
/// If it is not one frame of `codec`.
pub fn inspect(codec: VideoCodec, frame: &Bytes) -> Result<FrameInfo, PayloadError> {
    let (keyframe, self_contained) = match codec {
        VideoCodec::Vp8 => (vp8::is_keyframe(frame)?, true),
        VideoCodec::Vp9 => (vp9::inspect(frame)?.is_some(), true),
        VideoCodec::H264 => h264::inspect(frame)?,
        VideoCodec::Av1 => (av1::is_keyframe(frame)?, av1::has_sequence_header(frame)),
        VideoCodec::H265 => return Err(PayloadError::new(codec, "cannot be packed")),
    };
    Ok(FrameInfo { keyframe, self_contained })
}

/// Width and height of a VP9 keyframe; `None` for any other bytes.
#[must_use]
pub fn vp9_size(frame: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = vp9::inspect(frame).ok()??;
    Some((width.into(), height.into()))
}

/// The H264 NAL units that `packets` carry.
///
/// # Errors
/// If a payload is malformed, or of a kind that WebRTC does not use.
pub fn h264_units(packets: &[Packet]) -> Result<Vec<Bytes>, PayloadError> {
    h264::units(packets.iter().map(|packet| &packet.payload))
}

/// The frame that `packets` carry: VP8 and VP9 as they are, AV1 as OBUs with sizes, H264 and H265 in
/// Annex B form.
///
/// # Errors
/// If a payload is not one of `codec`. Any bytes give a frame or an error.
pub fn assemble(codec: VideoCodec, packets: &[Packet]) -> Result<Vec<u8>, PayloadError> {
    let payloads = packets.iter().map(|packet| &packet.payload);
    match codec {
        VideoCodec::Vp8 => vp8::assemble(payloads),
        VideoCodec::Vp9 => vp9::assemble(payloads),
        VideoCodec::H264 => Ok(annex_b(&h264::units(payloads)?)),
        VideoCodec::H265 => Ok(annex_b(&h265::units(payloads)?)),
        VideoCodec::Av1 => av1::assemble(payloads),
    }
}

#[cfg(test)]
mod tests;
