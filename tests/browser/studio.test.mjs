// The studio against a node that answers as told: what it says to the streamer
// and what it sends. No media arrives anywhere: that takes a node (`studio.mjs`).

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Gateway, accept } from './gateway.mjs';
import { complaints, launch } from './lib.mjs';
import { servePages } from './serve.mjs';

const SESSION = '00112233445566778899aabbccddeeff';
const LINK = `/studio#${SESSION}&t=tick.et`;
const gateway = new Gateway();
let pages;
let opened = [];

before(async () => {
  pages = await servePages({ handle: gateway.handle });
});
after(() => pages.close());
afterEach(async () => {
  await Promise.all(opened.map((close) => close()));
  opened = [];
  gateway.seen = [];
});

/** A studio in a browser of its own. */
async function studio({ link = LINK, base = pages.url, ...options } = {}) {
  const { page, close } = await launch(options);
  opened.push(close);
  page.setDefaultTimeout(15_000);
  const said = complaints(page);
  await page.goto(base + link);
  return { page, said };
}
const choose = (page, source) => page.locator(`[name=source][value=${source}]`).check({ force: true });
const go = (page) => page.locator('#go').click();
/** Waits for a state; returns the two lines said. */
async function words(page, state) {
  await page.locator(`#studio[data-state=${state}]`).waitFor();
  return [await page.locator('#state-title').textContent(), await page.locator('#state-hint').textContent()];
}

test('the link fills in where to publish, and the offer is as chosen', async () => {
  gateway.answer = accept;
  const { page } = await studio();
  await choose(page, 'pattern');
  await page.getByLabel('Codec').selectOption('VP8');
  await go(page);
  const [offer] = await gateway.requests('POST', 1);
  assert.equal(offer.path, `/whip/${SESSION}`);
  assert.equal(offer.headers.authorization, 'Bearer tick.et');
  assert.equal(offer.headers['content-type'], 'application/sdp');
  assert.ok(offer.body.indexOf('m=audio') < offer.body.indexOf('m=video'), 'sound comes first');
  assert.match(offer.body, /a=sendonly/);
  assert.match(offer.body, /VP8\/90000/);
  assert.doesNotMatch(offer.body, /VP9|H264|AV1/);
  await words(page, 'connecting');
  assert.ok(await page.getByLabel('Codec').isDisabled());
  await go(page); // the same button stops
  await words(page, 'idle');
  const [gone] = await gateway.requests('DELETE', 1);
  assert.equal(gone.path, `/whip/${SESSION}/one`);
  assert.equal(gone.headers.authorization, 'Bearer tick.et');
});

test('each refusal is told with what to do about it', async () => {
  const rows = [
    [401, 'This ticket may not publish here'],
    [403, 'This ticket may not publish here'],
    [404, 'There is no such session'],
    [409, 'Somebody is already live on this session'],
    [415, 'The node did not take this stream'],
  ];
  const { page } = await studio();
  await choose(page, 'pattern');
  for (const [status, title] of rows) {
    gateway.answer = () => [status];
    await go(page);
    assert.equal((await words(page, 'failed'))[0], title);
    assert.equal(await page.locator('#go').textContent(), 'Go live');
  }
  await page.getByLabel('Ticket').fill('');
  gateway.answer = () => [401];
  await go(page);
  await page.getByText('Publishing takes a ticket').waitFor();
});

test('a busy node is tried again when it says', async () => {
  gateway.answer = () => [503, { 'Retry-After': '0' }];
  const { page } = await studio();
  await choose(page, 'pattern');
  await go(page);
  await gateway.requests('POST', 3);
  assert.equal((await words(page, 'connecting'))[0], 'The node is busy');
});

test('without an address it asks for one', async () => {
  const { page } = await studio({ link: '/studio' });
  await go(page);
  assert.equal((await words(page, 'failed'))[0], 'Where to?');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'whip');
});

test('any WHIP address will do', async () => {
  gateway.answer = () => [404];
  const { page } = await studio({ link: '/studio' });
  await choose(page, 'pattern');
  await page.getByLabel('WHIP address or session').fill(`${pages.url.replace('127.0.0.1', 'localhost')}/whip/other`);
  await go(page);
  const [offer] = await gateway.requests('POST', 1);
  assert.equal(offer.path, '/whip/other');
});

test('the camera shows before going live', async () => {
  const { page } = await studio();
  await page.getByRole('button', { name: 'Show the camera' }).click();
  await page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
  assert.equal((await words(page, 'idle'))[0], 'Ready when you are');
  assert.ok((await page.getByLabel('Microphone').locator('option').count()) > 2, 'devices are listed by then');
});

test('no permission and no camera are told apart from a broken page', async () => {
  const { page, said } = await studio({ devices: false });
  await page.getByRole('button', { name: 'Show the camera' }).click();
  const [title] = await words(page, 'failed');
  assert.ok(['No permission', 'Nothing found'].includes(title), title);
  assert.deepEqual(said, []);
});

test('an unsafe address is explained, and the test picture works there', async () => {
  gateway.answer = accept;
  const base = pages.url.replace('127.0.0.1', 'node.test');
  const { page } = await studio({ base, flags: ['--host-resolver-rules=MAP node.test 127.0.0.1'] });
  await page.getByRole('button', { name: 'Show the camera' }).click();
  assert.equal((await words(page, 'failed'))[0], 'Browsers allow cameras on safe addresses only');
  await choose(page, 'pattern');
  await page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
  await go(page);
  await gateway.requests('POST', 1);
});

test('the test picture carries a clock that reads back', async () => {
  const { page } = await studio();
  await choose(page, 'pattern');
  await page.evaluate(async () => {
    window.readClock = (await import('/clock.js')).readClock;
  });
  // Not an async predicate: a promise is truthy, whatever it resolves to.
  const read = await page.waitForFunction(() => window.readClock(document.getElementById('preview')));
  const { latencyMs } = await read.jsonValue();
  assert.ok(Math.abs(latencyMs) < 5000, `${latencyMs} ms`);
});
