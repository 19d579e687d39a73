// Keeps one WHIP publication going: connects, notices trouble, starts over, and
// says what it is doing. Has no face; `studio.js` is its face.

import { Backoff, pause } from './backoff.js';
import { Outbound } from './outbound.js';
import { startBitrate, stereo } from './sdp.js';
import { SignalError, negotiate } from './signal.js';

const SAMPLE_MS = 500;
const CONNECT_MS = 10_000;
/** WebRTC itself says "disconnected" for a hiccup; this long is more than one. */
const DISCONNECTED_MS = 3000;

/** Video codecs this browser can send, best known name first: `['VP8', 'H264', …]`. */
export function sendableCodecs() {
  const codecs = globalThis.RTCRtpSender?.getCapabilities?.('video')?.codecs ?? [];
  const names = new Set(codecs.map((codec) => codec.mimeType.split('/')[1]));
  return ['VP8', 'H264', 'VP9', 'AV1', 'H265'].filter((name) => names.has(name));
}

/**
 * Events: `state` ({ state, title, hint }: `connecting`, `live`,
 * `reconnecting`, `failed`, `idle`) and `stats`.
 * `target` is `{ whip, token }`, `settings` `{ codec, bitrateBps, fps }`,
 * `source` what `sources.js` opens.
 */
export class Publishing extends EventTarget {
  #target;
  #settings;
  #source;
  #stop = null;
  #pc = null;
  #backoff = new Backoff({ most: 5000 });
  #stats = null;
  #state = 'idle';
  #wasLive = false;

  constructor(target, settings, source) {
    super();
    this.#target = target;
    this.#settings = settings;
    this.#source = source;
  }

  get state() {
    return this.#state;
  }

  get stats() {
    return this.#stats;
  }

  start() {
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.#run(this.#stop.signal);
  }

  stop() {
    this.#stop?.abort();
    this.#stop = null;
    if (this.#state !== 'failed') this.#say('idle', 'Ready when you are');
  }

  /** Changes the bitrate (and only that) while live. */
  async setBitrate(bitrateBps) {
    this.#settings = { ...this.#settings, bitrateBps };
    const sender = this.#pc?.getSenders().find((each) => each.track?.kind === 'video');
    if (sender) await limit(sender, this.#settings, this.#source.keep).catch(() => {});
  }

  async #run(signal) {
    this.#say('connecting', 'Connecting…');
    while (!signal.aborted) {
      const outcome = await this.#once(signal).catch((error) => refused(error, this.#wasLive, this.#target));
      if (signal.aborted) return;
      this.#say(outcome.state, outcome.title, outcome.hint);
      if (outcome.state === 'failed') {
        this.#stop = null;
        return;
      }
      await pause(outcome.waitMs ?? this.#backoff.next(), signal);
    }
  }

  async #once(signal) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.#pc = pc;
    let session = null;
    try {
      this.#addTracks(pc);
      session = await negotiate(pc, this.#target.whip, {
        token: this.#target.token,
        signal,
        edit: {
          answer: (sdp) =>
            startBitrate(stereo(sdp, { stereo: 1, 'sprop-stereo': 1, maxaveragebitrate: 128_000 }), this.#settings.bitrateBps / 2000),
        },
      });
      return await this.#guard(pc, signal);
    } finally {
      this.#pc = null;
      pc.close();
      session?.close();
    }
  }

  #addTracks(pc) {
    const { stream, hint } = this.#source;
    const { codec, bitrateBps, fps } = this.#settings;
    // Sound first: some servers and players count on this order.
    for (const track of [...stream.getAudioTracks(), ...stream.getVideoTracks()]) {
      const video = track.kind === 'video';
      if (video) track.contentHint = hint;
      const sendEncodings = video ? [{ maxBitrate: bitrateBps, maxFramerate: fps }] : [{ maxBitrate: 128_000 }];
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
      if (video) prefer(transceiver, codec);
    }
  }

