// What the mesh adds to the way from a camera to a browser.
//
//   scripts/bench latency [--seconds 20]
//
// A studio page draws a clock into its test picture; watch pages read it back:
// one at the root itself (one node), one behind four links (root → helper →
// gateway → gateway → gateway). Both play the same session at the same time, so
// that the machine's load is the same for both. All is one machine, so all clocks
// agree. Prints name=value lines. The bar: added_ms_p50 ≤ 15.

import { percentile, readArguments, report } from '../browser/lib.mjs';
import { Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { eventually, workspace } from './process.mjs';
import { Streamer, Viewer } from './viewer.mjs';

const want = readArguments({ seconds: 20 });
const why = obstacle();
if (why) throw new Error(why);

const lab = new Lab(['studio', 'root', 'helper-1', 'helper-2', 'helper-3', 'gateway-1', 'gateway-2', 'gateway-3', 'viewer']);
const work = workspace('latency');
const forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
/** A block is whole with so many shards: it is as late as the fourth. */
const DATA_SHARDS = 4;
/** Pictures left out at the start of a window: the player still catches up. */
const SETTLE_SECONDS = 4;
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const open = [];
let failed = true;
try {
  const root = await forest.root();
  root.http = forest.published.http;
  open.push(await Streamer.open({ url: forest.published.studio, netns: lab.at('studio').netns }));
  await eventually('the root makes blocks', async () => (await root.session()).blocks > 30);
  await forest.helpers();
  // Each gateway has room for the next one only, so each is one link further.
  await forest.gateways(3, { shortcuts: DATA_SHARDS - 1 });
  const far = forest.last;

  const netns = { netns: lab.at('viewer').netns };
  const viewers = await Promise.all([root, far].map((node) => Viewer.open({ url: forest.page(node), ...netns })));
  open.push(...viewers);
  await pause(SETTLE_SECONDS);
  const seen = await Promise.all(viewers.map((viewer) => viewer.window(() => pause(want.seconds))));
  const ages = { near: seen[0].ages, far: seen[1].ages };
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
    // Of the shards that make a block whole, the last one's.
    links: session.stripes.map(({ depth }) => depth).sort((a, b) => a - b)[DATA_SHARDS - 1],
    overlay_delay_ms: session.delay_ms ?? '',
  });
  failed = false;
} finally {
  for (const each of open.reverse()) await each.close();
  await forest.stop();
  work.remove(failed);
  lab.remove();
}
process.exit(0);
