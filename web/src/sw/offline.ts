/**
 * One site's files without a network: what is stored, what is served from the store, what is dropped.
 *
 * It decides by address alone. Files whose names carry their content's hash, the site's own index, and the
 * embedding beside it come from the cache first; the site's page comes from the network first, because its
 * `frame-ancestors` may have changed, and from the cache when the network is slow or gone. It refuses
 * to touch anything else, `/v1` above all, and never reads the cache of another site.
 *
 * A page goes into the cache last, after everything that it needs: a page that is there is whole.
 */

import type { OfflineReply, Precache } from "./messages.ts";

/** Every site's indexes, and the embeddings that they were built with. */
const KNOWLEDGE = "/kb/";
const EMBEDDINGS = "/kb/embedding/";

/** How long the network may take for a page before the cache answers in its stead. */
export const PAGE_TIMEOUT_MS = 3_000;

/** At most this many files are fetched at once. */
const PARALLEL = 4;

const IGNORE = { ignoreSearch: true, ignoreVary: true } as const;

/** What the store takes from the service worker's scope. */
export interface OfflineDeps {
  readonly caches: CacheStorage;
  readonly fetch: (input: RequestInfo, init?: RequestInit) => Promise<Response>;
  readonly origin: string;
  /** The path of the site's page that this worker serves: its scope. */
  readonly scope: string;
  readonly site: string;
}

/** What to do with a request; `null` leaves it to the browser. */
export type Plan = { readonly kind: "page" } | { readonly kind: "file"; readonly path: string };

export class Offline {
  readonly #cacheName: RegExp;

  constructor(private readonly deps: OfflineDeps) {
    this.#cacheName = new RegExp(`^fanlight-${escaped(deps.site)}-[0-9a-z]+$`, "i");
  }

  /** Decides from method, address and mode alone. */
  plan(request: Pick<Request, "method" | "mode" | "url">): Plan | null {
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== this.deps.origin) return null;
    if (request.mode === "navigate") {
      return url.pathname === this.deps.scope ? { kind: "page" } : null;
    }
    // A worker's script is asked for inside the page's path (engines/kb/worker_url.ts).
    const path = url.pathname.replace(/^\/(?:panel|chat)\/[^/]+(?=\/assets\/)/, "");
    const index = path.startsWith(`/kb/${this.deps.site}/`) && path.endsWith(".idx");
    const embedding = path.startsWith(EMBEDDINGS) && path.endsWith(".bin");
    return index || embedding || path.startsWith("/assets/") ? { kind: "file", path } : null;
  }

  /** The response that `plan` promises. */
  respond(plan: Plan, request: Request): Promise<Response> {
    return plan.kind === "page" ? this.#page(request) : this.#file(plan.path, request);
  }

  /**
   * Stores what `call` names under its build, and tells of each file. The caches of other builds are
   * left: `sweep` drops them. Rejects with what the browser said when storing or fetching failed.
   */
  async precache(call: Precache, tell: (reply: OfflineReply) => void): Promise<void> {
    const cache = await this.deps.caches.open(`fanlight-${this.deps.site}-${call.build}`);
    const total = call.urls.length + call.documents.length;
    let loaded = 0;
    const step = (): void => {
      loaded += 1;
      tell({ type: "progress", loaded, total });
    };
    await eachOf(call.urls, PARALLEL, async (url) => {
      if (!(await cache.match(url, IGNORE))) await cache.put(url, await this.#fetched(url));
      step();
    });
    for (const url of call.documents) {
      const page = await this.#fetched(url, { cache: "no-cache" });
      const text = await page.clone().text();
      // The page of a newer build needs other files: that page stores itself when it is opened.
      if (call.marks.every((mark) => text.includes(mark))) await cache.put(url, page);
      step();
    }
    await this.#dropStale(cache, call);
  }

  /** Drops the caches of this site's other builds; which one stays is the last that has a page. */
  async sweep(keep?: string): Promise<void> {
    const names = await this.#names();
    const kept = keep ? `fanlight-${this.deps.site}-${keep}` : await this.#lastWhole(names);
    const stale = names.filter((name) => kept !== undefined && name !== kept);
    await Promise.all(stale.map((name) => this.deps.caches.delete(name)));
  }

  /** Drops everything that was stored for this site. */
  async clear(): Promise<void> {
    const names = await this.#names();
    await Promise.all(names.map((name) => this.deps.caches.delete(name)));
  }

  async #fetched(url: string, init?: RequestInit): Promise<Response> {
    const response = await this.deps.fetch(url, { credentials: "same-origin", ...init });
    if (response.status !== 200 || response.redirected) {
      throw new TypeError(`${url} answered ${response.status}`);
    }
    return response;
  }

  /** An older index or embedding is of no use once the page names the newer one. */
  async #dropStale(cache: Cache, call: Precache): Promise<void> {
    const wanted = new Set([...call.urls, ...call.documents]);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith(KNOWLEDGE) && !wanted.has(pathname)) await cache.delete(request);
    }
  }

  async #names(): Promise<string[]> {
    return (await this.deps.caches.keys()).filter((name) => this.#cacheName.test(name));
  }

  async #lastWhole(names: readonly string[]): Promise<string | undefined> {
    for (const name of [...names].reverse()) {
      const cache = await this.deps.caches.open(name);
      if (await cache.match(this.deps.scope, IGNORE)) return name;
    }
    return undefined;
  }

  async #cached(path: string): Promise<Response | undefined> {
    for (const name of (await this.#names()).reverse()) {
      const cache = await this.deps.caches.open(name);
      // By its very address a file is found at once; otherwise every file is looked at.
      const found = (await cache.match(path)) ?? (await cache.match(path, IGNORE));
      if (found) return found;
    }
    return undefined;
  }

  async #file(path: string, request: Request): Promise<Response> {
    const asked = new URL(request.url).pathname;
    const found = await this.#cached(path).catch(() => undefined); // storage refused: as if empty
    const response = found ?? (await this.deps.fetch(asked === path ? request : path));
    // Under its own address the worker stays inside our scope; the stored one names another.
    return asked === path ? response : new Response(response.body, response);
  }

  async #page(request: Request): Promise<Response> {
    const network = this.deps.fetch(request);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, PAGE_TIMEOUT_MS, null);
    });
    const first = await Promise.race([network.catch(() => null), late]);
    clearTimeout(timer);
    if (first && first.status < 500) return first;
    const stored = await this.#cached(this.deps.scope).catch(() => undefined);
    return stored ?? network;
  }
}

/** Runs `act` over `items`, at most `width` at once; the first failure ends it. */
async function eachOf<T>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&");
}
