// The player against a gateway that answers as told: what it says, what it
// sends, how it goes on. No media: that takes a node (`watch.mjs`).

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { Gateway, accept } from './gateway.mjs';
import { complaints, launch } from './lib.mjs';
import { servePages } from './serve.mjs';

const SESSION = '00112233445566778899aabbccddeeff';
const gateway = new Gateway();
let pages;
let browser;
let page;
let said;
let close;

/** Waits until the player is in `state`; returns its two lines. */
async function words(state) {
  await page.waitForFunction((wanted) => document.querySelector('banyan-player').state === wanted, state);
  return page.evaluate(() => {
    const { shadowRoot } = document.querySelector('banyan-player');
    return [...shadowRoot.querySelectorAll('[role=status] p')].map((p) => p.textContent);
  });
}
const requests = (method, n) => gateway.requests(method, n);
const open = (path) => page.goto(pages.url + path);

before(async () => {
  pages = await servePages({ handle: gateway.handle });
  ({ browser, page, close } = await launch());
  page.setDefaultTimeout(15_000);
  said = complaints(page);
});
after(async () => {
  await close();
  await pages.close();
});
beforeEach(async () => {
  await page.goto('about:blank');
  gateway.seen = [];
  said.length = 0;
});

test('it waits for the streamer and asks again when told to', async () => {
  gateway.answer = () => [409, { 'Retry-After': '1' }];
  await open(`/watch/${SESSION}`);
  assert.deepEqual(await words('waiting'), ['Waiting for the streamer', 'It starts by itself as soon as they are live.']);
  const [first] = await requests('POST', 2);
  assert.equal(first.path, `/whep/${SESSION}`);
  assert.equal(first.headers['content-type'], 'application/sdp');
  assert.match(first.body, /a=recvonly/);
  assert.match(first.body, /stereo=1/);
  assert.equal(first.headers.authorization, undefined);
});

test('it hands the invite to the node and plays where that says', async () => {
  gateway.answer = ({ path }) =>
    path === '/api/watch'
      ? [200, { 'Content-Type': 'application/json' }, '{"session":"aa","whep":"/whep/joined","title":"A river"}']
      : [409, { 'Retry-After': '1' }];
  await open(`/watch/${SESSION}#banyan://inv&t=tick.et`);
  await words('waiting');
  const [joined, offer, again] = await requests('POST', 3);
  assert.deepEqual(JSON.parse(joined.body), { invite: 'banyan://inv&t=tick.et' });
  assert.equal(offer.path, '/whep/joined');
  assert.equal(offer.headers.authorization, 'Bearer tick.et');
  assert.equal(again.path, '/whep/joined', 'the invite is resolved once');
  assert.equal(await page.locator('#title').textContent(), 'A river');
});

test('it asks for a ticket and uses the one given', async () => {
  gateway.answer = ({ headers }) => [headers.authorization === 'Bearer good' ? 409 : 401, {}];
  await open(`/watch/${SESSION}`);
  assert.equal((await words('ticket'))[0], 'This stream needs a ticket');
  await page.getByLabel('Ticket').fill('bad');
  await page.keyboard.press('Enter');
  await page.getByText('This ticket was not accepted').waitFor();
  await page.getByLabel('Ticket').fill('good');
  await page.getByRole('button', { name: 'Enter' }).click();
  await words('waiting');
});

test('an end is an end, until asked', async () => {
  gateway.answer = () => [410];
  await open(`/watch/${SESSION}`);
  assert.equal((await words('ended'))[0], 'The stream has ended');
  gateway.answer = () => [409];
  await page.getByRole('button', { name: 'Try again' }).click();
  await words('waiting');
});

test('a broken link is said to be broken, with the reason', async () => {
  gateway.answer = () => [400, { 'Content-Type': 'application/problem+json' }, '{"title":"Bad invite","detail":"The invite is cut short."}'];
  await open('/watch/x#half');
  assert.deepEqual(await words('error'), ['This link does not work', 'The invite is cut short.']);
});

test('a codec this browser lacks is named', async () => {
  gateway.answer = () => [406, { 'Content-Type': 'application/problem+json' }, '{"detail":"The picture is H265."}'];
  await open(`/watch/${SESSION}`);
  assert.deepEqual(await words('unsupported'), ['This browser cannot play this stream', 'The picture is H265.']);
});

test('a page without a session says so', async () => {
  await open('/watch');
  assert.equal((await words('idle'))[0], 'Nothing to play');
  assert.equal(gateway.seen.length, 0);
});

