// Watch: gives the player what the link carries, and the link to who asks.

import { aim } from './fragment.js';

const player = document.getElementById('player');
const title = document.getElementById('title');
const said = document.getElementById('said');

aim(player, location);
// Another invite pasted over this one changes only what follows '#'.
window.addEventListener('hashchange', () => aim(player, location));

player.addEventListener('banyan-title', ({ detail }) => {
  title.textContent = detail;
  document.title = `${detail} · Banyan`;
});

// Shortcuts work wherever the focus is, except where one types.
document.addEventListener('keydown', (event) => {
  const inside = event.composedPath().includes(player);
  if (!inside && !event.target.closest?.('button, a, input')) player.handleKey(event);
});

document.getElementById('share').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    said.textContent = 'Copied.';
  } catch {
    said.textContent = 'Copy the address of this page from the address bar.';
  }
  setTimeout(() => (said.textContent = ''), 4000);
});
