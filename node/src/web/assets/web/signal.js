// WHIP (RFC 9725) and WHEP over HTTP: offer, answer, trickle, goodbye.
// The same for publishing and watching; knows nothing of pictures.

import { candidateAddresses, trickleFragment } from './sdp.js';

const POST_DEADLINE_MS = 10_000;

/** A server's refusal, or no answer at all (`status` 0). */
export class SignalError extends Error {
  constructor(status, { code = '', title = '', detail = '', next = '', retryAfterMs = null } = {}) {
    super(detail || title || (status ? `HTTP ${status}` : 'no answer'));
    Object.assign(this, { name: 'SignalError', status, code, title, detail, next, retryAfterMs });
  }

  /** What happened and what to do, as far as the server said; else `otherwise`. */
  explain(otherwise = '') {
    return [this.detail, this.next].filter(Boolean).join(' ') || otherwise;
  }
}

/** Headers of every request but a preflight. */
function bearer(token, more = {}) {
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

/** `fetch` that ends by itself and whose failures are all `SignalError`. */
export async function request(url, options = {}, deadlineMs = POST_DEADLINE_MS) {
  const { signal, token, headers, ...rest } = options;
  const control = new AbortController();
  const abort = () => control.abort();
  const timer = setTimeout(abort, deadlineMs);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    const response = await fetch(url, {
      credentials: 'omit',
      cache: 'no-store',
      ...rest,
      headers: bearer(token, headers),
      signal: control.signal,
    });
    if (response.ok) return { response, text: await response.text() };
    throw new SignalError(response.status, {
      ...(await problem(response)),
      retryAfterMs: retryAfter(response.headers.get('Retry-After')),
    });
  } catch (error) {
    if (error instanceof SignalError) throw error;
    throw new SignalError(0, { detail: String(error?.message ?? error) });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A problem+json body (RFC 9457; `code` and `next` are a node's own), or a short text as detail. */
async function problem(response) {
  const text = await response.text().catch(() => '');
  try {
    const { code, title, detail, next } = JSON.parse(text);
    return { code, title, detail, next };
  } catch {
    const plain = response.headers.get('Content-Type')?.startsWith('text/plain');
    return { detail: plain ? text.slice(0, 300) : '' };
  }
}

/** `Retry-After` (seconds or a date) in milliseconds, at most a minute; null if absent. */
export function retryAfter(value, now = Date.now()) {
  if (!value) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(60_000, Math.max(0, ms)) : null;
}

/** ICE servers named by `Link` headers: `<stun:…>; rel="ice-server"; username="…"`. */
export function iceServers(link) {
  const servers = [];
  for (const [, urls, tail] of (link ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^",;\s]*))*)/g)) {
    const parameter = (name) => new RegExp(`;\\s*${name}\\s*=\\s*"?([^";]*)"?`, 'i').exec(tail)?.[1];
    if (!(parameter('rel') ?? '').split(/\s+/).includes('ice-server')) continue;
    if (!/^(stun|stuns|turn|turns):/i.test(urls)) continue;
    const username = parameter('username');
    const credential = parameter('credential');
    servers.push(username ? { urls, username, credential } : { urls });
  }
  return servers;
}

/**
 * Chromium takes every packet from a STUN server's address for an answer of
 * that server, and drops what is not. A server at the very address that media
 * comes from would so cut the connection off: the peer alone has to do there.
 */
export function usable(servers, answer) {
  const media = candidateAddresses(answer);
  return servers.filter(({ urls }) => {
    const address = urls.replace(/^stuns?:/i, '').replace(/\?.*$/, '');
    return !media.includes(address) && !media.includes(`${address}:3478`);
  });
}

/**
 * Offers what `pc` is set up for and applies the answer.
 *
 * The offer leaves before candidates are gathered: servers learn the browser's
 * address from its first check, so nothing is waited for, and ICE servers named
 * in the reply are used at once. Candidates follow by PATCH where it is taken.
 *
 * `edit.offer` and `edit.answer` may change the descriptions on their way.
 * Returns `{ resource, answer, postedAt, answeredAt, close }`.
 */
export async function negotiate(pc, url, { token, signal, edit = {} } = {}) {
  const offer = await pc.createOffer();
  const sdp = edit.offer ? edit.offer(offer.sdp) : offer.sdp;
  const postedAt = performance.now();
  const { response, text } = await request(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp' },
    body: sdp,
    token,
    signal,
  });
  const answeredAt = performance.now();
  if (!text.startsWith('v=')) throw new SignalError(response.status, { detail: 'the answer is not SDP' });
  const location = response.headers.get('Location');
  const resource = location ? new URL(location, response.url || url).href : null;
  const close = () => goodbye(resource, token);
  try {
    const servers = usable(iceServers(response.headers.get('Link')), text);
    if (servers.length) pc.setConfiguration({ ...pc.getConfiguration(), iceServers: servers });
    const trickle = new Trickle(pc, { resource, token, etag: response.headers.get('ETag') });
    await pc.setLocalDescription({ type: 'offer', sdp });
    const answer = edit.answer ? edit.answer(text) : text;
    await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    trickle.start(sdp);
    return { resource, answer, postedAt, answeredAt, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Frees the server's side. Outlives the page that asks for it. */
function goodbye(resource, token) {
  if (!resource) return;
  fetch(resource, {
    method: 'DELETE',
    keepalive: true,
    credentials: 'omit',
    headers: bearer(token),
  }).catch(() => {});
}

/** Sends candidates as they are found, a few per PATCH, until the server declines. */
class Trickle {
  #to;
  #sdp = null;
  #waiting = [];
  #done = false;
  #busy = false;

  constructor(pc, to) {
    this.#to = to.resource ? to : null;
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.#waiting.push(candidate);
      else if (!candidate) this.#done = true;
      this.#flush();
    });
  }

  start(sdp) {
    this.#sdp = sdp;
    this.#flush();
  }

  async #flush() {
    if (!this.#to || !this.#sdp || this.#busy || !this.#waiting.length) return;
    this.#busy = true;
    // Candidates come in bursts: one request carries a burst.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { resource, token, etag } = this.#to;
    const body = trickleFragment(this.#sdp, this.#waiting.splice(0), this.#done);
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
    if (etag) headers['If-Match'] = etag;
    try {
      await request(resource, { method: 'PATCH', headers, body, token });
    } catch {
      this.#to = null; // not taken, or gone: ICE goes on with what both sides know
    }
    this.#busy = false;
    this.#flush();
  }
}
