// Studio: the face of publishing. Reads the form, shows the preview, says how
// it goes, and hands out the link to share.

import { bitrate, h, millis } from './dom.js';
import { isSession, parseFragment } from './fragment.js';
import { Publishing, sendableCodecs } from './publishing.js';
import { request } from './signal.js';
import * as sources from './sources.js';

const at = (id) => document.getElementById(id);
const page = at('studio');
const form = at('settings');
const fields = form.elements;
const preview = at('preview');

let source = null;
let publishing = null;
let opening = 0;

const SOURCE_WORDS = {
  insecure: ['Browsers allow cameras on safe addresses only', 'Open this page by https, or as localhost. The test picture works here.'],
  unsupported: ['This browser cannot share that', 'Try another source, or another browser.'],
  denied: ['No permission', 'Allow it in the address bar, then choose the source again.'],
  missing: ['Nothing found', 'Is a camera and a microphone connected? Sound can be switched off.'],
  busy: ['It is in use elsewhere', 'Close the other program that uses it, then choose it again.'],
  failed: ['It could not be opened', ''],
};

/** For measuring: what is on the way out right now. */
export const studio = {
  get state() {
    return page.dataset.state;
  },
  get stats() {
    return publishing?.stats ?? null;
  },
  get stream() {
    return source?.stream ?? null;
  },
};

function say(state, title, hint = '') {
  page.dataset.state = state;
  at('state-title').textContent = title;
  at('state-hint').textContent = hint;
  const on = ['connecting', 'live', 'reconnecting'].includes(state);
  at('go').textContent = on ? 'Stop' : 'Go live';
  at('badge').hidden = state !== 'live';
  // What cannot change while sending.
  for (const field of form.querySelectorAll('input, select')) field.disabled = on && field.name !== 'bitrate';
  at('figures').hidden = !on;
}

const chosen = () => form.querySelector('[name=source]:checked').value;

/** Opens what the form asks for and shows it. True if there is a picture. */
async function openSource() {
  const turn = ++opening;
  closeSource();
  const want = {
    height: Number(fields.height.value),
    fps: Number(fields.fps.value),
    camera: fields.camera.value,
    microphone: fields.microphone.value,
  };
  try {
    const opened = await sources.open(chosen(), want);
    if (turn !== opening) {
      opened.stop();
      return false;
    }
    source = opened;
  } catch (error) {
    const [title, hint] = SOURCE_WORDS[error.reason] ?? SOURCE_WORDS.failed;
    if (turn === opening) say('failed', title, hint || error.message);
    return false;
  }
  // Sharing may end from the browser's own bar.
  for (const track of source.stream.getVideoTracks()) {
    track.addEventListener('ended', () => {
      if (turn === opening) end('The source was closed');
    });
  }
  preview.srcObject = source.stream;
  preview.play().catch(() => {});
  at('peek').hidden = true;
  say('idle', 'Ready when you are');
  await listDevices();
  return true;
}

function closeSource() {
  source?.stop();
  source = null;
  preview.srcObject = null;
  at('peek').hidden = false;
}

async function listDevices() {
  const { cameras, microphones } = await sources.list();
  const fill = (select, devices, keep) => {
    const { value } = select;
    select.replaceChildren(
      ...[...select.options].slice(0, keep),
      ...devices.map((device, i) => h('option', { value: device.deviceId }, device.label || `${select.name} ${i + 1}`)),
    );
    select.value = value;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  };
  fill(fields.camera, cameras, 1);
  fill(fields.microphone, microphones, 2);
}