test('it frees its place when stopped and when the page is left', async () => {
  gateway.answer = accept;
  await open(`/watch/${SESSION}#&t=k`);
  await requests('POST', 1);
  // The answer is applied once tracks have come.
  await page.waitForFunction(() => document.querySelector('banyan-player').video.srcObject?.getTracks().length === 2);
  await page.keyboard.press('k');
  await words('idle');
  const [gone] = await requests('DELETE', 1);
  assert.equal(gone.path, `/whep/${SESSION}/one`);
  assert.equal(gone.headers.authorization, 'Bearer k');
  await page.keyboard.press('k');
  await requests('POST', 2);
  await page.waitForFunction(() => document.querySelector('banyan-player').video.srcObject?.active);
  await page.goto('about:blank');
  await requests('DELETE', 2);
});

test('keys work the player wherever the focus is', async () => {
  gateway.answer = () => [409];
  await open(`/watch/${SESSION}`);
  await words('waiting');
  const now = () =>
    page.evaluate(() => {
      const { video, shadowRoot } = document.querySelector('banyan-player');
      return { muted: video.muted, volume: video.volume, panel: !shadowRoot.querySelector('.panel').hidden };
    });
  assert.deepEqual(await now(), { muted: false, volume: 1, panel: false });
  await page.keyboard.press('i');
  await page.keyboard.press('ArrowDown');
  assert.deepEqual(await now(), { muted: false, volume: 0.9, panel: true });
  await page.keyboard.press('m');
  await page.keyboard.press('Escape');
  assert.deepEqual(await now(), { muted: true, volume: 0.9, panel: false });
  // Every control can be reached and is named.
  const names = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press('Tab');
    names.push(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.getAttribute('aria-label')));
  }
  for (const name of ['Stop (K)', 'Unmute (M)', 'Volume', 'Statistics (I)']) assert.ok(names.includes(name), `${name} in ${names}`);
});

test('another site can embed the player', async () => {
  gateway.answer = () => [409];
  const site = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(
      `<!doctype html><script type="module" src="${pages.url}/player.js"></script>` +
        `<banyan-player src="${pages.url}/whep/${SESSION}" token="k"></banyan-player>`,
    );
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  try {
    // localhost is another origin than 127.0.0.1, which the pages are on.
    await page.goto(`http://localhost:${site.address().port}/`);
    await words('waiting');
    assert.equal(gateway.seen.find((one) => one.method === 'POST').headers.authorization, 'Bearer k');
    await page.goto('about:blank');
  } finally {
    site.closeAllConnections();
    site.close();
  }
});

test('the embed page is a bare player', async () => {
  gateway.answer = () => [409];
  await open(`/embed/${SESSION}`);
  await words('waiting');
  assert.ok(await page.locator('#guide').isHidden());
});

test('a node that is away is waited for', async () => {
  gateway.answer = () => [409];
  await browser.route('**/whep/**', (route) => route.abort());
  await open(`/watch/${SESSION}`);
  await page.getByText('The node does not answer').waitFor();
  await browser.unroute('**/whep/**');
  await words('waiting');
});

test('where sound needs a gesture, the picture starts without and offers it', async () => {
  // Each question that a driver asks counts as a gesture to Chromium's own
  // policy, so that one proves nothing here: this one wants a click.
  const strict = await browser.newPage();
  await strict.addInitScript(() => {
    const { play } = HTMLMediaElement.prototype;
    let clicked = false;
    addEventListener('click', () => (clicked = true), true);
    HTMLMediaElement.prototype.play = function () {
      if (this.muted || clicked) return play.call(this);
      return Promise.reject(new DOMException('a gesture is needed', 'NotAllowedError'));
    };
  });
  gateway.answer = accept;
  await strict.goto(`${pages.url}/watch/${SESSION}`);
  const button = strict.getByRole('button', { name: 'Tap for sound' });
  await button.waitFor();
  const muted = () => strict.evaluate(() => document.querySelector('banyan-player').video.muted);
  assert.equal(await muted(), true);
  await button.click();
  assert.equal(await muted(), false);
  assert.ok(await button.isHidden());
  await strict.close();
});

test('pages break no policy and throw nothing', async () => {
  gateway.answer = () => [409];
  for (const path of ['/', `/watch/${SESSION}`, '/studio', '/embed']) await open(path);
  assert.deepEqual(said.filter((line) => !/status of 409/.test(line)), []);
});
