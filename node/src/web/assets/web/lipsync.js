// Helps the browser to keep sound and picture together. Chromium does so by
// itself, in steps that take tens of seconds after a viewer came late; a lower
// bound for the picture's delay, kept here, gets there in a few.

/** Closer than this is together: nobody notices, and the estimate is no better. */
const TOGETHER_MS = 30;
/** The picture is held back by at most this: being live matters more. */
const MOST_MS = 300;
/** Largest change at once: a picture that jumps is worse than one that is off. */
const STEP_MS = 60;

/** One connection's helper; make a new one for each. */
export class LipSync {
  #target = 0;

  /**
   * Takes figures of `inbound.js`, about once a second. Returns what the video
   * receiver's `jitterBufferTarget` shall be in ms, or null to leave it.
   */
  next({ avSkewMs: ahead, jitterBufferMs: delay }) {
    if (!Number.isFinite(ahead) || Math.abs(ahead) <= TOGETHER_MS) return null;
    // Half of what is missing: the estimate lags behind the change.
    const step = Math.max(-STEP_MS, Math.min(STEP_MS, -ahead / 2));
    const now = Math.max(this.#target, Number.isFinite(delay) && step > 0 ? delay : 0);
    const target = Math.round(Math.max(0, Math.min(MOST_MS, now + step)));
    if (target === this.#target) return null;
    this.#target = target;
    return target;
  }
}
