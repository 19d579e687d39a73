// Checks the pages for accessibility with axe, at desktop and phone size, dark
// and light. `node a11y.mjs [--url http://node] [--shots DIRECTORY]`
//
// Exit 1 if anything serious or critical is found. With --shots, leaves a
// picture of each page for human eyes.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { complaints, fail, launch, readArguments, report } from './lib.mjs';
import { servePages } from './serve.mjs';

const want = readArguments({ url: '', shots: '' });
const server = want.url ? null : await servePages({ handle: notLive });
const base = want.url || server.url;
if (want.shots) mkdirSync(want.shots, { recursive: true });

/** A node without a publisher: pages show what they show while waiting. */
function notLive(request, response) {
  if (!/^\/(whep|api)\//.test(request.url)) return false;
  response.writeHead(409, { 'Retry-After': '5', 'Content-Type': 'application/problem+json' }).end('{"title":"Not live"}');
  return true;
}

const PAGES = [
  ['home', '/'],
  ['watch', '/watch/00112233445566778899aabbccddeeff'],
  ['watch-nothing', '/watch'],
  ['studio', '/studio'],
  ['embed', '/embed'],
];
const SIZES = [
  ['desktop', { viewport: { width: 1280, height: 800 } }],
  ['phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
];

let serious = 0;
let minor = 0;
let checked = 0;
for (const [size, context] of SIZES) {
  for (const colorScheme of ['dark', 'light']) {
    const { page, close } = await launch({ context: { ...context, colorScheme, reducedMotion: 'reduce' } });
    const said = complaints(page);
    for (const [name, path] of PAGES) {
      await page.goto(base + path);
      if (name.startsWith('watch')) {
        await page.waitForFunction(() => ['waiting', 'idle'].includes(document.querySelector('banyan-player')?.state));
        await page.keyboard.press('i'); // with the figures open, there is more to check
      }
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      for (const violation of violations) {
        const bad = ['serious', 'critical'].includes(violation.impact);
        bad ? serious++ : minor++;
        const where = violation.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ');
        console.error(`${name} ${size} ${colorScheme}: ${violation.impact}: ${violation.id}: ${violation.help} at ${where}`);
      }
      // A page wider than the phone scrolls sideways: nobody wants that.
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) {
        serious++;
        console.error(`${name} ${size} ${colorScheme}: ${wide} px wider than the screen`);
      }
      checked++;
      if (want.shots) await page.screenshot({ path: join(want.shots, `${name}-${size}-${colorScheme}.png`), fullPage: true });
    }
    // A refused WHEP request is logged by the browser itself; nothing else may be.
    const own = said.filter((line) => !/Failed to load resource/.test(line));
    serious += own.length;
    own.forEach((line) => console.error(`${size} ${colorScheme}: ${line}`));
    await close();
  }
}
await server?.close();
report({ pages_checked: checked, serious_violations: serious, minor_violations: minor });
if (serious) fail(`${serious} serious accessibility violations`);
