// Nodes that die and nodes that leave while a browser plays, and a root that
// comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { eventually, workspace } from './process.mjs';
import { Viewer } from './viewer.mjs';

const skip = obstacle() ?? false;
if (skip) console.error(`# SKIPPED: ${skip}`);

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

let lab;
let work;
let forest;
let viewer;
let failed = false;

before(async () => {
  if (skip) return;
  lab = new Lab(['root', 'helper-1', 'helper-2', 'helper-3', 'gateway-1', 'gateway-2', 'viewer']);
  work = workspace('failures');
  forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
  await forest.grow({ source: ['--clip'] });
  viewer = await Viewer.open({ url: forest.page(forest.last), netns: lab.at('viewer').netns });
});

after(async () => {
  if (skip) return;
  await viewer?.close();
  await forest?.stop();
  work?.remove(failed);
  lab?.remove();
});

/** A step; what it leaves behind is kept if it fails. */
function step(name, run) {
  test(name, { skip }, async () => {
    try {
      assert.ok(viewer, 'a page plays');
      await run();
    } catch (error) {
      failed = true;
      throw error;
    }
  });
}

/** A helper that carries stripes to the first gateway, and which. */
async function carrier() {
  const { stripes } = await forest.first.session();
  const ids = new Map(await Promise.all(forest.helperNodes.filter((node) => !node.ended).map(async (node) => [(await node.ready).node, node])));
  const helper = stripes.map(({ parent }) => ids.get(parent)).find(Boolean);
  assert.ok(helper, `a helper carries a stripe: ${JSON.stringify(stripes)}`);
  const { node } = await helper.ready;
  return { helper, id: node, stripes: stripes.filter(({ parent }) => parent === node).map(({ stripe }) => stripe) };
}

/** Takes a helper away by `how`, and sees that nobody notices. */
async function withoutHelper(how) {
  const { helper, id, stripes } = await carrier();
  const gateways = async () => Promise.all([forest.first.session(), forest.last.session()]);
  const seen = await viewer.window(async () => {
    const gone = performance.now();
    await how(helper);
    const after = await eventually('its stripes have another parent', async () => {
      const now = (await forest.first.session()).stripes;
      return stripes.every((stripe) => now.some((each) => each.stripe === stripe && each.parent && each.parent !== id)) && now;
    }, { seconds: 10, every: 50 });
    console.log(`# stripes ${stripes} of ${helper.name} moved within ${Math.round(performance.now() - gone)} ms, to ${stripes.map((stripe) => after.find((each) => each.stripe === stripe).parent.slice(0, 4))}`);
    await pause(8);
  }, gateways);
  const lost = seen.after.map(({ blocks_lost }, i) => blocks_lost - seen.before[i].blocks_lost);
  const made = seen.after.map(({ blocks }, i) => blocks - seen.before[i].blocks);
  console.log(`# blocks=${made} blocks_lost=${lost} freeze_count=${seen.freezes} frames_decoded=${seen.frames} window_seconds=${seen.seconds.toFixed(1)} reconnects=${seen.reconnects}`);
  assert.deepEqual(lost, [0, 0], 'blocks lost at the gateways');
  assert.equal(seen.freezes, 0, 'freezes in the browser');
  assert.equal(seen.reconnects, 0);
  assert.ok(seen.frames > 0.9 * made[1], `${seen.frames} of ${made[1]} frames were decoded`);
}

step('a helper is killed, and nobody notices', () => withoutHelper((helper) => helper.kill()));

step('a helper leaves, and nobody notices', () =>
  withoutHelper(async (helper) => {
    const how = await helper.stop('SIGTERM');
    assert.equal(how, 0, 'it ends well');
  }));

step('the root is killed and comes back, and the page plays again by itself', async () => {
  const url = viewer.page.url();
  await forest.rootNode.kill();
  const died = performance.now();
  await forest.root({ source: ['--clip'] });
  const up = performance.now();
  const before = await viewer.counters();
  await eventually('pictures move again', async () => {
    const { framesDecoded, state } = await viewer.counters();
    return state === 'playing' && framesDecoded > before.framesDecoded + 30 ? true : `${state}, ${framesDecoded} frames`;
  }, { seconds: 30, test: (answer) => answer === true });
  console.log(`# root_up_ms=${Math.round(up - died)} plays_again_ms=${Math.round(performance.now() - died)}`);
  assert.equal(viewer.page.url(), url);
});

step('the root ends, and the page says so', async () => {
  assert.equal(await forest.rootNode.stop('SIGTERM'), 0);
  // Not "it is over": the same link plays again when the same publisher comes back.
  await eventually('the page says that the streamer has left', async () => {
    const words = await viewer.words();
    return /^(ended|waiting “The streamer has left)/.test(words) || words;
  }, { seconds: 10, test: (answer) => answer === true });
});
