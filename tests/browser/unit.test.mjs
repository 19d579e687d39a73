// The pages' pure modules, without a browser: `node --test`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASSETS } from './serve.mjs';

const load = (name) => import(new URL(`file://${ASSETS}${name}`));
const clock = await load('clock.js');
const fragment = await load('web/fragment.js');
const sdp = await load('web/sdp.js');
const signal = await load('web/signal.js');
const words = await load('web/words.js');
const { Backoff, pause } = await load('web/backoff.js');
const { Inbound } = await load('web/inbound.js');
const { LipSync } = await load('web/lipsync.js');
const { Watchdog } = await load('web/watchdog.js');

test('a clock reads back what was drawn, and nothing else', () => {
  for (const ms of [0, 1, 65_535, 65_536, 1_763_699_900_123]) {
    assert.equal(clock.decodeClock(clock.encodeClock(ms)), ms & 0xffff ? ms % 65_536 : 0);
  }
  const cells = clock.encodeClock(12_345);
  for (let i = 0; i < cells.length; i++) {
    const broken = [...cells];
    broken[i] ^= 1;
    assert.equal(clock.decodeClock(broken), null, `cell ${i}`);
    broken[(i + 1) % cells.length] ^= 1;
    assert.equal(clock.decodeClock(broken), null, `cells ${i} and the next`);
  }
  assert.equal(clock.decodeClock(cells.slice(1)), null);
  assert.equal(clock.decodeClock(Array(26).fill(1)), null);
  assert.equal(clock.decodeClock(Array(26).fill(0)), null);
});

test('age wraps with the counter', () => {
  const rows = [
    [1000, 1040, 40],
    [65_500, 65_536 + 30, 66],
    [40, 30, -10], // the other clock is ahead
    [5, 65_536 + 5, 0],
  ];
  for (const [value, now, expected] of rows) assert.equal(clock.age(value, now), expected);
});

test('fragments split into what they name and the ticket', () => {
  const rows = [
    ['#banyan://abc&t=eyJ.x', 'banyan://abc', 'eyJ.x'],
    ['#CiQ-_x', 'CiQ-_x', ''],
    ['#&t=only', '', 'only'],
    ['#https://n/whip/x?a=1&b=2&t=k', 'https://n/whip/x?a=1&b=2', 'k'],
    ['', '', ''],
    ['#%E0%A4%A', '%E0%A4%A', ''], // not decodable: left alone
  ];
  for (const [hash, subject, ticket] of rows) assert.deepEqual(fragment.parseFragment(hash), { subject, ticket });
  assert.equal(fragment.withTicket('inv&t=old', 'a b'), 'inv&t=a%20b');
  assert.equal(fragment.withTicket('inv', 'new'), 'inv&t=new');
});

test('pasted invites lead to the watch page of this node', () => {
  const rows = [
    ['banyan://xyz', '/watch/invite#banyan://xyz'],
    [' https://portal.example/watch/00ff#inv&t=k ', '/watch/00ff#inv&t=k'],
    ['0011223344556677', '/watch/0011223344556677'],
    ['#CiQabc', '/watch/invite#CiQabc'],
    ['https://elsewhere.example/', null],
    ['javascript://x', null],
    ['two words', null],
    ['', null],
  ];
  for (const [text, address] of rows) assert.equal(fragment.watchAddress(text), address, text);
});

const OFFER = [
  'v=0', 'a=ice-ufrag:uf', 'a=ice-pwd:pw',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0', 'a=mid:0', 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97', 'a=mid:1', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96', '',
].join('\r\n');

test('descriptions are changed where meant and nowhere else', () => {
  const both = sdp.stereo(OFFER);
  assert.match(both, /a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n/);
  assert.equal(sdp.stereo(both), both, 'twice is once');
  const start = sdp.startBitrate(OFFER, 1500);
  assert.match(start, /a=rtpmap:96 VP8\/90000\r\na=fmtp:96 x-google-start-bitrate=1500\r\n/);
  assert.equal(start.replace('a=fmtp:96 x-google-start-bitrate=1500\r\n', ''), OFFER);
  assert.equal(sdp.stereo('v=0\r\nm=video 9 X 96\r\n'), 'v=0\r\nm=video 9 X 96\r\n');
  assert.deepEqual(sdp.acceptedKinds(OFFER.replace('m=video 9', 'm=video 0')), ['audio']);
});

