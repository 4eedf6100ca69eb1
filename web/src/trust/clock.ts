/**
 * What time it is, for this browser and for the gateway.
 *
 * Decides: the time that goes into signatures. A visitor's clock may be wrong by hours; when the
 * gateway refuses a call as stale or early it says its own time, and the difference is kept here.
 * Refuses: a server time that cannot be read.
 */

/** The time in milliseconds since 1970, injected so that tests own it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Never the same time twice, so that what is made in order sorts in order. */
export class SteadyClock implements Clock {
  #last = 0;

  constructor(private readonly base: Clock = systemClock) {}

  now(): number {
    this.#last = Math.max(this.#last + 1, this.base.now());
    return this.#last;
  }
}

/** A clock that can be set right by the gateway's word, for this page only. */
export class CorrectedClock implements Clock {
  #skew = 0;

  constructor(private readonly base: Clock = systemClock) {}

  now(): number {
    return this.base.now() + this.#skew;
  }

  /** Takes the gateway's time (RFC 3339); returns whether it could be read. */
  correct(serverTime: string): boolean {
    const at = Date.parse(serverTime);
    if (Number.isNaN(at)) return false;
    this.#skew = at - this.base.now();
    return true;
  }
}