/** The WHIP address the form names, or null. */
function whipAddress() {
  const text = fields.whip.value.trim();
  if (isSession(text)) return new URL(`/whip/${text}`, location.origin).href;
  try {
    const url = new URL(text, location.origin);
    return text && /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

async function goLive() {
  const whip = whipAddress();
  if (!whip) {
    say('failed', 'Where to?', 'Enter a WHIP address, or open the studio link that “banyan publish” printed.');
    fields.whip.focus();
    return;
  }
  if (!source && !(await openSource())) return;
  const target = { whip, token: fields.ticket.value.trim() };
  const settings = {
    codec: fields.codec.value,
    bitrateBps: Number(fields.bitrate.value) * 1000,
    fps: Number(fields.fps.value),
  };
  publishing = new Publishing(target, settings, source);
  const mine = publishing;
  mine.addEventListener('state', ({ detail }) => {
    if (mine !== publishing) return;
    say(detail.state, detail.title, detail.hint);
    if (detail.state === 'live') showLink(target);
  });
  mine.addEventListener('stats', ({ detail }) => showFigures(detail));
  mine.start();
}

function end(title) {
  publishing?.stop();
  publishing = null;
  at('share').hidden = true;
  if (title) {
    closeSource();
    say('idle', title);
  }
}

/** Asks the node for the link to share; without an answer there is none to show. */
async function showLink({ whip, token }) {
  const session = new URL(whip).pathname.split('/').filter(Boolean).at(-1);
  if (!at('share').hidden || !isSession(session ?? '')) return;
  try {
    const { response, text } = await request(new URL(`/api/sessions/${session}`, whip), { token });
    const { watch } = JSON.parse(text);
    const link = new URL(watch, response.url).href;
    if (!/^https?:/.test(link)) return;
    at('link').value = link;
    at('open').href = link;
    at('share').hidden = false;
  } catch {
    // Not a Banyan node, or an older one: being live matters more.
  }
}

function showFigures(s) {
  const loss = Number.isFinite(s.lossPercent) ? `${s.lossPercent.toFixed(1)} %` : '–';
  const rows = [
    ['Sending', bitrate(s.bitrateBps)],
    ['Picture', s.width ? `${s.width}×${s.height}` : '–'],
    ['Frames', Number.isFinite(s.fps) ? `${Math.round(s.fps)} per s` : '–'],
    ['Round trip', millis(s.rttMs)],
    ['Loss', loss],
    ['Codec', s.codec || '–'],
    ['Encoder', s.encoder || '–'],
    ['Held back by', { cpu: 'processor', bandwidth: 'network', none: 'nothing' }[s.limitedBy] ?? '–'],
  ];
  at('figures').replaceChildren(...rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

function fitFields() {
  for (const label of form.querySelectorAll('[data-for]')) {
    label.hidden = !label.dataset.for.split(' ').includes(chosen());
  }
  at('peek').textContent = { camera: 'Show the camera', screen: 'Choose a screen', pattern: 'Show the test picture' }[chosen()];
}

function readLink() {
  const { subject, ticket } = parseFragment(location.hash);
  if (subject) fields.whip.value = subject;
  if (ticket) fields.ticket.value = ticket;
}

at('go').addEventListener('click', () => {
  if (['connecting', 'live', 'reconnecting'].includes(page.dataset.state)) end();
  else goLive();
});
at('peek').addEventListener('click', openSource);
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('change', ({ target }) => {
  if (target.name === 'bitrate') publishing?.setBitrate(Number(target.value) * 1000);
  if (target.name === 'source') fitFields();
  if (['source', 'camera', 'microphone', 'height', 'fps'].includes(target.name)) openSource();
});
at('copy').addEventListener('click', async () => {
  at('link').select();
  try {
    await navigator.clipboard.writeText(at('link').value);
    at('copied').textContent = 'Copied.';
  } catch {
    at('copied').textContent = 'Selected: copy it with Ctrl+C.';
  }
});
window.addEventListener('hashchange', readLink);
window.addEventListener('pagehide', () => end());

const codecs = sendableCodecs();
fields.codec.replaceChildren(...codecs.map((name) => h('option', {}, name)));
if (!codecs.length) say('failed', 'This browser cannot publish', 'It has no WebRTC. Try a current Firefox, Chromium or Safari.');
readLink();
fitFields();
listDevices();