  /** Resolves when the connection is lost, to what to say and do. */
  async #guard(pc, signal) {
    const outbound = new Outbound();
    const started = performance.now();
    let wellAt = started;
    const video = pc.getSenders().find((sender) => sender.track?.kind === 'video');
    await limit(video, this.#settings, this.#source.keep).catch(() => {});
    while (!signal.aborted) {
      const stats = outbound.sample(await pc.getStats());
      const now = performance.now();
      const connection = pc.connectionState;
      if (connection === 'connected') {
        wellAt = now;
        this.#wasLive = true;
        this.#backoff.reset();
        if (this.#state !== 'live') this.#say('live', 'You are live');
      }
      this.#stats = { ...stats, connection };
      this.dispatchEvent(new CustomEvent('stats', { detail: this.#stats }));
      const patience = this.#wasLive && this.#state === 'live' ? DISCONNECTED_MS : CONNECT_MS;
      if (connection === 'failed' || connection === 'closed' || now - wellAt > patience) {
        return this.#wasLive
          ? { state: 'reconnecting', title: 'Reconnecting…', hint: 'The connection to the node was lost.' }
          : { state: 'connecting', title: 'Still connecting…', hint: 'The node does not answer on the media path.' };
      }
      await pause(connection === 'connected' ? SAMPLE_MS : 100, signal);
    }
    return { state: 'idle', title: '' };
  }

  #say(state, title, hint = '') {
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, title, hint } }));
  }
}

/** Puts the chosen codec first, alone with what repairs it. */
function prefer(transceiver, name) {
  const all = RTCRtpSender.getCapabilities('video').codecs;
  const chosen = all.filter((codec) => codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`);
  if (!chosen.length || !transceiver.setCodecPreferences) return;
  // Constrained baseline H264 in packetisation mode 1 is what everything plays.
  const rank = (codec) => (/profile-level-id=42e01f/i.test(codec.sdpFmtpLine) ? 0 : 1) + (/packetization-mode=1/.test(codec.sdpFmtpLine) ? 0 : 2);
  if (name === 'H264') chosen.sort((a, b) => rank(a) - rank(b));
  const repair = all.filter((codec) => /\/rtx$/i.test(codec.mimeType));
  transceiver.setCodecPreferences([...chosen, ...repair]);
}

async function limit(sender, { bitrateBps, fps }, keep) {
  if (!sender) return;
  const parameters = sender.getParameters();
  parameters.degradationPreference = keep;
  for (const encoding of parameters.encodings ?? []) {
    encoding.maxBitrate = bitrateBps;
    encoding.maxFramerate = fps;
  }
  await sender.setParameters(parameters);
}

/** What a refusal means for the streamer. */
function refused(error, wasLive, { token }) {
  const explain = (otherwise) => error.explain(otherwise);
  const failed = (title, hint) => ({ state: 'failed', title, hint });
  const again = (title, hint) => ({ state: wasLive ? 'reconnecting' : 'connecting', title, hint, waitMs: error.retryAfterMs ?? null });
  if (!(error instanceof SignalError)) return failed('This browser could not start', String(error?.message ?? error));
  switch (error.status) {
    case 0:
      return again('The node does not answer', 'Trying again. Is the address right, and the node running?');
    case 401:
    case 403:
      return token
        ? failed('This ticket may not publish here', explain('It may have expired, or belong to another session.'))
        : failed('Publishing takes a ticket', 'Use the complete studio link, or paste the ticket.');
    case 404:
      return failed('There is no such session', explain('Check the address. The node may have been restarted.'));
    case 409:
      // After a lost connection the node may hold our own place for a moment.
      return wasLive || error.retryAfterMs !== null
        ? again('Somebody is live on this session', 'Perhaps this very connection, a moment ago. Trying again until the place is free.')
        : failed('Somebody is already live on this session', 'Two cannot publish at once. Stop the other one first.');
    case 406:
    case 415:
    case 422:
    case 400:
      return failed('The node did not take this stream', explain('Try another codec.'));
    case 429:
    case 503:
      return again('The node is busy', 'Trying again in a moment.');
    default:
      return error.status >= 500 ? again('The node has a problem', explain('')) : failed('The node refused', explain(`HTTP ${error.status}`));
  }
}
