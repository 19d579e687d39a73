//! WebM and Matroska: the first video and the first audio track.

use std::time::Duration;

use banyan_protocol::coding::{AudioCodec, Format, Track, TrackFormat, VideoCodec};
use bytes::Bytes;
use matroska_demuxer::{
    ContentEncodingValue, DemuxError, Frame, MatroskaFile, TrackEntry, TrackType,
};

use super::avc::Configuration;
use super::container::{Media, Origin, Sample};
use super::error::SourceError;
use super::{Complete, check_size, complete};

/// The first bytes of the file: an EBML header.
pub(super) const MAGIC: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

#[derive(Debug)]
pub(super) struct Matroska {
    file: MatroskaFile<Media>,
    format: Format,
    video: Option<u64>,
    audio: Option<u64>,
    audio_delay: Duration,
    avc: Option<Configuration>,
    /// What a keyframe needs that comes without.
    parameters: Bytes,
    /// Nanoseconds per tick of the container's times.
    scale: u64,
    damaged: bool,
}

impl Matroska {
    pub(super) fn open(media: Media, origin: &Origin) -> Result<Self, SourceError> {
        let file = MatroskaFile::open(media).map_err(|error| origin.damaged(error.to_string()))?;
        let first = |kind| file.tracks().iter().find(|track| track.track_type() == kind);
        let (video, audio) = (first(TrackType::Video), first(TrackType::Audio));
        let video_codec = video.map(|track| video_codec(track.codec_id()));
        let audio_fits = audio.is_none_or(|track| track.codec_id() == "A_OPUS");
        if let (Some(track), Some(None)) = (video, video_codec) {
            return Err(origin.unsupported(name(track.codec_id()), true, !audio_fits));
        }
        if let (Some(track), false) = (audio, audio_fits) {
            return Err(origin.unsupported(name(track.codec_id()), false, true));
        }
        for track in video.into_iter().chain(audio) {
            check_encodings(track, origin)?;
        }
        if video.is_none() && audio.is_none() {
            return Err(SourceError::Empty { file: origin.name(), damaged: false });
        }

        let private = |track: &TrackEntry| track.codec_private().unwrap_or_default().to_vec();
        let codec = video_codec.flatten();
        let avc = match (codec, video) {
            (Some(VideoCodec::H264), Some(track)) => Some(
                Configuration::parse(&private(track))
                    .ok_or_else(|| origin.damaged("the H264 configuration is malformed"))?,
            ),
            _ => None,
        };
        let parameters = match (codec, video, &avc) {
            (_, _, Some(avc)) => avc.parameters.clone(),
            // av1C: four bytes, then the sequence header.
            (Some(VideoCodec::Av1), Some(track), None) => Bytes::from(private(track)).slice_from(4),
            _ => Bytes::new(),
        };
        let format = Format {
            video: codec.zip(video).map(|(codec, track)| TrackFormat {
                codec,
                clock_rate: 90_000,
                fmtp: video_fmtp(codec, track, avc.as_ref()),
            }),
            audio: audio.map(|track| TrackFormat {
                codec: AudioCodec::Opus,
                clock_rate: 48_000,
                fmtp: audio_fmtp(track),
            }),
        };
        Ok(Self {
            format,
            video: video.map(|track| track.track_number().get()),
            audio: audio.map(|track| track.track_number().get()),
            audio_delay: Duration::from_nanos(audio.and_then(TrackEntry::codec_delay).unwrap_or(0)),
            avc,
            parameters,
            scale: file.info().timestamp_scale().get(),
            damaged: false,
            file,
        })
    }

    pub(super) fn format(&self) -> &Format {
        &self.format
    }

    pub(super) fn audio_delay(&self) -> Duration {
        self.audio_delay
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged
    }

