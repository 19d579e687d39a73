//! Matroska and WebM (RFC 9559), written live: readable up to the last whole cluster at any time,
//! with duration and index once it is finished.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use banyan_protocol::coding::{Format, Track, VideoCodec};

use super::Sample;
use super::ebml::{Elements, id_bytes, void, wide_size};
use super::picture::Picture;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
const CUES: u32 = 0x1c53_bb6b;
const SIMPLE_BLOCK: u32 = 0xa3;

/// Longest cluster. Derived: what a crash may lose; block times also must fit 16 bits of ms.
const CLUSTER_MS_MAX: u64 = 1_000;
/// Largest cluster held in memory. Derived: a second at 50 Mbit/s.
const CLUSTER_BYTES_MAX: usize = 6 << 20;
/// Most index entries: a week of groups of one second.
const CUES_MAX: usize = 700_000;
/// Room for the seek head: three entries of 21 bytes, and what is around them.
const SEEK_HEAD_BYTES: usize = 80;

/// Track numbers in the file.
const VIDEO: u8 = 1;
const AUDIO: u8 = 2;

#[derive(Debug)]
struct Cluster {
    time_ms: u64,
    blocks: Elements,
    /// Whether it begins with a keyframe of the video.
    keyframe: bool,
}

#[derive(Debug)]
pub(super) struct Matroska {
    file: BufWriter<File>,
    has_video: bool,
    /// Where the segment's data begins: positions count from there.
    segment_at: u64,
    /// Info and tracks, from the segment's data.
    info_at: u64,
    tracks_at: u64,
    /// Where the duration's eight bytes are in the file.
    duration_at: u64,
    /// Where the next element goes.
    position: u64,
    cluster: Option<Cluster>,
    cues: Vec<(u64, u64)>,
    end_ms: u64,
}

impl Matroska {
    pub(super) fn begin(
        mut file: BufWriter<File>,
        format: &Format,
        picture: Option<Picture>,
    ) -> io::Result<Self> {
        let video = format.video.as_ref().map(|track| track.codec);
        let in_webm = video.is_none_or(|codec| {
            matches!(codec, VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::Av1)
        });
        let doc_type = if in_webm { "webm" } else { "matroska" };
        let header = Elements::new()
            .unsigned(0x4286, 1)
            .unsigned(0x42f7, 1)
            .unsigned(0x42f2, 4)
            .unsigned(0x42f3, 8)
            .text(0x4282, doc_type)
            .unsigned(0x4287, 4)
            .unsigned(0x4285, 2);
        let mut bytes = Elements::new().master(EBML, header).into_bytes();
        bytes.extend(id_bytes(SEGMENT));
        bytes.extend(wide_size(None));
        let segment_at = bytes.len() as u64;

        bytes.extend(void(SEEK_HEAD_BYTES));
        let info_at = bytes.len() as u64 - segment_at;
        let program = concat!("Banyan ", env!("CARGO_PKG_VERSION"));
        let info = Elements::new()
            .unsigned(0x2a_d7b1, 1_000_000)
            .text(0x4d80, program)
            .text(0x5741, program)
            .float(0x4489, 0.0);
        bytes.extend(Elements::new().master(INFO, info).into_bytes());
        // The duration is the last element of the info.
        let duration_at = bytes.len() as u64 - 8;

        let tracks_at = bytes.len() as u64 - segment_at;
        let tracks = Elements::new()
            .maybe(picture.as_ref().map(video_entry))
            .maybe(format.audio.as_ref().map(|track| audio_entry(&track.fmtp)));
        bytes.extend(Elements::new().master(TRACKS, tracks).into_bytes());
        file.write_all(&bytes)?;
        Ok(Self {
            file,
            has_video: picture.is_some(),
            segment_at,
            info_at,
            tracks_at,
            duration_at,
            position: bytes.len() as u64,
            cluster: None,
            cues: Vec::new(),
            end_ms: 0,
        })
    }

