//! spec: proto/SPEC.md#block

use bytes::{BufMut, Bytes, BytesMut};

use crate::coding::{
    AudioCodec, Block, Digest, Format, Frame, Packet, Track, TrackFormat, VideoCodec,
};
use crate::identity::Domain;
use crate::limits::{
    BLOCK_BYTES_MAX, BLOCK_FRAMES_MAX, BLOCK_NUMBER_MAX, BLOCK_PACKETS_MAX, FMTP_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
};
use crate::wire::DecodeError;
use crate::wire::reader::{Reader, put_varint};

const VERSION: u8 = 1;

/// Why a block has no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Its number is above [`BLOCK_NUMBER_MAX`] or below its group's.
    #[error("block {number} of group {group}")]
    Number {
        /// The block's number.
        number: u64,
        /// Its group's number.
        group: u64,
    },
    /// It starts a group and has no format, or the other way round.
    #[error("a block carries the format exactly when it starts a group")]
    Format,
    /// A clock rate is zero or an `fmtp` longer than [`FMTP_BYTES_MAX`].
    #[error("a track's clock rate is zero or its fmtp too long")]
    Track,
    /// A frame without packets, or a packet without payload.
    #[error("an empty frame or packet")]
    Empty,
    /// It is beyond a limit.
    #[error("{what}: {is}, limit {max}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        is: usize,
        /// How much there may be.
        max: usize,
    },
}

impl Block {
    /// The block as bytes.
    ///
    /// # Errors
    /// If the block breaks a rule that [`Block::decode`] checks.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        if self.number > BLOCK_NUMBER_MAX || self.group > self.number {
            return Err(EncodeError::Number { number: self.number, group: self.group });
        }
        if self.starts_group() != self.format.is_some() {
            return Err(EncodeError::Format);
        }
        within("frames", self.frames.len(), BLOCK_FRAMES_MAX)?;
        let packets = || self.frames.iter().flat_map(|frame| &frame.packets);
        within("packets", packets().count(), BLOCK_PACKETS_MAX)?;
        let payloads: usize = packets().map(|packet| packet.payload.len() + 2).sum();
        let mut out = BytesMut::with_capacity(payloads + 128 + 16 * self.frames.len());

        out.put_u8(VERSION);
        out.put_u64(self.number);
        out.put_u64(self.group);
        out.put_slice(&self.previous);
        out.put_u64(self.closed_us);
        if let Some(format) = &self.format {
            put_track(&mut out, format.video.as_ref(), video_code)?;
            put_track(&mut out, format.audio.as_ref(), audio_code)?;
        }
        put_varint(&mut out, self.frames.len() as u32);
        for frame in &self.frames {
            put_frame(&mut out, frame)?;
        }
        within("bytes", out.len(), BLOCK_BYTES_MAX)?;
        Ok(out.freeze())
    }

    /// Reads a block; its payloads share the memory of `encoded`.
    ///
    /// # Errors
    /// If the bytes are not one block within the limits, exactly as [`Block::encode`] writes it.
    pub fn decode(encoded: &Bytes) -> Result<Self, DecodeError> {
        if encoded.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::field("block", "longer than its limit"));
        }
        let mut reader = Reader::new(encoded);
        if reader.u8("version")? != VERSION {
            return Err(DecodeError::field("version", "unknown"));
        }
        let number = reader.u64("number")?;
        let group = reader.u64("group")?;
        if number > BLOCK_NUMBER_MAX || group > number {
            return Err(DecodeError::field("number", "above its limit or below its group's"));
        }
        let previous = reader.array("previous")?;
        let closed_us = reader.u64("closed_us")?;
        let format = if number == group {
            Some(Format {
                video: track(&mut reader, video_codec)?,
                audio: track(&mut reader, audio_codec)?,
            })
        } else {
            None
        };
        let count = reader.count(BLOCK_FRAMES_MAX, "frames")?;
        let mut packets_left = BLOCK_PACKETS_MAX;
        let mut frames = Vec::with_capacity(count);
        for _ in 0..count {
            frames.push(frame(&mut reader, &mut packets_left)?);
        }
        reader.finish()?;
        Ok(Self { number, group, previous, closed_us, format, frames })
    }

    /// What the next block says about this one: BLAKE3 over a domain tag and the encoded block.
    #[must_use]
    pub fn digest(encoded: &[u8]) -> Digest {
        Domain::Block.hash(&[encoded])
    }
}