test('trickled candidates go out as one fragment per burst', () => {
  const candidates = [{ candidate: 'candidate:1 1 udp 1 10.0.0.1 5 typ host', sdpMid: '0' }];
  assert.equal(
    sdp.trickleFragment(OFFER, candidates, true),
    'a=ice-ufrag:uf\r\na=ice-pwd:pw\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\na=end-of-candidates\r\n',
  );
});

test('ICE servers come from Link headers, joined or not', () => {
  const link =
    '<stun:stun.example:3478>; rel="ice-server", <turn:t.example?transport=udp>; rel="ice-server"; username="u;1"; credential="c"; credential-type="password", ' +
    '<https://x/>; rel="next", <javascript:x>; rel="ice-server"';
  assert.deepEqual(signal.iceServers(link).map((server) => server.urls), ['stun:stun.example:3478', 'turn:t.example?transport=udp']);
  assert.equal(signal.iceServers(link)[1].credential, 'c');
  assert.deepEqual(signal.iceServers(null), []);
});

test('a STUN server at the address of the media is left out', () => {
  const answer = 'v=0\r\na=candidate:1 1 udp 2130706431 5.5.5.1 5000 typ host\r\na=candidate:2 1 udp 1 2001:db8::1 3478 typ host\r\n';
  const of = (...urls) => signal.usable(urls.map((each) => ({ urls: each })), answer).map((server) => server.urls);
  assert.deepEqual(of('stun:5.5.5.1:5000', 'stun:[2001:db8::1]', 'stun:5.5.5.1:5001', 'turn:5.5.5.1:5000'), ['stun:5.5.5.1:5001', 'turn:5.5.5.1:5000']);
});

test('Retry-After is bounded and may be a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const rows = [['2', 2000], ['0', 0], ['86400', 60_000], ['Thu, 01 Jan 2026 00:00:05 GMT', 5000], ['soon', null], [null, null]];
  for (const [value, ms] of rows) assert.equal(signal.retryAfter(value, now), ms, value);
});

