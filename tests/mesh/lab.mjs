// A network of this test's own: namespaces around one bridge, each with an
// address, a default route and nothing else. Needs root and `ip`; touches
// nothing outside the namespaces it makes, and removes them at the end.

import { execFileSync } from 'node:child_process';

// Addresses that look public, as browsers and nodes treat private ones apart.
// They never leave the namespaces.
const NET = '5.5.5';
let labs = 0;

/** Why no lab can be made here, or null. */
export function obstacle() {
  if (process.getuid() !== 0) return 'network namespaces need root';
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `no network namespaces here: ${error.message.split('\n')[0]}`;
  }
}

/** Namespaces `by-…-NAME`, on one bridge. */
export class Lab {
  constructor(names) {
    const run = `by-${process.pid.toString(36)}${labs++}`;
    this.made = [];
    this.hosts = new Map();
    this.remove = this.remove.bind(this);
    process.on('exit', this.remove);
    const core = this.#namespace(`${run}-core`);
    ip('-n', core, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    ip('-n', core, 'addr', 'add', `${NET}.1/24`, 'dev', 'br0');
    ip('-n', core, 'link', 'set', 'br0', 'up');
    for (const [i, name] of names.entries()) {
      const netns = this.#namespace(`${run}-${name}`);
      const address = `${NET}.${10 + i}`;
      ip('-n', core, 'link', 'add', `v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
      ip('-n', core, 'link', 'set', `v${i}`, 'master', 'br0', 'up');
      ip('-n', netns, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
      ip('-n', netns, 'link', 'set', 'eth0', 'up');
      ip('-n', netns, 'route', 'add', 'default', 'via', `${NET}.1`);
      this.hosts.set(name, { netns, address });
    }
  }

  /** `{ netns, address }` of a host. */
  at(name) {
    return this.hosts.get(name);
  }

  /** From now on `name` sends at most `kbps`, behind a modem that holds up to half a second of it. */
  narrow(name, kbps) {
    const { netns } = this.hosts.get(name);
    run('tc', '-n', netns, 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', `${kbps}kbit`, 'burst', '16kb', 'latency', '500ms');
  }

  #namespace(name) {
    ip('netns', 'add', name);
    this.made.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  /** Takes it all down. Whatever runs in it is to be ended before. */
  remove() {
    for (const name of this.made.splice(0)) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // It is gone already.
      }
    }
    process.off('exit', this.remove);
  }
}

function ip(...args) {
  run('ip', ...args);
}

function run(command, ...args) {
  execFileSync(command, args, { stdio: 'pipe' });
}
