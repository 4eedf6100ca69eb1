/**
 * One at a time: across tabs by Web Locks, within this one where the browser has or allows none.
 *
 * Decides: without locks two tabs may do the same thing twice; that is harmless by its idempotency key or
 * its id.
 */

const queues = new Map<string, Promise<unknown>>();

/** Runs `work` after all earlier work of the same name in this tab. */
function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(name) ?? Promise.resolve()).then(work, work);
  queues.set(name, turn);
  return turn;
}

/** Runs `work` while nobody else runs work of the same name. */
export async function exclusively<T>(
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (!navigator.locks) return inTurn(name, work);
  let begun = false;
  try {
    return await navigator.locks.request(name, signal ? { signal } : {}, () => {
      begun = true;
      return work();
    });
  } catch (error) {
    // A frame whose storage is blocked may be refused locks, too.
    if (begun || signal?.aborted) throw error;
    return inTurn(name, work);
  }
}
