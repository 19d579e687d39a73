// Home: takes a pasted invite to the watch page.

import { watchAddress } from './fragment.js';

const form = document.getElementById('watch');
const invite = document.getElementById('invite');
const error = document.getElementById('watch-error');

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const address = watchAddress(invite.value);
  if (address) location.assign(address);
  else {
    error.textContent = 'This does not look like an invite. It starts with banyan:// or https://.';
    invite.focus();
  }
});
invite.addEventListener('input', () => {
  error.textContent = '';
});
