// From the browser's counters to what a viewer can read.

/** Milliseconds from NTP's epoch (1900) to the Unix one. */
const NTP_OFFSET_MS = 2_208_988_800_000;

/** Turns successive `getStats()` reports of one receiving connection into figures. */
export class Inbound {
  #last = null;

  /** Figures of `report`; rates are taken since the previous call. */
  sample(report, wallClock = Date.now()) {
    const all = [...report.values()];
    const inbound = (kind) => all.find((s) => s.type === 'inbound-rtp' && s.kind === kind) ?? {};
    const video = inbound('video');
    const audio = inbound('audio');
    const transport = all.find((s) => s.type === 'transport') ?? {};
    const pair =
      report.get(transport.selectedCandidatePairId) ??
      all.find((s) => s.type === 'candidate-pair' && s.nominated) ??
      {};
    const codec = (id) => (report.get(id)?.mimeType ?? '').split('/')[1] ?? '';
    const bytes = (video.bytesReceived ?? 0) + (audio.bytesReceived ?? 0);
    const now = {
      at: video.timestamp ?? audio.timestamp ?? 0,
      bytes,
      frames: video.framesDecoded ?? 0,
      bufferDelay: video.jitterBufferDelay ?? 0,
      buffered: video.jitterBufferEmittedCount ?? 0,
      received: sum(video.packetsReceived, audio.packetsReceived),
      lost: sum(video.packetsLost, audio.packetsLost),
    };
    const last = this.#last ?? { ...now, at: 0 };
    if (!this.#last || now.at > this.#last.at) this.#last = now;
    const seconds = this.#last && last.at ? (now.at - last.at) / 1000 : 0;
    const rate = (from, to) => (seconds > 0 ? (to - from) / seconds : NaN);
    const emitted = now.buffered - last.buffered;
    const expected = now.received - last.received + now.lost - last.lost;

    return {
      codec: codec(video.codecId),
      audioCodec: codec(audio.codecId),
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      fps: video.framesPerSecond ?? rate(last.frames, now.frames),
      bitrateBps: rate(last.bytes, now.bytes) * 8,
      framesReceived: video.framesReceived ?? 0,
      framesDecoded: now.frames,
      framesDropped: video.framesDropped ?? 0,
      keyFramesDecoded: video.keyFramesDecoded ?? 0,
      videoPackets: video.packetsReceived ?? 0,
      audioPackets: audio.packetsReceived ?? 0,
      packetsLost: now.lost,
      videoPacketsLost: video.packetsLost ?? 0,
      audioPacketsLost: audio.packetsLost ?? 0,
      lossPercent: expected > 0 ? (100 * Math.max(0, now.lost - last.lost)) / expected : NaN,
      nackCount: video.nackCount ?? 0,
      pliCount: video.pliCount ?? 0,
      freezeCount: video.freezeCount ?? 0,
      freezesMs: 1000 * (video.totalFreezesDuration ?? 0),
      jitterBufferMs:
        emitted > 0
          ? (1000 * (now.bufferDelay - last.bufferDelay)) / emitted
          : (1000 * now.bufferDelay) / (now.buffered || NaN),
      rttMs: 1000 * (pair.currentRoundTripTime ?? NaN),
      avSkewMs: skew(video, audio),
      playoutDelayMs: playoutDelay(video, wallClock),
      audioEnergy: audio.totalAudioEnergy ?? 0,
      concealedSamples: audio.concealedSamples ?? 0,
      decoder: video.decoderImplementation ?? '',
      path: path(report, pair),
    };
  }
}

function sum(a = 0, b = 0) {
  return a + b;
}

/** By how much sound is ahead of the picture (negative: behind), by their capture clocks. */
function skew(video, audio) {
  const ahead = (audio.estimatedPlayoutTimestamp ?? NaN) - (video.estimatedPlayoutTimestamp ?? NaN);
  return Math.abs(ahead) < 60_000 ? ahead : NaN;
}

/**
 * From the sender's clock to playout. True end to end only where the sender's
 * reports carry capture time and both clocks agree; nonsense is left out.
 */
function playoutDelay(video, wallClock) {
  const delay = wallClock + NTP_OFFSET_MS - (video.estimatedPlayoutTimestamp ?? NaN);
  return delay > -50 && delay < 20_000 ? Math.max(0, delay) : NaN;
}

/** `direct`, or `relayed` by TURN, with the transport. */
function path(report, pair) {
  const local = report.get(pair.localCandidateId);
  if (!local) return '';
  const way = local.candidateType === 'relay' ? 'relayed' : 'direct';
  return `${way}, ${(local.relayProtocol ?? local.protocol ?? '').toUpperCase()}`;
}
