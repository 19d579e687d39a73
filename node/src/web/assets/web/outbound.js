// From the browser's counters to what a streamer can read.

/** Turns successive `getStats()` reports of one sending connection into figures. */
export class Outbound {
  #last = null;

  sample(report) {
    const all = [...report.values()];
    const find = (type, kind) => all.find((s) => s.type === type && s.kind === kind) ?? {};
    const video = find('outbound-rtp', 'video');
    const audio = find('outbound-rtp', 'audio');
    const remote = find('remote-inbound-rtp', 'video');
    const transport = all.find((s) => s.type === 'transport') ?? {};
    const pair =
      report.get(transport.selectedCandidatePairId) ??
      all.find((s) => s.type === 'candidate-pair' && s.nominated) ??
      {};
    const now = { at: video.timestamp ?? audio.timestamp ?? 0, bytes: (video.bytesSent ?? 0) + (audio.bytesSent ?? 0) };
    const last = this.#last;
    if (!last || now.at > last.at) this.#last = now;
    const seconds = last ? (now.at - last.at) / 1000 : 0;
    return {
      codec: (report.get(video.codecId)?.mimeType ?? '').split('/')[1] ?? '',
      audioCodec: (report.get(audio.codecId)?.mimeType ?? '').split('/')[1] ?? '',
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      fps: video.framesPerSecond ?? NaN,
      bitrateBps: seconds > 0 ? ((now.bytes - last.bytes) * 8) / seconds : NaN,
      targetBps: video.targetBitrate ?? NaN,
      framesEncoded: video.framesEncoded ?? 0,
      framesSent: video.framesSent ?? 0,
      keyFramesEncoded: video.keyFramesEncoded ?? 0,
      videoPackets: video.packetsSent ?? 0,
      audioPackets: audio.packetsSent ?? 0,
      packetsLost: remote.packetsLost ?? 0,
      lossPercent: 100 * (remote.fractionLost ?? NaN),
      nackCount: video.nackCount ?? 0,
      pliCount: video.pliCount ?? 0,
      rttMs: 1000 * (remote.roundTripTime ?? pair.currentRoundTripTime ?? NaN),
      encoder: video.encoderImplementation ?? '',
      limitedBy: video.qualityLimitationReason ?? '',
    };
  }
}
