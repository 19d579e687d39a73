// <banyan-player>: live video from a Banyan gateway, on any site.
//
//   <script type="module" src="https://node.example/player.js"></script>
//   <banyan-player src="https://node.example/whep/SESSION" token="…"></banyan-player>
//
// Attributes: `src` (a WHEP address) or `invite` (what a watch link carries
// after '#', resolved by the node at `node`, by default the one that served this
// file); `token` (a ticket); `muted`; `paused` (wait for a press on play).
// Properties: `state`, `stats()`, `video`, `play()`, `stop()`, `retry()`.
// Events: `banyan-state` { state, title, hint }, `banyan-stats`, `banyan-title`.

import { controls } from './web/controls.js';
import { h, icon } from './web/dom.js';
import { Panel } from './web/panel.js';
import { playerStyle } from './web/player-style.js';
import { Viewing } from './web/viewing.js';

/** Without a pointer or a key for this long, the bar gets out of the way. */
const QUIET_MS = 3000;

export class BanyanPlayer extends HTMLElement {
  static observedAttributes = ['src', 'token', 'invite', 'node', 'muted'];

  #viewing = null;
  #video = h('video', { playsinline: true, part: 'video', tabindex: '-1' });
  #last = h('canvas', { class: 'last', 'aria-hidden': 'true' });
  #title = h('p', { class: 'title' });
  #hint = h('p', { class: 'hint' });
  #act = h('div', { class: 'act' });
  #sound = h(
    'button',
    { type: 'button', class: 'sound', hidden: true, onclick: () => this.unmute() },
    icon('M4 9.5v5h3.5L12 18.5v-13L7.5 9.500Z', 'm16 9.5 5 5', 'm21 9.5-5 5'),
    'Tap for sound',
  );
  #panel = new Panel(this.#video);
  #controls = controls({
    toggle: () => this.toggle(),
    mute: () => this.mute(),
    volume: (value) => this.#setVolume(value),
    stats: () => this.toggleStats(),
    pip: () => this.#pip(),
    full: () => this.#full(),
  });
  #quiet = 0;
  #restart = false;
  #life = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [playerStyle];
    const status = h('div', { class: 'status' }, roots(), words(this.#title, this.#hint), this.#act);
    root.append(this.#last, this.#video, status, this.#sound, this.#panel.element, this.#controls.bar);
    this.#video.muted = this.hasAttribute('muted');
    this.#video.addEventListener('volumechange', () => this.#refresh());
  }

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const on = (target, type, listener) => target.addEventListener(type, listener, { signal });
    on(window, 'online', () => this.#viewing?.retry());
    on(document, 'visibilitychange', () => {
      if (!document.hidden && !this.#viewing?.now.final) this.#viewing?.retry();
    });
    // A page kept for the back button must not keep a place at the gateway.
    on(window, 'pagehide', () => this.#end());
    on(window, 'pageshow', (event) => event.persisted && this.#begin());
    on(document, 'fullscreenchange', () => this.#refresh());
    on(this, 'keydown', (event) => this.handleKey(event));
    for (const type of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      on(this, type, () => this.#stir());
    }
    on(this, 'dblclick', (event) => event.composedPath()[0] === this.#video && this.#full());
    this.#begin();
    this.#stir();
  }

  disconnectedCallback() {
    this.#life?.abort();
    clearTimeout(this.#quiet);
    this.#end();
  }

  attributeChangedCallback(name, before, after) {
    if (name === 'muted') this.#video.muted = after !== null;
    else if (this.isConnected && before !== after && !this.#restart) {
      // Several attributes are often set in a row: one restart for all.
      this.#restart = true;
      queueMicrotask(() => {
        this.#restart = false;
        if (!this.isConnected) return;
        this.#end();
        this.#begin();
      });
    }
  }

  /** `idle`, `connecting`, `waiting`, `playing`, `reconnecting`, `ended`, `unsupported`, `ticket` or `error`. */
  get state() {
    return this.#viewing?.now.state ?? 'idle';
  }

  /** The `<video>` inside, for measuring and for styling by script. */
  get video() {
    return this.#video;
  }

  /** The last figures (see `web/inbound.js`), with timings and clock latency; null before the first. */
  stats() {
    const stats = this.#viewing?.stats;
    return stats ? { ...stats, latencyMs: this.#panel.latencyMs } : null;
  }

  play() {
    this.removeAttribute('paused');
    if (!this.#viewing || this.state === 'idle') {
      this.#end();
      this.#begin();
    } else this.#viewing.retry();
  }

  stop() {
    this.#viewing?.stop();
  }

  toggle() {
    if (this.state === 'idle') this.play();
    else this.stop();
  }

  retry() {
    this.#viewing?.retry();
  }

  mute(muted = !this.#video.muted) {
    this.#video.muted = muted;
    if (!muted && this.#video.volume === 0) this.#video.volume = 1;
    this.#sound.hidden = true;
  }

  unmute() {
    this.mute(false);
    this.#video.play().catch(() => this.#mutedPlay());
  }

  toggleStats() {
    this.#panel.toggle();
    this.#panel.show(this.stats());
    this.#refresh();
  }

  /** Acts on a shortcut; pages may pass their own key events on. */
  handleKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target instanceof HTMLInputElement && target.type !== 'range') return;
    const volume = (by) => this.#setVolume(this.#video.volume + by);
    const inRange = target instanceof HTMLInputElement;
    const act = {
      k: () => this.toggle(),
      m: () => this.mute(),
      i: () => this.toggleStats(),
      p: () => this.#pip(),
      f: () => this.#full(),
      ArrowUp: inRange ? null : () => volume(0.1),
      ArrowDown: inRange ? null : () => volume(-0.1),
      Escape: this.#panel.open ? () => this.toggleStats() : null,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #begin() {
    if (this.#viewing) return;
    const node = this.getAttribute('node') ?? new URL(import.meta.url).origin;
    const src = this.getAttribute('src');
    const viewing = new Viewing({
      src: src ? new URL(src, document.baseURI).href : '',
      token: this.getAttribute('token') ?? '',
      invite: this.getAttribute('invite') ?? '',
      node,
    });
    this.#viewing = viewing;
    viewing.addEventListener('state', ({ detail }) => this.#say(detail));
    viewing.addEventListener('title', ({ detail }) => this.#emit('banyan-title', detail));
    viewing.addEventListener('losing', () => this.#keepPicture());
    viewing.addEventListener('stream', ({ detail }) => this.#show(detail));
    viewing.addEventListener('stats', () => {
      const stats = this.stats();
      this.#panel.show(stats);
      this.#emit('banyan-stats', stats);
    });
    if (this.hasAttribute('paused')) viewing.stop();
    else viewing.start();
    this.#say(viewing.now);
  }

  #end() {
    this.#viewing?.stop();
    this.#viewing = null;
  }

  #show(stream) {
    const video = this.#video;
    this.#panel.forget();
    video.srcObject = stream;
    const viewing = this.#viewing;
    video.requestVideoFrameCallback?.((now) => {
      this.toggleAttribute('seen', true);
      viewing?.sawFrame(now);
    });
    video.play().catch((error) => {
      // Sound needs a gesture first; a picture without sound does not.
      if (error.name === 'NotAllowedError' && !video.muted) this.#mutedPlay();
    });
  }

  /** Leaves the picture on show behind the next one, which may take a while. */
  #keepPicture() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !this.hasAttribute('seen')) return;
    Object.assign(this.#last, { width, height });
    this.#last.getContext('2d').drawImage(this.#video, 0, 0, width, height);
  }

  #mutedPlay() {
    this.#video.muted = true;
    this.#sound.hidden = false;
    this.#video.play().catch(() => {});
  }

  #say(what) {
    this.setAttribute('state', what.state);
    this.#title.textContent = what.title;
    this.#hint.textContent = what.hint;
    this.#act.replaceChildren(...this.#offers(what));
    if (what.state === 'playing') this.toggleAttribute('seen', true);
    if (what.state === 'ended' || what.state === 'idle') {
      this.toggleAttribute('seen', false);
      this.#last.width = 0;
    }
    this.#refresh();
    this.#stir();
    this.#emit('banyan-state', { state: what.state, title: what.title, hint: what.hint });
  }

  /** What the viewer can do about it. */
  #offers({ state, final }) {
    const playable = this.hasAttribute('src') || this.hasAttribute('invite');
    if (!final || !playable || state === 'unsupported') return [];
    if (state === 'ticket') {
      const ticket = h('input', { name: 'ticket', 'aria-label': 'Ticket', placeholder: 'Ticket', autocomplete: 'off' });
      const submit = (event) => {
        event.preventDefault();
        if (ticket.value.trim()) this.#viewing?.useTicket(ticket.value.trim());
      };
      return [h('form', { onsubmit: submit }, ticket, h('button', { type: 'submit' }, 'Enter'))];
    }
    const label = state === 'idle' ? 'Play' : 'Try again';
    return [h('button', { type: 'button', onclick: () => this.play() }, label)];
  }

  #setVolume(value) {
    const volume = Math.min(1, Math.max(0, Math.round(value * 20) / 20));
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
    this.#sound.hidden = true;
  }

  async #pip() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.#video.requestPictureInPicture?.();
    } catch {
      // No picture yet, or refused: there is nothing better to do.
    }
  }

  async #full() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else if (this.requestFullscreen) await this.requestFullscreen();
      else this.#video.webkitEnterFullscreen?.();
    } catch {
      // Refused, for instance inside a frame that may not: stay as we are.
    }
  }

  /** Something moved: show the bar, and hide it again later. */
  #stir() {
    this.toggleAttribute('quiet', false);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      const held = this.shadowRoot.activeElement?.matches(':focus-visible') || this.#panel.open;
      if (!held) this.toggleAttribute('quiet', true);
    }, QUIET_MS);
  }

  #refresh() {
    this.#controls.show({
      running: this.state !== 'idle',
      muted: this.#video.muted,
      volume: this.#video.volume,
      stats: this.#panel.open,
      full: document.fullscreenElement === this,
    });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/** The two lines that a screen reader hears when they change. */
function words(title, hint) {
  return h('div', { role: 'status', 'aria-live': 'polite' }, title, hint);
}

/** The mark, its roots growing while there is something to wait for. */
function roots() {
  const svg = icon(
    'M5.5 12.5a3.6 3.6 0 0 1-.4-7.1A5.5 5.5 0 0 1 12 3.200a5.5 5.5 0 0 1 6.9 2.2 3.6 3.6 0 0 1-.4 7.1Z',
    'M12 12.5v8.5',
    'M7 12.5v8.5',
    'M17 12.5v8.5',
    'M3.5 21h17',
  );
  svg.classList.add('roots');
  for (const path of [...svg.children].slice(1, 4)) path.classList.add('root');
  return svg;
}

if (!customElements.get('banyan-player')) customElements.define('banyan-player', BanyanPlayer);
