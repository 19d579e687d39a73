// What the mesh adds to the way from a camera to a browser.
//
//   scripts/bench latency [--seconds 20] [--rounds 2]
//
// A studio page draws a clock into its test picture; watch pages read it back:
// one at the root itself (one node), one behind four links (root → helper →
// gateway → gateway → gateway). Both play the same session, in turns, so that
// the machine's load is the same for both. All is one machine, so all clocks
// agree. Prints name=value lines. The bar: added_ms_p50 ≤ 15.

import { percentile, readArguments, report } from '../browser/lib.mjs';
import { deep, Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { eventually, workspace } from './process.mjs';
import { Streamer, Viewer } from './viewer.mjs';

const want = readArguments({ seconds: 20, rounds: 2 });
const why = obstacle();
if (why) throw new Error(why);

const lab = new Lab(['studio', 'root', 'helper-1', 'helper-2', 'helper-3', 'gateway-1', 'gateway-2', 'gateway-3', 'viewer']);
const work = workspace('latency');
const forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
/** Pictures left out at the start of a window: the player still catches up. */
const SETTLE_SECONDS = 4;
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
let streamer;
let failed = true;
try {
  const root = await forest.root();
  root.http = forest.published.http;
  streamer = await Streamer.open({ url: forest.published.studio, netns: lab.at('studio').netns });
  await eventually('the root makes blocks', async () => (await root.session()).blocks > 30);
  await forest.helpers();
  // Each gateway has room for the next one only, so each is one link further.
  await forest.gateway('gateway-1');
  await forest.gateway('gateway-2');
  const far = await forest.gateway('gateway-3', { last: true });
  await deep(far, 4);

  const ages = { near: [], far: [] };
  for (let round = 0; round < want.rounds; round++) {
    for (const [name, node] of [['near', root], ['far', far]]) {
      const viewer = await Viewer.open({ url: forest.page(node), netns: lab.at('viewer').netns });
      try {
        await pause(SETTLE_SECONDS);
        ages[name].push(...(await viewer.window(() => pause(want.seconds / want.rounds))).ages);
      } finally {
        await viewer.close();
      }
    }
  }
  const session = await far.session();
  report({
    one_node_ms_p5: percentile(ages.near, 0.05),
    one_node_ms_p50: percentile(ages.near, 0.5),
    one_node_ms_p95: percentile(ages.near, 0.95),
    four_links_ms_p5: percentile(ages.far, 0.05),
    four_links_ms_p50: percentile(ages.far, 0.5),
    four_links_ms_p95: percentile(ages.far, 0.95),
    added_ms_p50: percentile(ages.far, 0.5) - percentile(ages.near, 0.5),
    readings: ages.near.length + ages.far.length,
    links_min: Math.min(...session.stripes.map(({ depth }) => depth)),
    overlay_delay_ms: session.delay_ms ?? '',
  });
  failed = false;
} finally {
  await streamer?.close();
  await forest.stop();
  work.remove(failed);
  lab.remove();
}
process.exit(0);
