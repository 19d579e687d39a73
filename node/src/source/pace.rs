//! Plays a source in real time into a channel.

use std::thread;
use std::time::Duration;

use banyan_protocol::coding::Track;
use banyan_protocol::ingest::Input;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::{FileSource, SourceError, Timed};

/// Frames read ahead of their time. Derived: about a second, so that a slow disk is not noticed.
const READ_AHEAD: usize = 64;
/// Lateness above which the rest is played later instead of faster. Derived: what viewers' buffers
/// swallow; a laptop that slept for an hour must not send an hour of frames at once.
const LATE_MAX: Duration = Duration::from_millis(500);
/// Between two sender reports of a track. Guess: RTCP's usual pace for one sender of video.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// A frame, and the sender report to follow it when one is due.
struct Step {
    timed: Timed,
    report: Option<Input>,
}

/// Plays `source` at its own pace into `inputs` until it ends, or until nobody listens. Stops when
/// dropped. A full channel is waited for, and then caught up with, half a second at most.
///
/// # Errors
/// If the file cannot be played on.
pub async fn run(source: FileSource, inputs: mpsc::Sender<Input>) -> Result<(), SourceError> {
    let (sender, mut steps) = mpsc::channel(READ_AHEAD);
    // A thread and not the pool of the runtime, because it lives as long as the session.
    let reader = thread::Builder::new().name("banyan-source".to_owned());
    reader
        .spawn(move || read(source, &sender))
        .map_err(|error| SourceError::Read { file: "the source's thread".to_owned(), error })?;
    let mut start = Instant::now();
    while let Some(step) = steps.recv().await {
        let Step { timed, report } = step?;
        let due = start + timed.media_time;
        let late = Instant::now().saturating_duration_since(due);
        if late > LATE_MAX {
            warn!(late_ms = late.as_millis() as u64, "playing late: frames came too slowly");
            start += late;
        }
        sleep_until(due).await;
        for input in timed.packets.into_iter().map(Input::Rtp).chain(report) {
            if inputs.send(input).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads until the end, an error, or nobody listens.
fn read(mut source: FileSource, sender: &mpsc::Sender<Result<Step, SourceError>>) {
    let mut reported: [Option<Duration>; 2] = [None; 2];
    loop {
        let step = match source.next_frame() {
            Ok(None) => return,
            Ok(Some(timed)) => {
                let report = report(&source, &timed, &mut reported);
                Ok(Step { timed, report })
            }
            Err(error) => Err(error),
        };
        let ended = step.is_err();
        if sender.blocking_send(step).is_err() || ended {
            return;
        }
    }
}

fn report(
    source: &FileSource,
    timed: &Timed,
    reported: &mut [Option<Duration>; 2],
) -> Option<Input> {
    let track = timed.packets.first()?.track;
    let last = &mut reported[usize::from(track == Track::Video)];
    if last.is_some_and(|last| timed.media_time < last + REPORT_INTERVAL) {
        return None;
    }
    *last = Some(timed.media_time);
    let (ntp, rtp) = source.sender_report(track)?;
    Some(Input::SenderReport { track, ntp, rtp })
}
