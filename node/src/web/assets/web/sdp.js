// The few changes to session descriptions that no API offers. Pure functions
// from text to text: what they do not understand, they leave as it is.

/** Lines of the m-sections of `kind`, mapped by `change(section)`. */
function mapSections(sdp, kind, change) {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith(`m=${kind} `) ? change(section) : section))
    .join('');
}

/** Payload types that `name` (say `opus`) has in an m-section. */
function payloadTypes(section, name) {
  const found = section.matchAll(new RegExp(`^a=rtpmap:(\\d+) ${name}/`, 'gim'));
  return [...found].map((match) => match[1]);
}

/** Adds `key=value` parameters to the format line of one payload type. */
function addParameters(section, type, parameters) {
  const line = new RegExp(`^(a=fmtp:${type} )(.*?)(\\r?)$`, 'm');
  const known = line.exec(section)?.[2] ?? '';
  const names = new Set(known.split(';').map((pair) => pair.trim().split('=')[0]));
  const fresh = Object.entries(parameters)
    .filter(([key]) => !names.has(key))
    .map(([key, value]) => `${key}=${value}`)
    .join(';');
  if (!fresh) return section;
  if (line.test(section)) return section.replace(line, `$1$2;${fresh}$3`);
  return section.replace(
    new RegExp(`^(a=rtpmap:${type} .*?)(\\r?\\n)`, 'm'),
    `$1$2a=fmtp:${type} ${fresh}$2`,
  );
}

/** Asks for stereo Opus: in an offer to receive, or in the answer to a sender. */
export function stereo(sdp, parameters = { stereo: 1 }) {
  return mapSections(sdp, 'audio', (section) =>
    payloadTypes(section, 'opus').reduce((s, type) => addParameters(s, type, parameters), section),
  );
}

/** Tells Chromium's estimator where to begin, so that the first seconds are not mud. */
export function startBitrate(sdp, kbps) {
  return mapSections(sdp, 'video', (section) => {
    const type = /^m=video \d+ \S+ (\d+)/.exec(section)?.[1];
    if (!type) return section;
    return addParameters(section, type, { 'x-google-start-bitrate': Math.round(kbps) });
  });
}

/** `{ ufrag, pwd }` of a description's first ICE credentials. */
export function iceCredentials(sdp) {
  return {
    ufrag: /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? '',
    pwd: /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1] ?? '',
  };
}

/** Kinds of media that an answer takes: an m-line with port 0 was refused. */
export function acceptedKinds(sdp) {
  const lines = [...sdp.matchAll(/^m=(audio|video) (\d+)/gm)];
  return lines.filter((line) => line[2] !== '0').map((line) => line[1]);
}

/** `host:port` of each candidate in a description; IPv6 hosts stand in brackets. */
export function candidateAddresses(sdp) {
  const found = sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+) (\d+) /gm);
  return [...found].map(([, host, port]) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
}

/** A trickle fragment (RFC 8840) that carries `candidates` of `sdp`'s ICE session. */
export function trickleFragment(sdp, candidates, done) {
  const { ufrag, pwd } = iceCredentials(sdp);
  const lines = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`];
  const kinds = [...sdp.matchAll(/^m=(\w+) /gm)].map((match) => match[1]);
  const mids = [...sdp.matchAll(/^a=mid:(\S+)/gm)].map((match) => match[1]);
  const used = [...new Set(candidates.map((candidate) => candidate.sdpMid ?? mids[0]))];
  for (const mid of used.length ? used : mids.slice(0, 1)) {
    const kind = kinds[mids.indexOf(mid)] ?? 'audio';
    lines.push(`m=${kind} 9 UDP/TLS/RTP/SAVPF 0`, `a=mid:${mid}`);
    for (const candidate of candidates) {
      if ((candidate.sdpMid ?? mids[0]) === mid) lines.push(`a=${candidate.candidate}`);
    }
    if (done) lines.push('a=end-of-candidates');
  }
  return `${lines.join('\r\n')}\r\n`;
}
