use banyan_protocol::coding::Block;
use banyan_protocol::ingest::{Anchor, Ingest, Input, Output};
use banyan_protocol::time::Timestamp;
use tokio::sync::mpsc;

use super::*;

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    std::fs::read(path).expect("a checked-in file")
}

fn open(name: &str) -> Result<FileSource, SourceError> {
    FileSource::from_bytes(fixture(name).into(), false)
}

/// Plays into ingest as fast as it goes, up to `until`.
pub(crate) fn blocks(mut source: FileSource, until: Duration) -> Vec<Block> {
    let anchor = Anchor { at: Timestamp::ZERO, unix_us: 1_800_000_000_000_000 };
    let mut ingest = Ingest::new(source.format().clone(), anchor);
    let mut blocks: Vec<Block> = Vec::new();
    while let Some(timed) = source.next_frame().expect("playable") {
        if timed.media_time > until {
            break;
        }
        let now = Timestamp::ZERO + timed.media_time;
        ingest.handle_timeout(now);
        for packet in timed.packets {
            ingest.handle_rtp(now, packet);
        }
        loop {
            match ingest.poll_output() {
                Output::Block(draft) => {
                    let group = blocks.last().map_or(0, |block| block.group);
                    blocks.push(draft.into_block(blocks.len() as u64, group, [0; 32]));
                }
                Output::Wait(_) => break,
                output @ (Output::Nack(..) | Output::KeyframeWanted) => {
                    panic!("a file is whole: {output:?}")
                }
            }
        }
    }
    blocks
}

/// The frames of one track as they come back out of blocks.
fn frames(blocks: &[Block], track: Track, codec: Option<VideoCodec>) -> Vec<Vec<u8>> {
    let frames = blocks.iter().flat_map(|block| &block.frames);
    frames
        .filter(|frame| frame.track == track)
        .map(|frame| match codec {
            Some(codec) => payload::assemble(codec, &frame.packets).expect("own payloads"),
            None => frame.packets[0].payload.to_vec(),
        })
        .collect()
}

/// The frames of one track as the container holds them.
fn stored(name: &str, track: Track) -> Vec<Bytes> {
    samples(fixture(name), track)
}

/// The same of a file in memory.
pub(crate) fn samples(file: Vec<u8>, track: Track) -> Vec<Bytes> {
    let origin = Origin::Memory(file.into());
    let mut container = Container::open(&origin).expect("a container");
    let mut samples = Vec::new();
    while let Some(sample) = container.next_sample().expect("whole") {
        if sample.track == track {
            samples.push(sample.data);
        }
    }
    samples
}

/// What comes out of H264 and AV1 is spelled differently: start codes, no temporal delimiters.
fn spelled(codec: VideoCodec, frame: &Bytes) -> Vec<u8> {
    match codec {
        VideoCodec::H264 => {
            let mut units = Vec::new();
            let mut rest = frame.clone();
            while let Some((length, _)) = rest.split_first_chunk::<4>() {
                let end = 4 + u32::from_be_bytes(*length) as usize;
                units.push(rest.split_to(end).slice(4..));
            }
            payload::annex_b(&units)
        }
        VideoCodec::Av1 => frame.strip_prefix(&[0x12, 0]).unwrap_or(frame).to_vec(),
        VideoCodec::Vp8 | VideoCodec::Vp9 | VideoCodec::H265 => frame.to_vec(),
    }
}