    pub(super) fn write(&mut self, sample: &Sample<'_>) -> io::Result<bool> {
        let time_ms = sample.time_us / 1_000;
        let full = |cluster: &Cluster| {
            time_ms >= cluster.time_ms + CLUSTER_MS_MAX
                || cluster.blocks.len() + sample.data.len() > CLUSTER_BYTES_MAX
        };
        if sample.keyframe || self.cluster.as_ref().is_some_and(full) {
            self.close_cluster()?;
        }
        let cluster = self.cluster.get_or_insert_with(|| Cluster {
            time_ms,
            blocks: Elements::new().unsigned(0xe7, time_ms),
            keyframe: sample.keyframe,
        });
        // Sound of a block may be a little older than the picture that opened the cluster.
        let relative = time_ms as i64 - cluster.time_ms as i64;
        let Ok(relative) = i16::try_from(relative) else { return Ok(false) };
        let (track, shown) = match sample.track {
            Track::Video => (VIDEO, sample.keyframe),
            Track::Audio => (AUDIO, true),
        };
        let [high, low] = relative.to_be_bytes();
        let head = [0x80 | track, high, low, if shown { 0x80 } else { 0 }];
        cluster.blocks.put_binary(SIMPLE_BLOCK, &[&head, sample.data]);
        self.end_ms = self.end_ms.max(time_ms);
        Ok(true)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.close_cluster()?;
        let cues_at = self.position - self.segment_at;
        let cues = self.cues.iter().fold(Elements::new(), |cues, (time_ms, at)| {
            let track = if self.has_video { VIDEO } else { AUDIO };
            let positions = Elements::new().unsigned(0xf7, track.into()).unsigned(0xf1, *at);
            cues.master(0xbb, Elements::new().unsigned(0xb3, *time_ms).master(0xb7, positions))
        });
        let cues = Elements::new().master(CUES, cues).into_bytes();
        self.file.write_all(&cues)?;
        let size = self.position + cues.len() as u64 - self.segment_at;

        let entry = |id: u32, at: u64| {
            let id: Vec<u8> = id_bytes(id).collect();
            Elements::new().binary(0x53ab, &id).unsigned_wide(0x53ac, at)
        };
        let entries = [(INFO, self.info_at), (TRACKS, self.tracks_at), (CUES, cues_at)];
        let entries = entries
            .into_iter()
            .fold(Elements::new(), |all, (id, at)| all.master(0x4dbb, entry(id, at)));
        let mut seek_head = Elements::new().master(SEEK_HEAD, entries).into_bytes();
        seek_head.extend(void(SEEK_HEAD_BYTES - seek_head.len()));

        self.file.seek(SeekFrom::Start(self.segment_at - 8))?;
        self.file.write_all(&wide_size(Some(size)))?;
        self.file.write_all(&seek_head)?;
        self.file.seek(SeekFrom::Start(self.duration_at))?;
        self.file.write_all(&(self.end_ms as f64).to_be_bytes())?;
        self.file.flush()
    }

    fn close_cluster(&mut self) -> io::Result<()> {
        let Some(cluster) = self.cluster.take() else { return Ok(()) };
        if (cluster.keyframe || !self.has_video) && self.cues.len() < CUES_MAX {
            self.cues.push((cluster.time_ms, self.position - self.segment_at));
        }
        let bytes = Elements::new().master(CLUSTER, cluster.blocks).into_bytes();
        self.position += bytes.len() as u64;
        self.file.write_all(&bytes)?;
        // On disk whenever it is whole.
        self.file.flush()
    }
}

fn video_entry(picture: &Picture) -> Elements {
    let codec = match picture.codec {
        VideoCodec::Vp8 => "V_VP8",
        VideoCodec::Vp9 => "V_VP9",
        VideoCodec::Av1 => "V_AV1",
        VideoCodec::H264 => "V_MPEG4/ISO/AVC",
        VideoCodec::H265 => "V_MPEGH/ISO/HEVC",
    };
    let size =
        Elements::new().unsigned(0xb0, picture.width.into()).unsigned(0xba, picture.height.into());
    let private = &picture.configuration;
    let private = (!private.is_empty()).then(|| Elements::new().binary(0x63a2, private));
    let entry = Elements::new()
        .unsigned(0xd7, VIDEO.into())
        .unsigned(0x73c5, VIDEO.into())
        .unsigned(0x83, 1)
        .unsigned(0x9c, 0)
        .text(0x86, codec)
        .maybe(private)
        .master(0xe0, size);
    Elements::new().master(0xae, entry)
}

fn audio_entry(fmtp: &str) -> Elements {
    let stereo = fmtp.split(';').any(|parameter| parameter.trim() == "sprop-stereo=1");
    let channels = if stereo { 2 } else { 1 };
    // OpusHead (RFC 7845, section 5.1): version, channels, pre-skip 0, 48 kHz, gain 0, family 0.
    let mut head = b"OpusHead\x01".to_vec();
    head.extend([channels, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]);
    let sound = Elements::new().float(0xb5, 48_000.0).unsigned(0x9f, channels.into());
    let entry = Elements::new()
        .unsigned(0xd7, AUDIO.into())
        .unsigned(0x73c5, AUDIO.into())
        .unsigned(0x83, 2)
        .unsigned(0x9c, 0)
        .text(0x86, "A_OPUS")
        .binary(0x63a2, &head)
        // A decoder needs 80 ms to settle after a seek (RFC 7845, section 4.6).
        .unsigned(0x56bb, 80_000_000)
        .master(0xe1, sound);
    Elements::new().master(0xae, entry)
}
