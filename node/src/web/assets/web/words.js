// What the player says, and what it does next, for each thing that can happen.

/** Names of the states a player can be in: the values of its `state`. */
export const STATES = Object.freeze([
  'idle',
  'connecting',
  'waiting',
  'playing',
  'reconnecting',
  'ended',
  'unsupported',
  'ticket',
  'error',
]);

/** `waitMs` null: the caller's backoff decides. `final`: nothing happens until asked. */
const say = (state, title, hint = '', more = {}) => ({
  state,
  title,
  hint,
  waitMs: null,
  final: false,
  ...more,
});

export const IDLE = say('idle', 'Paused', 'Press play to go to the live picture.', { final: true });
export const NOTHING = say('idle', 'Nothing to play', 'Open a watch link, or paste an invite.', {
  final: true,
});
export const CONNECTING = say('connecting', 'Connecting…');
export const PLAYING = say('playing', 'Live');

const LOST = {
  failed: 'The connection was lost. Finding another way in.',
  unreachable: 'The node does not answer on the media path. Trying again.',
  stalled: 'The picture stopped arriving. Finding it again.',
  undecodable: 'The picture could not be decoded. Starting it afresh.',
  'no picture': 'Connected, but no picture came. Trying again.',
  'video stopped': 'The picture stopped. Starting it afresh.',
  offline: 'This device is offline. The picture returns with the network.',
};

/** A connection that was there, and is not. */
export function lost(reason) {
  return say('reconnecting', 'Reconnecting…', LOST[reason] ?? '', { reason });
}

/**
 * What a `SignalError` means for the viewer. `played`: there was a picture
 * before; `ticketed`: a ticket was sent.
 */
export function refused(error, { played = false, ticketed = false } = {}) {
  const { code, retryAfterMs: waitMs } = error;
  const final = { final: true };
  switch (error.status) {
    case 404:
    case 409:
    case 425:
      if (played) return say('waiting', 'The streamer has left', 'If they come back, so does the picture.', { waitMs });
      return code === 'session-unknown'
        ? say('waiting', 'This node does not know the stream', error.explain(), { waitMs })
        : say('waiting', 'Waiting for the streamer', 'It starts by itself as soon as they are live.', { waitMs });
    case 410:
      return say('ended', 'The stream has ended', 'Thank you for watching.', final);
    case 403:
      if (NOT_THE_TICKET.includes(code)) return say('error', 'This cannot be watched from here', error.explain(), final);
    // falls through
    case 401:
      return ticketed
        ? say('ticket', 'This ticket was not accepted', error.explain('It may have expired. Ask for a new one.'), final)
        : say('ticket', 'This stream needs a ticket', 'Paste the ticket you were given.', final);
    case 406:
      return say('unsupported', 'This browser cannot play this stream', error.explain(), final);
    case 422:
      if (NOT_PLAYABLE.includes(code)) return say('unsupported', 'This browser cannot play this stream', error.detail, final);
    // falls through
    case 400:
    case 413:
    case 415:
    case 421:
      return say('error', 'This link does not work', error.explain('Part of it may be missing. Copy it again.'), final);
    case 429:
    case 503:
      return say('waiting', 'This node is full', 'A place is tried for again in a moment.', { waitMs });
    case 0:
      return played ? lost('failed') : say('connecting', 'The node does not answer', 'Trying again until it does.', { waitMs });
    default:
      return say(played ? 'reconnecting' : 'connecting', 'The node has a problem', error.explain(`HTTP ${error.status}`), {
        waitMs,
      });
  }
}

/** Refusals with 403 that no ticket would change. */
const NOT_THE_TICKET = ['cross-origin', 'helper-only', 'local-only', 'policy'];
/** Refusals of an offer that lacks the stream's codec. */
const NOT_PLAYABLE = ['codec-not-acceptable', 'nothing-to-watch'];

/** The answer took no medium that this browser could play. */
export function unsupported(codecs) {
  const hint = codecs ? `Its picture comes as ${codecs}, which this browser does not play.` : '';
  return say('unsupported', 'This browser cannot play this stream', hint, { final: true });
}

/** No WebRTC at all. */
export const NO_WEBRTC = say('unsupported', 'This browser has no WebRTC', 'Try a current Firefox, Chromium or Safari.', {
  final: true,
});
