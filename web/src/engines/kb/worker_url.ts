/**
 * Where the worker's script is asked for, which decides whether the service worker sees it.
 *
 * A worker belongs to the service worker whose scope holds the *worker's* address, not the document's.
 * Our scope is the document's own path, and `/assets/` lies outside: such a worker could not start
 * without a network, nor would its fetches be served from the cache. So under a service worker the
 * script is asked for inside the scope, where the service worker answers with the same file.
 */

/** The address to start a worker from: `asset` itself, or its twin inside the document's path. */
export function workerUrl(asset: string, documentPath: string, controlled: boolean): string {
  return controlled ? `${documentPath.replace(/\/$/, "")}${asset}` : asset;
}
