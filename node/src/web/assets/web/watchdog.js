// Decides when a connection that looks alive is not: pure, fed with counters.

/** No picture for this long while connected: start over. */
export const STALL_MS = 2000;
/** Sound goes on but the picture stands: cameras do pause, so wait longer. */
const SILENT_VIDEO_MS = 5000;
/** Connecting may take this long (full ICE through two NATs, a slow phone). */
const CONNECT_MS = 8000;
/** From connected to the first picture: a publisher may send keyframes rarely. */
const FIRST_FRAME_MS = 8000;
/** Longer between two checks than this: the machine slept or the tab was frozen. */
const GAP_MS = 3000;

/** One connection's watchdog; make a new one for each. Times in milliseconds. */
export class Watchdog {
  #checked;
  #started;
  #connected = null;
  #frames = mark();
  #video = mark();
  #audio = mark();

  constructor(now) {
    this.#checked = now;
    this.#started = now;
    for (const counter of [this.#frames, this.#video, this.#audio]) counter.at = now;
  }

  /**
   * Null while all is well, else why to start over: `failed`, `unreachable`,
   * `no picture`, `stalled`, `undecodable` or `video stopped`.
   * A hidden page may not decode, so there only packets count.
   */
  check(now, { connection, framesDecoded = 0, videoPackets = 0, audioPackets = 0, visible = true }) {
    if (now - this.#checked > GAP_MS) this.#restart(now);
    this.#checked = now;
    if (connection === 'failed' || connection === 'closed') return 'failed';
    if (connection === 'connected') this.#connected ??= now;
    if (this.#connected === null) return now - this.#started > CONNECT_MS ? 'unreachable' : null;

    const frames = moved(this.#frames, framesDecoded, now);
    const video = moved(this.#video, videoPackets, now);
    const audio = moved(this.#audio, audioPackets, now);
    const silent = Math.min(now - video.at, now - audio.at);
    const flowing = silent <= STALL_MS;
    if (framesDecoded === 0) {
      // Sound alone is a stream too.
      if (audioPackets > 0 && videoPackets === 0) return flowing ? null : 'stalled';
      return now - this.#connected > FIRST_FRAME_MS && visible ? 'no picture' : null;
    }
    if (!flowing) return 'stalled';
    if (!visible || now - frames.at <= STALL_MS) return null;
    if (now - video.at <= STALL_MS) return 'undecodable';
    return now - video.at > SILENT_VIDEO_MS ? 'video stopped' : null;
  }

  #restart(now) {
    this.#started = now;
    if (this.#connected !== null) this.#connected = now;
    for (const counter of [this.#frames, this.#video, this.#audio]) counter.at = now;
  }
}

function mark() {
  return { value: 0, at: 0 };
}

/** Notes when a counter last grew. */
function moved(counter, value, now) {
  if (value > counter.value) counter.at = now;
  counter.value = value;
  return counter;
}
