use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::*;
use crate::source::FileSource;
use crate::source::tests::{blocks, fixture, samples};

fn received(name: &str) -> Vec<Block> {
    let source = FileSource::from_bytes(fixture(name).into(), false).expect("playable");
    blocks(source, Duration::MAX)
}

fn write(path: &Path, blocks: &[Block]) -> Summary {
    let mut sink = FileSink::create(path).expect("a file");
    for block in blocks {
        sink.write(block).expect("writable");
    }
    sink.finish().expect("writable")
}

fn frames_in(blocks: &[Block], track: Track) -> usize {
    blocks.iter().flat_map(|block| &block.frames).filter(|frame| frame.track == track).count()
}

/// FFmpeg, if this machine has it: on the path, or by `pip install imageio-ffmpeg`.
fn ffmpeg() -> Option<PathBuf> {
    let works = |path: &Path| Command::new(path).arg("-version").output().is_ok();
    let on_path = PathBuf::from("ffmpeg");
    if works(&on_path) {
        return Some(on_path);
    }
    let code = "import imageio_ffmpeg as f; print(f.get_ffmpeg_exe(), end='')";
    let found = Command::new("python3").args(["-c", code]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(found.stdout).ok()?)).filter(|path| works(path))
}

/// FFmpeg decodes all of it without a word.
fn decodes(path: &Path, video_frames: usize) {
    let Some(ffmpeg) = ffmpeg() else {
        println!("no FFmpeg here: {} is not decoded", path.display());
        return;
    };
    let run = |options: &[&str]| {
        let output = Command::new(&ffmpeg).args(options).output().expect("FFmpeg runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let file = path.to_str().expect("text");
    run(&["-v", "warning", "-xerror", "-i", file, "-f", "null", "-"]);
    if video_frames > 0 {
        let passthrough = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "framecrc", "-"];
        let crc = run(&[&["-v", "warning", "-i", file][..], &passthrough].concat());
        let shown = crc.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(shown, video_frames, "{}", path.display());
    }
}

#[test]
fn what_was_published_is_what_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    for (source, target) in [
        ("vp9.webm", "a.webm"),
        ("av1.webm", "b.webm"),
        ("h264.mkv", "c.mkv"),
        ("h264.mkv", "d.webm"),
        ("opus.webm", "e.webm"),
        ("vp8.ivf", "f.ivf"),
        ("vp9.webm", "g.ivf"),
        ("av1.ivf", "h.ivf"),
        ("vp8.ivf", "i.mkv"),
    ] {
        let blocks = received(source);
        let path = dir.path().join(target);
        let summary = write(&path, &blocks);
        let (video, audio) = (frames_in(&blocks, Track::Video), frames_in(&blocks, Track::Audio));
        let takes_audio = !target.ends_with(".ivf");
        let expected = if takes_audio { (video, audio) } else { (video, 0) };
        let wrote = (summary.video_frames as usize, summary.audio_frames as usize);
        assert_eq!(wrote, expected, "{source} → {target}");

        let file = std::fs::read(&path).expect("written");
        let came = samples(file.clone(), Track::Video);
        let sent = samples(fixture(source), Track::Video);
        assert_eq!(came.len(), sent.len(), "{source} → {target}");
        for (index, (came, sent)) in came.iter().zip(&sent).enumerate() {
            // IVF has temporal delimiters, Matroska has none; a keyframe may have its parameter
            // sets put in front.
            let plain = |data: &Bytes| data.strip_prefix(&[0x12, 0]).unwrap_or(data).to_vec();
            let (came, sent) = (plain(came), plain(sent));
            assert!(came.ends_with(&sent), "{source} → {target}, frame {index}");
            assert!(came.len() == sent.len() || index % 5 == 0, "{source} → {target}: {index}");
        }
        if takes_audio {
            let came = samples(file.clone(), Track::Audio);
            let sent: Vec<_> = blocks.iter().flat_map(|block| &block.frames).collect();
            let sent = sent.iter().filter(|frame| frame.track == Track::Audio);
            assert!(came.iter().eq(sent.map(|frame| &frame.packets[0].payload)));
        }
        // It plays as a source again.
        let again = FileSource::from_bytes(file.into(), false).expect("playable");
        assert_eq!(
            frames_in(&crate::source::tests::blocks(again, Duration::MAX), Track::Video),
            video
        );
        decodes(&path, video);
    }
}

#[test]
fn a_byte_stream_of_h264_decodes() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.h264");
    let summary = write(&path, &received("h264.mkv"));
    assert_eq!((summary.video_frames, summary.audio_frames), (10, 0));
    decodes(&path, 10);
}

