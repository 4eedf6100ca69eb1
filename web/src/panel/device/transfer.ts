/**
 * One transfer at a time, on the visitor's word: begun, cut off at once, and waited for before what it wrote is dropped.
 *
 * Decides: whoever stops it need not wait for what still winds down. What was dropped is not written again: a drop waits for
 * the last write, and the next transfer for the drop.
 */

export class Transfer {
  #stop: AbortController | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #dropping: Promise<unknown> = Promise.resolve();

  get active(): boolean {
    return this.#stop !== undefined;
  }

  /** Prepares, then writes; false where it was stopped. Rejects with what either rejects with. */
  async run(
    prepare: () => Promise<unknown>,
    write: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<boolean> {
    const stop = new AbortController();
    const { signal } = stop;
    this.#stop = stop;
    try {
      await orStopped(this.#dropping, signal);
      await orStopped(prepare(), signal);
      await orStopped(this.writes(write(signal)), signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      if (this.#stop === stop) this.#stop = undefined;
    }
  }

  /** A drop waits for this work too. */
  writes<T>(work: Promise<T>): Promise<T> {
    this.#writing = Promise.allSettled([this.#writing, work]);
    return work;
  }

  /** Whatever was under way counts as ended from now on. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  /** Stops, and drops once nothing is written any more; never rejects. */
  async clear(drop: () => Promise<unknown>): Promise<void> {
    this.stop();
    this.#dropping = Promise.allSettled([this.#writing, this.#dropping])
      .then(drop)
      .catch(() => undefined);
    await this.#dropping;
  }
}

/** What the work gives, or the signal's reason as soon as it is aborted. */
export function orStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(stop.reason);
    if (stop.aborted) abort();
    stop.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener("abort", abort));
  });
}
