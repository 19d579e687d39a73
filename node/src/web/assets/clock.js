// A clock that survives a video codec: drawn into a picture by whoever films,
// read back by whoever watches, it tells how old the picture is.
//
// It is a strip of 26 black or white cells along the top edge:
//
//   white black | 16 bits of milliseconds | 6 check bits | black white
//
// Bits come highest first. The milliseconds are the wall clock's, modulo
// 65536, so both ends must keep the same time: one machine, or two with NTP.
// A natural picture passes for a clock about once in 2^30 tries: each cell has
// to be clearly black or white, and 10 bits have to match.

/// Cells in the strip.
export const CELLS = 26;
const DATA = 16;
const CHECK = 6;

/** CRC-6 (x^6 + x + 1) of a 16-bit value: catches any burst of up to six cells. */
export function checkBits(value) {
  let rest = value << CHECK;
  for (let bit = DATA + CHECK - 1; bit >= CHECK; bit--) {
    if ((rest >> bit) & 1) rest ^= 0b1000011 << (bit - CHECK);
  }
  return rest & 0b111111;
}

/** The 26 cells (1 is white) for a time in milliseconds. */
export function encodeClock(ms) {
  const value = Math.floor(ms) & 0xffff;
  const cells = [1, 0];
  for (let bit = DATA - 1; bit >= 0; bit--) cells.push((value >> bit) & 1);
  const check = checkBits(value);
  for (let bit = CHECK - 1; bit >= 0; bit--) cells.push((check >> bit) & 1);
  cells.push(0, 1);
  return cells;
}

/** The 16-bit time in 26 cells, or null if they are not a clock. */
export function decodeClock(cells) {
  if (cells.length !== CELLS) return null;
  if (!cells[0] || cells[1] || cells[CELLS - 2] || !cells[CELLS - 1]) return null;
  const number = (from, to) => cells.slice(from, to).reduce((n, bit) => (n << 1) | bit, 0);
  const value = number(2, 2 + DATA);
  return checkBits(value) === number(2 + DATA, 2 + DATA + CHECK) ? value : null;
}

/** How long ago a 16-bit time was, in ms, taken in the range -5 s … 60 s. */
export function age(value, now) {
  const behind = (Math.floor(now) - value) & 0xffff;
  return behind > 60_536 ? behind - 65_536 : behind;
}

/** Height in pixels of the strip in a picture `width` pixels wide. */
export function stripHeight(width) {
  return Math.max(12, Math.round((width / CELLS) * 1.25));
}

/**
 * Draws the clock across the top of a 2D canvas, and the same time for human
 * eyes below it. `now` is wall clock milliseconds.
 */
export function drawClock(context, now = Date.now()) {
  const { width } = context.canvas;
  const height = stripHeight(width);
  const edge = (cell) => Math.round((cell * width) / CELLS);
  for (const [i, white] of encodeClock(now).entries()) {
    context.fillStyle = white ? '#fff' : '#000';
    context.fillRect(edge(i), 0, edge(i + 1) - edge(i), height);
  }
  const size = Math.round(width / 16);
  context.font = `600 ${size}px ui-monospace, "DejaVu Sans Mono", Consolas, monospace`;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.fillStyle = '#fff';
  context.fillText(readable(now), width / 2, height + Math.round(size * 0.6));
}

/** `12:34:56.789`, local time. */
export function readable(ms) {
  const d = new Date(ms);
  const pad = (n, digits = 2) => String(n).padStart(digits, '0');
  const time = [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => pad(n)).join(':');
  return `${time}.${pad(d.getMilliseconds(), 3)}`;
}

/**
 * Reads the clock in what a `<video>` shows right now. Keeps its scratch
 * canvas, so make one reader per video.
 */
export class ClockReader {
  #context;

  constructor() {
    const canvas = document.createElement('canvas');
    canvas.width = CELLS * 4;
    canvas.height = 4;
    this.#context = canvas.getContext('2d', { willReadFrequently: true });
  }

  /**
   * `{ value, latencyMs }` of the picture on show, or null when there is no
   * readable clock in it. The latency is the picture's age at `now`.
   */
  read(video, now = Date.now()) {
    const { videoWidth: width } = video;
    if (!width) return null;
    const context = this.#context;
    const { width: w, height: h } = context.canvas;
    try {
      // The middle half of the strip's height: codecs smear its lower edge.
      const strip = stripHeight(width);
      context.drawImage(video, 0, strip / 4, width, strip / 2, 0, 0, w, h);
      const cells = cellsOf(context.getImageData(0, 0, w, h));
      const value = cells && decodeClock(cells);
      return value === null ? null : { value, latencyMs: age(value, now) };
    } catch {
      return null; // a video from another origin taints the canvas
    }
  }
}

/** Reads the clock once: for a series of readings keep a `ClockReader`. */
export function readClock(video, now = Date.now()) {
  return new ClockReader().read(video, now);
}

/** Cells of a strip scaled to 4 pixels each, or null when one is neither black nor white. */
function cellsOf({ data, width }) {
  const cells = [];
  for (let cell = 0; cell < CELLS; cell++) {
    let sum = 0;
    for (const y of [1, 2]) {
      for (const x of [1, 2]) sum += data[(y * width + cell * 4 + x) * 4 + 1];
    }
    const light = sum / 4;
    if (light > 85 && light < 170) return null;
    cells.push(light >= 170 ? 1 : 0);
  }
  return cells;
}
