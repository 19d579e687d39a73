// Plays a watch page (or any page with <banyan-player>) and says how it went.
//
//   node watch.mjs --url http://127.0.0.1:8080/watch/…#… --seconds 10
//     [--netns NS] [--json FILE] [--settle 5] [--patience 20] [--screenshot FILE]
//
// Prints name=value lines. Latency and skew leave out the first --settle
// seconds, when a viewer who came late still catches up; caught_up_ms says how
// long that took. Skew is positive where sound is ahead of the picture. Exit 0: pictures were decoded; 1: none were, and why.

import { complaints, fail, launch, percentile, readArguments, report, until } from './lib.mjs';
import { startMeasuring } from './measure.mjs';

const want = readArguments({
  url: null,
  seconds: 10,
  netns: '',
  json: '',
  settle: 5, // seconds from the first picture
  patience: 20, // seconds until the first picture
  screenshot: '',
});

const { page, close } = await launch({ netns: want.netns }).catch((error) => fail(`no browser: ${error.message}`, 2));
const said = complaints(page);
try {
  await page.goto(want.url, { waitUntil: 'commit', timeout: want.patience * 1000 });
  await page.evaluate(startMeasuring);
} catch (error) {
  await close();
  fail(`the page did not load: ${error.message}`);
}
/** Leaves the page as a person would, so that the player frees its place. */
const leave = () => page.goto('about:blank', { timeout: 3000 }).catch(() => {});

const playing = await page
  .waitForFunction(() => window.measured.playingAt, null, { timeout: want.patience * 1000, polling: 50 })
  .catch(() => null);
if (playing) {
  console.log('playing=1');
  const start = await page.evaluate(() => ({ ...window.measured.totals, at: performance.now() }));
  await until(want.seconds);
  // One more round of figures, so that the window ends where it says.
  await page.evaluate(
    () => new Promise((done) => document.querySelector('banyan-player').addEventListener('banyan-stats', done, { once: true })),
  ).catch(() => {});
  if (want.screenshot) await page.screenshot({ path: want.screenshot });
  const got = await page.evaluate(() => ({ ...window.measured, stats: window.measured.summary(), at: performance.now() }));
  const { stats } = got;
  const seconds = (got.at - start.at) / 1000;
  const first = got.ages[0]?.[0] ?? got.playingAt;
  const settled = (readings) => readings.filter(([at]) => at > first + want.settle * 1000).map(([, value]) => value);
  const ages = settled(got.ages);
  const skews = settled(got.skews);
  const statSkews = settled(got.statSkews);
  const usual = percentile(ages, 0.5);
  const caughtUp = got.ages.find(([, age]) => age < usual + 50)?.[0];
  report(
    {
      state: stats.state,
      frames_decoded: stats.framesDecoded,
      frames_received: stats.framesReceived,
      frames_dropped: stats.framesDropped,
      window_seconds: seconds,
      window_frames_decoded: stats.framesDecoded - (start.framesDecoded ?? 0),
      window_freeze_count: stats.freezeCount - (start.freezeCount ?? 0),
      packets_lost: stats.packetsLost,
      freeze_count: stats.freezeCount,
      reconnects: got.reconnects,
      first_frame_ms: stats.firstFrameAt,
      first_frame_from_post_ms: stats.firstFrameMs,
      answer_ms: stats.answerMs,
      connect_ms: stats.connectMs,
      caught_up_ms: caughtUp - first,
      audio_energy: stats.audioEnergy,
      av_skew_ms: percentile(skews.length >= 3 ? skews : statSkews, 0.5),
      av_skew_beep_ms: percentile(skews, 0.5),
      av_skew_beeps: skews.length,
      av_skew_stats_ms: percentile(statSkews, 0.5),
      latency_ms_p5: percentile(ages, 0.05),
      latency_ms_p50: usual,
      latency_ms_p95: percentile(ages, 0.95),
      latency_readings: ages.length,
      unreadable_pictures: got.unreadable,
      playout_delay_ms: stats.playoutDelayMs,
      jitter_buffer_ms: stats.jitterBufferMs,
      rtt_ms: stats.rttMs,
      bitrate_bps: Math.round(stats.bitrateBps),
      codec: stats.codec,
      audio_codec: stats.audioCodec,
      width: stats.width,
      height: stats.height,
      nack_count: stats.nackCount,
      pli_count: stats.pliCount,
      path: stats.path,
    },
    want.json,
  );
  await leave();
  await close();
  if (!(stats.framesDecoded > 0)) fail(`playing, but no picture was decoded (${said.join('; ')})`);
} else {
  const why = await page
    .evaluate(() => {
      const { shadowRoot, state } = document.querySelector('banyan-player');
      return `state=${state} “${shadowRoot.querySelector('.title').textContent} ${shadowRoot.querySelector('.hint').textContent}”`;
    })
    .catch((error) => error.message);
  if (want.screenshot) await page.screenshot({ path: want.screenshot }).catch(() => {});
  await close();
  fail(`nothing played within ${want.patience} s: ${why} ${said.join('; ')}`);
}
