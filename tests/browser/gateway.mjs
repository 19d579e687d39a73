// A gateway that answers as told and remembers what it was asked. It carries no
// media: its answers name a peer that is nowhere.

import { EventEmitter, once } from 'node:events';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match',
  'Access-Control-Allow-Methods': 'OPTIONS, GET, POST, PATCH, DELETE',
  'Access-Control-Expose-Headers': 'Location, Link, ETag',
};

/** `answer(request)` gives `[status, headers, body]` to each POST and GET. */
export class Gateway {
  seen = [];
  answer = () => [409, { 'Retry-After': '1' }];
  #arrivals = new EventEmitter();

  /** For `servePages`: takes what a node's API would. */
  handle = async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    if (!/^\/(whip|whep|api)\//.test(pathname)) return false;
    if (request.method === 'OPTIONS') {
      response.writeHead(204, CORS).end();
      return true;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { method: request.method, path: pathname, headers: request.headers, body: Buffer.concat(chunks).toString() };
    this.seen.push(one);
    this.#arrivals.emit('request');
    if (request.method === 'DELETE') response.writeHead(200, CORS).end();
    else if (request.method === 'PATCH') response.writeHead(204, CORS).end();
    else {
      const [status, headers = {}, body = ''] = this.answer(one);
      response.writeHead(status, { ...CORS, ...headers }).end(body);
    }
    return true;
  };

  /** Waits until `n` requests of `method` came; returns all of them. */
  async requests(method, n) {
    const found = () => this.seen.filter((one) => one.method === method);
    while (found().length < n) await once(this.#arrivals, 'request', { signal: AbortSignal.timeout(15_000) });
    return found();
  }
}

/** 201 and an answer that fits the offer. */
export function accept({ path, body }) {
  const way = body.includes('a=recvonly') ? 'sendonly' : 'recvonly';
  const sections = body.split(/(?=^m=)/m).slice(1);
  const mids = sections.map((section) => /a=mid:(\S+)/.exec(section)[1]);
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`, 'a=ice-lite'];
  for (const [i, section] of sections.entries()) {
    const codec = section.startsWith('m=audio') ? 'opus' : 'VP8';
    const [, type, rate] = new RegExp(`a=rtpmap:(\\d+) (${codec}/\\S+)`).exec(section);
    lines.push(
      `m=${section.startsWith('m=audio') ? 'audio' : 'video'} 9 UDP/TLS/RTP/SAVPF ${type}`,
      'c=IN IP4 0.0.0.0', 'a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx',
      `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
      'a=setup:passive', `a=mid:${mids[i]}`, `a=${way}`, 'a=rtcp-mux', `a=rtpmap:${type} ${rate}`,
      `a=msid:s t${i}`, `a=ssrc:${1000 + i} cname:c`,
    );
  }
  return [201, { 'Content-Type': 'application/sdp', Location: `${path}/one` }, `${lines.join('\r\n')}\r\n`];
}
