// A publisher whose line carries less than its owner says.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brief, Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { eventually, workspace } from './process.mjs';

const skip = obstacle() ?? false;
if (skip) console.error(`# SKIPPED: ${skip}`);

// Six stripes of the clip take about 1.7 Mbit/s; by the announced bitrate, 3.3.
const SAID = '20 Mbit/s';
const CARRIES_KBPS = 3_000;
const NAMES = ['gateway-1', 'gateway-2', 'gateway-3'];
const STRIPES = 6;

let lab;
let work;
let forest;
let failed = false;

before(async () => {
  if (skip) return;
  lab = new Lab(['root', ...NAMES]);
  work = workspace('uplink');
  forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
});

after(async () => {
  if (skip) return;
  await forest?.stop();
  work?.remove(failed);
  lab?.remove();
});

const children = (session) => session.stripes.reduce((sum, stripe) => sum + stripe.children.length, 0);

test('its node finds out, feeds fewer, and the others feed each other', { skip }, async (t) => {
  try {
    lab.narrow('root', 100_000); // wider than anything that is sent
  } catch (error) {
    t.skip(`no line can be made narrow here: ${error.message.split('\n')[0]}`);
    return;
  }
  try {
    await forest.root({ source: ['--clip'], upload: SAID });
    const gateways = [];
    for (const name of NAMES) gateways.push(await forest.gateway(name, { upload: SAID }));
    await eventually('the root feeds more than its line will carry', async () => {
      const { stripes } = await forest.rootNode.session();
      return stripes.reduce((sum, { children }) => sum + children.length, 0) >= 2 * STRIPES || brief(stripes);
    }, { test: (answer) => answer === true });
    const { upload_expected_bps: before } = await forest.rootNode.status();
    assert.equal(before, 20_000_000, 'a line that is not full is what its owner says');

    lab.narrow('root', CARRIES_KBPS);
    const narrowed = performance.now();
    await eventually('the root feeds what its line carries', async () => {
      const status = await forest.rootNode.status();
      const fed = children(status.sessions[0]);
      return (status.upload_expected_bps <= CARRIES_KBPS * 1_000 && fed <= STRIPES + 3) || `${status.upload_expected_bps} bit/s, ${fed} children`;
    }, { seconds: 60, test: (answer) => answer === true });
    console.log(`# fits_after_ms=${Math.round(performance.now() - narrowed)}`);

    const well = async () => {
      const sessions = await Promise.all(gateways.map((gateway) => gateway.session()));
      return sessions.map(({ blocks, blocks_lost: lost, stripes }) => ({ blocks, lost, fed: stripes.filter(({ parent }) => parent).length }));
    };
    let last = await well();
    await eventually('every gateway has all blocks of five seconds', async () => {
      const now = await well();
      const good = now.every(({ blocks, lost, fed }, i) => blocks >= last[i].blocks + 120 && lost === last[i].lost && fed >= STRIPES - 2);
      const answer = good || JSON.stringify(now);
      last = now;
      return answer;
    }, { seconds: 60, every: 5_000, test: (answer) => answer === true });
  } catch (error) {
    failed = true;
    throw error;
  }
});
