// Building elements without markup strings, so that pages can forbid them.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * `h('button', { type: 'button', onclick: f, hidden: true }, 'text', child)`.
 * Functions become listeners, booleans attributes with or without presence.
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.replace(/^on/, ''), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A 24×24 stroked icon from path data. */
export function icon(...paths) {
  const svg = document.createElementNS(SVG, 'svg');
  const attributes = {
    viewBox: '0 0 24 24',
    'aria-hidden': 'true',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.8',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  for (const d of paths) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** `12.3 Mbit/s`, `640 kbit/s`. */
export function bitrate(bps) {
  if (!Number.isFinite(bps)) return '–';
  return bps >= 999_500 ? `${(bps / 1e6).toFixed(2)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

/** `12 ms`, or a dash for what is not known. */
export function millis(ms) {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : '–';
}
