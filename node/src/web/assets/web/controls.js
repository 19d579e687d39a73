// The player's bar of buttons: what can be pressed, and how it looks pressed.

import { h, icon } from './dom.js';

const ICONS = {
  play: ['M7 4.5v15l12-7.500Z'],
  stop: ['M7 5v14', 'M17 5v14'],
  sound: ['M4 9.500v5h3.500L12 18.500v-13L7.5 9.500Z', 'M15.5 9a4.2 4.2 0 0 1 0 6', 'M18 6.500a8 8 0 0 1 0 11'],
  muted: ['M4 9.500v5h3.500L12 18.500v-13L7.5 9.500Z', 'm16 9.5 5 5', 'm21 9.5-5 5'],
  stats: ['M4 19.500h16', 'M6.5 16v-4', 'M12 16V6', 'M17.5 16v-7'],
  pip: ['M4 5.500h16v13H4Z', 'M12.5 12.500h5v3.500h-5Z'],
  full: ['M4 9V4.500h4.5', 'M15.5 4.500H20V9', 'M20 15v4.500h-4.5', 'M8.5 19.500H4V15'],
};

/**
 * Builds the bar for `actions`: `{ toggle, mute, volume(0…1), stats, pip, full }`.
 * Returns the element and `show(state)`, which makes it agree with
 * `{ running, muted, volume, stats, full }`.
 */
export function controls(actions) {
  const button = (name, label, action) => {
    const element = h('button', { type: 'button', 'aria-label': label, title: label, onclick: action });
    element.append(icon(...ICONS[name]));
    return element;
  };
  const relabel = (element, name, label) => {
    if (element.getAttribute('aria-label') === label) return;
    element.setAttribute('aria-label', label);
    element.title = label;
    element.replaceChildren(icon(...ICONS[name]));
  };
  const toggle = button('stop', 'Stop (K)', actions.toggle);
  const mute = button('sound', 'Mute (M)', actions.mute);
  const volume = h('input', {
    type: 'range',
    min: '0',
    max: '1',
    step: '0.05',
    'aria-label': 'Volume',
    oninput: () => actions.volume(Number(volume.value)),
  });
  const stats = button('stats', 'Statistics (I)', actions.stats);
  const pip = button('pip', 'Picture in picture (P)', actions.pip);
  const full = button('full', 'Full screen (F)', actions.full);
  pip.hidden = !document.pictureInPictureEnabled;
  full.hidden = !document.fullscreenEnabled && !HTMLVideoElement.prototype.webkitEnterFullscreen;
  const live = h('span', { class: 'live', 'aria-hidden': 'true' }, 'LIVE');
  const bar = h(
    'div',
    { class: 'bar', part: 'bar', role: 'group', 'aria-label': 'Player controls' },
    toggle,
    mute,
    volume,
    live,
    h('span', { class: 'space' }),
    stats,
    pip,
    full,
  );

  const show = (now) => {
    if (now.running) relabel(toggle, 'stop', 'Stop (K)');
    else relabel(toggle, 'play', 'Play (K)');
    if (now.muted) relabel(mute, 'muted', 'Unmute (M)');
    else relabel(mute, 'sound', 'Mute (M)');
    volume.value = now.muted ? 0 : now.volume;
    stats.setAttribute('aria-pressed', String(now.stats));
    full.setAttribute('aria-pressed', String(now.full));
  };
  return { bar, show };
}
