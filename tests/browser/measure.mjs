// Measures playback from inside the page: latency by the clock in the picture,
// sound against picture by the beep on each full second, counters that survive
// reconnects. `startMeasuring` runs in the browser: it uses nothing from here.

/**
 * Begins measuring the page's `<banyan-player>`. Readings gather in
 * `window.measured`; `window.measured.summary()` adds the counters up.
 */
export async function startMeasuring() {
  await customElements.whenDefined('banyan-player');
  const player = document.querySelector('banyan-player');
  const { video } = player;
  const { ClockReader } = await import('/clock.js');
  const reader = new ClockReader();
  const measured = {
    ages: [], // [page time, picture age in ms] per readable picture
    pictures: 0,
    unreadable: 0,
    skews: [], // [page time, ms] by beep; sound ahead is positive
    statSkews: [], // the same by the browser's estimate
    states: [],
    reconnects: 0,
    playingAt: null,
    totals: {},
  };
  window.measured = measured;

  // Counters start at 0 with each connection: what was before is kept.
  const COUNTERS = ['framesDecoded', 'framesReceived', 'framesDropped', 'packetsLost', 'freezeCount', 'freezesMs', 'audioEnergy', 'nackCount', 'pliCount'];
  let before = {};
  let last = {};
  const take = (stats) => {
    for (const name of COUNTERS) {
      const value = stats[name] ?? 0;
      if (stats.postedAt !== last.postedAt) before[name] = (before[name] ?? 0) + (last[name] ?? 0);
      measured.totals[name] = (before[name] ?? 0) + value;
    }
    last = stats;
    if (Number.isFinite(stats.avSkewMs)) measured.statSkews.push([performance.now(), stats.avSkewMs]);
  };
  player.addEventListener('banyan-stats', ({ detail }) => take(detail));
  const note = (state) => {
    measured.states.push(state);
    if (state === 'reconnecting') measured.reconnects++;
    if (state === 'playing') measured.playingAt ??= performance.now();
  };
  note(player.state);
  player.addEventListener('banyan-state', ({ detail }) => note(detail.state));
  measured.summary = () => ({ ...player.stats(), ...measured.totals, state: player.state });

  const look = (_, { expectedDisplayTime }) => {
    video.requestVideoFrameCallback(look);
    measured.pictures++;
    const now = Date.now();
    const read = reader.read(video, now);
    if (!read) return void measured.unreadable++;
    const ahead = Math.max(0, expectedDisplayTime - performance.now());
    measured.ages.push([performance.now(), read.latencyMs, ahead]);
  };
  video.requestVideoFrameCallback(look);

  // Sound: the first loud sample after silence, on the audio clock, mapped to
  // the wall clock by the smallest offset seen (the clock steps in bursts).
  const audio = new AudioContext({ sampleRate: 48_000, latencyHint: 'interactive' });
  audio.resume();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 16_384;
  analyser.smoothingTimeConstant = 0;
  let heard = null;
  let node = null;
  let end = 0;
  let quiet = 0;
  let offsets = [];
  const samples = new Float32Array(analyser.fftSize);
  const hear = () => {
    const track = video.srcObject?.getAudioTracks()[0] ?? null;
    if (track !== heard) {
      node?.disconnect();
      heard = track;
      node = track && audio.createMediaStreamSource(new MediaStream([track]));
      node?.connect(analyser);
    }
    if (!track || audio.state !== 'running') return;
    const now = audio.currentTime;
    offsets.push(Date.now() - now * 1000);
    if (offsets.length > 200) offsets = offsets.slice(-200);
    analyser.getFloatTimeDomainData(samples);
    const fresh = Math.min(samples.length, Math.round((now - end) * audio.sampleRate));
    end = now;
    for (let i = samples.length - fresh; i < samples.length; i++) {
      if (Math.abs(samples[i]) < 0.03) quiet++;
      else {
        if (quiet > 0.4 * audio.sampleRate) beep(now - (samples.length - i) / audio.sampleRate);
        quiet = 0;
      }
    }
  };
  const beep = (at) => {
    const heardAt = at * 1000 + Math.min(...offsets);
    const soundAge = heardAt - Math.floor(heardAt / 1000) * 1000;
    const recent = measured.ages.slice(-15).map(([, age, ahead]) => age + ahead);
    if (recent.length < 15) return;
    const pictureAge = recent.sort((a, b) => a - b)[7];
    let ahead = pictureAge - soundAge;
    if (ahead < -500) ahead += 1000;
    measured.skews.push([performance.now(), ahead]);
  };
  setInterval(hear, 20);
}
