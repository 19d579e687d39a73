// Runs `banyan demo`, watches it in a real browser, and says how it went.
//
//   node demo-check.mjs [--seconds 30]
//
// Prints name=value lines. Exit 0: it plays as it should; 1: it does not, and
// what failed and where the logs are.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, readArguments, report, until } from '../browser/lib.mjs';
import { brief } from './forest.mjs';
import { BANYAN, eventually, late } from './process.mjs';
import { Viewer } from './viewer.mjs';

const want = readArguments({ seconds: 30 });
/** Share of the frames sent that must be decoded. The bar. */
const DECODED_MIN = 97;
const LINKS_MIN = 3;
/** Guess: six nodes start in five seconds, on a busy machine in thirty. */
const UP_SECONDS = 120;

const place = mkdtempSync(join(tmpdir(), 'banyan-demo-check-'));
const demo = spawn(BANYAN, ['demo', '--json', '--http-bind', '127.0.0.1:0', '--keep', place], { stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => demo.kill('SIGKILL')); // its nodes end as their standard input closes
const demoEnded = new Promise((resolve) => demo.once('exit', resolve));
demo.once('error', (error) => fail(`cannot start ${BANYAN}: ${error.message}`, 2));

const status = async (node) => {
  const response = await fetch(`http://${node.http}/api/status`);
  return (await response.json()).sessions[0];
};

let viewer = null;
const wrong = [];
try {
  const { open, nodes } = await Promise.race([
    lines(demo.stdout).next().then(({ value }) => JSON.parse(value)),
    demoEnded.then((code) => Promise.reject(new Error(`the demo ended (${code}) before it was up`))),
    late(UP_SECONDS * 1000, `the demo was not up within ${UP_SECONDS} s`),
  ]);
  const root = nodes[0];
  const last = nodes.at(-1);
  console.log(`open=${open}`);
  const settled = await eventually(`each stripe reaches ${last.name} over ${LINKS_MIN} links`, async () => {
    const { stripes } = await status(last);
    return stripes.length > 0 && stripes.every(({ parent, depth }) => parent && depth >= LINKS_MIN) || brief(stripes);
  }, { seconds: 30, test: (answer) => answer === true }).catch((error) => error);
  if (settled !== true) wrong.push(settled.message);

  viewer = await Viewer.open({ url: open });
  const seen = await viewer.window(
    () => until(want.seconds),
    async () => ({ root: await status(root), last: await status(last) }),
  );
  const { before, after } = seen;
  // A block is a frame interval: the root makes one for each frame it sends.
  const sent = after.root.blocks - before.root.blocks;
  const links = after.last.stripes.map(({ depth }) => depth ?? 0);
  const lost = after.last.blocks_lost - before.last.blocks_lost;
  const percent = (100 * seen.frames) / sent;
  report({
    window_seconds: seen.seconds,
    frames_sent: sent,
    frames_decoded: seen.frames,
    frames_decoded_pct: percent,
    blocks_lost: lost,
    links_min: Math.min(...links),
    links_max: Math.max(...links),
    stripes: `${after.last.data_shards}+${after.last.parity_shards}`,
    freeze_count: seen.freezes,
    audio_energy: seen.audioEnergy,
    av_skew_stats_ms: seen.skewMs,
    first_frame_ms: seen.firstFrameMs,
  });
  if (!(percent >= DECODED_MIN)) wrong.push(`${seen.frames} of ${sent} frames were decoded, less than ${DECODED_MIN} %`);
  if (lost !== 0) wrong.push(`${lost} blocks were lost at ${last.name}`);
  if (!(Math.min(...links) >= LINKS_MIN)) wrong.push(`a stripe reaches ${last.name} over ${Math.min(...links)} links, not ${LINKS_MIN}`);
} catch (error) {
  wrong.push(error.message);
}
await viewer?.close();
demo.kill('SIGINT');
await Promise.race([demoEnded, late(15_000, '')]).catch(() => wrong.push('the demo did not end within 15 s of SIGINT'));
if (wrong.length) fail(`${wrong.join('; ')}\n       logs of the nodes: ${place}/*.log`);
rmSync(place, { recursive: true, force: true });
console.log('demo=ok');

/** Lines of a stream. */
async function* lines(stream) {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    text += chunk;
    for (let at; (at = text.indexOf('\n')) >= 0; text = text.slice(at + 1)) yield text.slice(0, at);
  }
}
