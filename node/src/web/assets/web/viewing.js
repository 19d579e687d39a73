// Keeps one WHEP playback going: connects, notices trouble, starts over, and
// says at each moment what it is doing. Has no face; `player.js` is its face.

import { Backoff, pause } from './backoff.js';
import { withTicket } from './fragment.js';
import { Inbound } from './inbound.js';
import { LipSync } from './lipsync.js';
import { acceptedKinds, stereo } from './sdp.js';
import { SignalError, negotiate, request } from './signal.js';
import { Watchdog } from './watchdog.js';
import * as words from './words.js';

const SAMPLE_MS = 500;
const ALIGN_MS = 1000;
/** A node that has just joined a session for us has its first picture within this. */
const JOINING_MS = 3000;
/** Meanwhile it is asked this often: its own patience is meant for absent streamers. */
const JOINING_RETRY_MS = 250;
/** Until the first picture, look often: it costs little and the state is prompt. */
const FIRST_SAMPLE_MS = 100;

/**
 * Events: `state` (its detail is what `words.js` makes), `stats`, `title`,
 * `stream` (a `MediaStream` to show) and `losing` (its last picture is about
 * to go). `target` is `{ src, token, invite, node }`: a WHEP address, or an
 * invite to hand to a node's `/api/watch`, which answers with one.
 */
export class Viewing extends EventTarget {
  #target;
  #stop = null;
  #wake = null;
  #backoff = new Backoff();
  #now = words.NOTHING;
  #stats = null;
  #whep = null;
  #joinedAt = -Infinity;
  #title = '';
  #timings = {};
  #played = false;

  constructor(target) {
    super();
    this.#target = target;
  }

  /** What is being said: `{ state, title, hint, … }`. */
  get now() {
    return this.#now;
  }

  /** The last figures, or null before the first. */
  get stats() {
    return this.#stats && { ...this.#stats, ...this.#timings };
  }

  /** The stream's title, where the node told one. */
  get title() {
    return this.#title;
  }