#[test]
fn the_clip_is_written_whole_and_timed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("clip.webm");
    let blocks = blocks(FileSource::clip(), Duration::from_secs(12));
    let summary = write(&path, &blocks);
    assert_eq!(summary.skipped, 0);
    assert!((358..=361).contains(&summary.video_frames), "{summary:?}");
    let file = std::fs::File::open(&path).expect("written");
    let file = matroska_demuxer::MatroskaFile::open(file).expect("readable");
    let duration = file.info().duration().expect("known");
    assert!((11_900.0..=12_000.0).contains(&duration), "{duration}");
    let video = file.tracks()[0].video().expect("video");
    assert_eq!((video.pixel_width().get(), video.pixel_height().get()), (640, 360));
    decodes(&path, summary.video_frames as usize);
}

#[test]
fn headers_say_the_size_of_every_codec() {
    let dir = tempfile::tempdir().expect("a directory");
    for source in ["vp8.ivf", "vp9.webm", "av1.webm", "h264.mkv"] {
        let path = dir.path().join("size.mkv");
        write(&path, &received(source));
        let file = std::fs::File::open(&path).expect("written");
        let file = matroska_demuxer::MatroskaFile::open(file).expect("readable");
        let video = file.tracks()[0].video().expect("video");
        let size = (video.pixel_width().get(), video.pixel_height().get());
        assert_eq!(size, (192, 108), "{source}");
        if let ("av1.webm" | "h264.mkv", Some(private)) = (source, file.tracks()[0].codec_private())
        {
            let original = std::io::Cursor::new(fixture(source));
            let original = matroska_demuxer::MatroskaFile::open(original).expect("readable");
            let original = original.tracks()[0].codec_private().expect("there");
            assert_eq!(private[..4], original[..4], "{source}");
        }
    }
}

#[test]
fn an_unfinished_recording_plays_to_its_last_cluster() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("live.webm");
    let mut sink = FileSink::create(&path).expect("a file");
    for block in blocks(FileSource::clip(), Duration::from_millis(4_500)) {
        sink.write(&block).expect("writable");
    }
    // Keyframes begin clusters, so the fifth second is still in memory.
    let file = std::fs::read(&path).expect("written");
    assert_eq!(samples(file.clone(), Track::Video).len(), 120);
    let cut = file[..file.len() - 100].to_vec();
    let left = samples(cut, Track::Video).len();
    assert!((115..=120).contains(&left), "{left}");
}

#[test]
fn after_a_missing_block_the_picture_waits_for_a_group() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hole.webm");
    let mut blocks = blocks(FileSource::clip(), Duration::from_millis(2_990));
    blocks.retain(|block| block.number != 10);
    let summary = write(&path, &blocks);
    assert_eq!(summary.video_frames, 10 + 60);
    assert_eq!(summary.skipped, 19);
    decodes(&path, 70);
}

#[test]
fn writing_begins_with_a_group_and_never_repeats_a_block() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("late.webm");
    let blocks = blocks(FileSource::clip(), Duration::from_millis(1_990));
    let mut late = blocks[20..].to_vec();
    late.push(late[30].clone());
    let summary = write(&path, &late);
    assert_eq!(summary.video_frames, 30);
    let nothing = write(&path, &blocks[1..20]);
    assert_eq!((nothing.video_frames, nothing.audio_frames), (0, 0));
}

#[test]
fn files_that_cannot_take_a_session_say_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = FileSink::create(dir.path().join("a.avi")).expect_err("no AVI");
    assert!(error.to_string().contains("name it .webm or .mkv"), "{error}");
    let error = FileSink::create(dir.path().join("no/a.webm")).expect_err("no directory");
    assert!(error.to_string().starts_with("cannot make"), "{error}");
    let mut sink = FileSink::create(dir.path().join("a.ivf")).expect("a file");
    let blocks = received("h264.mkv");
    assert!(matches!(sink.write(&blocks[0]), Err(SinkError::Codec)));

    let mut sink = FileSink::create(dir.path().join("b.mkv")).expect("a file");
    sink.write(&blocks[0]).expect("writable");
    let mut other = received("vp9.webm").swap_remove(0);
    (other.number, other.group) = (1, 1);
    assert!(matches!(sink.write(&other), Err(SinkError::FormatChanged)));
}

#[test]
fn malformed_frames_are_left_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.webm");
    let mut blocks = received("av1.webm");
    let mut frames = blocks.iter_mut().flat_map(|block| &mut block.frames);
    let frame = frames.by_ref().filter(|frame| frame.track == Track::Video).nth(2).expect("ten");
    frame.packets[0].payload = Bytes::from_static(&[0x90, 1, 2]);
    let summary = write(&path, &blocks);
    assert_eq!((summary.video_frames, summary.skipped), (2 + 5, 3));
    decodes(&path, 7);
}

#[tokio::test]
async fn a_channel_is_written_until_it_closes() {
    let dir = tempfile::tempdir().expect("a directory");
    let sink = FileSink::create(dir.path().join("a.webm")).expect("a file");
    let (sender, receiver) = mpsc::channel(4);
    let writing = tokio::spawn(run(sink, receiver));
    for block in received("vp9.webm") {
        sender.send(Arc::new(block)).await.expect("taken");
    }
    drop(sender);
    let summary = writing.await.expect("no panic").expect("writable");
    assert_eq!(summary.video_frames, 10);
}
