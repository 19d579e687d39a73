// Publishes from the studio page, as a streamer would, and says how it went.
//
//   node studio.mjs --url 'http://127.0.0.1:8080/studio#SESSION&t=TICKET'
//     [--codec vp8|h264|vp9|av1] [--source pattern|camera|screen] [--seconds 30]
//     [--bitrate 2000] [--height 720] [--fps 30] [--netns NS] [--json FILE]
//
// Prints live=1 once pictures leave, watch_link=… when the node names one, and
// name=value lines at the end: after --seconds, or on SIGTERM or SIGINT.
// Exit 0: pictures were sent; 1: none were, and why.

import { complaints, fail, launch, readArguments, report, until } from './lib.mjs';

const want = readArguments({
  url: null,
  codec: 'vp8',
  source: 'pattern',
  seconds: 30,
  bitrate: 2000, // kbit/s
  height: 720,
  fps: 30,
  netns: '',
  json: '',
  patience: 20, // seconds until live
  screenshot: '',
});

const { origin } = new URL(want.url);
const secure = origin.startsWith('http:') ? [origin] : [];
const { page, close } = await launch({ netns: want.netns, secure }).catch((error) => fail(`no browser: ${error.message}`, 2));
const said = complaints(page);

const words = () =>
  page
    .evaluate(() => `state=${document.getElementById('studio').dataset.state} “${document.querySelector('.state').innerText.replace(/\s+/g, ' ')}”`)
    .catch((error) => error.message);

async function giveUp(reason) {
  const state = await words();
  if (want.screenshot) await page.screenshot({ path: want.screenshot }).catch(() => {});
  await close();
  fail(`${reason}: ${state} ${said.join('; ')}`);
}

try {
  await page.goto(want.url, { timeout: want.patience * 1000 });
  await page.waitForFunction(() => document.querySelector('[name=codec]')?.options.length, null, { timeout: want.patience * 1000 });
  await choose('height', String(want.height));
  await choose('fps', String(want.fps));
  await choose('bitrate', String(want.bitrate));
  await choose('codec', want.codec.toUpperCase());
  await page.locator(`[name=source][value=${want.source}]`).check({ force: true });
  await page.locator('#go').click();
} catch (error) {
  await giveUp(`the studio could not be set up (${error.message.split('\n')[0]})`);
}

/** Selects `value`, adding it first where the list has no such step. */
async function choose(name, value) {
  await page.locator(`select[name=${name}]`).evaluate((select, given) => {
    if (![...select.options].some((option) => option.value === given)) {
      if (select.name === 'codec') throw new Error(`this browser cannot send ${given}`);
      select.add(new Option(given, given));
    }
    select.value = given;
  }, value);
}

await page.evaluate(async () => {
  window.published = (await import('/web/studio.js')).studio;
});
const sending = await page
  .waitForFunction(
    () => window.published.state === 'failed' || (window.published.state === 'live' && window.published.stats?.framesSent > 0),
    null,
    { timeout: want.patience * 1000, polling: 100 },
  )
  .catch(() => null);
if (!sending || (await page.getAttribute('#studio', 'data-state')) === 'failed') await giveUp('not live');
console.log('live=1');
const link = await page.waitForFunction(() => document.getElementById('link').value, null, { timeout: 2000 }).catch(() => null);
if (link) console.log(`watch_link=${await link.jsonValue()}`);

const ended = await until(want.seconds);
if (want.screenshot) await page.screenshot({ path: want.screenshot });
const { stats, state } = await page.evaluate(() => ({ stats: window.published.stats, state: window.published.state }));
await page.locator('#go').click(); // says goodbye to the node
await page.waitForFunction(() => document.getElementById('studio').dataset.state === 'idle', null, { timeout: 2000 }).catch(() => {});
report(
  {
    ended_by: ended,
    state,
    frames_encoded: stats.framesEncoded,
    frames_sent: stats.framesSent,
    key_frames_encoded: stats.keyFramesEncoded,
    bitrate_bps: Math.round(stats.bitrateBps),
    target_bps: Math.round(stats.targetBps),
    fps: stats.fps,
    width: stats.width,
    height: stats.height,
    codec: stats.codec,
    audio_codec: stats.audioCodec,
    audio_packets: stats.audioPackets,
    packets_lost: stats.packetsLost,
    nack_count: stats.nackCount,
    pli_count: stats.pliCount,
    rtt_ms: stats.rttMs,
    encoder: stats.encoder,
    limited_by: stats.limitedBy,
  },
  want.json,
);
await close();
if (!(stats.framesSent > 0)) fail('live, but no picture was sent');