test('waits double, stay within their bounds and start over', () => {
  const backoff = new Backoff({ first: 100, most: 1000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.next()), [100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  assert.equal(backoff.next(), 100);
  assert.equal(new Backoff({ first: 100, random: () => 0 }).next(), 50);
});

test('a pause ends early when told to', async () => {
  const stop = new AbortController();
  const paused = pause(60_000, stop.signal);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal); // already over
});

/** Feeds one look per half second: each row is [connection, frames, video packets, audio packets, visible]. */
function watched(rows) {
  const watchdog = new Watchdog(0);
  for (const [i, [connection, framesDecoded, videoPackets, audioPackets, visible = true]] of rows.entries()) {
    const verdict = watchdog.check((i + 1) * 500, { connection, framesDecoded, videoPackets, audioPackets, visible });
    if (verdict) return [verdict, (i + 1) * 500];
  }
  return null;
}
const many = (n, row) => Array.from({ length: n }, (_, i) => row(i));

test('the watchdog barks for each way to lose a picture, and not without', () => {
  const good = (i) => ['connected', 15 * (i + 1), 100 * (i + 1), 25 * (i + 1)];
  assert.equal(watched(many(100, good)), null, 'all is well');
  assert.deepEqual(watched([['failed', 0, 0, 0]]), ['failed', 500]);
  assert.deepEqual(watched(many(40, () => ['connecting', 0, 0, 0])), ['unreachable', 8500]);
  assert.deepEqual(watched(many(40, () => ['connected', 0, 0, 0])), ['no picture', 9000]);
  assert.deepEqual(watched([...many(4, good), ...many(20, () => good(3))]), ['stalled', 4500], 'everything stops');
  assert.deepEqual(
    watched([...many(4, good), ...many(20, (i) => ['connected', 60, 500 + 100 * i, 200 + i])]),
    ['undecodable', 4500],
    'packets without pictures',
  );
  assert.deepEqual(
    watched([...many(4, good), ...many(20, (i) => ['connected', 60, 400, 200 + 25 * i])]),
    ['video stopped', 7500],
    'sound goes on',
  );
  assert.equal(watched(many(60, (i) => ['connected', 0, 0, 25 * (i + 1)])), null, 'sound alone is a stream');
  assert.equal(
    watched([...many(4, good), ...many(60, (i) => ['connected', 60, 500 + 100 * i, 200 + 25 * i, false])]),
    null,
    'a hidden page need not decode',
  );
});

test('the picture is held back for late sound, by bounded steps, and let go again', () => {
  const sync = new LipSync();
  assert.equal(sync.next({ avSkewMs: NaN, jitterBufferMs: 10 }), null);
  assert.equal(sync.next({ avSkewMs: -25, jitterBufferMs: 10 }), null, 'close enough');
  assert.equal(sync.next({ avSkewMs: 100, jitterBufferMs: 10 }), null, 'nothing to take back');
  assert.equal(sync.next({ avSkewMs: -80, jitterBufferMs: 10 }), 50);
  assert.equal(sync.next({ avSkewMs: -500, jitterBufferMs: 50 }), 110);
  assert.equal(sync.next({ avSkewMs: 40, jitterBufferMs: 110 }), 90);
  for (let i = 0; i < 20; i++) sync.next({ avSkewMs: -500, jitterBufferMs: 200 });
  assert.equal(sync.next({ avSkewMs: -500, jitterBufferMs: 400 }), null, 'no further than the most');
  assert.equal(sync.next({ avSkewMs: 500, jitterBufferMs: 300 }), 240);
});

test('the watchdog forgives a machine that slept', () => {
  const watchdog = new Watchdog(0);
  const now = (t, n) => watchdog.check(t, { connection: 'connected', framesDecoded: n, videoPackets: n, audioPackets: n });
  assert.equal(now(500, 10), null);
  assert.equal(now(60_000, 10), null);
  assert.equal(now(61_000, 10), null);
  assert.equal(now(62_500, 10), 'stalled');
});

test('each refusal has its words and its patience', () => {
  const say = (status, more = {}, context = {}) => {
    const { state, final, waitMs } = words.refused(new signal.SignalError(status, more), context);
    return [state, final, waitMs];
  };
  const rows = [
    [409, { retryAfterMs: 1000 }, {}, ['waiting', false, 1000]],
    [404, {}, { played: true }, ['waiting', false, null]],
    [410, {}, { played: true }, ['ended', true, null]],
    [401, {}, {}, ['ticket', true, null]],
    [403, {}, { ticketed: true }, ['ticket', true, null]],
    [403, { code: 'policy' }, { ticketed: true }, ['error', true, null]],
    [403, { code: 'cross-origin' }, {}, ['error', true, null]],
    [403, { code: 'helper-only' }, {}, ['error', true, null]],
    [421, { code: 'unknown-host' }, {}, ['error', true, null]],
    [406, {}, {}, ['unsupported', true, null]],
    [422, { code: 'codec-not-acceptable' }, {}, ['unsupported', true, null]],
    [422, { code: 'bad-invite' }, {}, ['error', true, null]],
    [400, {}, {}, ['error', true, null]],
    [503, { retryAfterMs: 3000 }, {}, ['waiting', false, 3000]],
    [0, {}, {}, ['connecting', false, null]],
    [0, {}, { played: true }, ['reconnecting', false, null]],
    [500, {}, { played: true }, ['reconnecting', false, null]],
  ];
  for (const [status, more, context, expected] of rows) {
    assert.deepEqual(say(status, more, context), expected, String(status));
    assert.ok(words.STATES.includes(expected[0]));
  }
});

test('figures come from differences, and skew from capture clocks', () => {
  const report = (at, bytes, frames, lost, received) =>
    new Map([
      ['v', { type: 'inbound-rtp', kind: 'video', timestamp: at, bytesReceived: bytes, framesDecoded: frames, packetsLost: lost, packetsReceived: received, estimatedPlayoutTimestamp: 5000, codecId: 'c' }],
      ['a', { type: 'inbound-rtp', kind: 'audio', timestamp: at, estimatedPlayoutTimestamp: 5020 }],
      ['c', { type: 'codec', mimeType: 'video/VP8' }],
    ]);
  const inbound = new Inbound();
  inbound.sample(report(1000, 0, 0, 0, 0));
  const s = inbound.sample(report(2000, 250_000, 30, 5, 95));
  assert.equal(s.bitrateBps, 2_000_000);
  assert.equal(s.fps, 30);
  assert.equal(s.lossPercent, 5);
  assert.equal(s.avSkewMs, 20);
  assert.equal(s.codec, 'VP8');
});
