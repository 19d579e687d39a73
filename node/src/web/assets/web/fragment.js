// What a link carries after its '#': browsers never send it to a server.

/** Splits `#<what>&t=<ticket>`; the first part may be an address or an encoded invite. */
export function parseFragment(hash) {
  const text = hash.replace(/^#/, '');
  const ticket = /&t=([^&]*)/.exec(text)?.[1] ?? '';
  return { subject: decode(withTicket(text, '')), ticket: decode(ticket) };
}

/** A fragment with its ticket replaced, or given one. */
export function withTicket(fragment, ticket) {
  const bare = fragment.replace(/&t=[^&]*/, '');
  return ticket ? `${bare}&t=${encodeURIComponent(ticket)}` : bare;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** True for a session's name: 64 hexadecimal digits (or any even run from 8). */
export function isSession(text) {
  return /^(?:[0-9a-f]{2}){4,64}$/i.test(text);
}

/**
 * Where a pasted invite leads on this node: `banyan://…`, `https://…/watch/…#…`,
 * or only the part after '#'. Null when it is none of these.
 */
export function watchAddress(text) {
  const invite = text.trim();
  if (!invite || /\s/.test(invite)) return null;
  if (isSession(invite)) return `/watch/${invite}`;
  const link = /^https?:\/\/[^/]+(\/watch\/[^#]*)(#.*)?$/i.exec(invite);
  if (link) return link[1] + (link[2] ?? '');
  if (/^[a-z]+:\/\//i.test(invite) && !/^banyan:/i.test(invite)) return null;
  return `/watch/invite#${invite.replace(/^#/, '')}`;
}

/** Points `player` at what a watch or embed address carries. False if nothing. */
export function aim(player, { pathname, hash }) {
  const session = decode(pathname.split('/')[2] ?? '');
  const { subject, ticket } = parseFragment(hash);
  const set = (name, value) => (value ? player.setAttribute(name, value) : player.removeAttribute(name));
  // An invite tells the node how to find the session; without one the node
  // may still know it. A bare `#&t=…` carries only a ticket.
  set('invite', subject ? hash.slice(1) : '');
  set('src', !subject && isSession(session) ? `/whep/${session}` : '');
  set('token', ticket);
  return Boolean(subject || isSession(session));
}
