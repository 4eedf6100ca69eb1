/**
 * One tab at a time, by Web Locks where the browser has and allows them.
 *
 * Decides: without them the work is done at once; what two tabs then do twice is harmless by its idempotency
 * key or its id.
 */

/** Runs `work` while no other tab runs work of the same name. */
export async function exclusively<T>(
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    if (!navigator.locks) return await once();
    return await navigator.locks.request(name, signal ? { signal } : {}, once);
  } catch (error) {
    // A frame whose storage is blocked may be refused locks, too.
    if (begun || signal?.aborted) throw error;
    return once();
  }
}