  start() {
    if (this.#stop) return;
    if (!globalThis.RTCPeerConnection) return this.#say(words.NO_WEBRTC);
    if (!this.#target.src && !this.#target.invite) return this.#say(words.NOTHING);
    this.#stop = new AbortController();
    this.#run(this.#stop.signal);
  }

  /** Ends playback and tells the server so. */
  stop() {
    this.#stop?.abort();
    this.#stop = null;
    this.#say(words.IDLE);
  }

  /** Ends any wait: the user asked, or the network is back. */
  retry() {
    this.#backoff.reset();
    this.#wake?.abort();
  }

  /** Uses another ticket from now on, and tries it. */
  useTicket(token) {
    const { invite } = this.#target;
    this.#target = { ...this.#target, token, invite: invite && withTicket(invite, token) };
    this.retry();
  }

  /** Called by the face when a picture is on screen; `at` in page time. */
  sawFrame(at) {
    if (this.#timings.firstFrameAt === undefined && this.#timings.postedAt !== undefined) {
      this.#timings.firstFrameAt = at;
      this.#timings.firstFrameMs = at - this.#timings.postedAt;
    }
    if (this.#stop && this.#timings.connectedAt !== undefined) this.#playing();
  }

  async #run(signal) {
    this.#say(words.CONNECTING);
    while (!signal.aborted) {
      const outcome = await this.#once(signal).catch((error) =>
        error instanceof SignalError
          ? words.refused(error, { played: this.#played, ticketed: Boolean(this.#target.token) })
          : words.refused(new SignalError(0, { detail: String(error) }), { played: this.#played }),
      );
      if (signal.aborted) return;
      if (outcome.state === 'waiting' && performance.now() - this.#joinedAt < JOINING_MS) {
        await this.#sleep(JOINING_RETRY_MS, signal);
        continue;
      }
      if (outcome.final) this.#backoff.reset();
      this.#say(outcome);
      const wait = outcome.waitMs === null ? this.#backoff.next() : outcome.waitMs * (1 + Math.random() / 5);
      await this.#sleep(outcome.final ? 2 ** 31 - 1 : wait, signal);
      if (!signal.aborted && outcome.final) this.#say(words.CONNECTING);
    }
  }

  #sleep(ms, signal) {
    const wake = (this.#wake = new AbortController());
    const end = () => wake.abort();
    signal.addEventListener('abort', end, { once: true });
    return pause(ms, wake.signal).finally(() => signal.removeEventListener('abort', end));
  }

  /** Where to play from: as given, or asked of the node, once. */
  async #resolve(signal) {
    const { src, invite, node } = this.#target;
    if (src) return src;
    if (this.#whep) return this.#whep;
    const { response, text } = await request(
      new URL('/api/watch', node),
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ invite }),
        signal,
      },
      20_000, // joining a session may take a search
    );
    const { whep, title } = JSON.parse(text);
    if (title) this.#name(title);
    this.#whep = new URL(whep, response.url || node).href;
    this.#joinedAt = performance.now();
    return this.#whep;
  }

  /** One connection from offer to loss. Returns what to say next. */
  async #once(signal) {
    if (globalThis.navigator?.onLine === false) return words.lost('offline');
    const whep = await this.#resolve(signal);
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const stream = new MediaStream();
    let session = null;
    try {
      pc.addTransceiver('audio', { direction: 'recvonly' });
      pc.addTransceiver('video', { direction: 'recvonly' });
      pc.addEventListener('track', ({ track }) => stream.addTrack(track));
      this.#timings = {};
      session = await negotiate(pc, whep, {
        token: this.#target.token,
        signal,
        edit: { offer: stereo },
      });
      const { postedAt, answeredAt } = session;
      this.#timings = { postedAt, answeredAt, answerMs: answeredAt - postedAt };
      if (signal.aborted) return words.IDLE;
      if (acceptedKinds(session.answer).length === 0) return words.unsupported('');
      this.dispatchEvent(new CustomEvent('stream', { detail: stream }));
      const reason = await this.#guard(pc, signal);
      this.dispatchEvent(new Event('losing'));
      return words.lost(reason);
    } catch (error) {
      // The node forgot the session (restarted, say): ask it again next time.
      if (error.status === 404 || error.status === 0) this.#whep = null;
      throw error;
    } finally {
      pc.close();
      session?.close();
    }
  }

  /** Watches a connection until it is lost; resolves to the reason. */
  async #guard(pc, signal) {
    const watchdog = new Watchdog(performance.now());
    const inbound = new Inbound();
    const lipSync = new LipSync();
    let aligned = 0;
    while (!signal.aborted) {
      const now = performance.now();
      const stats = inbound.sample(await pc.getStats());
      if (signal.aborted) break;
      const connection = pc.connectionState;
      if (connection === 'connected' && this.#timings.connectedAt === undefined) {
        this.#timings.connectedAt = now;
        this.#timings.connectMs = now - this.#timings.postedAt;
      }
      const soundOnly = stats.audioPackets > 20 && stats.videoPackets === 0;
      if (stats.framesDecoded > 0 || soundOnly) this.#playing();
      this.#stats = { ...stats, connection };
      this.dispatchEvent(new CustomEvent('stats', { detail: this.stats }));
      if (now - aligned >= ALIGN_MS) {
        aligned = now;
        hold(pc, lipSync.next(stats));
      }
      const visible = !globalThis.document?.hidden;
      const trouble = watchdog.check(now, { ...stats, connection, visible });
      if (trouble) return trouble;
      await this.#tick(pc, stats.framesDecoded > 0 ? SAMPLE_MS : FIRST_SAMPLE_MS, signal);
    }
    return 'failed';
  }

  /** Waits for the next look, or for a change of the connection. */
  #tick(pc, ms, signal) {
    const change = new AbortController();
    const end = () => change.abort();
    pc.addEventListener('connectionstatechange', end, { once: true });
    signal.addEventListener('abort', end, { once: true });
    return pause(ms, change.signal).finally(() => {
      pc.removeEventListener('connectionstatechange', end);
      signal.removeEventListener('abort', end);
    });
  }

  #playing() {
    this.#played = true;
    this.#backoff.reset();
    if (this.#now.state !== 'playing') this.#say(words.PLAYING);
  }

  #name(title) {
    this.#title = title;
    this.dispatchEvent(new CustomEvent('title', { detail: title }));
  }

  #say(what) {
    const same = what.state === this.#now.state && what.title === this.#now.title && what.hint === this.#now.hint;
    this.#now = what;
    if (!same) this.dispatchEvent(new CustomEvent('state', { detail: what }));
  }
}

/** Sets the least delay of the picture, where the browser lets one. */
function hold(pc, delayMs) {
  if (delayMs === null) return;
  const video = pc.getReceivers().find((receiver) => receiver.track.kind === 'video');
  if (video && 'jitterBufferTarget' in video) video.jitterBufferTarget = delayMs;
}
