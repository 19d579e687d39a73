// How long to wait before trying again: doubling, jittered, bounded.

/** Waits that double from `first` to `most` milliseconds. */
export class Backoff {
  #first;
  #most;
  #random;
  #tries = 0;

  constructor({ first = 400, most = 8000, random = Math.random } = {}) {
    this.#first = first;
    this.#most = most;
    this.#random = random;
  }

  /** The next wait, between half and the whole of the current step. */
  next() {
    const step = Math.min(this.#most, this.#first * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 16);
    return Math.round(step * (0.5 + this.#random() / 2));
  }

  /** Called when things went well: the next wait is short again. */
  reset() {
    this.#tries = 0;
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