    pub(super) fn next_sample(&mut self, origin: &Origin) -> Result<Option<Sample>, SourceError> {
        let mut frame = Frame::default();
        loop {
            match self.file.next_frame(&mut frame) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(DemuxError::IoError(error))
                    if error.kind() != std::io::ErrorKind::UnexpectedEof =>
                {
                    return Err(origin.read(error));
                }
                // Cut short or overwritten: play what came before.
                Err(_) => {
                    self.damaged = true;
                    return Ok(None);
                }
            }
            let track = match Some(frame.track) {
                track if track == self.video => Track::Video,
                track if track == self.audio => Track::Audio,
                _ => continue,
            };
            if frame.data.is_empty() {
                continue;
            }
            check_size(&frame.data)?;
            let time = Duration::from_nanos(frame.timestamp.saturating_mul(self.scale));
            return Ok(Some(Sample { track, time, data: Bytes::from(frame.data) }));
        }
    }

    /// The video frame as the packetiser wants it.
    pub(super) fn complete(&self, data: Bytes) -> Result<Option<Complete>, SourceError> {
        let Some(video) = &self.format.video else { return Ok(None) };
        let data = match &self.avc {
            Some(avc) => avc.widen(data),
            None => data,
        };
        complete(video.codec, &self.parameters, data).map(Some)
    }
}

trait SliceFrom {
    fn slice_from(self, at: usize) -> Bytes;
}

impl SliceFrom for Bytes {
    /// What follows the first `at` bytes, if anything.
    fn slice_from(mut self, at: usize) -> Bytes {
        self.split_off(at.min(self.len()))
    }
}

fn check_encodings(track: &TrackEntry, origin: &Origin) -> Result<(), SourceError> {
    let how = match track.content_encodings().and_then(<[_]>::first).map(|e| e.encoding()) {
        None => return Ok(()),
        Some(ContentEncodingValue::Encryption(_)) => "encrypted",
        Some(_) => "compressed",
    };
    let command = origin.remux_command();
    Err(SourceError::Encoded { file: origin.name(), how, command })
}

fn video_codec(id: &str) -> Option<VideoCodec> {
    match id {
        "V_VP8" => Some(VideoCodec::Vp8),
        "V_VP9" => Some(VideoCodec::Vp9),
        "V_AV1" => Some(VideoCodec::Av1),
        "V_MPEG4/ISO/AVC" => Some(VideoCodec::H264),
        _ => None,
    }
}

/// What people call a codec.
fn name(id: &str) -> String {
    match id {
        "V_MPEGH/ISO/HEVC" => "H.265 video",
        "V_THEORA" => "Theora video",
        "V_MPEG2" => "MPEG-2 video",
        "A_VORBIS" => "Vorbis audio",
        "A_FLAC" => "FLAC audio",
        "A_AC3" | "A_EAC3" => "Dolby audio",
        "A_MPEG/L3" => "MP3 audio",
        id if id.starts_with("A_AAC") => "AAC audio",
        id if id.starts_with("A_PCM") => "PCM audio",
        id => return id.to_owned(),
    }
    .to_owned()
}

fn video_fmtp(codec: VideoCodec, track: &TrackEntry, avc: Option<&Configuration>) -> String {
    match (codec, avc) {
        (VideoCodec::H264, Some(avc)) => {
            let [profile, constraints, level] = avc.profile_level;
            format!(
                "level-asymmetry-allowed=1;packetization-mode=1;\
                 profile-level-id={profile:02x}{constraints:02x}{level:02x}"
            )
        }
        (VideoCodec::Vp9, _) => {
            // WebM's VP9 configuration: feature 1 is the profile, if there is any.
            let profile = match track.codec_private() {
                Some([1, 1, profile @ 0..=3, ..]) => *profile,
                _ => 0,
            };
            format!("profile-id={profile}")
        }
        (VideoCodec::Av1, _) => {
            // av1C: the second byte begins with three bits of profile.
            let profile = track.codec_private().and_then(|c| c.get(1)).map_or(0, |b| b >> 5);
            format!("profile={profile}")
        }
        _ => String::new(),
    }
}

fn audio_fmtp(track: &TrackEntry) -> String {
    let stereo = track.audio().is_some_and(|audio| audio.channels().get() == 2);
    let stereo = if stereo { ";stereo=1;sprop-stereo=1" } else { "" };
    format!("minptime=10;useinbandfec=1{stereo}")
}
