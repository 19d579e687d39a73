// From a camera to a browser, through the mesh, across network namespaces: a
// studio page or FFmpeg → root → helper → gateway → gateway → a watch page.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { percentile } from '../browser/lib.mjs';
import { Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { eventually, workspace } from './process.mjs';
import { Streamer, Viewer } from './viewer.mjs';

const WINDOW_SECONDS = 10;
/** By then browsers have drawn sound and picture together: some ms each second, from 100 or more. */
const TOGETHER_SECONDS = 30;
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
/** Share of the frames sent in the window that must be decoded. */
const DECODED_MIN = 0.9;
/** What people do not notice; the bar. */
const SKEW_MAX_MS = 60;

const skip = obstacle() ?? false;
if (skip) console.error(`# SKIPPED: ${skip}`);

/** One session from `publish(forest, lab)` to a browser, and what must arrive. */
async function session(codec, root, publish) {
  const lab = new Lab(['studio', 'root', 'helper-1', 'helper-2', 'helper-3', 'gateway-1', 'gateway-2', 'viewer']);
  const work = workspace('namespaces');
  const forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
  const open = [];
  const began = performance.now();
  let failed = true;
  try {
    await forest.root(root);
    const log = (what) => console.log(`# ${what} after ${Math.round((performance.now() - began) / 100) / 10} s`);
    await publish(forest, lab, open);
    log('live');
    await eventually('the root makes blocks', async () => (await forest.rootNode.session()).blocks > 30);
    await forest.helpers();
    await forest.gateways();
    log('grown');

    const viewer = await Viewer.open({ url: forest.page(forest.last), netns: lab.at('viewer').netns });
    open.push(viewer);
    const seen = await viewer.window(
      () => pause(WINDOW_SECONDS),
      async () => ({ root: await forest.rootNode.session(), last: await forest.last.session() }),
    );
    const sent = seen.after.root.blocks - seen.before.root.blocks;
    const lost = seen.after.last.blocks_lost - seen.before.last.blocks_lost;
    console.log(
      `# ${codec}: frames_sent=${sent} frames_decoded=${seen.frames} blocks_lost=${lost} freeze_count=${seen.freezes} audio_energy=${seen.audioEnergy.toFixed(4)} ` +
        `av_skew_beep_ms=${Math.round(percentile(seen.skews, 0.5))} (${seen.skews.length}) av_skew_stats_ms=${Math.round(percentile(seen.statSkews, 0.5))} latency_ms_p50=${percentile(seen.ages, 0.5)}`,
    );
    assert.equal(seen.codec, codec);
    assert.equal(seen.audioCodec, 'opus');
    assert.ok(sent > 15 * WINDOW_SECONDS, `${sent} frames were sent`);
    assert.ok(seen.frames >= DECODED_MIN * sent, `${seen.frames} of ${sent} frames were decoded`);
    assert.equal(lost, 0, 'blocks lost');
    assert.ok(seen.audioEnergy > 0, 'sound arrives');
    const skew = await eventually('sound and picture are together', () => viewer.skew(), { seconds: TOGETHER_SECONDS, every: 1000, test: (ms) => Math.abs(ms) <= SKEW_MAX_MS });
    console.log(`# av_skew_ms=${Math.round(skew)}`);
    failed = false;
  } finally {
    for (const each of open.reverse()) await each.close();
    await forest.stop();
    work.remove(failed);
    lab.remove();
  }
}

const studio = (codec) => async (forest, lab, open) => {
  open.push(await Streamer.open({ url: forest.published.studio, netns: lab.at('studio').netns, codec }));
};

/** FFmpeg 9 with a test picture and a tone, by WHIP. */
async function ffmpeg(forest, lab, open) {
  const { FFMPEG } = process.env;
  assert.ok(FFMPEG, 'FFMPEG names FFmpeg 9: run this by scripts/test mesh');
  const { whip, ticket } = forest.published;
  const sources = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=30', '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const video = ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', '30', '-b:v', '900k', '-maxrate', '900k', '-bufsize', '900k'];
  const audio = ['-c:a', 'libopus', '-ar', '48000', '-ac', '2', '-b:a', '64k'];
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'warning', ...sources, ...video, ...audio, '-f', 'whip', '-authorization', ticket, whip];
  const publisher = spawn('ip', ['netns', 'exec', lab.at('studio').netns, FFMPEG, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  publisher.stderr.on('data', (chunk) => (said += chunk));
  const kill = () => publisher.kill('SIGKILL');
  process.on('exit', kill);
  const ended = new Promise((resolve) => publisher.once('exit', resolve));
  open.push({
    close: async () => {
      publisher.kill('SIGTERM');
      setTimeout(kill, 5000).unref();
      await ended;
      process.off('exit', kill);
      if (said) console.log(`# FFmpeg: ${said.trim().split('\n').slice(-5).join('\n#   ')}`);
    },
  });
}

test('VP8 and Opus from the studio', { skip }, () => session('VP8', {}, studio('vp8')));
test('H264 and Opus from the studio', { skip }, () => session('H264', {}, studio('h264')));
test('H264 and Opus from FFmpeg', { skip }, () => session('H264', {}, ffmpeg));
