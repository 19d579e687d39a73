// What every browser script here shares: starting Chromium (also inside a
// network namespace), reading arguments, printing figures, ending cleanly.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** The browser to drive; Debian's by default. */
const CHROMIUM = process.env.BANYAN_CHROMIUM ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox', // containers and CI run as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

/** A camera and a microphone that exist nowhere, and permission to use them. */
const DEVICES = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-select-desktop-capture-source=Entire screen',
];

/**
 * Starts a Chromium with a fresh profile and one page. `netns` names a network
 * namespace to run in (it needs a default route, or the browser gathers no
 * candidates); `secure` lists origins to be treated as if they were https;
 * `devices: false` is a browser without camera or permission; `context` are Playwright context options. Call `close()` when done.
 */
export async function launch({ netns, secure = [], devices = true, flags = [], context = {} } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'banyan-browser-'));
  let executablePath = CHROMIUM;
  if (netns) {
    if (!/^[\w.-]+$/.test(netns)) throw new Error(`not a namespace name: ${netns}`);
    executablePath = join(profile, 'chromium-in-namespace');
    // exec keeps the debugging pipe (descriptors 3 and 4) open.
    writeFileSync(executablePath, `#!/bin/sh\nexec ip netns exec ${netns} ${CHROMIUM} "$@"\n`);
    chmodSync(executablePath, 0o755);
  }
  const args = [...FLAGS, ...(devices ? DEVICES : []), ...flags];
  if (secure.length) args.push(`--unsafely-treat-insecure-origin-as-secure=${secure.join(',')}`);
  const browser = await chromium.launchPersistentContext(join(profile, 'data'), {
    executablePath,
    headless: true,
    args,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    viewport: { width: 1280, height: 800 },
    ...context,
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  const close = async () => {
    await browser.close().catch(() => {});
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, page, close };
}

/** `--name value` and `--flag` as an object; unknown names and missing ones end the script. */
export function readArguments(known, argv = process.argv.slice(2)) {
  const values = Object.fromEntries(Object.entries(known).map(([name, value]) => [name, value]));
  for (let i = 0; i < argv.length; i++) {
    const name = argv[i].replace(/^--/, '');
    if (!argv[i].startsWith('--') || !(name in known)) {
      fail(`unknown argument ${argv[i]}; known: ${Object.keys(known).map((each) => `--${each}`).join(' ')}`, 2);
    }
    const given = argv[i + 1];
    if (typeof known[name] === 'boolean') values[name] = true;
    else if (given === undefined) fail(`--${name} needs a value`, 2);
    else values[name] = typeof known[name] === 'number' ? Number(argv[++i]) : argv[++i];
  }
  for (const [name, value] of Object.entries(values)) {
    if (value === null) fail(`--${name} is missing`, 2);
  }
  return values;
}

/** Prints `name=value` lines; writes the same as JSON where `file` is given. */
export function report(figures, file) {
  for (const [name, value] of Object.entries(figures)) console.log(`${name}=${shown(value)}`);
  if (file) writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}

function shown(value) {
  if (typeof value !== 'number') return value ?? '';
  return Number.isInteger(value) ? value : Number.isNaN(value) ? '' : Number(value.toFixed(4));
}

/** Ends the script: 1 the answer is no, 2 it could not be asked. */
export function fail(reason, code = 1) {
  console.error(`error: ${reason}`);
  process.exit(code);
}

/** Resolves on SIGTERM or SIGINT. */
export const asked = new Promise((resolve) => {
  for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => resolve(name));
});

/** Resolves to 'time' after `seconds`, or to a signal's name when asked to end. */
export async function until(seconds) {
  let timer;
  const time = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, 'time');
  });
  const ended = await Promise.race([time, asked]);
  clearTimeout(timer); // it would keep the process from ending
  return ended;
}

/** The value at share `p` of unsorted numbers, or NaN. */
export function percentile(numbers, p) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] : NaN;
}

/** Notes what a page complains about (each thing once), to be shown when a script fails. */
export function complaints(page) {
  const lines = [];
  const add = (line) => lines.includes(line) || lines.push(line);
  page.on('console', (message) => {
    if (message.type() === 'error') add(`console: ${message.text()} ${message.location()?.url ?? ''}`);
  });
  page.on('pageerror', (error) => add(`exception: ${error.message}`));
  return lines;
}
