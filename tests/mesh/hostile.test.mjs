// Requests that should not be, to a real node while it plays to a browser: each
// gets its answer, and the browser never notices.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Forest } from './forest.mjs';
import { Lab, obstacle } from './lab.mjs';
import { workspace } from './process.mjs';
import { Viewer } from './viewer.mjs';

const skip = obstacle() ?? false;
if (skip) console.error(`# SKIPPED: ${skip}`);

const ASK = join(new URL('.', import.meta.url).pathname, 'ask.mjs');
const SDP = { 'content-type': 'application/sdp' };

/** Sends a request from a stranger's namespace. */
function ask(netns, request) {
  return new Promise((resolve, reject) => {
    const child = execFile('ip', ['netns', 'exec', netns, process.execPath, ASK], { timeout: 30_000 }, (error, out) => (error ? reject(error) : resolve(JSON.parse(out))));
    child.stdin.end(JSON.stringify(request));
  });
}

/** The publisher's own signature under other claims (`dir` holds its key). */
function ticket(dir, given, change) {
  const [header, claims] = given.split('.');
  const seed = readFileSync(join(dir, 'publisher.key'), 'utf8').trim().split(' ')[1];
  // PKCS #8 around the 32 bytes of an Ed25519 seed (RFC 8410).
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url')), ...change };
  const signed = `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

test('requests that should not be, while a browser plays', { skip }, async () => {
  const lab = new Lab(['root', 'viewer', 'stranger']);
  const work = workspace('hostile');
  const forest = new Forest({ dir: work.path, place: (name) => lab.at(name) });
  let viewer;
  let failed = true;
  try {
    const root = await forest.root({ source: ['--clip'] });
    root.http = forest.published.http;
    viewer = await Viewer.open({ url: forest.page(root), netns: lab.at('viewer').netns });
    const base = `http://${root.http}`;
    const { session, whip, ticket: good } = forest.published;
    const whep = `${base}/whep/${session}`;
    const bearer = (token) => ({ ...SDP, authorization: `Bearer ${token}` });
    const [head, claims, signature] = good.split('.');
    const forged = `${head}.${claims}.${signature.slice(0, -4)}${signature.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    const cases = [
      ['no ticket', { url: whip, method: 'POST', headers: SDP, body: 'v=0\r\n' }, 401, 'ticket-missing'],
      ['a ticket that is none', { url: whip, method: 'POST', headers: bearer('let-me-in'), body: 'v=0\r\n' }, 401, 'ticket-invalid'],
      ['a forged ticket', { url: whip, method: 'POST', headers: bearer(forged), body: 'v=0\r\n' }, 401, 'ticket-invalid'],
      ['an expired ticket', { url: whip, method: 'POST', headers: bearer(ticket(root.dir, good, { exp: 1_700_000_000 })), body: 'v=0\r\n' }, 401, 'ticket-expired'],
      ['malformed SDP to publish', { url: whip, method: 'POST', headers: bearer(good), body: 'hello' }, 400, 'malformed-sdp'],
      ['malformed SDP to watch', { url: whep, method: 'POST', headers: SDP, body: 'v=0\r\nm=video\r\na=\r\n' }, 400, 'malformed-sdp'],
      ['a body that is no text', { url: whep, method: 'POST', headers: SDP, body: '' }, 400, null],
      ['a wrong type', { url: whep, method: 'POST', headers: { 'content-type': 'text/html' }, body: '<p>' }, 415, null],
      ['an unknown session', { url: `${base}/whep/${'0'.repeat(64)}`, method: 'POST', headers: SDP, body: 'v=0\r\n' }, 404, 'session-unknown'],
      ['a session that is no id', { url: `${base}/whep/none`, method: 'POST', headers: SDP, body: 'v=0\r\n' }, 404, 'session-unknown'],
      ['an unknown connection', { url: `${whep}/${'0'.repeat(32)}`, method: 'DELETE' }, 404, 'connection-unknown'],
      ['a body of 10 MB', { url: whep, method: 'POST', headers: SDP, bytes: 10_000_000 }, 413, null],
      ['a body of 10 MB for the API', { url: `${base}/api/watch`, method: 'POST', headers: { 'content-type': 'application/json' }, bytes: 10_000_000 }, 413, null],
      ['the status, asked by a stranger', { url: `${base}/api/status` }, 403, 'local-only'],
      ['a page of another site', { url: `${base}/api/watch`, method: 'POST', headers: { 'content-type': 'application/json', origin: 'https://elsewhere.example' }, body: '{}' }, 403, 'cross-origin'],
      ['no such page', { url: `${base}/nothing` }, 404, null],
    ];
    const seen = await viewer.window(
      async () => {
        for (const [what, request, status, code] of cases) {
          const answer = await ask(lab.at('stranger').netns, request);
          // The node may close the line on a body it will not read; the client then sees that, or the answer.
          if (status === 413 && answer.status === 0) continue;
          assert.equal(answer.status, status, `${what}: ${answer.body}`);
          assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, what);
          const problem = JSON.parse(answer.body);
          assert.equal(problem.status, status, what);
          assert.ok(problem.detail, what);
          if (code) assert.equal(problem.code, code, what);
        }
      },
      () => root.session(),
    );
    const sent = seen.after.blocks - seen.before.blocks;
    console.log(`# frames_sent=${sent} frames_decoded=${seen.frames} freeze_count=${seen.freezes}`);
    assert.equal(seen.freezes, 0);
    assert.equal(seen.reconnects, 0);
    assert.ok(seen.frames >= 0.9 * sent, `${seen.frames} of ${sent} frames were decoded`);
    failed = false;
  } finally {
    await viewer?.close();
    await forest.stop();
    work.remove(failed);
    lab.remove();
  }
});
