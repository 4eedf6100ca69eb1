/**
 * Whether a worker still runs. One that ends itself, or that the browser ends for want of memory, tells nobody; but the browser
 * gives back what it had locked.
 *
 * Decides that such an end is told as an error of the worker, as a crash is. Where a browser has no locks it is told by
 * nothing, and whoever waits gives up in time.
 */

/** The part of Web Locks that is used (https://www.w3.org/TR/web-locks/). */
export interface Locks {
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
  request(
    name: string,
    options: { readonly signal: AbortSignal },
    callback: () => unknown,
  ): Promise<unknown>;
}

const LOOK_MS = 100;
/** A worker that has not begun by then (half a minute) never holds anything. */
const LOOKS = 300;

/** A name that no other worker of this origin has: what it locks has it too. */
export function workerName(kind: string): string {
  return `fanlight-${kind}-${crypto.randomUUID()}`;
}

/** In a worker: locks its own name for as long as it runs. */
export function holdName(name: string, locks: LockManager | undefined = navigator.locks): void {
  void locks?.request(name, () => new Promise(() => undefined));
}

/** Has `worker`, which locks its `name`, hear an `error` of itself once it has ended. */
export function tellEnd(
  worker: Pick<EventTarget, "dispatchEvent">,
  name: string,
  locks: Locks | undefined = navigator.locks as unknown as Locks | undefined,
): void {
  if (locks)
    void ended(name, locks).then((held) => held && worker.dispatchEvent(new Event("error")));
}

/** Resolves once nobody holds `name` any more; with false where nobody ever did. */
async function ended(name: string, locks: Locks): Promise<boolean> {
  try {
    for (let look = 0; !(await locks.query()).held?.some((lock) => lock.name === name); look += 1) {
      if (look === LOOKS) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await locks.request(name, { signal: new AbortController().signal }, () => undefined);
    return true;
  } catch {
    // A browser that refuses locks here.
    return false;
  }
}
