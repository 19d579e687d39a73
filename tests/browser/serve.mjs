// Serves the pages straight from the source tree, for working on them and for
// tests that need a page but no node. `node serve.mjs [--port 8099]`

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the pages live; also the place to import their modules from. */
export const ASSETS = fileURLToPath(new URL('../../node/src/web/assets/', import.meta.url));

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const PAGES = { '': 'home.html', watch: 'watch.html', embed: 'embed.html', studio: 'studio.html' };
/** Like the node's (`node/src/web/policy.rs`), loose only in whom a page may call. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'self'; connect-src *";

/** Listens; `handle(request, response)` goes first and returns true for what it answered. */
export async function servePages({ port = 0, host = '127.0.0.1', handle = () => false } = {}) {
  const server = createServer(async (request, response) => {
    if (await handle(request, response)) return;
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const file = path === '/favicon.ico' ? 'mark.svg' : (PAGES[path.split('/')[1]] ?? path);
    try {
      const content = await readFile(join(ASSETS, file));
      response.writeHead(200, {
        'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
        'Cache-Control': 'no-store',
        'Access-Control-Allow-Origin': '*',
        'Content-Security-Policy': CSP,
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(port, host, resolve));
  const { port: bound } = server.address();
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://${host}:${bound}`, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--port');
  const { url } = await servePages({ port: at > 0 ? Number(process.argv[at + 1]) : 8099 });
  console.log(`url=${url}`);
}
