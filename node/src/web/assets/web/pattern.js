// The test picture: a clock that can be read back, something that moves, and
// once a second a flash and a beep at the same instant.

import { drawClock, stripHeight } from '../clock.js';

/** Flash and beep last this long from each full second. */
const MARK_MS = 100;
const BEEP_HZ = 1000;

/**
 * Starts drawing and beeping. Returns `{ stream, stop }`; the stream has a
 * video track of `width`×`height` at `fps` and an audio track.
 */
export function testPattern({ width, height, fps }) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  const still = background(width, height);
  // Rate 0: a frame is taken exactly when one was drawn.
  const stream = canvas.captureStream(0);
  const [track] = stream.getVideoTracks();
  const sound = beeper();
  if (sound) stream.addTrack(sound.track);

  let frame = 0;
  const draw = () => {
    context.drawImage(still, 0, 0);
    moving(context, frame++);
    const now = Date.now();
    if (now % 1000 < MARK_MS) flash(context);
    drawClock(context, now);
    (track.requestFrame ?? stream.requestFrame)?.call(track.requestFrame ? track : stream);
    sound?.schedule();
  };
  draw();
  const ticker = new Worker(new URL('./ticker.js', import.meta.url));
  ticker.onmessage = draw;
  ticker.postMessage(fps);

  return {
    stream,
    stop() {
      ticker.terminate();
      sound?.stop();
      for (const each of stream.getTracks()) each.stop();
    },
  };
}

/** What does not move, drawn once: a dusk ground and seven colour bars. */
function background(width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const g = canvas.getContext('2d', { alpha: false });
  const dusk = g.createLinearGradient(0, 0, 0, height);
  dusk.addColorStop(0, '#16221c');
  dusk.addColorStop(1, '#28463a');
  g.fillStyle = dusk;
  g.fillRect(0, 0, width, height);
  const bars = ['#eef4ef', '#e3c65b', '#5cc1c9', '#6fcf9b', '#b577c4', '#d9655a', '#4a6fc1'];
  for (const [i, colour] of bars.entries()) {
    g.fillStyle = colour;
    g.fillRect(Math.round((i * width) / bars.length), height * 0.86, Math.ceil(width / bars.length), height);
  }
  return canvas;
}

/** A wheel of leaves: enough motion to give an encoder honest work. */
function moving(g, frame) {
  const { width, height } = g.canvas;
  const top = stripHeight(width) + width / 8;
  const radius = (height * 0.82 - top) / 2;
  g.save();
  g.translate(width / 2, top + radius);
  for (let i = 0; i < 24; i++) {
    g.rotate((2 * Math.PI) / 24);
    g.save();
    g.rotate(frame * 0.02 * (i % 2 ? 1 : -1));
    g.fillStyle = `hsl(${(110 + i * 7 + frame) % 360} 45% ${35 + (i % 3) * 12}%)`;
    g.fillRect(radius * 0.35, -radius * 0.05, radius * 0.6, radius * 0.1);
    g.restore();
  }
  g.restore();
  // Two small runners along the sides show dropped and repeated frames to the eye.
  g.fillStyle = '#eef4ef';
  const along = (frame * 4) % Math.round(height * 0.5);
  for (const x of [width * 0.06, width * 0.92]) g.fillRect(x, height * 0.3 + along, width * 0.02, width * 0.02);
}

function flash(g) {
  const { width, height } = g.canvas;
  g.fillStyle = '#fff';
  g.fillRect(width * 0.74, height * 0.4, width * 0.14, height * 0.25);
}

/** An audio track that beeps on each full second of the wall clock, or null. */
function beeper() {
  if (!globalThis.AudioContext) return null;
  const audio = new AudioContext({ sampleRate: 48_000, latencyHint: 'interactive' });
  audio.resume().catch(() => {});
  const out = audio.createMediaStreamDestination();
  const gain = audio.createGain();
  const tone = new OscillatorNode(audio, { frequency: BEEP_HZ });
  gain.gain.value = 0;
  tone.connect(gain).connect(out);
  tone.start();

  // The audio clock steps in bursts: right after a step it is closest to the
  // truth, so the smallest offset seen lately is the one to trust.
  let offsets = [];
  let beeped = 0;
  const schedule = () => {
    if (audio.state !== 'running') return;
    const now = Date.now();
    offsets.push(now - audio.currentTime * 1000);
    if (offsets.length > 60) offsets = offsets.slice(-60);
    const offset = Math.min(...offsets);
    const second = (Math.floor(now / 1000) + 1) * 1000;
    // Scheduled late in the second before, when the offset is freshest.
    if (second - now > 300 || second === beeped || offsets.length < 20) return;
    beeped = second;
    const at = (second - offset) / 1000;
    gain.gain.setValueAtTime(0, at - 0.001);
    gain.gain.linearRampToValueAtTime(0.25, at + 0.001);
    gain.gain.setValueAtTime(0.25, at + MARK_MS / 1000 - 0.005);
    gain.gain.linearRampToValueAtTime(0, at + MARK_MS / 1000);
  };
  return { track: out.stream.getAudioTracks()[0], schedule, stop: () => audio.close() };
}
