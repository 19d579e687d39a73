// What can be published: camera, screen or the test picture, as one shape.

import { testPattern } from './pattern.js';

/** Why there is no picture to publish: `reason` is a key of `studio.js`'s words. */
export class SourceError extends Error {
  constructor(reason, detail = '') {
    super(detail || reason);
    this.reason = reason;
  }
}

/** Sound as it is: the browser's call processing would spoil music. */
const PLAIN_SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 2 };

/**
 * Opens `kind` (`camera`, `screen`, `pattern`) with `{ height, fps, camera,
 * microphone }`. Returns `{ kind, stream, stop, hint, keep }`: `hint` is the
 * content hint, `keep` what to keep when bandwidth is short.
 */
export async function open(kind, want) {
  const width = Math.round((want.height * 16) / 9 / 2) * 2;
  if (kind === 'pattern') {
    const { stream, stop } = testPattern({ width, height: want.height, fps: want.fps });
    return { kind, stream, stop, hint: 'motion', keep: 'maintain-resolution' };
  }
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) throw new SourceError(globalThis.isSecureContext ? 'unsupported' : 'insecure');
  try {
    const stream = await (kind === 'screen' ? screen(devices, want) : camera(devices, width, want));
    const stop = () => stream.getTracks().forEach((track) => track.stop());
    return kind === 'screen'
      ? { kind, stream, stop, hint: 'detail', keep: 'maintain-resolution' }
      : { kind, stream, stop, hint: 'motion', keep: 'balanced' };
  } catch (error) {
    throw new SourceError(REASONS[error.name] ?? 'failed', error.message);
  }
}

const REASONS = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

function camera(devices, width, { height, fps, camera: id, microphone }) {
  return devices.getUserMedia({
    video: {
      width: { ideal: width },
      height: { ideal: height },
      frameRate: { ideal: fps },
      ...(id && { deviceId: { exact: id } }),
    },
    audio: microphone === 'none' ? false : { ...PLAIN_SOUND, ...(microphone && { deviceId: { exact: microphone } }) },
  });
}

async function screen(devices, { height, fps, microphone }) {
  if (!devices.getDisplayMedia) throw new SourceError('unsupported');
  const stream = await devices.getDisplayMedia({
    video: { frameRate: { ideal: fps }, height: { max: height } },
    audio: true,
  });
  // The screen's own sound where the browser shares it, else the microphone.
  if (!stream.getAudioTracks().length && microphone !== 'none') {
    const audio = { ...PLAIN_SOUND, ...(microphone && { deviceId: { exact: microphone } }) };
    const voice = await devices.getUserMedia({ audio }).catch(() => null);
    voice?.getAudioTracks().forEach((track) => stream.addTrack(track));
  }
  return stream;
}

/** `{ cameras, microphones }`: names are empty until permission was given once. */
export async function list() {
  const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId);
  return { cameras: of('videoinput'), microphones: of('audioinput') };
}
