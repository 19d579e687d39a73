// Nodes as processes: started as anyone would, watched by what they say, and
// never left behind.

import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const run = promisify(execFile);

/** The program under test: `BANYAN`, or what `cargo build` made here. */
export const BANYAN = process.env.BANYAN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug', 'banyan');

/** Guess: a busy machine of two cores needs a few seconds. */
const READY_MS = 30_000;
const STOP_MS = 10_000;

const running = new Set();

/** Ends everything that was started, at once. */
function killAll() {
  for (const node of running) node.process.kill('SIGKILL');
}
process.on('exit', killAll);
// Asked to end, it ends as usual: what was made is taken down.
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(name, () => process.exit(1));

/** A directory for a test's data and logs. Kept, and named, where the test failed. */
export function workspace(name) {
  if (!existsSync(BANYAN)) throw new Error(`${BANYAN} is missing: run cargo build -p banyan-node first`);
  const path = mkdtempSync(join(tmpdir(), `banyan-${name}-`));
  return {
    path,
    remove(failed) {
      if (failed || process.env.BANYAN_KEEP) console.error(`# logs are in ${path}`);
      else rmSync(path, { recursive: true, force: true });
    },
  };
}

/** One node process. */
export class Node {
  /** `netns` may be null: this machine's own network. */
  constructor({ name, args, dir, netns = null, env = {} }) {
    this.name = name;
    this.dir = join(dir, name);
    this.netns = netns;
    this.log = join(dir, `${name}.log`);
    this.ended = false;
    this.asked = false;
    mkdirSync(this.dir, { recursive: true });
    const [verb, ...rest] = args;
    const command = [BANYAN, verb, '--json', '--data-dir', this.dir, '--discovery-mdns=false', ...rest];
    if (netns) command.unshift('ip', 'netns', 'exec', netns);
    const log = openSync(this.log, 'a');
    const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('BANYAN_')));
    this.process = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'pipe', log],
      env: { ...clean, BANYAN_CONFIG: '/dev/null', ...env },
    });
    closeSync(log);
    running.add(this);
    this.exit = new Promise((resolve) => {
      const over = (how) => {
        this.ended = true;
        running.delete(this);
        resolve(how);
      };
      this.process.once('exit', (code, signal) => over(signal ?? code));
      this.process.once('error', (error) => over(error.message));
    });
    this.ready = this.#line();
    this.ready.catch(() => {}); // whoever awaits it is told
  }

  async #line() {
    let text = '';
    const line = new Promise((resolve) => {
      this.process.stdout.setEncoding('utf8');
      this.process.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) resolve(text);
      });
    });
    const told = await Promise.race([
      line,
      this.exit.then((how) => Promise.reject(new Error(`${this.name} ended (${how}) before it was ready\n${this.tail()}`))),
      late(READY_MS, `${this.name} was not ready within ${READY_MS / 1000} s`),
    ]);
    return JSON.parse(told.slice(0, told.indexOf('\n')));
  }

  get pid() {
    return this.process.pid;
  }

  /** What it says about itself (`banyan status --json`). */
  async status() {
    const command = [BANYAN, 'status', '--json', '--data-dir', this.dir];
    if (this.netns) command.unshift('ip', 'netns', 'exec', this.netns);
    const { stdout } = await run(command[0], command.slice(1), { env: { ...process.env, BANYAN_CONFIG: '/dev/null' }, timeout: 10_000 });
    return JSON.parse(stdout);
  }

  /** Its one session. */
  async session() {
    return (await this.status()).sessions[0] ?? null;
  }

  /** Ends it as Ctrl-C would; how it ended. */
  async stop(signal = 'SIGTERM') {
    if (!this.ended) this.process.kill(signal);
    return Promise.race([
      this.exit,
      late(STOP_MS, `${this.name} did not end within ${STOP_MS / 1000} s of ${signal}`).finally(() => this.ended || this.process.kill('SIGKILL')),
    ]);
  }

  /** `kill -9`. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.exit;
  }

  tail(lines = 15) {
    const text = existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
    return text.split('\n').slice(-lines - 1).map((line) => `    ${line}`).join('\n');
  }
}

/** Stops nodes, whatever became of them. */
export async function stopAll(nodes) {
  await Promise.all(nodes.map((node) => node.stop().catch(() => {})));
}

/** Rejects after `ms`. Does not keep the process alive. */
export function late(ms, reason) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(reason)), ms).unref());
}

/**
 * Asks `probe` until its answer passes `test`, and returns that. Every `every`
 * ms, for `seconds` at most; then the error names `what` and the last answer.
 */
export async function eventually(what, probe, { seconds = 20, every = 200, test = Boolean } = {}) {
  const end = performance.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (test(last)) return last;
    } catch (error) {
      last = error.message;
    }
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what} (last: ${typeof last === 'string' ? last : JSON.stringify(last)})`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