#[test]
fn every_codec_and_container_comes_through_unchanged() {
    for (name, codec, audio) in [
        ("vp9.webm", VideoCodec::Vp9, true),
        ("av1.webm", VideoCodec::Av1, true),
        ("h264.mkv", VideoCodec::H264, true),
        ("vp8.ivf", VideoCodec::Vp8, false),
        ("vp9.ivf", VideoCodec::Vp9, false),
        ("av1.ivf", VideoCodec::Av1, false),
    ] {
        let source = open(name).expect(name);
        assert_eq!(source.format().video.as_ref().map(|track| track.codec), Some(codec), "{name}");
        let blocks = blocks(source, Duration::MAX);
        let came = frames(&blocks, Track::Video, Some(codec));
        let expected = stored(name, Track::Video);
        assert_eq!((came.len(), expected.len()), (10, 10), "{name}");
        for (index, (came, expected)) in came.iter().zip(&expected).enumerate() {
            // A keyframe may have its parameter sets put in front.
            let expected = spelled(codec, expected);
            assert!(came.ends_with(&expected), "{name}, frame {index}");
            assert!(came.len() == expected.len() || index % 5 == 0, "{name}, frame {index}");
        }
        let groups: Vec<_> =
            blocks.iter().filter(|block| block.starts_group()).map(|block| block.number).collect();
        assert_eq!((groups.len(), groups[0]), (2, 0), "{name}");
        if audio {
            let came = frames(&blocks, Track::Audio, None);
            let expected = stored(name, Track::Audio);
            // Sound after the last picture stays pending; sound before the first is dropped.
            assert!(came.len() >= 44, "{name}: {}", came.len());
            let skipped = expected.iter().position(|packet| *packet == came[0]).expect("the same");
            assert!(skipped <= 1 && expected[skipped..].iter().zip(&came).all(|(a, b)| a == b));
        }
    }
}

#[test]
fn h264_keyframes_bring_their_parameter_sets() {
    let source = open("h264.mkv").expect("playable");
    let fmtp = &source.format().video.as_ref().expect("video").fmtp;
    assert!(fmtp.contains("packetization-mode=1;profile-level-id=64"), "{fmtp}");
    let frames = frames(&blocks(source, Duration::MAX), Track::Video, Some(VideoCodec::H264));
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame[4] & 0x1f == 7, index % 5 == 0, "frame {index}");
    }
}

#[test]
fn sound_alone_plays() {
    let source = open("opus.webm").expect("playable");
    assert_eq!(source.format().video, None);
    let blocks = blocks(source, Duration::MAX);
    assert!((24..=26).contains(&blocks.len()), "{}", blocks.len());
}

#[test]
fn the_clip_loops_without_a_seam() {
    let mut source = FileSource::clip();
    let mut next = [None; 2];
    let mut last = [(0, Duration::ZERO); 2];
    let mut counts = [0; 2];
    let mut bytes = 0;
    while let Some(timed) = source.next_frame().expect("playable") {
        if timed.media_time >= Duration::from_secs(30) {
            break;
        }
        let i = usize::from(timed.packets[0].track == Track::Video);
        let timestamp = timed.packets[0].timestamp;
        if counts[i] > 0 {
            let (last_timestamp, last_time) = last[i];
            let step = timestamp.wrapping_sub(last_timestamp);
            let (rate, most) = if i == 1 { (90, 60) } else { (48, 20) };
            assert!(step >= rate * 20 && step <= rate * most, "a step of {step}");
            assert!(timed.media_time > last_time);
        }
        last[i] = (timestamp, timed.media_time);
        counts[i] += 1;
        for packet in &timed.packets {
            assert!(next[i].is_none_or(|next| next == packet.sequence));
            next[i] = Some(packet.sequence.wrapping_add(1));
            bytes += packet.payload.len();
        }
    }
    assert!(counts[0] >= 1_499 && (899..=901).contains(&counts[1]), "{counts:?}");
    let kbps = bytes * 8 / 30_000;
    assert!((400..900).contains(&kbps), "{kbps} kbit/s");
}

#[test]
fn the_clip_has_a_keyframe_each_second() {
    let blocks = blocks(FileSource::clip(), Duration::from_millis(9_900));
    let keys: Vec<_> = blocks.iter().filter(|block| block.starts_group()).collect();
    assert_eq!(keys.len(), 10);
    let first = keys[0].frames.last().expect("a frame").capture_us;
    for (second, key) in keys.iter().enumerate() {
        let since = key.frames.last().expect("a frame").capture_us - first;
        assert!(since.abs_diff(second as u64 * 1_000_000) <= 1_000, "{since}");
    }
    // Sound goes with the picture, a block per frame.
    assert!(blocks.len() <= 300, "{}", blocks.len());
}