fn within(what: &'static str, is: usize, max: usize) -> Result<(), EncodeError> {
    if is > max { Err(EncodeError::TooMuch { what, is, max }) } else { Ok(()) }
}

fn put_track<C: Copy>(
    out: &mut BytesMut,
    track: Option<&TrackFormat<C>>,
    code: impl Fn(C) -> u8,
) -> Result<(), EncodeError> {
    let Some(track) = track else {
        out.put_u8(0);
        return Ok(());
    };
    if track.clock_rate == 0 || track.fmtp.len() > FMTP_BYTES_MAX {
        return Err(EncodeError::Track);
    }
    out.put_u8(code(track.codec));
    out.put_u32(track.clock_rate);
    put_varint(out, track.fmtp.len() as u32);
    out.put_slice(track.fmtp.as_bytes());
    Ok(())
}

fn track<C>(
    reader: &mut Reader<'_>,
    codec: impl Fn(u8) -> Option<C>,
) -> Result<Option<TrackFormat<C>>, DecodeError> {
    let code = reader.u8("codec")?;
    if code == 0 {
        return Ok(None);
    }
    let codec = codec(code).ok_or(DecodeError::field("codec", "unknown"))?;
    let clock_rate = reader.u32("clock_rate")?;
    if clock_rate == 0 {
        return Err(DecodeError::field("clock_rate", "zero"));
    }
    let len = reader.count(FMTP_BYTES_MAX, "fmtp")?;
    let fmtp = String::from_utf8(reader.slice(len, "fmtp")?.to_vec())
        .map_err(|_| DecodeError::field("fmtp", "not UTF-8"))?;
    Ok(Some(TrackFormat { codec, clock_rate, fmtp }))
}

fn put_frame(out: &mut BytesMut, frame: &Frame) -> Result<(), EncodeError> {
    if frame.packets.is_empty() {
        return Err(EncodeError::Empty);
    }
    out.put_u8(match frame.track {
        Track::Video => 0,
        Track::Audio => 1,
    });
    out.put_u32(frame.timestamp);
    out.put_u64(frame.capture_us);
    put_varint(out, frame.packets.len() as u32);
    for packet in &frame.packets {
        let len = packet.payload.len();
        if len == 0 {
            return Err(EncodeError::Empty);
        }
        within("payload bytes", len, PAYLOAD_BYTES_MAX)?;
        put_varint(out, (len as u32) << 1 | u32::from(packet.marker));
        out.put_slice(&packet.payload);
    }
    Ok(())
}

fn frame(reader: &mut Reader<'_>, packets_left: &mut usize) -> Result<Frame, DecodeError> {
    let track = match reader.u8("track")? {
        0 => Track::Video,
        1 => Track::Audio,
        _ => return Err(DecodeError::field("track", "unknown")),
    };
    let timestamp = reader.u32("timestamp")?;
    let capture_us = reader.u64("capture_us")?;
    let count = reader.count(*packets_left, "packets")?;
    if count == 0 {
        return Err(DecodeError::field("packets", "none"));
    }
    *packets_left -= count;
    // A packet takes at least two bytes, so what is reserved is bounded by what was received.
    let mut packets = Vec::with_capacity(count.min(reader.left() / 2));
    for _ in 0..count {
        let head = reader.count(PAYLOAD_BYTES_MAX << 1 | 1, "payload")?;
        if head < 2 {
            return Err(DecodeError::field("payload", "empty"));
        }
        let payload = reader.slice(head >> 1, "payload")?;
        packets.push(Packet { marker: head & 1 == 1, payload });
    }
    Ok(Frame { track, timestamp, capture_us, packets })
}

const fn video_code(codec: VideoCodec) -> u8 {
    match codec {
        VideoCodec::Vp8 => 1,
        VideoCodec::Vp9 => 2,
        VideoCodec::H264 => 3,
        VideoCodec::H265 => 4,
        VideoCodec::Av1 => 5,
    }
}

const fn video_codec(code: u8) -> Option<VideoCodec> {
    match code {
        1 => Some(VideoCodec::Vp8),
        2 => Some(VideoCodec::Vp9),
        3 => Some(VideoCodec::H264),
        4 => Some(VideoCodec::H265),
        5 => Some(VideoCodec::Av1),
        _ => None,
    }
}

const fn audio_code(codec: AudioCodec) -> u8 {
    match codec {
        AudioCodec::Opus => 1,
    }
}

const fn audio_codec(code: u8) -> Option<AudioCodec> {
    match code {
        1 => Some(AudioCodec::Opus),
        _ => None,
    }
}
