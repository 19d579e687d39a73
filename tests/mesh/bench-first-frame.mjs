// From opening the link to the first picture, again and again.
//
//   scripts/bench first-frame [--tries 20]
//
// A root with the bundled clip, three helpers, two gateways, in namespaces; each
// try is a new tab in a running browser, as when somebody clicks a link. Prints
// name=value lines; times are the page's own, from navigation to the first
// picture shown. The bar: first_frame_ms_p95 ≤ 1000.

import { launch, percentile, readArguments, report } from '../browser/lib.mjs';
import { Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { workspace } from './process.mjs';

const want = readArguments({ tries: 20 });
const why = obstacle();
if (why) throw new Error(why);

const lab = new Lab(['root', 'helper-1', 'helper-2', 'helper-3', 'gateway-1', 'gateway-2', 'viewer']);
const work = workspace('first-frame');
const forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
let failed = true;
let browser;
try {
  await forest.grow({ source: ['--clip'] });
  browser = await launch({ netns: lab.at('viewer').netns });
  const total = [];
  const fromPost = [];
  for (let i = 0; i < want.tries; i++) {
    const page = await browser.browser.newPage();
    await page.goto(forest.page(forest.last), { waitUntil: 'commit' });
    const shown = await page.evaluate(async () => {
      await customElements.whenDefined('banyan-player');
      const player = document.querySelector('banyan-player');
      if (!player.video.videoWidth || player.video.currentTime === 0) {
        await new Promise((resolve) => player.video.requestVideoFrameCallback(resolve));
      }
      const at = performance.now();
      await new Promise((resolve) => player.addEventListener('banyan-stats', resolve, { once: true }));
      return { at, post: player.stats()?.firstFrameMs };
    });
    total.push(shown.at);
    if (Number.isFinite(shown.post)) fromPost.push(shown.post);
    await page.close();
  }
  report({
    tries: total.length,
    first_frame_ms_p50: percentile(total, 0.5),
    first_frame_ms_p95: percentile(total, 0.95),
    first_frame_ms_max: Math.max(...total),
    from_post_ms_p50: percentile(fromPost, 0.5),
    from_post_ms_p95: percentile(fromPost, 0.95),
  });
  failed = false;
} finally {
  await browser?.close();
  await forest.stop();
  work.remove(failed);
  lab.remove();
}
process.exit(0);
