/** A wait that can be given up. */

/** Resolves after so many milliseconds; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(stop.reason);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener("abort", end);
      resolve();
    }, ms);
    if (stop.aborted) end();
    stop.addEventListener("abort", end, { once: true });
  });
}
