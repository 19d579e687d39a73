// Embed: a bare player when its address names a session, else how to embed.

import { aim } from './fragment.js';

const guide = document.getElementById('guide');
if (guide) {
  const frame = document.getElementById('frame');
  const aimed = aim(document.getElementById('player'), location);
  frame.hidden = !aimed;
  guide.hidden = aimed;
  if (!aimed) {
    document.title = 'Banyan · embed';
    const here = location.origin;
    document.getElementById('tag').textContent =
      `<script type="module" src="${here}/player.js"></script>\n` +
      `<banyan-player src="${here}/whep/SESSION"></banyan-player>`;
    document.getElementById('iframe').textContent =
      `<iframe src="${here}/embed/SESSION#INVITE"\n        allow="autoplay; fullscreen; picture-in-picture"></iframe>`;
  }
}
