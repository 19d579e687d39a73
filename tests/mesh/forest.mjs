// A session carried by real nodes, grown from the root outwards: each tier is
// started when the one before has taken its place, so that the tree is as deep
// as its owners' uploads make it.

import { eventually, Node, stopAll } from './process.mjs';

// As the demo gives it (node/src/cmd/demo/plan.rs): one child per stripe at the
// root, one in each of a helper's two, one more gateway at a gateway, and next to
// nothing at the last. Viewers sit behind three links.
const BITRATE = '2 Mbit/s'; // 4 + 2 stripes of 0.55 Mbit/s
const ROOT_UPLOAD = '4.2 Mbit/s';
const HELPER_UPLOAD = '1.45 Mbit/s';
const GATEWAY_UPLOAD = '4.5 Mbit/s';
const LAST_UPLOAD = '0.8 Mbit/s';
const STRIPES = 6;

export class Forest {
  /** `place(name)` is where a node goes: `{ netns, address }`. */
  constructor({ dir, place }) {
    this.dir = dir;
    this.place = place;
    this.nodes = [];
  }

  #start(name, args, host = name) {
    const { netns, address, port = 8080 } = this.place(host);
    const node = new Node({
      name,
      dir: this.dir,
      netns,
      args: [...args.slice(0, -1), '--http-bind', `${address}:${port}`, '--listen-bind', address, ...args.slice(-1)].filter((arg) => arg !== ''),
    });
    this.nodes.push(node);
    return node;
  }

  /** The publisher's node. `source` is what it shows by itself, such as `--clip`; nothing for WHIP. */
  async root({ name = 'root', source = [], upload = ROOT_UPLOAD, args = [] } = {}) {
    this.rootNode = this.#start(name, ['publish', ...source, '--title', 'Black box', '--bitrate', BITRATE, '--capacity-upload', upload, ...args, '']);
    this.published = await this.rootNode.ready;
    this.link = this.published.watch;
    return this.rootNode;
  }

  /** `count` helpers, and each stripe of the root on one of them. */
  async helpers(count = 3) {
    const helpers = Array.from({ length: count }, (_, i) =>
      this.#start(`helper-${i + 1}`, ['up', '--role', 'helper', '--capacity-upload', HELPER_UPLOAD, this.link]),
    );
    await Promise.all(helpers.map((helper) => helper.ready));
    this.helperNodes = helpers;
    await eventually('a helper on each of the root\'s stripes', async () => {
      const { stripes } = await this.rootNode.session();
      return stripes.length === STRIPES && stripes.every(({ children }) => children.length > 0) ? true : brief(stripes);
    }, { test: (answer) => answer === true });
    return helpers;
  }

  /** One gateway more, fed on each stripe; the `last` gives next to nothing to other nodes. */
  async gateway(name, { last = false, upload = last ? LAST_UPLOAD : GATEWAY_UPLOAD } = {}) {
    const node = this.#start(name, ['up', '--role', 'gateway', '--capacity-upload', upload, this.link]);
    node.http = (await node.ready).http;
    await eventually(`${name} has a parent on each stripe`, () => fed(node), { test: (answer) => answer === true });
    return node;
  }

  /**
   * Gateways, one behind the other: the stripes reach the last over `count` + 1
   * links. All of them; with `shortcuts` all that are waited for: a block is whole
   * with its fourth shard, so three of the six may take a shorter way.
   */
  async gateways(count = 2, { shortcuts = 0 } = {}) {
    this.gatewayNodes = [];
    for (let i = 1; i <= count; i++) {
      const gateway = await this.gateway(`gateway-${i}`, { last: i === count });
      this.gatewayNodes.push(gateway);
      await deep(gateway, i + 1, shortcuts);
    }
    this.first = this.gatewayNodes[0];
    this.last = this.gatewayNodes.at(-1);
  }

  /** Root, helpers and two gateways; each stripe of the last comes over three links. */
  async grow(options) {
    await this.root(options);
    await this.helpers();
    await this.gateways();
  }

  /** The session's page as `node` serves it. */
  page(node) {
    return `http://${node.http}${this.link.slice(this.link.indexOf('/watch/'))}`;
  }

  async stop() {
    await stopAll(this.nodes);
  }
}

async function fed(node) {
  const session = await node.session();
  const { stripes } = session;
  return stripes.length === STRIPES && stripes.every(({ parent, depth }) => parent && depth) ? true : brief(stripes);
}

/** Waits until all stripes but `shortcuts` come to `node` over at least `links` links. */
async function deep(node, links, shortcuts) {
  await eventually(`the stripes reach ${node.name} over ${links} links`, async () => {
    const { stripes } = await node.session();
    const far = stripes.filter(({ parent, depth }) => parent && depth >= links);
    return far.length === STRIPES || (stripes.length === STRIPES && stripes.every(({ parent }) => parent) && far.length >= STRIPES - shortcuts) ? true : brief(stripes);
  }, { test: (answer) => answer === true });
}

/** Stripes in a line: `0:3<ab12 1:-`. */
export function brief(stripes) {
  return stripes.map(({ stripe, depth, parent, children }) => `${stripe}:${depth ?? '-'}${parent ? `<${parent.slice(0, 4)}` : ''}>${children.length}`).join(' ') || 'no stripes';
}
