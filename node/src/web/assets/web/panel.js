// The player's figures, for those who ask: latency, loss and their causes.

import { ClockReader } from '../clock.js';
import { bitrate, h, millis } from './dom.js';

/** Clock readings kept: about four seconds of pictures. */
const READINGS = 120;

/** The panel and the clock reader behind its first line. Works only while open. */
export class Panel {
  #video;
  #list = h('dl');
  #reader = null;
  #ages = [];
  #callback = 0;
  #opened = 0;

  constructor(video) {
    this.#video = video;
    this.element = h(
      'section',
      // Scrollable where it does not fit, so the keyboard has to reach it.
      { class: 'panel', part: 'panel', 'aria-label': 'Statistics', tabindex: '0', hidden: true },
      h('h2', {}, 'Statistics'),
      this.#list,
    );
  }

  get open() {
    return !this.element.hidden;
  }

  toggle(open = !this.open) {
    this.element.hidden = !open;
    if (open) {
      this.#opened++;
      this.#measure(this.#opened);
    } else {
      this.#video.cancelVideoFrameCallback?.(this.#callback);
      this.#ages = [];
    }
  }

  /** Median age of the pictures by the clock drawn in them, or NaN. */
  get latencyMs() {
    const sorted = [...this.#ages].sort((a, b) => a - b);
    return sorted.length ? sorted[sorted.length >> 1] : NaN;
  }

  /** Drops what was measured: another connection begins. */
  forget() {
    this.#ages = [];
  }

  /** Shows figures as `viewing.js` gives them, or dashes. */
  show(stats) {
    if (!this.open) return;
    const rows = stats ? describe(stats, this.latencyMs) : [['Picture', 'none yet']];
    // Same rows as before: only the text changes, so a reader keeps its place.
    const cells = this.#list.children;
    if (cells.length !== rows.length * 2) {
      this.#list.replaceChildren(...rows.flatMap(([name]) => [h('dt', {}, name), h('dd')]));
    }
    for (const [i, [name, value]] of rows.entries()) {
      cells[i * 2].textContent = name;
      cells[i * 2 + 1].textContent = value;
    }
  }

  #measure(opened) {
    const video = this.#video;
    if (!video.requestVideoFrameCallback) return;
    this.#reader ??= new ClockReader();
    const look = () => {
      if (!this.open || opened !== this.#opened) return;
      const read = this.#reader.read(video);
      if (read && read.latencyMs > -50) this.#ages.push(read.latencyMs);
      else if (this.#ages.length) this.#ages.shift();
      if (this.#ages.length > READINGS) this.#ages.shift();
      this.#callback = video.requestVideoFrameCallback(look);
    };
    this.#callback = video.requestVideoFrameCallback(look);
  }
}

function describe(s, clockMs) {
  const latency = Number.isFinite(clockMs)
    ? `${Math.round(clockMs)} ms, camera to screen`
    : Number.isFinite(s.playoutDelayMs)
      ? `about ${Math.round(s.playoutDelayMs)} ms`
      : 'not measurable here';
  const loss = Number.isFinite(s.lossPercent) ? ` (${s.lossPercent.toFixed(1)} % now)` : '';
  const skew = Number.isFinite(s.avSkewMs)
    ? `${Math.abs(Math.round(s.avSkewMs))} ms ${s.avSkewMs < 0 ? 'behind' : 'ahead'}`
    : '–';
  return [
    ['Latency', latency],
    ['Picture', s.width ? `${s.width}×${s.height}, ${Math.round(s.fps || 0)} fps` : '–'],
    ['Codecs', [s.codec, s.audioCodec].filter(Boolean).join(' + ') || '–'],
    ['Bitrate', bitrate(s.bitrateBps)],
    ['Packets lost', `${s.packetsLost}${loss}`],
    ['Frames dropped', String(s.framesDropped)],
    ['Freezes', s.freezeCount ? `${s.freezeCount} (${(s.freezesMs / 1000).toFixed(1)} s)` : 'none'],
    ['Jitter buffer', millis(s.jitterBufferMs)],
    ['Round trip', millis(s.rttMs)],
    ['Sound vs. picture', skew],
    ['First picture', millis(s.firstFrameMs)],
    ['Path', s.path || '–'],
  ];
}