#[test]
fn what_cannot_be_played_live_says_what_to_do() {
    for (name, what, command) in [
        ("b-frames.mkv", "B-frames", "-bf 0"),
        ("h265.mkv", "H.265 video", "-c:v libvpx"),
        ("aac.mkv", "AAC audio", "-c:v copy -c:a libopus"),
        ("h264.mp4", "an MP4 file", "live.webm"),
    ] {
        let error = open(name).expect_err(name).to_string();
        assert!(error.contains(what) && error.contains(command), "{error}");
        assert!(error.contains("ffmpeg -i"), "{error}");
    }
    let missing = FileSource::open("no/such/file.webm", false).expect_err("missing");
    assert!(missing.to_string().starts_with("cannot read no/such/file.webm"), "{missing}");
    let text = FileSource::from_bytes(Bytes::from_static(b"hello"), false).expect_err("text");
    assert!(matches!(text, SourceError::NotMedia { .. }), "{text}");
}

#[test]
fn a_file_that_starts_between_keyframes_waits_for_one() {
    let file = fixture("vp8.ivf");
    let frame = |at: usize| {
        let size: [u8; 4] = std::array::from_fn(|i| file[at + i]);
        12 + u32::from_le_bytes(size) as usize
    };
    let without_first = [&file[..32], &file[32 + frame(32)..]].concat();
    let source = FileSource::from_bytes(without_first.into(), false).expect("playable");
    assert_eq!(frames(&blocks(source, Duration::MAX), Track::Video, None).len(), 5);

    let second = 32 + frame(32);
    let third = second + frame(second);
    let only_second = [&file[..32], &file[second..third]].concat();
    let error = FileSource::from_bytes(only_second.into(), false).expect_err("no keyframe");
    assert!(matches!(error, SourceError::NoKeyframe { .. }), "{error}");
}

#[test]
fn files_cut_short_anywhere_play_what_is_there_or_say_that_they_are_damaged() {
    for (name, most) in
        [("vp8.ivf", 10), ("av1.ivf", 10), ("vp9.webm", 10), ("h264.mkv", 10), ("opus.webm", 26)]
    {
        let file = Bytes::from(fixture(name));
        let mut played = Vec::new();
        for cut in (0..file.len()).step_by(97) {
            match FileSource::from_bytes(file.slice(..cut), false) {
                Ok(source) => played.push(blocks(source, Duration::MAX).len()),
                Err(SourceError::NotMedia { .. }) => assert!(cut < 4, "{name} at {cut}"),
                // FFmpeg's index of what is where names parts that are cut off.
                Err(SourceError::Damaged { .. } | SourceError::Empty { damaged: true, .. }) => {}
                Err(error) => panic!("{name} at {cut}: {error}"),
            }
        }
        assert!(played.is_sorted() && played.iter().all(|count| *count <= most), "{name}");
        assert!(!name.ends_with(".ivf") || played.contains(&9), "{name}: {played:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn playing_keeps_real_time_and_ends_with_its_listener() {
    let (sender, mut inputs) = mpsc::channel(16);
    let player = tokio::spawn(run(FileSource::clip(), sender));
    let start = tokio::time::Instant::now();
    let (mut reports, mut last) = (0, 0);
    while start.elapsed() < Duration::from_secs(25) {
        match inputs.recv().await.expect("a loop does not end") {
            Input::Rtp(packet) if packet.track == Track::Audio => last = packet.timestamp,
            Input::Rtp(_) => {}
            Input::SenderReport { .. } => reports += 1,
            Input::KeyframeRequest => panic!("a source asks for nothing"),
        }
    }
    assert!((24_900..=25_020).contains(&(last / 48)), "{last}");
    assert!((48..=52).contains(&reports), "{reports}");
    drop(inputs);
    player.await.expect("no panic").expect("playable");
}
