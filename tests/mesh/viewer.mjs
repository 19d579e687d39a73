// A watch page in a real browser, measured over windows of time.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { complaints, launch, percentile } from '../browser/lib.mjs';
import { startMeasuring } from '../browser/measure.mjs';

const BROWSER = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', 'browser');
/** Guess: Chromium itself may need seconds on a busy machine. */
const PATIENCE_MS = 30_000;

export class Viewer {
  /** Opens `url`, from inside `netns` if there is one, and waits until it plays. */
  static async open({ url, netns = null, patience = PATIENCE_MS }) {
    const viewer = new Viewer();
    Object.assign(viewer, await launch({ netns }));
    viewer.said = complaints(viewer.page);
    try {
      await viewer.page.goto(url, { waitUntil: 'commit', timeout: patience });
      await viewer.page.evaluate(startMeasuring);
      await viewer.page.waitForFunction(() => window.measured.playingAt, null, { timeout: patience, polling: 50 });
    } catch (error) {
      const words = await viewer.words();
      await viewer.close();
      throw new Error(`nothing plays at ${url}: ${words}; ${error.message.split('\n')[0]}; ${viewer.said.join('; ')}`);
    }
    return viewer;
  }

  /** What the page tells its visitor. */
  words() {
    return this.page
      .evaluate(() => {
        const { shadowRoot, state } = document.querySelector('banyan-player');
        return `${state} “${shadowRoot.querySelector('.title').textContent} ${shadowRoot.querySelector('.hint').textContent}”`;
      })
      .catch((error) => error.message);
  }

  state() {
    return this.page.evaluate(() => document.querySelector('banyan-player').state);
  }

  /**
   * By how many ms sound is ahead of the picture now: by the last beeps and
   * flashes where there are any, else by the browser's own estimate.
   */
  async skew() {
    const { beeps, estimates } = await this.page.evaluate(() => ({ beeps: window.measured.skews.slice(-5).map(([, skew]) => skew), estimates: window.measured.statSkews.slice(-6).map(([, skew]) => skew) }));
    return percentile(beeps.length >= 3 ? beeps : estimates, 0.5);
  }

  /** The counters at the page's next look at them. */
  counters() {
    return this.page.evaluate(
      () =>
        new Promise((resolve) => {
          const player = document.querySelector('banyan-player');
          const take = () => resolve({ ...window.measured.summary(), at: performance.now(), reconnects: window.measured.reconnects });
          player.addEventListener('banyan-stats', take, { once: true });
          setTimeout(take, 3000);
        }),
    );
  }

  /**
   * Measures while `during` runs: frames, freezes, sound, and the ages of the
   * pictures seen. `also()` is asked at both ends, for what the nodes counted.
   */
  async window(during, also = async () => ({})) {
    const seen = () => this.page.evaluate(() => ({ ages: window.measured.ages.length, skews: window.measured.skews.length, statSkews: window.measured.statSkews.length }));
    const before = await this.counters();
    const alsoBefore = await also();
    const from = await seen();
    await during();
    const after = await this.counters();
    const alsoAfter = await also();
    const { ages, skews, statSkews } = await this.page.evaluate(
      (from) => ({ ages: window.measured.ages.slice(from.ages).map(([, age]) => age), skews: window.measured.skews.slice(from.skews).map(([, skew]) => skew), statSkews: window.measured.statSkews.slice(from.statSkews).map(([, skew]) => skew) }),
      from,
    );
    return {
      seconds: (after.at - before.at) / 1000,
      frames: after.framesDecoded - before.framesDecoded,
      dropped: after.framesDropped - before.framesDropped,
      freezes: after.freezeCount - before.freezeCount,
      packetsLost: after.packetsLost - before.packetsLost,
      audioEnergy: after.audioEnergy - before.audioEnergy,
      reconnects: after.reconnects - before.reconnects,
      codec: after.codec,
      audioCodec: after.audioCodec,
      firstFrameMs: after.firstFrameAt,
      ages,
      skews,
      statSkews,
      skewMs: percentile(skews.length >= 3 ? skews : statSkews, 0.5),
      before: alsoBefore,
      after: alsoAfter,
    };
  }
}

/** A studio page that publishes, in a process of its own. */
export class Streamer {
  static async open({ url, netns = null, codec = 'vp8', height = 360, bitrate = 1200, seconds = 600 }) {
    const streamer = new Streamer();
    const args = ['studio.mjs', '--url', url, '--codec', codec, '--height', String(height), '--bitrate', String(bitrate), '--seconds', String(seconds), '--patience', '40'];
    if (netns) args.push('--netns', netns);
    streamer.process = spawn(process.execPath, args, { cwd: BROWSER, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => streamer.process.kill('SIGKILL');
    process.on('exit', kill);
    let text = '';
    streamer.ended = new Promise((resolve) =>
      streamer.process.once('exit', (code) => {
        process.off('exit', kill);
        resolve({ code, text });
      }),
    );
    streamer.process.stderr.on('data', (chunk) => (text += chunk));
    await new Promise((resolve, reject) => {
      streamer.process.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.includes('live=1')) resolve();
      });
      streamer.ended.then(({ code }) => reject(new Error(`the studio ended (${code}) before it was live: ${text}`)));
    });
    return streamer;
  }

  /** Says goodbye to the node; what it has to say about it. */
  async close() {
    this.process.kill('SIGTERM');
    return this.ended;
  }
}
